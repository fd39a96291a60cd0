"""The mark of the generator covers all of its code."""

import ast
from pathlib import Path

import ICHVolumeLib
from ICHVolumeLib.synthetic.code_version import generator_mark, maker_files

LIBRARY = Path(ICHVolumeLib.__file__).parent
VALUES = ("core", "datasets/case.py")  # records and errors: nothing is computed there


def imported(file):
    """The library's files that a file imports."""
    room = file.parent
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [room, room.parent][node.level - 1] / (node.module or "").replace(".", "/")
            for found in (base.with_suffix(".py"), *(base / f"{name.name}.py" for name in node.names)):
                if found.is_file():
                    yield found


def test_everything_that_the_generator_imports_is_in_its_mark():
    makers = set(maker_files())
    missing = {found.relative_to(LIBRARY).as_posix() for file in makers for found in imported(file)
               if found not in makers}
    assert not {name for name in missing if not name.startswith(VALUES)}
    assert {LIBRARY / "datasets" / "ct_ich.py", LIBRARY / "synthetic" / "generator.py"} <= makers


def test_the_mark_changes_with_any_of_the_files(monkeypatch, tmp_path):
    from ICHVolumeLib.synthetic import code_version

    monkeypatch.setattr(code_version, "maker_files", lambda: [tmp_path / "one.py", tmp_path / "two.py"])
    marks = set()
    for second in ("a = 1", "a = 2"):
        (tmp_path / "one.py").write_text("b = 1", encoding="utf-8")
        (tmp_path / "two.py").write_text(second, encoding="utf-8")
        marks.add(generator_mark())
    assert len(marks) == 2
