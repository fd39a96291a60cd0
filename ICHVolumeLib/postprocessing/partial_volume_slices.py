"""The slices above and below a bleed, where the network sees a faint stain and nothing else.

Blood that fills a part of a slice's height shows with that part of its contrast (partial volume). A network that sees
one slice cannot know the whole contrast; the slice next door has it. A voxel is blood when at least half of it is: when
it has half the contrast of the bleed beside it, the half-maximum rule of edges, along z.
"""

import numpy as np

from ..imaging.components import component_boxes, connected_components
from .local_contrast import LEAST_CONTRAST_HU, look_around

HALF = 0.5
TOO_BRIGHT = 1.6  # times the bleed's contrast, or this many HU: bone, a vessel, another bleed
TOO_BRIGHT_HU = 90.0
REACH_MM = 1.0  # beyond the outline next door
LEAST_CONTRAST_SD = 2.5  # the same in SDs of the brain around the new area: a brighter fold is not taken for blood
LEAST_AREA_MM2 = 15.0
SLICES = 2  # at most, at either end


def grow_end_slices(mask: np.ndarray, hu: np.ndarray, spacing_mm: tuple[float, float]) -> None:
    """Add to every bleed of mask (slices, rows, columns; 0 none, 1 ICH, 2 IVH), in place, what fills at least half of
    the slices before its first and after its last one; hu smoothed; a new voxel gets the label most of the slice beside
    it has."""
    found = mask.copy()
    components, count = connected_components(found > 0)
    for number, box in enumerate(component_boxes(components, count), start=1):
        first, last = box[0].start, box[0].stop - 1
        for end, step in ((first, -1), (last, 1)):
            inwards = [k for k in (end, end - step, end - 2 * step) if first <= k <= last]
            contrast_hu = _contrast_hu(components, number, found, hu, inwards, spacing_mm)
            if contrast_hu >= LEAST_CONTRAST_HU:
                _grow(mask, found, components[end] == number, hu, end, step, contrast_hu, spacing_mm)


def _contrast_hu(components, number, found, hu, slices, spacing_mm) -> float:
    """The highest contrast of a piece in these slices; the end itself may have partial volume."""
    seen = [look_around(hu[k], components[k] == number, found[k] > 0, spacing_mm) for k in slices]
    return max((around.contrast_hu for around in seen if around), default=0.0)


def _grow(mask, found, area, hu, end: int, step: int, contrast_hu: float, spacing_mm) -> None:
    labels = np.bincount(found[end][area], minlength=3)
    label = 1 + int(labels[2] > labels[1])
    for k in range(end + step, end + step * (SLICES + 1), step):
        if not 0 <= k < len(mask):
            return
        area = _half_filled(hu[k], area, found[k] > 0, contrast_hu, spacing_mm)
        if not area.any():
            return
        mask[k][area & (mask[k] == 0)] = label


def _half_filled(hu, area, marked, contrast_hu: float, spacing_mm) -> np.ndarray:
    """bool (rows, columns): where a slice has half the contrast, in and right around the area next door."""
    import SimpleITK as sitk

    filled = np.zeros(hu.shape, bool)
    around = look_around(hu, area, marked, spacing_mm)
    if around is None or contrast_hu < LEAST_CONTRAST_SD * around.spread_hu:
        return filled
    share = (around.hu - around.brain_hu) / contrast_hu
    half = ((share > HALF) & (share < TOO_BRIGHT) & (around.hu < TOO_BRIGHT_HU) & (around.away_mm <= REACH_MM))
    opened = sitk.BinaryMorphologicalOpening(sitk.GetImageFromArray(half.astype(np.uint8)), [1, 1], sitk.sitkCross)
    parts, count = connected_components(sitk.GetArrayFromImage(opened) > 0, fully_connected=False)
    areas_mm2 = np.bincount(parts.ravel(), minlength=count + 1) * spacing_mm[0] * spacing_mm[1]
    below = np.bincount(parts[area[around.box]], minlength=count + 1) > 0
    kept = (areas_mm2 >= LEAST_AREA_MM2) & below
    kept[0] = False
    filled[around.box] = kept[parts]
    return filled
