"""This is IVH, this is ICH: the component at the click, or the part of it on the click's side of the ventricle wall.

Blood is as bright on both sides of the wall, so the wall is looked for where blood in a ventricle and a clot in the
brain meet: at a narrow neck between two thick parts, whichever slices they lie in.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import LABELS
from ..imaging.boxes import bounding_box
from ..imaging.components import connected_components
from .component_tools import marked_voxel_near
from .edit import Click, Edit, checked_click, edit_where, slice_heights_mm

NECK_SHARE = 0.7  # of the depth of the thinner of the two parts: a narrower neck parts them
LEAST_DEPTH_MM = 2.0  # of a part
WORKING_MM = 1.0  # pixels that the parts are found on


def relabel(ct: CTVolume, mask: np.ndarray, click: Click, label: int) -> Edit:
    """Give the blood at the click this label (1 ICH, 2 IVH).

    What changes is the component of the other label there; where it has a narrow neck, only the click's side of it.
    A second click on the other side changes the rest. Raises InputError when nothing is marked at the click, or it has
    this label already.
    """
    if label not in {one.value for one in LABELS}:
        raise InputError(f"The label is {label}; give 1 (ICH) or 2 (IVH).")
    click = marked_voxel_near(ct, mask, checked_click(ct, mask, click))
    name = next(one.name for one in LABELS if one.value == label)
    if mask[click] == label:
        raise InputError(f"The blood at the click in slice {click[0] + 1} is {name} already.")
    other = mask == mask[click]
    box = bounding_box(other, (0, 0, 0))
    components, _count = connected_components(other[box])
    inside = tuple(one - part.start for one, part in zip(click, box, strict=True))
    component = components == components[inside]
    return edit_where(mask, _side_of_neck(ct, component, box, inside), label, box)


def _side_of_neck(ct, component, box, click):
    """bool: the component, or the click's part of it."""
    near = bounding_box(component, (0, 0, 0))
    stride = max(round(WORKING_MM / min(ct.pixel_spacing_mm)), 1)
    part = component[near]
    inside = tuple(one - axis.start for one, axis in zip(click, near, strict=True))
    at = (inside[0], inside[1] // stride, inside[2] // stride)
    coarse = part[:, ::stride, ::stride].copy()
    coarse[at] = True
    heights_mm = slice_heights_mm(ct)[box[0]][near[0]]
    parts = _parts(coarse, stride, ct.pixel_spacing_mm, heights_mm)
    if parts is None or not parts[at]:
        return component
    mine = (parts == parts[at]).repeat(stride, 1).repeat(stride, 2)
    result = np.zeros_like(component)
    result[near] = part & mine[:, :part.shape[1], :part.shape[2]]
    return result


def _parts(coarse, stride, spacing_mm, heights_mm):
    """Numbers of the parts of a bool array that necks divide, or None where it is one part."""
    import SimpleITK as sitk

    step_mm = float(np.diff(heights_mm).mean()) if len(heights_mm) > 1 else 5.0
    padded = np.pad(coarse, 1)
    image = sitk.GetImageFromArray(padded.astype(np.uint8))
    image.SetSpacing((spacing_mm[1] * stride, spacing_mm[0] * stride, max(step_mm, 0.1)))
    depth = sitk.SignedMaurerDistanceMap(image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    depth_mm = sitk.GetArrayFromImage(depth)
    deepest = float(depth_mm.max())
    for level_mm in np.arange(0.5, deepest, 0.5):  # the first level at which a core falls into thick parts
        cores, count = connected_components(depth_mm > level_mm, fully_connected=False)
        peaks = np.array([depth_mm[cores == number].max() for number in range(1, count + 1)])
        thick = 1 + np.flatnonzero((peaks >= LEAST_DEPTH_MM) & (level_mm <= NECK_SHARE * peaks))
        if len(thick) >= 2:
            markers = np.zeros(cores.shape, np.uint8)
            for new, number in enumerate(thick, start=1):
                markers[cores == number] = new
            parts = sitk.MorphologicalWatershedFromMarkers(
                -depth, _like(sitk.GetImageFromArray(markers), depth), markWatershedLine=False, fullyConnected=False)
            return (sitk.GetArrayFromImage(parts) * padded)[1:-1, 1:-1, 1:-1]
    return None


def _like(image, other):
    image.CopyInformation(other)
    return image
