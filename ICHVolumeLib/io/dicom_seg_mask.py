"""DICOM Segmentation objects (binary, fractional and labelmap) as masks on their CT's true slices.

DICOM PS3.3 C.8.20 (Segmentation) and C.7.6.16 (functional groups). Every frame has its own position, so tilted and
uneven series keep their slices; frames without marked voxels may be missing. Read with pydicom alone.
"""

import io
import math
import warnings
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import WARNING, Finding
from .bounded_files import UnreadableFile, damage_words
from .label_names import coded_words
from .mask_grid import TOLERANCE_VOXELS, GridMatch, direction_words, match_grid
from .mask_segments import WHOLE_WITHIN, Segment

SEGMENTATION, LABELMAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
LARGEST_FILE = 1 << 30  # bytes, inflated; the mask of a head CT has some megabytes
LARGEST_PLANE = 4  # times the CT's pixels
MOST_FRAMES = 100_000
_META_START = 144  # preamble, DICM, and the element that says how long the rest of the file meta information is
_META_AT_MOST = 1 << 16
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def is_dicom(path) -> bool:
    """True for a file with DICOM's preamble. Raises InputError when it cannot be opened."""
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}).") from error


def segments_of_dicom(path, ct: CTVolume) -> tuple[list[Segment], list[Finding]]:
    """The segments of a DICOM SEG on the grid of `ct` (all that it declares, empty ones too), and what was noticed.

    Raises InputError when it is no SEG, is damaged, holds fractions, or has marked frames that are no slice of `ct`.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of every value that bends the standard
            tags = _read(path)
            return _segments(path, tags, ct), _noticed(tags, ct)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # pydicom raises many kinds on damaged files; each one means the same here
        raise InputError(f"{path} cannot be read as a DICOM segmentation ({damage_words(error)}); export "
                         "it again.") from error


def _read(path):
    import pydicom

    if path.stat().st_size > LARGEST_FILE:
        raise InputError(f"{path} has {path.stat().st_size / 1e9:.1f} GB, too much for a mask; export it again.")
    content = path.read_bytes()  # a file would be asked for as many bytes as a damaged element claims to have
    if pydicom.uid.DeflatedExplicitVRLittleEndian.encode() in content[:_META_AT_MOST]:
        _refuse_bomb(path, content[_META_START + int.from_bytes(content[_META_START - 4:_META_START], "little"):])
    tags = pydicom.dcmread(io.BytesIO(content))
    kind = str(tags.get("SOPClassUID", ""))
    if kind not in (SEGMENTATION, LABELMAP_SEGMENTATION):
        name = pydicom.uid.UID(kind).name if kind else "an object of unknown kind"
        raise InputError(f"{path} is no DICOM segmentation but {name}; give a DICOM SEG, .seg.nrrd, .nrrd or .nii.gz.")
    return tags


def _refuse_bomb(path, deflated: bytes) -> None:
    """Inflated by a bounded amount first: pydicom would inflate it whatever comes. Raises zlib.error for no stream."""
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while deflated and not inflater.eof:
        size += len(inflater.decompress(deflated, 1 << 24))
        deflated = inflater.unconsumed_tail
        if size > LARGEST_FILE:
            raise InputError(f"{path} inflates to more than {LARGEST_FILE / 1e9:.0f} GB, too much for a mask; "
                             "export it again.")


def _noticed(tags, ct) -> list[Finding]:
    drawn_on = {str(item.SeriesInstanceUID) for item in tags.get("ReferencedSeriesSequence") or []
                if item.get("SeriesInstanceUID")}
    if not drawn_on or not ct.info.series_uid or ct.info.series_uid in drawn_on:
        return []
    return [Finding("mask-other-series", WARNING, "The DICOM segmentation says that it was drawn on another series "
                                                  "than this CT. Its slices lie where the CT's lie; look whether it "
                                                  "fits.")]


def _segments(path, tags, ct) -> list[Segment]:
    declared = {int(item.SegmentNumber): item for item in tags.get("SegmentSequence") or []}
    if not declared:
        raise InputError(f"{path} declares no segment; export the segmentation again.")
    planes = _Planes(ct)
    for number, k, marked in _marked_frames(path, tags, ct):
        planes.add(number, k, marked)
    sizes = {number: planes.count(number) for number in planes.numbers()}
    segments = []
    for number in sorted({*declared, *sizes} - {0}):
        item = declared.get(number)
        name = "" if item is None else str(item.get("SegmentLabel") or "")
        coded = "" if item is None else coded_words(_code(item, "SegmentedPropertyTypeCodeSequence"),
                                                    _code(item, "AnatomicRegionSequence"))
        segments.append(Segment(name, (str(number),), coded, sizes.get(number, 0), partial(planes.volume, number),
                                stray=item is None))
    return segments


def _code(item, name) -> tuple[str, str, str]:
    codes = item.get(name) or []
    code = codes[0] if len(codes) else {}
    scheme, value, meaning = (str(code.get(part) or "")
                              for part in ("CodingSchemeDesignator", "CodeValue", "CodeMeaning"))
    return scheme, value, meaning


class _Planes:
    """Marked pixels by segment and CT slice, a bit each."""

    def __init__(self, ct):
        self._shape = ct.hu.shape
        self._bits: dict[tuple[int, int], np.ndarray] = {}

    def add(self, number, k, marked):
        bits = np.packbits(marked)
        key = (number, k)
        self._bits[key] = bits | self._bits[key] if key in self._bits else bits

    def numbers(self) -> set[int]:
        return {number for number, _ in self._bits}

    def count(self, number) -> int:
        return sum(int(np.unpackbits(bits).sum()) for (other, _), bits in self._bits.items() if other == number)

    def volume(self, number) -> np.ndarray:
        out = np.zeros(self._shape, bool)
        for (other, k), bits in self._bits.items():
            if other == number:
                out[k] = np.unpackbits(bits, count=out[k].size).reshape(out[k].shape).astype(bool)
        return out


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where a frame lies in the CT. matrix: its steps along columns and rows, and its origin (last column), RAS mm."""

    k: int
    match: GridMatch | None
    matrix: np.ndarray
    away_mm: float  # from the plane of the nearest slice


def _marked_frames(path, tags, ct):
    """(segment number, k, bool (rows, columns) of the CT) of every frame and segment with marked voxels."""
    rows, columns, frames = int(tags.Rows), int(tags.Columns), int(tags.get("NumberOfFrames") or 1)
    groups = tags.get("PerFrameFunctionalGroupsSequence") or []
    shared = tags.get("SharedFunctionalGroupsSequence") or []
    if not 0 < rows * columns <= LARGEST_PLANE * ct.hu[0].size:
        raise InputError(f"{path} has frames of {columns} x {rows} pixels, the CT has slices of {ct.hu.shape[2]} x "
                         f"{ct.hu.shape[1]}; give the mask drawn on this series.")
    if len(groups) != frames or frames > MOST_FRAMES:
        raise InputError(f"{path} has {frames} frames but says where {len(groups)} of them lie; export the "
                         "segmentation again.")
    kind = str(tags.get("SegmentationType", ""))
    whole = int(tags.get("MaximumFractionalValue") or 1) if kind == "FRACTIONAL" else 1
    background = int(tags.get("PixelPaddingValue") or 0) if kind == "LABELMAP" else 0
    for index, (group, pixels) in enumerate(zip(groups, _pixels(tags, rows, columns, frames), strict=True)):
        if pixels.shape != (rows, columns):
            raise InputError(f"{path} holds colors, not segments; export the segmentation again.")
        if (pixels == background).all():
            continue
        frame = _frame(group, shared[0] if len(shared) else {}, (rows, columns), ct)
        if kind == "LABELMAP":
            parts = [(int(value), pixels == value) for value in np.unique(pixels) if value != background]
        else:
            parts = [(_segment_number(group, shared), _whole(path, pixels, whole))]
        for number, marked in parts:
            placed = frame.match.place(marked[None], (1, *ct.hu.shape[1:])) if frame.match else None
            if placed is None:
                raise _no_slice(path, index, frame, ct)
            yield number, frame.k, placed[0]


def _pixels(tags, rows, columns, frames):
    """Frame by frame (rows, columns). Uncompressed bits are unpacked here: pydicom loses count where a frame does not
    end with a byte."""
    if int(tags.BitsAllocated) != 1 or tags.file_meta.TransferSyntaxUID.is_encapsulated:
        from pydicom.pixels import iter_pixels

        yield from iter_pixels(tags, raw=True)
        return
    data, size = np.frombuffer(tags.PixelData, np.uint8), rows * columns
    if len(data) * 8 < size * frames:
        raise UnreadableFile(f"it is truncated: {len(data)} of {-(-size * frames // 8)} bytes of pixels")
    for start in range(0, size * frames, size):
        bits = np.unpackbits(data[start // 8:(start + size + 7) // 8], bitorder="little")
        yield bits[start % 8:start % 8 + size].reshape(rows, columns)


def _segment_number(group, shared) -> int:
    for place in (group, *shared):
        if items := place.get("SegmentIdentificationSequence"):
            return int(items[0].ReferencedSegmentNumber)
    raise UnreadableFile("a frame does not say which segment it is")


def _whole(path, pixels, largest) -> np.ndarray:
    share = pixels / largest
    marked = share > 0.5
    if (np.abs(share - marked) > WHOLE_WITHIN).any():
        raise InputError(f"{path} holds fractions (a probability or occupancy), not a mask; export it as a binary "
                         "segmentation.")
    return marked


def _frame(group, shared, shape, ct) -> _Frame:
    position = _of_group("PlanePositionSequence", "ImagePositionPatient", 3, group, shared)
    orientation = _of_group("PlaneOrientationSequence", "ImageOrientationPatient", 6, group, shared)
    between_rows, between_columns = _of_group("PixelMeasuresSequence", "PixelSpacing", 2, group, shared)
    origin = _LPS_TO_RAS @ position
    away = (ct.slice_origins_ras - origin) @ ct.slice_normal_ras
    k = int(np.argmin(np.abs(away)))
    slice_matrix, matrix = ct.ijk_to_ras.copy(), ct.ijk_to_ras.copy()
    slice_matrix[:3, 3], matrix[:3, 3] = ct.slice_origins_ras[k], origin
    matrix[:3, 0] = _LPS_TO_RAS @ orientation[:3] * between_columns
    matrix[:3, 1] = _LPS_TO_RAS @ orientation[3:] * between_rows
    nearest_step = float(ct.slice_steps_mm[max(k - 1, 0):k + 1].min())
    on_plane = abs(away[k]) <= TOLERANCE_VOXELS * nearest_step
    return _Frame(k, match_grid((1, *shape), matrix, slice_matrix) if on_plane else None, matrix, abs(float(away[k])))


def _of_group(sequence, name, count, *places) -> np.ndarray:
    for place in places:
        if items := place.get(sequence):
            values = np.array([float(value) for value in items[0].get(name) or []])
            if values.shape == (count,) and all(map(math.isfinite, values)):
                return values
    raise UnreadableFile(f"a frame has no usable {name}")


def _no_slice(path, index, frame, ct) -> InputError:
    place = ", ".join(f"{value:.1f}" for value in frame.matrix[:3, 3])
    turned = np.degrees(np.arccos(min(1.0, abs(_normal(frame.matrix) @ _normal(ct.ijk_to_ras)))))
    if turned > 0.05:
        return InputError(f"{path} does not fit this CT: its slices are turned by {turned:.1f} degrees against those "
                          f"of the CT (from marked frame {index + 1} on), as where it was drawn on another series or "
                          "lost the gantry's tilt. Give the segmentation drawn on this series.")
    far = f"lies {frame.away_mm:.2f} mm from the plane of the nearest slice ({frame.k + 1})" \
        if frame.away_mm > 0.005 else f"lies otherwise in the plane of slice {frame.k + 1}"
    return InputError(
        f"{path} does not fit this CT: its marked frame {index + 1} {far}. Give the segmentation drawn on this series. "
        f"The frame begins at ({place}) mm RAS with {_plane_words(frame.matrix)}; the CT's slices have "
        f"{_plane_words(ct.ijk_to_ras)}.")


def _normal(matrix) -> np.ndarray:
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    return normal / np.linalg.norm(normal)


def _plane_words(matrix) -> str:
    spacing = " x ".join(f"{value:.4g}" for value in np.linalg.norm(matrix[:3, :2], axis=0))
    return f"pixels of {spacing} mm with columns and rows running along {direction_words(matrix[:3, :2])}"
