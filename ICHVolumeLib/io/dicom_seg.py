"""A mask as a DICOM Segmentation (PS3.3, A.51), binary, one segment per label that has voxels.

Every frame has its slice's true position and names its source image, so tilted and uneven series keep their slices.
Written with highdicom, which is an extra: `pip install ICHVolume[dicom]`.
"""

from pathlib import Path

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from ..core.atomic_files import replacing
from ..core.ct_volume import CTVolume
from ..core.labels import LABELS, Label
from .dicom_codes import (
    ARTIFICIAL_INTELLIGENCE,
    MANUFACTURER,
    RESEARCH_USE,
    Algorithm,
    NewUid,
    coded,
    fresh_uid,
    quiet_highdicom,
    series_number,
    state_dates,
    tracking_uid,
)
from .dicom_source import SourceSeries


def write_dicom_seg(path: Path, ct: CTVolume, mask: np.ndarray, source: SourceSeries, *, algorithm: Algorithm,
                    algorithm_type: str, software_version: str, new_uid: NewUid = fresh_uid) -> None:
    """mask: uint8 (slices, rows, columns), values of labels.py, with at least one marked voxel.

    algorithm_type: DICOM's SegmentAlgorithmType; a MANUAL mask names no algorithm. Segments are numbered from 1 in the
    order of the labels; a label without voxels is left out, as DICOM viewers expect.
    Raises InputError when `path` cannot be written.
    """
    present = [label for label in LABELS if (mask == label.value).any()]
    series_uid = str(source.header.SeriesInstanceUID)
    numbered = np.zeros(mask.shape, np.uint8)
    descriptions = []
    for number, label in enumerate(present, 1):
        numbered[mask == label.value] = number
        descriptions.append(_description(number, label, algorithm, algorithm_type, series_uid))
    planes = _planes(ct, source)
    with quiet_highdicom():
        segmentation = hd.seg.Segmentation(
            source_images=planes, pixel_array=numbered, segmentation_type="BINARY", segment_descriptions=descriptions,
            series_instance_uid=new_uid(), series_number=series_number(source, 1), sop_instance_uid=new_uid(),
            instance_number=1, manufacturer=MANUFACTURER, manufacturer_model_name=MANUFACTURER,
            software_versions=software_version, device_serial_number=software_version,
            content_label="HEMORRHAGE", content_description=RESEARCH_USE, transfer_syntax_uid=ExplicitVRLittleEndian,
            series_description="Hemorrhage segmentation (research use only)")
    _refer_to_source(segmentation, planes, source)
    state_dates(segmentation, source)
    with replacing(path) as file:
        segmentation.save_as(file, enforce_file_format=True)


def _description(number: int, label: Label, algorithm: Algorithm, algorithm_type: str, series_uid: str):
    made_by = None if algorithm_type == "MANUAL" else hd.AlgorithmIdentificationSequence(
        algorithm.name, ARTIFICIAL_INTELLIGENCE, algorithm.version, source=MANUFACTURER,
        parameters={"weights SHA-256": algorithm.sha256})
    description = hd.seg.SegmentDescription(
        number, label.name, coded(label.category), coded(label.type), algorithm_type, made_by,
        tracking_uid=tracking_uid(series_uid, label), tracking_id=label.name, anatomic_regions=[coded(label.region)],
        display_color=hd.color.CIELabColor.from_rgb(*(round(255 * channel) for channel in label.color)))
    description.SegmentDescription = label.long_name
    return description


def _planes(ct: CTVolume, source: SourceSeries) -> list[Dataset]:
    """Every slice as a plain image header with a UID of its own, whatever kind of object it came in: highdicom takes
    one multi-frame object or many single images, a CTVolume may be any choice of frames."""
    thickness_mm = _thickness_mm(ct)
    planes = []
    for position in source.positions_lps:
        plane = Dataset()
        plane.update(source.header)
        plane.SOPClassUID, plane.SOPInstanceUID, plane.Modality = CTImageStorage, fresh_uid(), "CT"
        plane.Rows, plane.Columns = ct.hu.shape[1:]
        plane.ImagePositionPatient = _numbers(position)
        plane.ImageOrientationPatient = _numbers(source.orientation_lps)
        plane.PixelSpacing = _numbers(ct.pixel_spacing_mm)
        plane.SliceThickness = format_number_as_ds(thickness_mm)
        if not ct.is_uneven:
            plane.SpacingBetweenSlices = format_number_as_ds(float(ct.slice_steps_mm.mean()))
        planes.append(plane)
    return planes


def _thickness_mm(ct: CTVolume) -> float:
    """The scanner's; on uneven series the smallest step: dcmqi (3D Slicer, MITK) takes it for the slice spacing there,
    and with any larger one two slices would fall on one without a word."""
    if ct.is_uneven:
        return float(ct.slice_steps_mm.min())
    return ct.info.slice_thickness_mm or float(np.median(ct.slice_steps_mm))


def _numbers(values) -> list[str]:
    return [format_number_as_ds(float(value) + 0.0) for value in values]  # + 0.0: no minus zero


def _refer_to_source(segmentation: Dataset, planes: list[Dataset], source: SourceSeries) -> None:
    """Put the true images in the place of the planes of _planes."""
    image_of = {plane.SOPInstanceUID: image for plane, image in zip(planes, source.images, strict=True)}
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        for derivation in group.DerivationImageSequence:
            for reference in derivation.SourceImageSequence:
                image = image_of.get(reference.ReferencedSOPInstanceUID)
                if image is None:
                    continue  # highdicom lets the segments of one slice share one item, so this one is done
                reference.ReferencedSOPClassUID = image.sop_class_uid
                reference.ReferencedSOPInstanceUID = image.sop_instance_uid
                if image.frame_number is not None:
                    reference.ReferencedFrameNumber = image.frame_number
    instances = {image.sop_instance_uid: image.sop_class_uid for image in source.images}
    references = []
    for instance_uid, class_uid in instances.items():
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = class_uid, instance_uid
        references.append(reference)
    segmentation.SourceImageSequence = references
    segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence = references
