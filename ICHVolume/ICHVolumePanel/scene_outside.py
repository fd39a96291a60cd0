"""Blood outside the brain in the scene: a segment of its own beside ICH and IVH, shown and never counted.

`outside` is the pair of a uint8 mask on the CT's grid and its label (ICHVolumeLib.core.labels.OUTSIDE_BRAIN), or None.
"""

import numpy as np

from . import mask_images
from .scene_segments import fingerprint, labelmap, recall, remember, segment_ids, voxels_of

KEY = "automaticOutside"  # attribute: what the segment held as the model made it
LABEL_KEY = "outsideLabel"  # attribute: the name that its segment is known by
OPACITY_3D = 0.4  # the bleed behind it stays visible


def images_in_steps(outside):
    """Generator; returns ([label], [image]) to be put into the segmentation with the mask's, both empty without any."""
    if outside is None or not outside[0].any():
        return [], []
    mask, label = outside
    images = yield from mask_images.images_in_steps(mask * np.uint8(label.value), [label])
    return [label], images


def note(segmentation_node, labels) -> None:
    """After `images_in_steps`' images were put: what is there now is the model's; without labels an earlier segment
    goes."""
    name = recall(segmentation_node, LABEL_KEY)
    if not labels:
        for segment_id in segment_ids(segmentation_node, [name])[0] if name else ():
            segmentation_node.GetSegmentation().RemoveSegment(segment_id)
    remember(segmentation_node, LABEL_KEY, labels[0].name if labels else "")
    remember(segmentation_node, KEY, _held(segmentation_node, labels[0].name) if labels else "")
    display = segmentation_node.GetDisplayNode()
    for segment_id in segment_ids(segmentation_node, [labels[0].name])[0] if labels and display else ():
        display.SetSegmentOpacity3D(segment_id, OPACITY_3D)


def ids(segmentation_node) -> list[str]:
    """The segments that hold it."""
    name = recall(segmentation_node, LABEL_KEY)
    return segment_ids(segmentation_node, [name])[0] if name else []


def is_edited(segmentation_node) -> bool:
    """True where a person changed it since the model made it, or took it out."""
    name = recall(segmentation_node, LABEL_KEY)
    return bool(name) and _held(segmentation_node, name) != recall(segmentation_node, KEY)


def _held(segmentation_node, name) -> str:
    """Place and voxels of the segments of this name, whatever else shares their labelmap."""
    parts = []
    for segment_id in segment_ids(segmentation_node, [name])[0]:
        image = labelmap(segmentation_node, segment_id)
        if image is None:
            continue
        voxels = voxels_of(image) == segmentation_node.GetSegmentation().GetSegment(segment_id).GetLabelValue()
        inside = [np.flatnonzero(voxels.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        first = [int(one[0]) + image.GetExtent()[2 * (2 - axis)] for axis, one in enumerate(inside)]
        part = voxels[tuple(slice(one[0], one[-1] + 1) for one in inside)]
        parts.append(f"{first}{fingerprint(part)}")
    return " ".join(sorted(parts))
