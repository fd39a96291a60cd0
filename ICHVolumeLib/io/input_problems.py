"""What is behind a file that could not be read: no permission, or scan and mask given the other way round.

Readers say what they see ("not Hounsfield units", "damaged"); this looks at the file once more, after they refused it,
and says the cause where it can be told. Nothing here is done to a file that could be read.
"""

import os
import stat
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .images import is_image_name
from .nifti import read_nifti
from .nrrd import read_nrrd

SCAN, MASK = "scan", "mask"
MOST_LABELS = 20  # different values of a mask; a CT has hundreds
_SEGMENTATIONS = ("SEG", "RTSTRUCT")  # DICOM modalities


@contextmanager
def explained(path, kind: str = ""):
    """Around the reading of one input: its InputError becomes the one that names the cause, where there is one.

    kind: SCAN or MASK, what the file was given as.
    """
    try:
        yield
    except (InputError, PermissionError) as error:
        sentence = _sentence(Path(path), kind) if path else ""
        if sentence:
            raise InputError(sentence) from error
        raise


def _sentence(path: Path, kind: str) -> str:
    denied = _denied(path)
    if denied:
        return (f"{denied} may not be read by you (permission denied); ask for the right to read it, or copy it to "
                "where you have it.")
    if kind == SCAN and (seen := _looks_like_mask(path)):
        return (f"{path} looks like a mask ({seen}), not like a CT; give the CT itself. `ichvolume measure` takes the "
                "scan first and then the mask.")
    if kind == MASK and (seen := _looks_like_scan(path)):
        return (f"{path} looks like a scan ({seen}), not like a mask; `ichvolume measure` takes the scan first and "
                "then the mask.")
    return ""


def _denied(path: Path) -> Path | None:
    """The first file or folder at or under the path that may not be opened."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path.open("rb").close()
        if not stat.S_ISDIR(mode):
            return None
        for entry in sorted(os.scandir(path), key=lambda item: item.name):
            denied = _denied(Path(entry.path)) if not entry.is_symlink() else None
            if denied:
                return denied
    except PermissionError:
        return path
    except OSError:  # another trouble, which the reader has named
        return None
    return None


def _looks_like_mask(path: Path) -> str:
    modality = _modality(path)
    if modality in _SEGMENTATIONS:
        return f"DICOM {modality}"
    array, is_segmentation = _image(path)
    if array is None:
        return ""
    if is_segmentation:
        return "it has named segments"
    values = np.unique(array[np.isfinite(array)] if array.dtype.kind == "f" else array)
    if len(values) > MOST_LABELS or not len(values) or values[0] < 0 or (values != np.rint(values)).any():
        return ""
    shown = ", ".join(f"{value:g}" for value in values[:6]) + (", ..." if len(values) > 6 else "")
    return f"its values are {shown}" if len(values) > 1 else f"its only value is {shown}"


def _looks_like_scan(path: Path) -> str:
    modality = _modality(path)
    if modality and modality not in _SEGMENTATIONS:
        return f"DICOM {modality}"
    array, is_segmentation = _image(path)
    if array is None or is_segmentation or array.ndim != 3:
        return ""
    low, high = array.min(), array.max()
    values = np.unique(array[:: max(1, len(array) // 8)])
    is_scan = high - low > 200 and (low < 0 or len(values) > 10 * MOST_LABELS)
    return f"its values are {low:g} to {high:g}" if is_scan else ""


def _image(path: Path) -> tuple[np.ndarray | None, bool]:
    """(voxels, whether the file has segments with names), (None, False) where it is no image that can be read."""
    if not path.is_file() or not is_image_name(path.name):
        return None, False
    try:
        if path.name.lower().endswith((".nrrd", ".nhdr")):
            nrrd = read_nrrd(path)
            return nrrd.array, "Segment0_ID" in nrrd.header
        return read_nifti(path).array, False
    except InputError:
        return None, False


def _modality(path: Path) -> str:
    """Of a DICOM file, or of the first file of a folder; empty where it is none."""
    import pydicom

    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())[:1] \
        if path.is_dir() else []
    for file in files:
        if not is_image_name(file.name):
            try:
                tags = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["Modality"])
                return str(tags.get("Modality", ""))
            except Exception:  # pydicom raises many kinds on what is no DICOM; each one means the same here
                return ""
    return ""
