"""One made head with bleeds of known volume, scanned in any position, tilt and slice plan, as output folders."""

from functools import cache
from pathlib import Path

import numpy as np
import pydicom

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series
from ICHVolumeLib.synthetic.sample import make_sample
from ICHVolumeLib.workflow.case import run_measure

SIZE = 128
ICH_AT_MM, IVH_AT_MM = (-28.0, 5.0, 12.0), (10.0, 2.0, 14.0)  # in the head's own millimetres, RAS
SHAPE = np.array([1.3, 1.0, 1 / 1.3])  # of the semi-axes


def rigid(turn_deg=(0.0, 0.0, 0.0), shift_mm=(0.0, 0.0, 0.0)) -> np.ndarray:
    """4x4: turned about the axes R, A, S in that order, then shifted."""
    motion = np.eye(4)
    for axis, angle in enumerate(np.radians(turn_deg)):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(4)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        motion = turn @ motion
    motion[:3, 3] = shift_mm
    return motion


@cache
def _bare_head(seed, tilt_deg, uneven) -> CTVolume:
    return make_sample(seed, bleed=False, size=SIZE, tilt_deg=tilt_deg, uneven=uneven).ct


def scan_of_head(ich_ml=0.0, ivh_ml=0.0, *, seed=3, tilt_deg=0.0, uneven=False, motion=None):
    """(ct, mask, 4x4 from the head's own millimetres to the scan's RAS), with ellipsoids of these volumes."""
    ct = _bare_head(seed, tilt_deg, uneven)
    tilt = np.radians(tilt_deg)
    to_scan = np.eye(4)  # how make_sample lays a tilted head into the world
    to_scan[1:3, 1:3] = [[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]]
    kji = np.stack(np.meshgrid(*(np.arange(size) for size in ct.hu.shape), indexing="ij"), -1)
    places = ct.voxel_to_ras(kji) @ to_scan[:3, :3]  # back into the head: the inverse, for rows
    hu, mask = ct.hu.copy(), np.zeros(ct.hu.shape, np.uint8)
    for value, volume_ml, center in ((1, ich_ml, ICH_AT_MM), (2, ivh_ml, IVH_AT_MM)):
        if volume_ml:
            semi_axes_mm = SHAPE * (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
            mask[(((places - center) / semi_axes_mm) ** 2).sum(-1) <= 1] = value
    hu[mask > 0] = 65
    motion = np.eye(4) if motion is None else motion
    origins = ct.slice_origins_ras @ motion[:3, :3].T + motion[:3, 3]
    return CTVolume(hu, motion @ ct.ijk_to_ras, origins, ct.info), mask, motion @ to_scan


def measured(folder: Path, ct: CTVolume, mask: np.ndarray, *, when="20260101T080000", **tags) -> Path:
    """The output folder of `measure` for a scan written as DICOM; tags: DICOM attributes of all its slices."""
    folder.mkdir(parents=True)
    dates = {"StudyDate": when[:8], "StudyTime": when[9:], "AcquisitionDate": when[:8], "AcquisitionTime": when[9:]}
    for path in write_dicom_series(ct, folder / "scan"):
        dataset = pydicom.dcmread(path)
        for name, value in {**dates, **tags}.items():
            setattr(dataset, name, value)
        dataset.save_as(path)
    write_mask_seg_nrrd(folder / "mask.seg.nrrd", mask, ct)
    return run_measure(folder / "scan", folder / "mask.seg.nrrd", folder / "out").out
