"""Starting a Python of our own beside this one, inside 3D Slicer too."""

import os
import shutil
import sys
from pathlib import Path


def python_program() -> str:
    """The Python to start a child with; inside 3D Slicer that is PythonSlicer, not the application itself."""
    return shutil.which("PythonSlicer") or sys.executable


def child_environment() -> dict:
    """This environment, with the folder that holds ICHVolumeLib importable in the child."""
    home = str(Path(__file__).resolve().parents[2])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
