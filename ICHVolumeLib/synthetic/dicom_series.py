"""A CTVolume as a DICOM CT series (DICOM PS3.3, A.3), one file per slice, every byte decided by the arguments."""

import hashlib
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from ..core.ct_volume import CTVolume
from ..core.errors import InputError

_INTERCEPT = -1024


def write_dicom_series(ct: CTVolume, folder, *, seed=0, patient_name="Sample^Synthetic", patient_id="SAMPLE",
                       series_description=None, series_number=1, acquisition_number=1) -> list[Path]:
    """Write CT0001.dcm, ... in slice order into `folder` (made when missing) and return the paths.

    Positions are ct.slice_origins_ras, so tilt and uneven spacing survive; the patient is made up. UIDs come from
    seed, series_number and the image itself. Reading the folder gives the same volume back when its slices run along
    columns x rows (right-handed), as every scanner's do, and no value is below -1024.
    Raises InputError when the folder cannot be written.
    """
    folder = Path(folder)
    uids = _Uids(seed, series_number, ct)
    common = _common(ct, uids, patient_name, patient_id, series_description, series_number, acquisition_number)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(ct.hu.shape[0]):
            path = folder / f"CT{k + 1:04d}.dcm"
            _slice(ct, k, common, uids).save_as(path, enforce_file_format=True)
            paths.append(path)
    except OSError as error:
        raise InputError(f"Cannot write into {folder} ({error.strerror}); choose a folder that you may write to.") \
            from error
    return paths


class _Uids:
    """Unique identifiers under 2.25 (a 128-bit number) that are the same in every run."""

    def __init__(self, seed, series_number, ct):
        digest = hashlib.sha256(np.ascontiguousarray(ct.hu))
        digest.update(np.ascontiguousarray(ct.slice_origins_ras, "<f8"))
        self.study = f"{seed}|{digest.hexdigest()}"
        self.series = f"{self.study}|{series_number}"

    @staticmethod
    def of(text) -> str:
        return f"2.25.{int.from_bytes(hashlib.sha256(text.encode('utf-8')).digest()[:15], 'big')}"


def _common(ct, uids, patient_name, patient_id, series_description, series_number, acquisition_number) -> Dataset:
    """What all slices share."""
    info, tags = ct.info, Dataset()
    tags.SpecificCharacterSet = "ISO_IR 192"
    tags.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    tags.SOPClassUID = CTImageStorage
    tags.StudyDate = tags.SeriesDate = tags.ContentDate = "20200101"
    tags.StudyTime = tags.SeriesTime = tags.ContentTime = "120000"
    tags.AccessionNumber = tags.StudyID = tags.ReferringPhysicianName = ""
    tags.Modality = "CT"
    tags.Manufacturer = info.manufacturer or "ICHVolume (synthetic)"
    tags.StudyDescription = "Synthetic head CT, not a patient"
    tags.SeriesDescription = series_description or info.series_description or "Synthetic head"
    tags.PatientName, tags.PatientID = patient_name, patient_id
    tags.PatientBirthDate = tags.PatientSex = ""
    if info.patient_age_years is not None:
        tags.PatientAge = f"{round(info.patient_age_years):03d}Y"
    tags.BodyPartExamined, tags.PatientPosition = "HEAD", "HFS"
    if info.contrast_agent:
        tags.ContrastBolusAgent = info.contrast_agent
    tags.KVP = "120"
    tags.ConvolutionKernel = info.kernel or "SOFT"
    tags.GantryDetectorTilt = _ds(round(ct.tilt_deg, 6))
    tags.StudyInstanceUID, tags.SeriesInstanceUID = uids.of(uids.study), uids.of(uids.series)
    tags.FrameOfReferenceUID = uids.of(uids.study + "|frame")
    tags.PositionReferenceIndicator = ""
    tags.SeriesNumber, tags.AcquisitionNumber = series_number, acquisition_number
    return tags


def _slice(ct, k, common, uids) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uids.of(f"{uids.series}|{k}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uids.of("ICHVolume")
    meta.ImplementationVersionName = "ICHVOLUME"
    tags = FileDataset(None, dict(common), file_meta=meta, preamble=b"\0" * 128)
    tags.SOPInstanceUID, tags.InstanceNumber = meta.MediaStorageSOPInstanceUID, k + 1
    _add_geometry(tags, ct, k)
    _add_pixels(tags, ct.hu[k])
    return tags


def _add_geometry(tags, ct, k):
    lps = np.array([-1.0, -1.0, 1.0])
    columns = ct.ijk_to_ras[:3, :2] / np.linalg.norm(ct.ijk_to_ras[:3, :2], axis=0)
    tags.ImageOrientationPatient = [_ds(value) for axis in (0, 1) for value in columns[:, axis] * lps]
    tags.ImagePositionPatient = [_ds(value) for value in ct.slice_origins_ras[k] * lps]
    tags.SliceLocation = _ds(round(float(ct.slice_origins_ras[k] @ ct.slice_normal_ras), 4))
    tags.PixelSpacing = [_ds(value) for value in ct.pixel_spacing_mm]
    thicknesses = ct.info.slice_thicknesses_mm
    tags.SliceThickness = _ds(thicknesses[k] if len(thicknesses) == len(ct.hu)
                              else ct.info.slice_thickness_mm or round(float(np.median(ct.slice_steps_mm)), 4))
    if not ct.is_uneven:
        tags.SpacingBetweenSlices = _ds(round(float(ct.slice_steps_mm.mean()), 6))


def _add_pixels(tags, hu):
    stored = np.clip(hu.astype(np.int32) - _INTERCEPT, -32768, 32767).astype("<i2")
    tags.SamplesPerPixel, tags.PhotometricInterpretation = 1, "MONOCHROME2"
    tags.Rows, tags.Columns = hu.shape
    tags.BitsAllocated, tags.BitsStored, tags.HighBit, tags.PixelRepresentation = 16, 16, 15, 1
    tags.WindowCenter, tags.WindowWidth = "40", "200"
    tags.RescaleIntercept, tags.RescaleSlope, tags.RescaleType = str(_INTERCEPT), "1", "HU"
    tags.PixelData = stored.tobytes()


def _ds(value) -> str:
    return format_number_as_ds(float(value) + 0.0)
