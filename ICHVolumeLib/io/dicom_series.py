"""Which DICOM files there are, which series they make, and which series is the head CT to measure.

Files are looked at without their pixels. Multi-frame objects (Enhanced CT) count one slice per frame.
"""

import math
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from ..core.errors import InputError
from ..core.findings import INFO, WARNING, Finding
from .patient_identity import IDENTITY_TAGS
from .protocol import is_bone_kernel, mentions_contrast, region_points

_WANTED = """SOPClassUID Modality SeriesInstanceUID SeriesNumber SeriesDescription
    ProtocolName ImageType ImageOrientationPatient ImagePositionPatient PixelSpacing SliceThickness GantryDetectorTilt
    Rows Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit
    PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit RescaleSlope RescaleIntercept
    ConvolutionKernel ContrastBolusAgent PatientAge PatientBirthDate StudyDate Manufacturer AcquisitionNumber
    AcquisitionTime ContentTime TemporalPositionIdentifier KVP InstanceNumber BodyPartExamined LossyImageCompression
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence""".split()
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


@dataclass(frozen=True, eq=False)
class Slice:
    """One image plane before its pixels are read; what a multi-frame object says once is repeated in each frame.

    tags: the header (of the frame, where it differs by frame). pixel_start: where uncompressed PixelData begins in
    the file, else None. orientation: (6,) and position: (3,), DICOM's LPS, NaN when not stated.
    """

    path: Path
    tags: Dataset
    pixel_start: int | None
    frame: int | None = None
    orientation: np.ndarray = field(default_factory=lambda: np.full(6, np.nan))
    position: np.ndarray = field(default_factory=lambda: np.full(3, np.nan))

    def text(self, name: str) -> str:
        """A tag as text, several values joined by a backslash as in the file; "" when missing or unreadable."""
        try:
            value = self.tags.get(name)
        except Exception:  # pydicom converts on access and raises many kinds; damaged is as good as missing
            return ""
        if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
            return "\\".join(map(str, value))
        return "" if value is None else str(value).strip()

    def number(self, name: str) -> float | None:
        """A tag's first value as a number, None when it is missing, unreadable or not finite."""
        try:
            value = float(self.text(name).split("\\")[0])
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.orientation[:3], self.orientation[3:])


@dataclass(frozen=True, eq=False)
class Series:
    """Slices of one series that lie parallel and are equally large; one DICOM series may hold several such parts.

    problem: why it cannot be measured, or "". strengths: why it is a good choice, best argument first.
    """

    uid: str
    number: str
    description: str
    modality: str
    orientation: str  # "axial", "coronal", "sagittal" or ""
    slices: tuple[Slice, ...]
    problem: str
    strengths: tuple[str, ...]
    rank: tuple

    @property
    def name(self) -> str:
        number = f"series {self.number}" if self.number else "series"
        title = f' "{self.description}"' if self.description else ""
        return f"{number}{title} ({len(self.slices)} image{'s' if len(self.slices) != 1 else ''})"


@dataclass(frozen=True)
class FolderIndex:
    """slices: every image found; skipped: files that are no DICOM images; damaged: path -> why, and its series UID."""

    slices: tuple[Slice, ...]
    skipped: tuple[Path, ...]
    damaged: dict[Path, tuple[str, str]]


def index_folder(path) -> FolderIndex:
    """Look at every file under a folder (subfolders too), or at the files beside a single file."""
    path = Path(path)
    paths = _files_under(path) if path.is_dir() else sorted(item for item in path.parent.iterdir() if item.is_file())
    slices, skipped, damaged = [], [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of every value that bends the standard
        for item in paths:
            found = _look_at(item)
            if isinstance(found, tuple):
                damaged[item] = found
            elif found is None:
                skipped.append(item)
            else:
                slices += found
    return FolderIndex(tuple(slices), tuple(skipped), damaged)


def series_of(slices) -> list[Series]:
    """Group slices into series (see Series), the best choice first."""
    groups: list[list[Slice]] = []
    first_of: dict[tuple, list[list[Slice]]] = {}
    for item in slices:
        key = (item.text("SeriesInstanceUID"), item.text("Rows"), item.text("Columns"), item.text("PixelSpacing"),
               "LOCALIZER" in item.text("ImageType").upper())
        for group in first_of.setdefault(key, []):
            if np.allclose(group[0].orientation, item.orientation, atol=0.01, equal_nan=True):
                group.append(item)
                break
        else:
            first_of[key].append([item])
            groups.append(first_of[key][-1])
    return sorted((_describe(group) for group in groups), key=lambda series: series.rank, reverse=True)


def choose(series: list[Series], where, series_uid=None) -> tuple[Series, list[Finding]]:
    """The series to measure, and a finding that names the choice and what was left. Raises InputError when none can."""
    wanted = [item for item in series if series_uid in (None, item.uid)]
    if not wanted:
        raise InputError(f"{where} has no series {series_uid}; it has " + _list(series) + ".")
    usable = [item for item in wanted if not item.problem]
    if not usable:
        reasons = "; ".join(f"{item.name}: {item.problem}" for item in wanted[:6])
        raise InputError(f"{where} has no head CT that can be measured: {reasons}. Give the original axial CT series.")
    chosen, others = usable[0], [item for item in series if item is not usable[0]]
    if not others:
        return chosen, []
    same = [item for item in others if item.uid == chosen.uid and not item.problem]
    rivals = [item for item in others if not item.problem]
    why = "it was asked for" if series_uid and not same else "it is " + ", ".join(chosen.strengths)
    text = f"{len(series)} image series were found. Measured is {chosen.name}, because {why}. Not measured: " \
           + _list(others) + "."
    if same:
        text += " Part of the chosen series lies in another direction or size and is left out: look at it."
    elif rivals and not series_uid:
        text += " To measure another one, give its series UID."
    return chosen, [Finding("series-chosen", WARNING if same or rivals and not series_uid else INFO, text)]


def _list(series) -> str:
    shown = [f"{item.name}{', ' + item.problem if item.problem else ''}, UID {item.uid}" for item in series[:8]]
    return "; ".join(shown) + (f"; and {len(series) - 8} more" if len(series) > 8 else "")


def _files_under(folder):
    found = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(root, name) for name in sorted(names)]
    return found


def _look_at(path):
    """[Slice, ...], or None (no image of a patient), or (why, series UID) when the file is damaged."""
    try:
        with open(path, "rb") as file:
            head = file.read(132)
            has_magic = head[128:] == b"DICM"
            if path.name.upper() == "DICOMDIR":
                return None
            if not has_magic and head[:2] != b"\x08\x00":
                return ("is named .dcm but holds no DICOM", "") if path.suffix.lower() == ".dcm" else None
            file.seek(0)
            tags = pydicom.dcmread(file, stop_before_pixels=True, force=not has_magic,
                                   specific_tags=[*_WANTED, *IDENTITY_TAGS])
            start = file.tell()
            at_pixels = file.read(4) == b"\xe0\x7f\x10\x00"
        return _slices_in(path, tags, start if at_pixels else None, has_magic)
    except OSError as error:
        return f"cannot be opened ({error.strerror})", ""
    except Exception as error:  # pydicom raises many kinds on damaged files; each one means the same here
        return (f"is damaged ({type(error).__name__})", "") if has_magic else None


def _slices_in(path, tags, start, has_magic):
    meta = getattr(tags, "file_meta", None) or Dataset()
    kind = str(tags.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or "")
    syntax = meta.get("TransferSyntaxUID")
    deflated = syntax == pydicom.uid.DeflatedExplicitVRLittleEndian
    if start is None and not deflated and syntax != pydicom.uid.ExplicitVRBigEndian:
        if has_magic and "Image Storage" in pydicom.uid.UID(kind).name:
            return "is truncated (it ends before its pixels)", str(tags.get("SeriesInstanceUID", ""))
        return None
    if not tags.get("Rows"):
        return None
    native = syntax is None or syntax in (pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian)
    start = start if native else None
    if int(tags.get("NumberOfFrames") or 1) > 1 or kind == ENHANCED_CT:
        return [_placed(path, _frame_tags(tags, index), start, index)
                for index in range(int(tags.get("NumberOfFrames") or 1))]
    return [_placed(path, tags, start, None)]


def _placed(path, tags, start, frame):
    return Slice(path, tags, start, frame, _floats(tags, "ImageOrientationPatient", 6),
                 _floats(tags, "ImagePositionPatient", 3))


def _floats(tags, name, count):
    try:
        values = np.array([float(value) for value in tags.get(name) or []])
    except Exception:  # as in Slice.text
        values = np.empty(0)
    return values if values.shape == (count,) else np.full(count, np.nan)


def _frame_tags(tags, index):
    """The header of one frame of a multi-frame object: shared functional groups, then its own, lifted to the top."""
    flat = Dataset()
    for element in tags:
        if element.VR != "SQ":
            flat[element.tag] = element
    groups = list(tags.get("SharedFunctionalGroupsSequence") or [])[:1]
    groups += list(tags.get("PerFrameFunctionalGroupsSequence") or [])[index:index + 1]
    for group in groups:
        for sequence in group:
            for item in list(sequence.value or [])[:1] if sequence.VR == "SQ" else []:
                for element in item:
                    if element.VR != "SQ":
                        flat[element.tag] = element
    if "FrameType" in flat:
        flat.ImageType = flat.FrameType
    return flat


def _describe(slices) -> Series:
    first = slices[0]
    orientation = _orientation(first.normal)
    kernel, description = first.text("ConvolutionKernel"), first.text("SeriesDescription")
    contrast = bool(first.text("ContrastBolusAgent")) or mentions_contrast(description)
    derived = bool({"SECONDARY", "REFORMATTED", "MPR", "MIP", "PROJECTION IMAGE"}
                   & set(first.text("ImageType").upper().split("\\")))
    region = region_points(" ".join(first.text(name) for name in ("SeriesDescription", "ProtocolName",
                                                                  "BodyPartExamined")))
    points = {"axial": orientation == "axial", "a head by its name": region, "without contrast": not contrast,
              "a soft-tissue reconstruction": not is_bone_kernel(kernel), "an original series": not derived}
    problem = _problem(first, len(slices))
    strengths = tuple(text for text, holds in points.items() if holds > 0) + (f"{len(slices)} slices long",)
    rank = (not problem, *points.values(), len(slices), -(first.number("SeriesNumber") or 0))
    return Series(first.text("SeriesInstanceUID"), first.text("SeriesNumber"), description, first.text("Modality"),
                  orientation, tuple(slices), problem, strengths, rank)


def _problem(first, count) -> str:
    """Why such slices cannot be measured, in a few words, or ""."""
    bits = first.number("BitsAllocated") or 0
    if first.text("Modality") != "CT":
        return f"not CT but {first.text('Modality') or 'of unknown kind'}"
    if "LOCALIZER" in first.text("ImageType").upper():
        return "a localizer"
    if (first.number("SamplesPerPixel") or 1) != 1 or first.text("PhotometricInterpretation") == "RGB":
        return "a color picture, not Hounsfield units"
    if first.text("PhotometricInterpretation") == "MONOCHROME1":
        return "stored inverted (MONOCHROME1), not Hounsfield units"
    if bits == 8 or 0 < (first.number("BitsStored") or bits) <= 8:
        return "an 8-bit picture, not Hounsfield units"
    if first.number("RescaleSlope") in (None, 0) or first.number("RescaleIntercept") is None:
        return "without a rescale slope and intercept, so not in Hounsfield units"
    if not (np.isfinite(first.orientation).all() and np.isfinite(first.position).all()):
        return "without slice positions"
    if abs(np.linalg.norm(first.normal) - 1) > 0.01:
        return "without a valid slice direction"
    return "a single slice" if count < 2 else ""


def _orientation(normal) -> str:
    if not np.isfinite(normal).all():
        return ""
    return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]
