"""An output folder that is either complete or untouched, and never costs anybody a corrected mask."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ..core.errors import InputError
from .folder_lock import FolderLock
from .written_files import UNCHANGED, file_states

COMMIT, EARLIER, JOURNAL, LOCK = ".ichvolume-commit", ".earlier", ".journal.json", ".ichvolume-lock"
STAGING, STAGING_OF_NEW, RANDOM_LETTERS = ".ichvolume-writing-", ".ichvolume-writing-{}-", 8  # of mkdtemp
LOCK_OF_NEW = ".{}.ichvolume-lock"  # beside a folder that does not exist yet


def still_ours(out: Path, names: tuple[str, ...]) -> set[str]:
    """The names in `out` that are as this program wrote them."""
    return {name for name, state in file_states(out, names).items() if state == UNCHANGED}


class OutputFolder:
    """Files are written to `staging` and come into `out` all together, on commit(), or not at all.

    Making one proves that the place is writable and free of another run, before any work is done. A new `out` appears
    by one rename. In an existing `out` each file of `names` is replaced (one that the new case lacks is removed, so
    that no surface of an earlier case stays behind); if that fails the earlier files are put back, and if the program
    is killed on the way, whoever opens the folder next brings the rest in (`finish_commit`). Anything else in `out` is
    left alone. Files of `names` that are not `ours(out, names)` are never replaced: that is refused, or with `force`
    they stay beside under a name with the date. Use as a context manager; leaving it removes what was not committed.
    Raises InputError when `out` cannot be written or holds what would be lost.
    """

    def __init__(self, out, names=(), *, force: bool = False,
                 ours: Callable[[Path, tuple[str, ...]], set[str]] = still_ours):
        self.out, self.names = Path(out).absolute(), tuple(names)
        self._force, self._ours = force, ours
        self._made_parents: list[Path] = []
        self._lock: FolderLock | None = None
        try:
            if self.out.exists() and not self.out.is_dir():
                raise NotADirectoryError(20, "a file of that name exists")
            home = self.out if self.out.is_dir() else self._make_parents()
            lock = LOCK if self.out.is_dir() else LOCK_OF_NEW.format(self.out.name)
            self._lock = FolderLock(home / lock, self.out)
            finish_commit(self.out)
            self._precious()
            self.staging = _staging(home, self.out)
        except OSError as error:
            self._leave()
            raise InputError(f"Cannot write into {self.out} ({error.strerror}); "
                             "choose an output folder that you may write to.") from error
        except InputError:
            self._leave()
            raise

    def commit(self) -> list[str]:
        """Bring the staged files into place; returns their names."""
        written = sorted(path.name for path in self.staging.iterdir())
        try:
            if self.out.is_dir():
                self._replace_files(written)
            else:
                self.staging.chmod(0o777 & ~_umask())  # mkdtemp makes it private
                os.replace(self.staging, self.out)
            self._made_parents = []
            return written
        except OSError as error:
            raise InputError(f"Cannot write into {self.out} ({error.strerror}); close programs that have its files "
                             "open, or choose another output folder.") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.staging, ignore_errors=True)
        self._leave()

    def _precious(self) -> list[str]:
        """The names in `out` that somebody else made or changed. Raises InputError for them, unless forced."""
        there = [name for name in self.names if (self.out / name).exists()]
        precious = sorted(set(there) - self._ours(self.out, self.names)) if there else []
        if precious and not self._force:
            which = ", ".join(precious)
            were = "was" if len(precious) == 1 else "were"
            raise InputError(f"{which} in {self.out} {were} changed after ICHVolume wrote the folder, or not written "
                             "by this version: a correction could be lost. Choose another output folder, or give "
                             "--force, which keeps a copy with today's date beside the new files.")
        return precious

    def _replace_files(self, new: list[str]) -> None:
        stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
        copies = {name: f"{stamp}-{name}" for name in self._precious()}
        journal = {"names": list(dict.fromkeys((*self.names, *new))), "new": new, "copies": copies}
        (self.staging / JOURNAL).write_text(json.dumps(journal), encoding="utf-8")
        (self.staging / EARLIER).mkdir()
        commit = self.out / COMMIT
        os.replace(self.staging, commit)  # from here on a kill is followed by finish_commit
        try:
            _bring_in(self.out, commit, journal)
        except BaseException:  # Ctrl-C too: put everything back, then let it go on
            _put_back(self.out, commit, journal)
            raise
        finally:
            shutil.rmtree(commit, ignore_errors=True)

    def _make_parents(self) -> Path:
        parent = self.out.parent
        missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._made_parents.append(folder)
        return parent

    def _leave(self) -> None:
        if self._lock is not None:
            self._lock.release()
        with suppress(OSError):  # another program may have put something there meanwhile
            for folder in reversed(self._made_parents):
                folder.rmdir()
        self._made_parents = []


def _staging(home: Path, out: Path) -> Path:
    """A new folder to write into before commit, while the lock of `out` is held; what killed runs left of theirs
    goes."""
    prefix = STAGING if home == out else STAGING_OF_NEW.format(out.name)
    for left in home.iterdir():
        if left.name.startswith(prefix) and len(left.name) == len(prefix) + RANDOM_LETTERS:
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=home))


def finish_commit(out: Path) -> None:
    """Bring in what a killed run had ready for `out`; nothing where there is nothing to finish."""
    commit = Path(out) / COMMIT
    if not commit.is_dir():
        return
    try:
        journal = json.loads((commit / JOURNAL).read_text(encoding="utf-8"))
        _bring_in(Path(out), commit, journal)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{commit} is left of a run that was killed and cannot be brought in ({error}); look into it, "
                         "and remove it.") from error
    shutil.rmtree(commit, ignore_errors=True)


def _bring_in(out: Path, commit: Path, journal: dict) -> None:
    """Every step can be done again: what is no longer in `commit` is in its place already."""
    for name in journal["names"]:
        arrives = name in journal["new"]
        if arrives and not (commit / name).exists():
            continue
        if (out / name).exists():
            away = out / journal["copies"][name] if name in journal["copies"] else commit / EARLIER / name
            os.replace(out / name, away)
        if arrives:
            os.replace(commit / name, out / name)


def _put_back(out: Path, commit: Path, journal: dict) -> None:
    for name in journal["names"]:
        away = out / journal["copies"][name] if name in journal["copies"] else commit / EARLIER / name
        if away.exists():
            if (out / name).exists():
                os.replace(out / name, commit / name)
            os.replace(away, out / name)
        elif name in journal["new"] and (out / name).exists() and not (commit / name).exists():
            os.replace(out / name, commit / name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
