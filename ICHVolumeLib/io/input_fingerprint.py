"""Whether the files of a scan are those that were measured: by names, sizes and times, and if these differ by content.

A copy of a scan has other times, and need not be measured again for that.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from .images import is_image_name
from .scan_tree import scan_name
from .zipped import is_zip_name


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 in hexadecimal. places: of the files' names, sizes and times; content: of their names and bytes."""

    places: str
    content: str


def fingerprint(path) -> Fingerprint:
    """Of every file that reading `path` (see read_ct) may look at. Raises OSError for files that cannot be read."""
    files = _files_of(Path(path))
    return Fingerprint(_places(files), _content(files))


def is_same_input(path, before: Fingerprint) -> bool:
    """False also for files that cannot be read: measuring again will say why."""
    try:
        files = _files_of(Path(path))
        return _places(files) == before.places or _content(files) == before.content
    except OSError:
        return False


def _files_of(path: Path) -> list[tuple[str, Path]]:
    """(name, file), sorted by name: a folder with its subfolders, a DICOM file's neighbours, an image's sidecars."""
    if path.is_dir():
        found = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
        return sorted((file.relative_to(path).as_posix(), file) for file in found if file.is_file())
    if is_zip_name(path.name):
        return [(path.name, path)]
    beside = sorted(path.parent.iterdir())
    if is_image_name(path.name):
        beside = [file for file in beside if file.name.startswith(f"{scan_name(path)}.")]
    return [(file.name, file) for file in beside if file.is_file()]


def _places(files) -> str:
    digest = hashlib.sha256()
    for name, file in files:
        status = file.stat()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content(files) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        with open(path, "rb") as file:
            digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n"
                          .encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
