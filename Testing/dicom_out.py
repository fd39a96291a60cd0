"""Small DICOM series with a mask, and what was written about them read back by other code than wrote it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

ODD = {"pixel_mm": 3.0, "columns": 61, "rows": 67, "step_mm": 12.0}  # frames that do not end with a byte


@dataclass(frozen=True)
class Scan:
    folder: Path
    ct: CTVolume
    mask: np.ndarray


def scan(folder, grid="tilted-uneven", labels=(0, 1, 2)) -> Scan:
    """A series under `folder`, and a mask of scattered voxels on its middle slices."""
    write_dicom_series(ellipsoid_ct(grid, **ODD).ct, folder)
    return Scan(folder, read_ct(folder), scattered(read_ct(folder), labels))


def scattered(ct, labels=(0, 1, 2)):
    mask = np.zeros(ct.hu.shape, np.uint8)
    middle = mask[3:-2, 20:40, 15:45]
    middle[...] = np.random.default_rng(1).choice(labels, middle.shape)
    return mask


def mask_of(path, folder, ct):
    """The mask in a Segmentation, each frame put on the slice of the source image that it names, whose position in
    its own file must be the frame's; segments become labels by their names."""
    seg = pydicom.dcmread(path)
    label_of = {int(item.SegmentNumber): {"ICH": 1, "IVH": 2}[item.SegmentLabel] for item in seg.SegmentSequence}
    pixels = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
    positions = source_positions(folder)
    mask = np.zeros(ct.hu.shape, np.uint8)
    for frame, marked in zip(seg.PerFrameFunctionalGroupsSequence, pixels, strict=True):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        assert np.allclose(position, positions[image_of(frame)], atol=1e-9)
        k = int(np.argmin(np.linalg.norm(ct.slice_origins_ras - position * (-1, -1, 1), axis=1)))
        mask[k][marked > 0] = label_of[segment_of(seg, frame)]
    return mask


def image_of(frame):
    """(SOP instance, frame number or None) that a frame was drawn on."""
    (derivation,) = frame.DerivationImageSequence
    (reference,) = derivation.SourceImageSequence
    return str(reference.ReferencedSOPInstanceUID), reference.get("ReferencedFrameNumber")


def segment_of(seg, frame):
    shared = seg.SharedFunctionalGroupsSequence[0]
    identification = frame.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
    return int(identification[0].ReferencedSegmentNumber)


def source_positions(folder):
    """(SOP instance, frame number or None) -> position, of every image in a folder."""
    positions = {}
    for path in Path(folder).rglob("*.dcm"):
        tags = pydicom.dcmread(path)
        if "ImagePositionPatient" in tags:
            positions[str(tags.SOPInstanceUID), None] = np.array(tags.ImagePositionPatient, float)
        for number, group in enumerate(tags.get("PerFrameFunctionalGroupsSequence") or [], 1):
            place = group.PlanePositionSequence[0].ImagePositionPatient
            positions[str(tags.SOPInstanceUID), number] = np.array(place, float)
    return positions


def values_of(dataset, *representations):
    """Every value of some value representations (DA, PN, ...), sequences too; empty ones left out."""
    return {str(element.value) for element in dataset.iterall() if element.VR in representations and element.value}
