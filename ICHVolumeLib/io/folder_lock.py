"""One writer at a time: a lock that the operating system takes back when its owner dies."""

import os
from pathlib import Path

from ..core.errors import InputError


class FolderBusy(InputError):
    """Another run is writing there."""


class FolderLock:
    """Holds `path` (a small file of its own) until release(). Raises FolderBusy at once when another run holds it.

    Where the file system knows no locks (some network drives) nothing is held: better a case without a lock than none.
    """

    def __init__(self, path: Path, what: Path):
        self.path = Path(path)
        self._file = None
        while self._file is None:
            file = open(self.path, "a+b")
            if not _take(file):
                file.close()
                raise FolderBusy(f"Another run is writing into {what}; wait for it to end, or choose another output "
                                 "folder.")
            if self._is_still_there(file):
                self._file = file
            else:  # its last owner removed it between our opening and locking it
                file.close()

    def release(self) -> None:
        if self._file is not None:
            if os.name != "nt":  # while it is held: nobody can take it before it is gone
                self.path.unlink(missing_ok=True)
            self._file.close()
            self._file = None
            if os.name == "nt":
                _remove_unless_open(self.path)

    def _is_still_there(self, file) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(file.fileno()))
        except FileNotFoundError:
            return False


def _take(file) -> bool:
    """False when another process (or another handle of this one) has it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True


def _remove_unless_open(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return  # another run has it by now
