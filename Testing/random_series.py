"""Any valid CT series of a head with a ball: every choice that DICOM leaves to a scanner, as plain arguments."""

from dataclasses import dataclass
from math import cos, pi, radians, sin
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)
from pydicom.valuerep import format_number_as_ds

BALL_HU, BRAIN_HU, BONE_HU, AIR_HU = 2000, 30, 900, -1000
BALL_MM, HEAD_MM = 32.0, (72.0, 88.0, 82.0)
BALL_ML = 4 / 3 * pi * BALL_MM**3 / 1000
SYNTAXES = {"implicit": ImplicitVRLittleEndian, "explicit": ExplicitVRLittleEndian, "big": ExplicitVRBigEndian,
            "deflated": DeflatedExplicitVRLittleEndian, "rle": RLELossless}


@dataclass(frozen=True)
class SeriesPlan:
    """steps_mm: along the normal; order: of the files; turn_deg: of the head about its axis; upside_down: slices run
    from head to feet and rows from back to front (right-handed, a patient on the belly)."""

    steps_mm: tuple[float, ...]
    order: tuple[int, ...]
    tilt_deg: float = 0.0
    turn_deg: float = 0.0
    upside_down: bool = False
    pixel_mm: tuple[float, float] = (2.0, 2.0)  # rows, columns
    shape: tuple[int, int] = (112, 100)
    slope: float = 1.0
    intercept: float = -1024.0
    signed: bool = False
    padding: int | None = None  # the stored value outside the field of view
    bits: int = 16
    syntax: str = "explicit"


def write_random_series(plan: SeriesPlan, folder: Path) -> None:
    along_row, along_column, stack = _axes(plan)
    normal = np.cross(along_row, along_column)
    heights = np.concatenate([[0], np.cumsum(plan.steps_mm)])
    heights = (heights - heights.mean()) / (stack @ normal)
    rows, columns = plan.shape
    corner = -(along_row * plan.pixel_mm[1] * (columns - 1) + along_column * plan.pixel_mm[0] * (rows - 1)) / 2
    uids = generate_uid(), generate_uid()
    for place, k in enumerate(plan.order):
        origin = corner + heights[k] * stack
        hu = _slice_hu(origin, along_row, along_column, plan)
        dataset = _dataset(plan, _stored(hu, plan), uids)
        dataset.InstanceNumber = place + 1
        dataset.ImagePositionPatient = [format_number_as_ds(float(value)) for value in origin]
        dataset.ImageOrientationPatient = [format_number_as_ds(float(value)) for value in (*along_row, *along_column)]
        dataset.PixelSpacing = list(plan.pixel_mm)
        dataset.save_as(folder / f"{place:03d}", enforce_file_format=True)


def _axes(plan):
    """Unit vectors (LPS) along a row, along a column, and from slice to slice."""
    tilt, turn = radians(plan.tilt_deg), radians(plan.turn_deg)
    about_axis = np.array([[cos(turn), -sin(turn), 0], [sin(turn), cos(turn), 0], [0, 0, 1]])
    sign = -1.0 if plan.upside_down else 1.0
    row, column = np.array([1.0, 0, 0]), sign * np.array([0, cos(tilt), sin(tilt)])
    return about_axis @ row, about_axis @ column, about_axis @ np.array([0, 0, sign])


def _slice_hu(origin, along_row, along_column, plan):
    rows, columns = np.mgrid[:plan.shape[0], :plan.shape[1]][..., None]
    points = origin + columns * plan.pixel_mm[1] * along_row + rows * plan.pixel_mm[0] * along_column
    hu = np.full(plan.shape, float(AIR_HU))
    for value, axes in ((BONE_HU, np.array(HEAD_MM)), (BRAIN_HU, np.array(HEAD_MM) - 8), (BALL_HU, BALL_MM)):
        hu[((points / axes) ** 2).sum(-1) <= 1] = value
    return hu


def _stored(hu, plan):
    stored = np.rint((hu - plan.intercept) / plan.slope).astype(np.int32)
    if plan.padding is not None:
        y, x = np.mgrid[-1:1:hu.shape[0] * 1j, -1:1:hu.shape[1] * 1j]
        stored[np.hypot(x, y) > 1.05] = plan.padding
    dtype = np.int16 if plan.signed else np.uint16
    return np.clip(stored, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def _dataset(plan, stored, uids) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    syntax = SYNTAXES[plan.syntax]
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if plan.syntax == "rle" else syntax
    tags = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=plan.syntax == "implicit",
                       is_little_endian=plan.syntax != "big")
    tags.SOPClassUID, tags.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    tags.StudyInstanceUID, tags.SeriesInstanceUID = uids
    tags.Modality, tags.PatientID, tags.PatientName = "CT", "P", "P"
    tags.ImageType, tags.SeriesNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], 1
    tags.SamplesPerPixel, tags.PhotometricInterpretation = 1, "MONOCHROME2"
    tags.Rows, tags.Columns = stored.shape
    tags.BitsAllocated, tags.BitsStored, tags.HighBit = 16, plan.bits, plan.bits - 1
    tags.PixelRepresentation = int(plan.signed)
    tags.RescaleSlope, tags.RescaleIntercept = plan.slope, plan.intercept
    if plan.padding is not None:
        tags.add_new("PixelPaddingValue", "SS" if plan.signed else "US", plan.padding)
    big = plan.syntax == "big"
    tags.PixelData = (stored.byteswap() if big else stored).tobytes()
    tags["PixelData"].VR = "OW"
    if plan.syntax == "rle":
        tags.compress(RLELossless, generate_instance_uid=False)
    return tags
