"""The user's cache folder: compiled networks and what was measured about this processor. Losing it costs a second."""

import os
import stat
import sys
from pathlib import Path

ENVIRONMENT_VARIABLE = "ICHVOLUME_CACHE"
KEPT_FILES = 8  # compiled networks, one or two for all weights in use; 10-50 MB each


def cache_folder() -> Path | None:
    """A writable folder of this user, made when needed; None when there is none (read-only home, full disk)."""
    try:
        folder = Path(os.environ.get(ENVIRONMENT_VARIABLE) or _platform_folder() / "ICHVolume")
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except (OSError, RuntimeError):  # pathlib's RuntimeError: this user has no home
        return None
    return folder


def keep_newest(folder: Path, pattern: str, count: int = KEPT_FILES) -> None:
    """Delete all but the newest `count` files; a file in use by another process stays."""
    dated = []
    for path in folder.glob(pattern):
        try:
            dated.append((path.stat().st_mtime, path))
        except OSError:
            continue
    for _, path in sorted(dated, reverse=True)[count:]:
        try:
            path.chmod(stat.S_IWRITE | stat.S_IREAD)  # OpenVINO's are read-only, which Windows does not delete
            path.unlink()
        except OSError:
            continue


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
