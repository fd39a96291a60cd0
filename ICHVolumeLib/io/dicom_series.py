"""Which DICOM files there are, and which series they make; series_choice picks the one to measure.

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

from ..core.text import shown
from .bounded_files import is_regular_file, unpacks_to_too_much
from .mixed_slices import contrast_words
from .patient_identity import IDENTITY_TAGS
from .protocol import is_bone_kernel, mentions_contrast, region_points
from .series_parts import scans_in

_WANTED = """SOPClassUID Modality SeriesInstanceUID SeriesNumber SeriesDescription
    ProtocolName ImageType ImageOrientationPatient ImagePositionPatient PixelSpacing SliceThickness GantryDetectorTilt
    Rows Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit
    PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit RescaleSlope RescaleIntercept RescaleType
    ConvolutionKernel ContrastBolusAgent ContrastBolusVolume ContrastBolusRoute ContrastBolusTotalDose
    ContrastBolusStartTime PatientAge PatientBirthDate StudyDate Manufacturer AcquisitionNumber
    AcquisitionTime ContentTime TemporalPositionIdentifier KVP InstanceNumber BodyPartExamined LossyImageCompression
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PatientID PatientName StudyInstanceUID StudyTime
    SeriesDate SeriesTime AcquisitionDate""".split()
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
MAX_PIXELS, MAX_FRAMES = 4096 * 4096, 10_000  # of one image, of one file; CT matrices end at 1024, some at 2048


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
    """Slices of one scan: of one patient, study and series, parallel, equally large, and set apart from other scans
    under the same series UID (see series_parts).

    problem: why it cannot be measured, or "". strengths: why it is a good choice, best argument first.
    patient: equal for series of one patient, never shown. marks: (tag, value) pairs that set this scan apart.
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
    patient: tuple[str, ...] = ()
    study: str = ""
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class FolderIndex:
    """slices: every image found; skipped: files that are no DICOM images; damaged: path -> why, and its series UID."""

    slices: tuple[Slice, ...]
    skipped: tuple[Path, ...]
    damaged: dict[Path, tuple[str, str]]


def index_folder(path, files=None) -> FolderIndex:
    """Look at every file under a folder (subfolders too), or at the files beside a single file. Named pipes and devices
    are never opened; what macOS adds to archives (__MACOSX, ._names) is left out. files: look at these alone."""
    path = Path(path)
    if files is not None:
        paths = list(files)
    else:
        paths = _files_under(path) if path.is_dir() else sorted(item for item in path.parent.iterdir())
    slices, skipped, damaged = [], [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of every value that bends the standard
        for item in paths:
            if not is_regular_file(item):
                if not item.is_dir():
                    skipped.append(item)
                continue
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
    patients: list[tuple[str, ...]] = []
    groups_of: dict[tuple, list[list[Slice]]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a header is converted when it is looked at, and pydicom's warnings quote it
        for item in slices:
            groups_like = groups_of.setdefault((_known_as(_patient(item), patients), *_identity(item)), [])
            for group in groups_like:
                if _same_grid(group[0], item):
                    group.append(item)
                    break
            else:
                groups_like.append([item])
                groups.append(groups_like[-1])
        series = [_describe(scan, marks, _known_as(_patient(scan[0]), patients))
                  for group in groups for scan, marks in scans_in(group)]
    return sorted(series, key=lambda item: item.rank, reverse=True)


def _identity(item) -> tuple:
    """What slices of one scan share by name; an empty series UID says nothing, so its number and words count."""
    uid = item.text("SeriesInstanceUID")
    series = (uid,) if uid else ("", item.text("SeriesNumber"), item.text("SeriesDescription"))
    return (item.text("StudyInstanceUID"), *series, item.text("Modality"), item.number("Rows"), item.number("Columns"),
            "LOCALIZER" in item.text("ImageType").upper())


def _patient(item) -> tuple[str, ...]:
    name = " ".join(item.text("PatientName").replace("^", " ").upper().split())
    return item.text("PatientID"), name, item.text("PatientBirthDate")


def _known_as(patient, patients) -> tuple[str, ...]:
    """The patient of the list who has the same ID, and no other name or birth date; else this one, then listed too."""
    for known in patients:
        if known == patient or patient[0] and known[0] == patient[0] and \
                all(one == other or not (one and other) for one, other in zip(known, patient, strict=True)):
            return known
    patients.append(patient)
    return patient


def _same_grid(one, other) -> bool:
    """Parallel, and pixels of one size: numbers are compared, for 0.45 may be written 0.450000."""
    spacing, other_spacing = _spacing(one), _spacing(other)
    return (spacing.shape == other_spacing.shape
            and np.allclose(spacing, other_spacing, rtol=1e-3, equal_nan=True)
            and np.allclose(one.orientation, other.orientation, atol=0.01, equal_nan=True))


def _spacing(item) -> np.ndarray:
    return np.array([_number_or_nan(value) for value in item.text("PixelSpacing").split("\\")])


def _number_or_nan(text) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _files_under(folder):
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__MACOSX")
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
            if not has_magic and head[:2] not in (b"\x08\x00", b"\x02\x00"):  # a data set without its preamble
                if path.name.startswith("._"):
                    return None
                return ("is named .dcm but holds no DICOM", "") if path.suffix.lower() == ".dcm" else None
            if has_magic and unpacks_to_too_much(file):
                return "is damaged (it unpacks to more than any CT slice)", ""
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
        if "Image Storage" in pydicom.uid.UID(kind).name:
            return "is truncated (it ends before its pixels)", str(tags.get("SeriesInstanceUID", ""))
        return None
    if not tags.get("Rows"):
        return None
    frames = int(tags.get("NumberOfFrames") or 1)
    if int(tags.Rows) * int(tags.get("Columns") or 0) > MAX_PIXELS or frames > MAX_FRAMES:
        return (f"is damaged (it claims {frames} images of {tags.Rows} x {tags.get('Columns')} pixels)",
                str(tags.get("SeriesInstanceUID", "")))
    native = syntax is None or syntax in (pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian)
    start = start if native else None
    if frames > 1 or kind == ENHANCED_CT:
        return [_placed(path, _frame_tags(tags, index), start, index) for index in range(frames)]
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


def _describe(slices, marks, patient) -> Series:
    first = slices[0]
    orientation = _orientation(first.normal)
    kernel, description = first.text("ConvolutionKernel"), shown(first.text("SeriesDescription"))
    contrast = any(map(contrast_words, slices)) or mentions_contrast(description)
    derived = bool({"SECONDARY", "REFORMATTED", "MPR", "MIP", "PROJECTION IMAGE"}
                   & set(first.text("ImageType").upper().split("\\")))
    region = region_points(" ".join(first.text(name) for name in ("SeriesDescription", "ProtocolName",
                                                                  "BodyPartExamined")))
    points = {"axial": orientation == "axial", "a head by its name": region, "without contrast": not contrast,
              "a soft-tissue reconstruction": not is_bone_kernel(kernel), "an original series": not derived}
    problem = _problem_among(slices)
    strengths = tuple(text for text, holds in points.items() if holds > 0) + (f"{len(slices)} slices long",)
    rank = (not problem, *points.values(), len(slices), -(first.number("SeriesNumber") or 0))
    return Series(first.text("SeriesInstanceUID"), first.text("SeriesNumber"), description, first.text("Modality"),
                  orientation, tuple(slices), problem, strengths, rank, patient,
                  first.text("StudyInstanceUID"), marks)


def _problem_among(slices) -> str:
    """Why these slices cannot be measured, in a few words, or ""; one bad slice among good ones spoils the scan."""
    problems = [problem for item in slices if (problem := _problem(item))]
    if problems:
        where = f" ({len(problems)} of its {len(slices)} images)" if len(problems) < len(slices) else ""
        return f"{problems[0]}{where}"
    return "a single slice" if len(slices) < 2 else ""


def _problem(first) -> str:
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
    if first.number("RescaleSlope") == 0:
        return "with a rescale slope of 0, so not in Hounsfield units"
    if first.number("RescaleSlope") is None or first.number("RescaleIntercept") is None:
        return "without a rescale slope and intercept, so not in Hounsfield units"
    if not (np.isfinite(first.orientation).all() and np.isfinite(first.position).all()):
        return "without slice positions"
    if abs(np.linalg.norm(first.normal) - 1) > 0.01:
        return "without a valid slice direction"
    return ""


def _orientation(normal) -> str:
    if not np.isfinite(normal).all():
        return ""
    return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]
