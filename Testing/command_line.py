"""The real command line in a process of its own, as a user starts it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def ichvolume(*arguments, cwd=None, **environment) -> subprocess.CompletedProcess:
    """Run `python -m ICHVolumeLib ...`; its output as text. environment: variables to add."""
    return subprocess.run([sys.executable, "-m", "ICHVolumeLib", *map(str, arguments)], cwd=cwd, capture_output=True,
                          encoding="utf-8", timeout=300, check=False, env=child_environment(**environment))


def child_environment(**more) -> dict:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1", **more}


def contents(folder: Path) -> dict:
    """Every file below a folder and its bytes: to see that nothing was touched."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file()}
