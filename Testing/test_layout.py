"""The plan of the library, read from its imports: one direction, no cycle, and nothing hidden inside functions."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from library_imports import FLOORS, GRAPH, NAMES, imports, room, targets, tree_of

HEAVY = {"torch", "vtk", "vtkmodules", "openvino", "pydicom", "highdicom", "SimpleITK", "matplotlib", "monai",
         "threadpoolctl", "dask", "distributed"}
MAY_IMPORT_LATE = ("ICHVolumeLib.commands", "ICHVolumeLib.cli", "ICHVolumeLib.bench.case_child")


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
