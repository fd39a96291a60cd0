"""The outline of a bleed, moved to where the scan has it: the half-maximum rule of edges, in the plane of a slice.

A network draws edges a pixel or two off. Right outside its outline, what has well over half of the bleed's contrast is
blood; right inside, what has well under half of it is not. What lies between is left as the network has it.
"""

import numpy as np

from ..imaging.components import component_boxes, connected_components
from ..imaging.distance import nearest_labels
from ..imaging.morphology import opened
from .local_contrast import LEAST_CONTRAST_HU, Around, look_around_component, widened

BLOOD, NO_BLOOD = 0.6, 0.3  # shares of the contrast: at least, at most
TOO_BRIGHT = 1.5  # times the contrast, or this many HU: bone, a vessel, another bleed
TOO_BRIGHT_HU = 90.0
OUTWARDS_MM, INWARDS_MM = 3.0, 1.5  # how far an edge may move; deeper inside a bleed may be uneven
NARROW_MM = 1.2  # radius: what sticks out by less is noise or a fold
LEAST_CONTRAST_SD = 2.0  # in SDs of the brain around


def refine_boundaries(mask: np.ndarray, hu: np.ndarray, spacing_mm: tuple[float, float]) -> None:
    """Move the outlines of mask (slices, rows, columns; 0 none, 1 ICH, 2 IVH), in place; hu smoothed; a new voxel gets
    the nearest label of its slice."""
    found = mask > 0
    components, count = connected_components(found)
    for number, box in enumerate(component_boxes(components, count), start=1):
        near = widened(box, spacing_mm)
        component = components[near] == number
        seen, whole_hu = look_around_component(hu[near], component, found[near], spacing_mm)
        if whole_hu < LEAST_CONTRAST_HU:
            continue
        for k, around in seen.items():
            contrast_hu = max((whole_hu + around.contrast_hu) / 2, LEAST_CONTRAST_HU)
            if contrast_hu >= LEAST_CONTRAST_SD * around.spread_hu:
                _move(mask[near][k][around.box], component[k][around.box], around, contrast_hu, spacing_mm)


def _move(mask: np.ndarray, area: np.ndarray, around: Around, contrast_hu: float, spacing_mm) -> None:
    """One piece in one slice; arrays of around.box."""
    share = (around.hu - around.brain_hu) / contrast_hu
    blood = ((share > BLOOD) & (share < TOO_BRIGHT) & (around.hu < TOO_BRIGHT_HU) & (around.away_mm <= OUTWARDS_MM))
    parts, count = connected_components(opened(blood | area, NARROW_MM, spacing_mm) | area, fully_connected=False)
    joined = np.bincount(parts[area], minlength=count + 1) > 0
    joined[0] = False
    new = joined[parts] & blood & (mask == 0)
    mask[new] = nearest_labels(mask * area, new, spacing_mm)
    mask[area & (share < NO_BLOOD) & (around.away_mm > -INWARDS_MM)] = 0
