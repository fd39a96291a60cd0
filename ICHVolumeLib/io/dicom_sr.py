"""The measurements as a DICOM structured report (PS3.16, TID 1500), about the segments of the Segmentation beside it.

One measurement group per label: volume, and for the ICH also ABC/2 with A and B. Written with highdicom, which is an
extra: `pip install ICHVolume[dicom]`.
"""

from pathlib import Path

import highdicom as hd
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from ..core.atomic_files import replacing
from ..core.labels import ICH, IVH, LABELS, Label
from ..core.result import Result
from .dicom_codes import (
    ARTIFICIAL_INTELLIGENCE,
    MANUFACTURER,
    RESEARCH_USE,
    Algorithm,
    NewUid,
    coded,
    fresh_uid,
    lasting_uid,
    quiet_highdicom,
    series_number,
    state_dates,
    tracking_uid,
)
from .dicom_source import SourceImage, SourceSeries

MILLILITER = Code("mL", "UCUM", "milliliter")
MILLIMETER = Code("mm", "UCUM", "millimeter")
VOLUME = Code("118565006", "SCT", "Volume")
VOXELS = Code("126030", "DCM", "Sum of segmented voxel method for volume")
ELLIPSOID = Code("121221", "DCM", "Volume of ellipsoid")
LENGTH_WIDTH_HEIGHT = Code("126029", "DCM", "LWH method for volume of ellipsoid")
LONG_AXIS = Code("103339001", "SCT", "Long axis")
PERPENDICULAR_AXIS = Code("131189007", "SCT", "Perpendicular Axis")
CT_OF_HEAD = Code("303653007", "SCT", "CT of head")


def write_dicom_sr(path: Path, result: Result, source: SourceSeries, segmentation: Path, *,
                   algorithm: Algorithm | None, software_version: str, new_uid: NewUid = fresh_uid) -> None:
    """segmentation: what write_dicom_seg made of the same mask, or a path without a file where nothing was marked; the
    volumes are then 0 mL and stand in groups that refer to the images alone.

    algorithm: None for a mask that no model of ours made.
    Raises InputError when `path` cannot be written.
    """
    seg = pydicom.dcmread(segmentation) if Path(segmentation).is_file() else None
    report = hd.sr.MeasurementReport(
        observation_context=_observed_by(software_version), procedure_reported=CT_OF_HEAD,
        imaging_measurements=[_group(label, result, source, seg, algorithm) for label in LABELS])
    evidence = [_instance(image, source) for image in source.images] + ([] if seg is None else [seg])
    with quiet_highdicom():
        document = hd.sr.ComprehensiveSR(
            evidence=evidence, content=report, series_instance_uid=new_uid(), series_number=series_number(source, 2),
            sop_instance_uid=new_uid(), instance_number=1, manufacturer=MANUFACTURER,
            manufacturer_model_name=MANUFACTURER, software_versions=software_version,
            device_serial_number=software_version, is_complete=True, is_final=False,
            series_description="Hemorrhage measurements (research use only)")
    state_dates(document, source)
    with replacing(path) as file:
        document.save_as(file, enforce_file_format=True)


def _observed_by(software_version: str):
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=lasting_uid(f"{MANUFACTURER} {software_version}"), name=f"{MANUFACTURER}. {RESEARCH_USE}.",
        manufacturer_name=MANUFACTURER, model_name=MANUFACTURER, serial_number=software_version)
    observer = hd.sr.ObserverContext(observer_type=codes.DCM.Device,
                                     observer_identifying_attributes=device)
    return hd.sr.ObservationContext(observer_device_context=observer)


def _group(label: Label, result: Result, source: SourceSeries, seg: Dataset | None, algorithm: Algorithm | None):
    """The measurements of one label, about its segment where there is one."""
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            tracking_uid(str(source.header.SeriesInstanceUID), label), label.name),
        "finding_type": coded(label.type), "finding_category": coded(label.category),
        "finding_sites": [hd.sr.FindingSite(coded(label.region))],
        "algorithm_id": _algorithm_id(algorithm), "measurements": _measurements(label, result)}
    number = _segment_number(label, seg)
    if seg is None or number is None:
        measured = [hd.sr.SourceImageForMeasurementGroup(*reference) for reference in _references(source.images)]
        return hd.sr.MeasurementsAndQualitativeEvaluations(source_images=measured, **common)
    drawn_on = [hd.sr.SourceImageForSegmentation(*reference) for reference in _references(_images_of(seg, number))]
    segment = hd.sr.ReferencedSegment(seg.SOPClassUID, seg.SOPInstanceUID, number, source_images=drawn_on)
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **common)


def _algorithm_id(algorithm: Algorithm | None):
    if algorithm is None:
        return None
    return hd.sr.AlgorithmIdentification(algorithm.name, algorithm.version,
                                         parameters=[f"weights SHA-256={algorithm.sha256}"],
                                         family=ARTIFICIAL_INTELLIGENCE, manufacturer=MANUFACTURER)


def _measurements(label: Label, result: Result) -> list:
    volume_ml = {ICH: result.volume_ml.ich, IVH: result.volume_ml.ivh}[label]
    found = [hd.sr.Measurement(VOLUME, volume_ml, MILLILITER, method=VOXELS)]
    if label is ICH and result.abc2:
        abc2 = result.abc2
        found += [hd.sr.Measurement(ELLIPSOID, abc2.coniglobus_ml, MILLILITER, method=LENGTH_WIDTH_HEIGHT),
                  hd.sr.Measurement(LONG_AXIS, abc2.a_mm, MILLIMETER),
                  hd.sr.Measurement(PERPENDICULAR_AXIS, abc2.b_mm, MILLIMETER)]
    return found


def _segment_number(label: Label, seg: Dataset | None) -> int | None:
    numbers = {} if seg is None else {item.SegmentLabel: int(item.SegmentNumber) for item in seg.SegmentSequence}
    return numbers.get(label.name)


def _images_of(seg: Dataset, number: int) -> list[SourceImage]:
    """The source images of the frames of one segment."""
    shared = seg.SharedFunctionalGroupsSequence[0]
    images = []
    for group in seg.PerFrameFunctionalGroupsSequence:
        identification = group.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
        if int(identification[0].ReferencedSegmentNumber) == number:
            reference = group.DerivationImageSequence[0].SourceImageSequence[0]
            frame = reference.get("ReferencedFrameNumber")
            images.append(SourceImage(reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID,
                                      None if frame is None else int(frame)))
    return images


def _references(images) -> list[tuple[str, str, list[int] | None]]:
    """(class, instance, frame numbers or None) of every instance once."""
    frames: dict[tuple[str, str], list[int]] = {}
    for image in images:
        numbers = frames.setdefault((image.sop_class_uid, image.sop_instance_uid), [])
        if image.frame_number is not None:
            numbers.append(image.frame_number)
    return [(*instance, numbers or None) for instance, numbers in frames.items()]


def _instance(image: SourceImage, source: SourceSeries) -> Dataset:
    instance = Dataset()
    instance.update(source.header)
    instance.SOPClassUID, instance.SOPInstanceUID = image.sop_class_uid, image.sop_instance_uid
    return instance
