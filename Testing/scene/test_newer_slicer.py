"""The tests of this folder once more on the slicer-core of the next Slicer, in an environment of its own.

Slicer's preview build moves on before its stable one does; what it changes in MRML is seen here first.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEWER = {"slicer-core": "5.13.31053.0", "vtk": "9.6.2"}
INSTALL_S, TESTS_S = 1200, 3600


@pytest.fixture
def newer_python(tmp_path):
    """A virtual environment's Python: NEWER, and everything else from the environment that the tests run in."""
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=INSTALL_S)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = [f"{name}=={version}" for name, version in NEWER.items()]
    got = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", *wanted], capture_output=True,
                         encoding="utf-8", errors="replace", timeout=INSTALL_S)
    if got.returncode:
        why = next((line for line in got.stderr.splitlines() if line.startswith("ERROR")), f"pip: {got.returncode}")
        pytest.skip(f"{' and '.join(wanted)} cannot be had here: {why}")
    own = subprocess.run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True,
                         capture_output=True, encoding="utf-8").stdout.strip()
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(own) / "the_rest.pth").write_text("\n".join(sorted(here)) + "\n", encoding="utf-8")  # behind its own packages
    return python


@pytest.mark.slow
def test_the_scene_tests_pass_on_the_next_slicer(newer_python):
    versions = "from importlib.metadata import version as v; print(v('slicer-core'), v('vtk'))"
    told = subprocess.run([str(newer_python), "-c", versions], check=True, capture_output=True, encoding="utf-8")
    assert told.stdout.split() == list(NEWER.values())
    ran = subprocess.run([str(newer_python), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent),
                          "--ignore", __file__], cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace",
                         timeout=TESTS_S)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-1000:]
    assert " passed" in ran.stdout and "skipped" not in ran.stdout, ran.stdout[-1000:]
