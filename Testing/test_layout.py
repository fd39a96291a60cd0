"""The plan of the library, read from its imports: one direction, no cycle, and nothing hidden inside functions."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from command_line import ROOT

LIBRARY = ROOT / "ICHVolumeLib"
HEAVY = {"torch", "vtk", "vtkmodules", "openvino", "pydicom", "SimpleITK", "matplotlib", "monai", "threadpoolctl"}
MAY_IMPORT_LATE = ("ICHVolumeLib.commands", "ICHVolumeLib.cli", "ICHVolumeLib.bench.case_child")
# a room may import those above it in this list, never those below
FLOORS = [{"core"}, {"imaging", "clinical", "network"}, {"io", "engines", "measure", "correction"},
          {"quality", "postprocessing", "synthetic"}, {"segmentation", "report", "datasets"},
          {"workflow", "training"}, {"worker", "evaluation", "bench"}, {"calibration"}, {"experiments"}, {"commands"}]


def module_names() -> dict[str, bool]:
    """Dotted name -> whether it is a package."""
    names = {}
    for path in LIBRARY.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        names[".".join(parts[:-1] if is_package else parts)] = is_package
    return names


NAMES = module_names()


def tree_of(module: str) -> ast.Module:
    path = ROOT.joinpath(*module.split("."))
    return ast.parse((path / "__init__.py" if NAMES[module] else path.with_suffix(".py")).read_text(encoding="utf-8"))


def targets(module: str, node: ast.ImportFrom) -> set[str]:
    """The modules of the library that a `from ... import ...` names."""
    parts = module.split(".") if NAMES[module] else module.split(".")[:-1]
    base = parts[:len(parts) - node.level + 1] if node.level else []
    base = ".".join([*base, *([node.module] if node.module else [])])
    found = {f"{base}.{alias.name}" if f"{base}.{alias.name}" in NAMES else base for alias in node.names}
    return {name for name in found if name in NAMES}


def imports(module: str, tree: ast.AST) -> set[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name for node in nodes for name in targets(module, node)} - {module}


GRAPH = {module: imports(module, tree_of(module)) for module in NAMES}


def room(module: str) -> str:
    return module.split(".")[1] if module.count(".") > 1 or (NAMES[module] and "." in module) else ""


def test_no_file_imports_itself_through_others():
    TopologicalSorter(GRAPH).prepare()


def test_no_room_imports_itself_through_others():
    rooms = {room(module): set() for module in NAMES}
    for module, names in GRAPH.items():
        rooms[room(module)] |= {room(name) for name in names if room(name)} - {room(module)}
    TopologicalSorter({name: others for name, others in rooms.items() if name}).prepare()


def test_a_cycle_would_be_seen():
    with pytest.raises(CycleError):
        TopologicalSorter({"page": {"details"}, "details": {"page"}}).prepare()


def test_every_room_imports_only_rooms_above_it():
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    wrong = [f"{module} -> {name}" for module, names in GRAPH.items() for name in names
             if room(module) in floor and room(name) in floor and room(module) != room(name)
             and floor[room(name)] >= floor[room(module)]]
    assert wrong == []


def test_every_room_stands_on_a_floor():
    assert {room(module) for module in NAMES} - {"", "weights"} <= set().union(*FLOORS)


def is_heavy(module: str, seen: set[str]) -> bool:
    """Whether importing it loads a heavy package."""
    if module in seen:
        return False
    seen.add(module)
    for node in tree_of(module).body:
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] in HEAVY for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom):
            if not node.level and node.module.split(".")[0] in HEAVY:
                return True
            if any(is_heavy(name, seen) for name in targets(module, node)):
                return True
    return False


def late_imports(module: str):
    functions = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.FunctionDef)]
    return {name for function in functions for name in imports(module, function)}


@pytest.mark.parametrize("module", [name for name in NAMES if not name.startswith(MAY_IMPORT_LATE)])
def test_only_what_is_heavy_is_imported_inside_a_function(module):
    assert [name for name in late_imports(module) if not is_heavy(name, set())] == []
