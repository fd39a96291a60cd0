"""The scans in a folder tree: whose they are is read from one header a folder, so that thousands are found in seconds.

An image file (NIfTI, NRRD) or a .zip is one scan. DICOM files that share a study are one scan, wherever below one
folder their series lie; the scan is then that folder, the topmost one that holds nothing else.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from .images import IMAGE_SUFFIXES, is_image_name
from .zipped import is_zip_name

SEGMENTATION_SUFFIX = ".seg.nrrd"
MOST_FILES_TRIED = 20  # of a folder, before it is taken to hold no DICOM


@dataclass(frozen=True)
class FoundScan:
    """path: what read_ct takes; name: its place below the root, "site/patient", without the ending of a file.

    problem: why it cannot be measured as it lies there, or "".
    """

    path: Path
    name: str
    problem: str = ""


@dataclass
class _Tree:
    """What is below a folder: scans that are settled, and folders of DICOM files with the study they are of."""

    scans: list[FoundScan]
    studies: set[str]  # an empty UID stands for a study of its own


def find_scans(root, leave_out: Path | None = None) -> list[FoundScan]:
    """Sorted by name. leave_out: a folder that is not looked into (the output).

    Links are followed, each folder is looked at once; hidden files and .seg.nrrd segmentations are passed over.
    A folder that may not be read is a scan with a problem. A root that holds one study is that scan itself.
    """
    root = Path(root)
    tree = _Search(root, leave_out).look_into(root)
    spread = len(tree.studies) == 1 and sum(scan.path.is_dir() for scan in tree.scans) > 1
    if spread and not any(scan.problem or scan.path.is_file() for scan in tree.scans):
        return [FoundScan(root, _name_of_root(root))]
    return sorted(tree.scans, key=lambda scan: scan.name)


def scan_name(path: Path) -> str:
    """The last part of a path without the ending of an image or .zip."""
    name = path.name
    ending = next((end for end in (*sorted(IMAGE_SUFFIXES, key=len, reverse=True), ".zip")
                   if path.is_file() and name.lower().endswith(end)), "")
    return name[:len(name) - len(ending)] or name


class _Search:
    def __init__(self, root: Path, leave_out: Path | None):
        self._root = root
        self._leave_out = leave_out.resolve() if leave_out else None
        self._seen: set[tuple[int, int]] = set()

    def look_into(self, folder: Path) -> _Tree:
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            why = f"{folder} cannot be read ({error.strerror}); ask for the right to read it, or copy it to where " \
                  "you have it."
            return _Tree([FoundScan(folder, self._name(folder), why)], set())
        if (status.st_dev, status.st_ino) in self._seen or folder.resolve() == self._leave_out:
            return _Tree([], set())
        self._seen.add((status.st_dev, status.st_ino))
        folders, images, others = _sorted_out(entries)
        scans = [FoundScan(path, self._name(path)) for path in images]
        below = [self.look_into(path) for path in folders]
        return self._joined(folder, _study_of(others), scans, below)

    def _joined(self, folder: Path, own: str | None, scans: list[FoundScan], below: list[_Tree]) -> _Tree:
        """The scans of a folder and its subfolders; one study makes the folder itself the scan."""
        deeper = [scan for tree in below for scan in tree.scans]
        studies = set().union(*(tree.studies for tree in below))
        everything = studies | ({own or str(folder)} if own is not None else set())
        holds_dicom_alone = not scans and not any(scan.problem or scan.path.is_file() for scan in deeper)
        if own is not None and (len(everything) > 1 or not holds_dicom_alone):
            why = f"{folder} holds DICOM images and, beside them or in subfolders, other scans; put each study into " \
                  "a folder of its own."
            return _Tree([*scans, *deeper, FoundScan(folder, self._name(folder), why)], everything)
        if len(everything) == 1 and holds_dicom_alone and (folder != self._root or own is not None):
            return _Tree([FoundScan(folder, self._name(folder))], everything)
        return _Tree([*scans, *deeper], everything)

    def _name(self, path: Path) -> str:
        if path == self._root:
            return _name_of_root(path)
        return (path.parent / scan_name(path)).relative_to(self._root).as_posix()


def _name_of_root(root: Path) -> str:
    return scan_name(root.resolve()) or "scan"


def _sorted_out(entries) -> tuple[list[Path], list[Path], list[Path]]:
    """(folders, image files and .zips, other files), without hidden ones and segmentations."""
    folders, images, others = [], [], []
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        path = Path(entry.path)
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # a link into itself
            continue
        if is_folder:
            folders.append(path)
        elif is_file and (is_image_name(entry.name) or is_zip_name(entry.name)):
            if not entry.name.lower().endswith(SEGMENTATION_SUFFIX):
                images.append(path)
        elif is_file:
            others.append(path)
    return folders, images, others


def _study_of(files: list[Path]) -> str | None:
    """StudyInstanceUID of the first DICOM image among the files ("" when it has none); None where none is DICOM."""
    import pydicom

    for path in [file for file in files if file.name.upper() != "DICOMDIR"][:MOST_FILES_TRIED]:
        try:
            with open(path, "rb") as file:
                head = file.read(132)
            if head[128:] != b"DICM" and head[:2] not in (b"\x08\x00", b"\x02\x00"):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tags = pydicom.dcmread(path, stop_before_pixels=True, force=True,
                                       specific_tags=["StudyInstanceUID"])
            study = str(tags.get("StudyInstanceUID") or "").strip()
            if study or head[128:] == b"DICM":  # without the mark of DICOM, anything may begin like it
                return study
        except Exception:  # pydicom raises many kinds on damaged files; another file of the folder may tell
            if path.suffix.lower() == ".dcm":
                return ""  # damaged, but a scan: read_ct says what is wrong with it
    return None
