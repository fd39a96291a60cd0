"""Every HardInput of the cases_*.py beside this file, by file and in their order."""

from importlib import import_module
from pathlib import Path

from hard_inputs.hard_input import HardInput


def all_cases() -> list[HardInput]:
    names = sorted(path.stem for path in Path(__file__).parent.glob("cases_*.py"))
    return [case for name in names for case in import_module(f"hard_inputs.{name}").CASES]
