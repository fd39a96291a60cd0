"""A scan in a .zip file: unpacked with a bound on size and count into a temporary folder that goes away again."""

import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..core.errors import InputError
from .bounded_files import UnreadableFile, damage_words, open_regular

MAX_UNPACKED_BYTES = 4 << 30  # on disk; a thin-slice head with all its reconstructions has a quarter of it
MAX_FILES = 20_000


def is_zip_name(name: str) -> bool:
    return name.lower().endswith(".zip")


@contextmanager
def unzipped(path):
    """A temporary folder with the files of a .zip: (folder, names left out).

    Only the last part of each name is kept, so nothing is written outside the folder whatever the names say; links,
    encrypted entries and names of an operating system's own files are left out or refused.
    Raises InputError when it is no zip, damaged, encrypted, or larger than the bounds; its text names the .zip, never
    the temporary folder.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(prefix="ichvolume-zip-") as name:
        folder = Path(name)
        try:
            left_out = _unpack(path, folder)
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError,
                RuntimeError) as error:
            raise InputError(f"{path} cannot be unpacked ({_words(error)}); pack it again or give "
                             "the folder.") from error
        try:
            yield folder, left_out
        except InputError as error:
            raise InputError(str(error).replace(str(folder), str(path))) from error


def _unpack(path, folder) -> list[str]:
    left_out, total = [], 0
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]  # is_dir wants a name
        if len(entries) > MAX_FILES:
            raise UnreadableFile(f"it holds {len(entries)} files, more than {MAX_FILES}")
        claimed = sum(entry.file_size for entry in entries)
        if claimed > MAX_UNPACKED_BYTES:
            raise UnreadableFile(f"it unpacks to {claimed / 1e9:.3g} GB, more than {MAX_UNPACKED_BYTES / 1e9:.3g} GB")
        if claimed > shutil.disk_usage(folder).free:
            raise UnreadableFile(f"it unpacks to {claimed / 1e9:.3g} GB, more than the temporary folder has room for")
        for number, entry in enumerate(entries):
            if entry.flag_bits & 1:
                raise UnreadableFile("it is encrypted")
            parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
            if not parts or "__MACOSX" in parts or parts[-1].startswith("._") or _is_link(entry):
                left_out.append(parts[-1] if parts else "a file without a name")
                continue
            total += _copy(archive, entry, _place(folder, number, parts[-1]), MAX_UNPACKED_BYTES - total)
    return left_out


def _is_link(entry) -> bool:
    return (entry.external_attr >> 16) & 0o170000 == 0o120000


def _place(folder, number, name) -> Path:
    """Inside the folder, with the file's own name where an operating system takes it, and never an earlier file."""
    plain = "".join(letter if letter.isalnum() or letter in "._- ()" else "_" for letter in name)[-100:].strip(". ")
    target = folder / (plain or "file")
    if target.exists():
        target = folder / f"{number:05d}" / (plain or "file")
        target.parent.mkdir()
    return target


def _copy(archive, entry, target, room) -> int:
    """Unpack one file; a lie about its size ends it."""
    written = 0
    with archive.open(entry) as packed, open(target, "wb") as out:
        while block := packed.read(1 << 20):
            written += len(block)
            if written > min(room, entry.file_size):
                raise UnreadableFile(f"{entry.filename} is larger than it claims")
            out.write(block)
    return written


def _words(error) -> str:
    if isinstance(error, NotImplementedError):
        return "it is packed in a way that is not known here"
    return "it is no .zip, or a damaged one" if isinstance(error, zipfile.BadZipFile) else damage_words(error)
