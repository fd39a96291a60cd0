"""DICOM Segmentation objects made with pydicom alone, frame by frame: also such that no library would write."""

import io

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from ICHVolumeLib.core.labels import ICH, IVH

BINARY_SEG, LABELMAP_SEG = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
HEMORRHAGE, BRAIN, VENTRICLE, TISSUE = ICH.type, ICH.region, IVH.region, ("SCT", "85756007", "Tissue")


def seg_bytes(ct, segments, *, kind="BINARY", codes=None, keep_empty=False, order=None, largest=255, turn=None,
              series_uid="2.25.1") -> bytes:
    """A SEG of {number: (label, mask (slices, rows, columns))} on the slices of `ct`.

    kind: BINARY, FRACTIONAL or LABELMAP. codes: number -> (type code, region code or None). keep_empty: frames without
    marked pixels too. order: of all frames (a function of their list). turn: "flip" stores rows from below.
    """
    frames = _labelmap_frames(ct, segments) if kind == "LABELMAP" else \
        [(number, k, mask[k].astype(np.uint8)) for number, (_, mask) in segments.items() for k in range(len(ct.hu))]
    frames = [frame for frame in frames if keep_empty or frame[2].any()]
    frames = order(frames) if order else frames
    tags = _header(ct, kind, len(frames), largest, series_uid)
    tags.SegmentSequence = [_described(number, label, (codes or {}).get(number))
                            for number, (label, _) in segments.items()]
    tags.PerFrameFunctionalGroupsSequence = [_frame_group(ct, number, k, kind, turn) for number, k, _ in frames]
    tags.SharedFunctionalGroupsSequence = [_shared_group(ct)]
    pixels = np.stack([frame[2][::-1] if turn == "flip" else frame[2] for frame in frames])
    if kind == "BINARY":
        data = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    else:
        data = (pixels * largest if kind == "FRACTIONAL" else pixels).astype(np.uint8).tobytes()
    tags.PixelData = data + b"\0" * (len(data) % 2)
    out = io.BytesIO()
    tags.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _labelmap_frames(ct, segments):
    values = np.zeros(ct.hu.shape, np.uint8)
    for number, (_, mask) in segments.items():
        values[mask.astype(bool)] = number
    return [(None, k, values[k]) for k in range(len(values))]


def _header(ct, kind, frames, largest, series_uid) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = LABELMAP_SEG if kind == "LABELMAP" else BINARY_SEG
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = "2.25.77", ExplicitVRLittleEndian
    tags = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    tags.SOPClassUID, tags.SOPInstanceUID, tags.Modality = meta.MediaStorageSOPClassUID, "2.25.77", "SEG"
    tags.SegmentationType, tags.NumberOfFrames = kind, frames
    tags.Rows, tags.Columns = ct.hu.shape[1:]
    tags.SamplesPerPixel, tags.PhotometricInterpretation, tags.PixelRepresentation = 1, "MONOCHROME2", 0
    tags.BitsAllocated = tags.BitsStored = 1 if kind == "BINARY" else 8
    tags.HighBit = tags.BitsStored - 1
    if kind == "FRACTIONAL":
        tags.SegmentationFractionalType, tags.MaximumFractionalValue = "PROBABILITY", largest
    reference = Dataset()
    reference.SeriesInstanceUID = series_uid
    tags.ReferencedSeriesSequence = [reference]
    return tags


def _described(number, label, codes) -> Dataset:
    item = Dataset()
    item.SegmentNumber, item.SegmentLabel, item.SegmentAlgorithmType = number, label, "MANUAL"
    kind, region = codes or (TISSUE, None)
    item.SegmentedPropertyCategoryCodeSequence = [_code(("SCT", "85756007", "Tissue"))]
    item.SegmentedPropertyTypeCodeSequence = [_code(kind)]
    if region:
        item.AnatomicRegionSequence = [_code(region)]
    return item


def _code(code) -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = code
    return item


def _frame_group(ct, number, k, kind, turn) -> Dataset:
    group, position, orientation, content = Dataset(), Dataset(), Dataset(), Dataset()
    origin, down = ct.slice_origins_ras[k].copy(), ct.ijk_to_ras[:3, 1]
    if turn == "flip":
        origin, down = origin + (ct.hu.shape[1] - 1) * down, -down
    position.ImagePositionPatient = _lps(origin)
    along = [vector / np.linalg.norm(vector) for vector in (ct.ijk_to_ras[:3, 0], down)]
    orientation.ImageOrientationPatient = [*_lps(along[0]), *_lps(along[1])]
    group.PlanePositionSequence, group.PlaneOrientationSequence = [position], [orientation]
    if kind != "LABELMAP":
        content.ReferencedSegmentNumber = number
        group.SegmentIdentificationSequence = [content]
    return group


def _shared_group(ct) -> Dataset:
    group, measures = Dataset(), Dataset()
    measures.PixelSpacing = [round(value, 6) for value in ct.pixel_spacing_mm]
    group.PixelMeasuresSequence = [measures]
    return group


def _lps(vector) -> list[float]:
    return [round(float(value), 6) for value in np.asarray(vector) * [-1, -1, 1]]
