"""The package as CMake builds it, with a stub in Slicer's place: complete, importable, working."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY, MODULE = ROOT / "ICHVolumeLib", ROOT / "ICHVolume"


def files_under(folder, *patterns):
    return {path.relative_to(folder).as_posix() for pattern in patterns for path in folder.rglob(pattern)
            if "__pycache__" not in path.parts}


def test_every_script_and_resource_on_disk_is_installed_and_nothing_else(package):
    """A file that this test names is missing in (or too many in) SCRIPTS or RESOURCES of its CMakeLists.txt."""
    expected = {f"ICHVolumeLib/{name}" for name in files_under(LIBRARY, "*.py", "*.safetensors", "*.json")}
    expected |= files_under(MODULE, "*.py", "*.ui", "*.png", "*.svg")
    installed = {path.relative_to(package.modules).as_posix() for path in package.modules.rglob("*") if path.is_file()}
    assert installed == expected


def test_slicer_would_find_exactly_one_module(package):
    """Slicer takes every .py at the top of the folder for a module."""
    assert [path.name for path in package.modules.glob("*.py")] == ["ICHVolume.py"]


def run_installed(package, code, tmp_path):
    """Run code in a bare interpreter that sees the installed tree and not this source tree."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PYTHONPATH"] = str(package.modules)
    return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True,
                          text=True, encoding="utf-8", check=False)


MEASURE = """
import json, numpy as np, ICHVolumeLib
from ICHVolumeLib.core.ct_volume import CTVolume
mask = np.zeros((10, 20, 20), np.uint8)
mask[2:6, 5:15, 5:15] = 1
ct = CTVolume.regular(np.zeros(mask.shape, np.int16), np.diag([1.0, 1.0, 5.0, 1.0]))
measured = ICHVolumeLib.measure_mask(ct, mask)
print(json.dumps({"file": ICHVolumeLib.__file__, "ml": measured.volume_ml.total}))
"""


def test_the_installed_library_imports_and_measures(package, tmp_path):
    done = run_installed(package, MEASURE, tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert Path(answer["file"]).resolve().is_relative_to(package.modules.resolve())
    assert answer["ml"] == pytest.approx(2.0)


def test_every_installed_library_module_imports(package, tmp_path):
    for optional in ("torch", "matplotlib", "openvino"):  # training and engines need them
        pytest.importorskip(optional)
    names = sorted(name[:-3].replace("/", ".").removesuffix(".__init__")
                   for name in files_under(package.modules / "ICHVolumeLib", "*.py") if name != "__main__.py")
    code = ("import importlib, sys\n"
            f"for name in {names!r}:\n"
            "    importlib.import_module('ICHVolumeLib.' + name if name != '__init__' else 'ICHVolumeLib')\n")
    done = run_installed(package, code, tmp_path)
    assert done.returncode == 0, done.stderr


SCENE = """
import sys
sys.path.insert(0, {testing!r})
from bare_slicer import require_slicer
slicer = require_slicer()
import numpy as np
from ICHVolumeLib.core.labels import LABELS
from ICHVolumePanel import scene, scene_export, scene_lines
hu = np.full((6, 16, 16), -1000, np.int16)
hu[2:4, 4:8, 4:8] = 60
volume = slicer.util.addVolumeFromArray(hu, ijkToRAS=np.diag([1.0, 1.0, 5.0, 1.0]))
segmentation = scene.new_segmentation(volume, (hu > 0).astype(np.uint8), LABELS)
print(scene.__file__, int(scene.mask_from_segmentation(segmentation, volume).sum()))
"""


def test_the_installed_adapter_runs_on_the_real_scene(package, tmp_path):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    done = run_installed(package, SCENE.format(testing=str(ROOT / "Testing")), tmp_path)
    assert done.returncode == 0, done.stderr
    path, voxels = done.stdout.split()
    assert Path(path).resolve().is_relative_to(package.modules.resolve())
    assert voxels == "32"


def test_a_listed_file_that_is_missing_fails_at_configure_time(configure, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOT / "CMakeLists.txt", source)
    for folder in (MODULE, LIBRARY):
        shutil.copytree(folder, source / folder.name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    (source / "ICHVolumeLib" / "core" / "ct_volume.py").unlink()
    done = configure(source, tmp_path / "build", tmp_path / "install")
    assert done.returncode != 0
    assert "nonexistent file or directory" in done.stderr and "ct_volume" in done.stderr
