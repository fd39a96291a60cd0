"""The imports of the library, read from its files: for the test of its plan and for the picture of it."""

import ast

from command_line import ROOT

LIBRARY = ROOT / "ICHVolumeLib"
# a room may import those of earlier floors, never those of its own or a later one
FLOORS = [{"core"}, {"imaging", "clinical", "network"}, {"io", "engines", "anatomy"}, {"measure"},
          {"postprocessing", "datasets"}, {"segmentation", "correction"}, {"quality", "synthetic"}, {"report"},
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
