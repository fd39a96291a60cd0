"""The extension configured, built and installed once, with the stub of Slicer's build tree in ./stub."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(__file__).resolve().parent / "stub"
SCRIPTED_MODULES = "lib/Slicer-5.12/qt-scripted-modules"


def find_cmake():
    """The cmake of the environment that runs the tests, else the system's; skips where there is neither."""
    beside = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if beside is None:
        pytest.skip("cmake is not installed: pip install cmake")
    if shutil.which("ninja") is None and shutil.which("make") is None and os.name != "nt":
        pytest.skip("neither ninja nor make is installed")
    return beside


def run_cmake(source, build, install):
    """Run cmake on a source tree with the stub; returns the finished process."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    return subprocess.run(
        [find_cmake(), "-S", source, "-B", build, *generator, f"-DSlicer_DIR={STUB.as_posix()}",
         f"-DCMAKE_TOOLCHAIN_FILE={(STUB / 'no_compiler.cmake').as_posix()}",
         f"-DCMAKE_INSTALL_PREFIX={Path(install).as_posix()}"],
        capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.fixture(scope="session")
def configure():
    return run_cmake


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """.meta: the extension's EXTENSION_* values as CMake has them; .modules: the installed scripted-module folder."""
    folder = tmp_path_factory.mktemp("package")
    configured = run_cmake(ROOT, folder / "build", folder / "install")
    assert configured.returncode == 0, configured.stderr
    for step in (["--build"], ["--install"]):
        done = subprocess.run([find_cmake(), *step, folder / "build"], capture_output=True, text=True,
                              encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    lines = (folder / "build" / "extension.txt").read_text(encoding="utf-8").splitlines()
    return SimpleNamespace(meta=dict(line.split("=", 1) for line in lines),
                           modules=folder / "install" / SCRIPTED_MODULES)
