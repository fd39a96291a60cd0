"""A clot that the network marked in part is marked whole.

Blood that touches the skull may lie inside or outside the brain, so of a large even clot there a network sometimes
marks one part and leaves the other. Where at least half of a bright region is marked already, the rest of it is the
same clot, as far as REACH_MM from what was marked: a leak into something else stays small.
"""

import numpy as np

from ..imaging.components import component_boxes, connected_components
from ..imaging.distance import distance_mm, nearest_labels
from ..imaging.morphology import opened
from .local_contrast import LEAST_CONTRAST_HU, look_around_component, widened

BRIGHT = 0.5  # of the clot's contrast to the brain around it
TOO_BRIGHT_HU = 85.0  # bone and its partial volume
NECK_MM = 3.0  # radius: what hangs on by less is another thing, blood along the skull, a sinus, a vessel
COVER = 0.5  # of the region, marked already
REACH_MM = 5.0
SLICES = 2  # above and below a clot that belong to the region


def complete_regions(mask: np.ndarray, hu: np.ndarray, spacing_mm: tuple[float, float]) -> None:
    """Add to every bleed of mask (slices, rows, columns; 0 none, 1 ICH, 2 IVH), in place, what its slices show of the
    same bright region; hu smoothed; a new voxel gets the nearest label of its slice."""
    found = mask > 0
    components, count = connected_components(found)
    for number, box in enumerate(component_boxes(components, count), start=1):
        near = widened(box, spacing_mm, SLICES)
        component = components[near] == number
        region = _bright_region(hu[near], component, found[near], spacing_mm)
        for k in np.flatnonzero((region & ~found[near]).any(axis=(1, 2)) & component.any(axis=(1, 2))):
            one = mask[near][k]
            new = region[k] & (one == 0)
            new &= distance_mm(component[k], spacing_mm) <= REACH_MM
            one[new] = nearest_labels(one * component[k], new, spacing_mm)


def _bright_region(hu, component, marked, spacing_mm) -> np.ndarray:
    """bool, like piece: the bright regions that it lies in and that are marked by half."""
    seen, contrast_hu = look_around_component(hu, component, marked, spacing_mm)
    if contrast_hu < LEAST_CONTRAST_HU:
        return np.zeros(component.shape, bool)
    areas = [np.count_nonzero(component[k]) for k in seen]
    brain_hu = np.average([around.brain_hu for around in seen.values()], weights=areas)
    bright = (hu > brain_hu + BRIGHT * contrast_hu) & (hu < TOO_BRIGHT_HU)
    wide = np.stack([opened(one, NECK_MM, spacing_mm) for one in bright])
    regions, count = connected_components(wide, fully_connected=False)
    sizes, covered, own = (np.bincount(voxels.ravel(), minlength=count + 1)
                           for voxels in (regions, regions[marked], regions[component]))
    chosen = (own > 0) & (covered >= COVER * sizes)
    chosen[0] = False
    return chosen[regions]
