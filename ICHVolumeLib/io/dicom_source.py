"""The DICOM images that a CT was read from: what objects about it refer to, and whose they are.

A CTVolume keeps no headers, so they are read again. Each slice is found by its position and, where several images lie
at one position, by its pixels. Nothing is written into the folder of the scan.
"""

import re
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from .dicom_pixels import read_hu
from .dicom_series import Slice, index_folder

NEAR_MM = 0.05  # a slice's own image lies this near; the pixels decide between two of them
UNKNOWN_DATE, UNKNOWN_TIME = "19000101", "000000"  # where a value is compulsory and the source must not gain a date
METHOD_UNKNOWN = "Not stated in the source images"  # compulsory where they say that names were removed
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
_TIME = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")
_MUST_BE_THERE = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
                  "StudyDate", "StudyTime", "ReferringPhysicianName", "PositionReferenceIndicator")  # may be empty
_COPIED = ("IssuerOfPatientID", "PatientAge", "PatientIdentityRemoved", "DeidentificationMethod",
           "DeidentificationMethodCodeSequence", "StudyDescription", "ClinicalTrialSponsorName",
           "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID", "ClinicalTrialSiteName",
           "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "LossyImageCompression",
           "LossyImageCompressionRatio", "LossyImageCompressionMethod", "LongitudinalTemporalInformationModified")
_ALSO_READ = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
              "SeriesNumber", "SpecificCharacterSet", "ContentDate", "ContentTime", "SeriesDate", "SeriesTime",
              "AcquisitionDate", "AcquisitionTime")


@dataclass(frozen=True)
class SourceImage:
    """What refers to one slice; frame_number counts from 1 in a multi-frame object, else None."""

    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """images: one per slice of the CT, in its order. positions_lps: (slices, 3) mm. orientation_lps: (6,).

    header: patient, study and frame of reference as the first image has them, in ISO_IR 192; what a new object must
    have and the source lacks is there and empty. stated: date and time that new objects about a de-identified series
    state, so that it gains no date; None where they state when they were made.
    """

    images: tuple[SourceImage, ...]
    positions_lps: np.ndarray
    orientation_lps: np.ndarray
    header: Dataset
    stated: tuple[str, str] | None


def source_series(ct: CTVolume) -> SourceSeries:
    """Raises InputError when `ct` was not read from DICOM, or its images cannot be referred to."""
    where = ct.info.source
    if not ct.info.series_uid or not Path(where).exists():
        raise InputError(f"{where} is no DICOM series, so no DICOM can be written about it; leave --dicom out, or give "
                         "the DICOM folder.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of every value that bends the standard
        slices = _slices_of(ct)
        headers = {path: _read(path) for path in dict.fromkeys(item.path for item in slices)}
        images = tuple(_image(item, headers[item.path]) for item in slices)
        _refuse_same_uid(where, images)
        first = headers[slices[0].path]
        return SourceSeries(images, np.array([item.position for item in slices]), slices[0].orientation,
                            _header(first), _stated(first))


def _slices_of(ct: CTVolume) -> list[Slice]:
    rows, columns = ct.hu.shape[1:]
    found = [item for item in index_folder(ct.info.source).slices
             if item.text("SeriesInstanceUID") == ct.info.series_uid
             and (item.number("Rows"), item.number("Columns")) == (rows, columns) and _lies_along(item, ct)]
    if not found:
        raise InputError(f"{ct.info.source} holds no image of the series any more, or is an archive; leave --dicom "
                         "out, or give the DICOM folder itself and leave it in its place until all files are written.")
    positions = np.array([item.position for item in found]).reshape(-1, 3) @ _LPS_TO_RAS
    chosen = []
    for k, origin in enumerate(ct.slice_origins_ras):
        near = [found[index] for index in np.flatnonzero(np.linalg.norm(positions - origin, axis=1) < NEAR_MM)]
        if not near:
            raise InputError(f"{ct.info.source}: the image of slice {k + 1} is no longer there as it was read; leave "
                             "the scan in its place until all files are written.")
        near.sort(key=lambda item: item.number("InstanceNumber") or 0)
        chosen.append(near[0] if len(near) == 1 else
                      min(near, key=lambda item: int(np.count_nonzero(read_hu(item) != ct.hu[k]))))
    return chosen


def _lies_along(item: Slice, ct: CTVolume) -> bool:
    axes = ct.ijk_to_ras[:3, :2] / np.linalg.norm(ct.ijk_to_ras[:3, :2], axis=0)
    return bool(np.allclose(_LPS_TO_RAS @ item.orientation.reshape(2, 3).T, axes, atol=0.01))


def _read(path) -> Dataset:
    tags = [*_ALSO_READ, *_MUST_BE_THERE, *_COPIED]
    return pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=tags)


def _image(item: Slice, header: Dataset) -> SourceImage:
    needed = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    bad = [name for name in needed if not UID(_text(header, name)).is_valid]
    if bad:
        raise InputError(f"{item.path} has no valid {bad[0]}, so no DICOM object can refer to it; leave --dicom out, "
                         "or export the original series.")
    return SourceImage(_text(header, "SOPClassUID"), _text(header, "SOPInstanceUID"),
                       None if item.frame is None else item.frame + 1)


def _refuse_same_uid(where, images) -> None:
    if len(set(images)) < len(images):
        raise InputError(f"{where}: two images have the same SOPInstanceUID, so no DICOM object can refer to them; "
                         "leave --dicom out, or export the original series.")


def _header(source: Dataset) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        setattr(header, name, _text(source, name))
    frame = _text(source, "FrameOfReferenceUID")  # compulsory for CT; without one the images say where the mask lies
    header.FrameOfReferenceUID = frame if UID(frame).is_valid else pydicom.uid.generate_uid(prefix=None)
    for name in (*_MUST_BE_THERE, *_COPIED):
        _copy(name, source, header)
    if header.get("PatientIdentityRemoved") == "YES" and "DeidentificationMethodCodeSequence" not in header:
        header.DeidentificationMethod = header.get("DeidentificationMethod") or METHOD_UNKNOWN
    header.PatientBirthDate = _date(source, "PatientBirthDate")
    header.StudyDate, header.StudyTime = _date(source, "StudyDate"), _time(source, "StudyTime")
    header.PatientSex = header.PatientSex if header.PatientSex in ("M", "F", "O") else ""
    number = _text(source, "SeriesNumber")
    header.SeriesNumber = int(number) if number.isdecimal() else 0
    return header


def _copy(name, source: Dataset, header: Dataset) -> None:
    """The value as it is, where it can be read and written; else empty if it must be there."""
    try:
        if name in source and source[name].VR == "SQ":
            setattr(header, name, source[name].value)
        elif _text(source, name):
            value = source[name].value
            setattr(header, name, str(value) if source[name].VR == "PN" else value)
    except Exception:  # as in dicom_series.Slice.text
        pass
    if name in _MUST_BE_THERE and name not in header:
        setattr(header, name, "")


def _stated(source: Dataset) -> tuple[str, str] | None:
    """See SourceSeries.stated: what a de-identified series says itself, else nothing that leads to a person."""
    removed = _text(source, "PatientIdentityRemoved").upper() == "YES"
    changed = _text(source, "LongitudinalTemporalInformationModified").upper() in ("REMOVED", "MODIFIED")
    if _date(source, "StudyDate") and not removed and not changed:
        return None
    for kind in ("Content", "Series", "Acquisition", "Study"):
        if date := _date(source, kind + "Date"):
            return date, _time(source, kind + "Time") or UNKNOWN_TIME
    return UNKNOWN_DATE, UNKNOWN_TIME


def _text(dataset: Dataset, name: str) -> str:
    try:
        value = dataset.get(name)
    except Exception:  # as in dicom_series.Slice.text
        return ""
    return "" if value is None else str(value).strip()


def _date(dataset: Dataset, name: str) -> str:
    text = _text(dataset, name)
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return ""
    return text if len(text) == 8 else ""


def _time(dataset: Dataset, name: str) -> str:
    text = _text(dataset, name)
    return text if _TIME.fullmatch(text) else ""
