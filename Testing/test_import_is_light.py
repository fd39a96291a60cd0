"""The library answers at once: nothing heavy is loaded before it is needed."""

import subprocess
import sys

import pytest
from command_line import ROOT

HEAVY = ("torch", "SimpleITK", "openvino", "vtk", "vtkmodules", "pydicom", "highdicom", "slicer", "qt",
         "PySide6", "dask", "distributed")


def modules_after(code: str) -> set[str]:
    """Top-level modules that a bare interpreter holds after running the code."""
    code = (f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}\n"
            "print(*{name.split('.')[0] for name in sys.modules})")
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", [
    "import ICHVolumeLib",
    "from ICHVolumeLib.cli import build_parser; build_parser()",
    "from ICHVolumeLib import CTVolume, ClinicalInputs, measure_mask, make_sample",
    "import ICHVolumeLib.workflow.case, ICHVolumeLib.report",
    "import ICHVolumeLib.evaluation.mask_evaluation, ICHVolumeLib.evaluation.study",
], ids=["the package", "the command line", "its plain names", "the pipeline", "masks of other programs"])
def test_importing_loads_nothing_heavy(code):
    assert modules_after(code).isdisjoint(HEAVY)


def test_importing_the_package_loads_not_even_numpy():
    assert "numpy" not in modules_after("import ICHVolumeLib")


def test_the_probe_sees_what_is_loaded():
    assert "SimpleITK" in modules_after("import SimpleITK")


def test_every_public_name_resolves():
    modules_after("import ICHVolumeLib\nfor name in ICHVolumeLib.__all__: getattr(ICHVolumeLib, name)")


def test_an_unknown_name_is_an_attribute_error():
    import ICHVolumeLib

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = ICHVolumeLib.no_such_name
