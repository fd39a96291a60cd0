"""Libraries of the system that the tests need and a bare Debian lacks.

Run by the Makefile before anything is installed, so it needs nothing but Python. Installs what is missing with apt
when the user is root, else names it in one line and lets the set-up go on.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

# (what is looked for, Debian package): a library by name, or a file pattern from the root
NEEDED = (
    ("libEGL.so.1", "libegl1"),  # pictures without a screen
    ("libGL.so.1", "libgl1"),
    ("usr/lib/*/dri/swrast_dri.so", "libgl1-mesa-dri"),  # drawing without a graphics card
    ("libxkbcommon.so.0", "libxkbcommon0"),  # this and the next three: Qt, for the tests of the panel
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libgthread-2.0.so.0", "libglib2.0-0"),
    ("usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"),
)


def main() -> None:
    if not sys.platform.startswith("linux"):
        return
    missing = [package for sought, package in NEEDED if not is_there(sought)]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write(f"Installing system libraries: {' '.join(missing)}\n")
        sys.stdout.flush()
        install(missing)
    else:
        sys.stdout.write(f"Missing on this computer: {' '.join(missing)}. The 3D picture and the tests of the panel "
                         f"need them; on Debian or Ubuntu: sudo apt-get install {' '.join(missing)}\n")


def is_there(sought: str) -> bool:
    if "/" in sought:
        return any(Path("/").glob(sought))
    try:
        ctypes.CDLL(sought)
        return True
    except OSError:
        return False


def install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    for command in ([*apt, "update"], [*apt, "install", "--no-install-recommends", "-y", *packages]):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed; install {' '.join(packages)} by hand and run make again.")


if __name__ == "__main__":
    main()
