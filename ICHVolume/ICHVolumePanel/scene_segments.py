"""The segments of a segmentation node: which is which label's, their voxels, and what is kept with a node."""

import zlib

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

ATTRIBUTE_PREFIX = "ICHVolume."
LABEL_TAG = "ICHVolume.label"  # segment tag with the label's name; survives renaming and .seg.nrrd
TERMINOLOGY_TAG = "TerminologyEntry"  # vtkSegment::GetTerminologyEntryTagName, absent from some Python wrappings


def segment_ids(segmentation_node, names=("ICH", "IVH")) -> list[list[str]]:
    """For each name the IDs of the segments that count as it (more than one after "split" or a copied segment)."""
    segmentation = segmentation_node.GetSegmentation()
    found = [[] for _name in names]
    upper = [name.upper() for name in names]
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        marked = vtk.reference("")
        known_as = [str(marked)] if segment.GetTag(LABEL_TAG, marked) else [segment_id, segment.GetName() or ""]
        match = next((upper.index(name.upper()) for name in known_as if name.upper() in upper), None)
        if match is not None:
            found[match].append(segment_id)
    return found


def segment_for(segmentation_node, label) -> str:
    """The ID of this label's segment, made, coded and coloured when there is none."""
    ids = segment_ids(segmentation_node, [label.name])[0]
    if ids:
        return ids[0]
    segmentation = segmentation_node.GetSegmentation()
    segment_id = segmentation.AddEmptySegment(label.name, label.name, list(label.color))
    segment = segmentation.GetSegment(segment_id)
    segment.SetTag(LABEL_TAG, label.name)
    segment.SetTag(TERMINOLOGY_TAG, label.terminology)
    return segment_id


def labelmap(segmentation_node, segment_id):
    """The segment's vtkOrientedImageData (maybe shared with other segments), or None when it is empty."""
    segmentation = segmentation_node.GetSegmentation()
    if not segmentation.ContainsRepresentation("Binary labelmap") and segmentation.GetSourceRepresentationName():
        segmentation_node.CreateBinaryLabelmapRepresentation()  # a segmentation imported from a surface file
    image = segmentation_node.GetBinaryLabelmapInternalRepresentation(segment_id)
    if image is None or image.IsEmpty() or image.GetPointData().GetScalars() is None:
        return None
    value = segmentation.GetSegment(segment_id).GetLabelValue()
    return image if (voxels_of(image) == value).any() else None


def voxels_of(image) -> np.ndarray:
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def fingerprint(voxels) -> str:
    """Short text that differs for other voxels (uint8)."""
    voxels = np.ascontiguousarray(voxels, np.uint8)
    return "x".join(map(str, voxels.shape)) + f"-{zlib.crc32(voxels):08x}"


def remember(node, key: str, text: str) -> None:
    """Keep a text (e.g. the AI result's JSON) with a node; saved with the scene. An empty text forgets it."""
    if text:
        node.SetAttribute(ATTRIBUTE_PREFIX + key, text)
    else:
        node.RemoveAttribute(ATTRIBUTE_PREFIX + key)


def recall(node, key: str) -> str:
    """What remember() kept, or ""."""
    return node.GetAttribute(ATTRIBUTE_PREFIX + key) or ""
