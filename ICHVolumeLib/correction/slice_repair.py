"""Fill or trim one slice from its two neighbours.

The outline half-way between two outlines is where the distances to both, weighted by the distance of the slices in mm,
cancel (shape-based interpolation: Raya and Udupa 1990, doi:10.1109/42.52980).
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..imaging.boxes import bounding_box
from ..imaging.components import connected_components
from ..imaging.distance import distance_mm, nearest_labels
from ..postprocessing.boundary_refinement import refine_boundaries
from ..postprocessing.local_contrast import SPARE_MM, smoothed
from .edit import Click, Edit, checked_click, edit_where, slice_heights_mm

NEAR_MM = 8.0  # a click this near to an area next door is meant for it


def repair_slice(ct: CTVolume, mask: np.ndarray, click: Click) -> Edit:
    """Give the click's slice what lies between the areas above and below the click, and nothing more of that bleed.

    Then the outline moves to the scan's own edge, as the model's do, by 3 mm at most. Raises InputError at the first
    and last slice, and where not both neighbours are marked at the click.
    """
    k, j, i = checked_click(ct, mask, click)
    if not 0 < k < len(mask) - 1:
        raise InputError(f"Slice {k + 1} has only one neighbour; use a slice between two marked ones.")
    spacing_mm = ct.pixel_spacing_mm
    own, below, above = (_area_at(one > 0, (j, i), spacing_mm) for one in (mask[k], mask[k - 1], mask[k + 1]))
    if below is None or above is None:
        raise InputError(f"Slices {k} and {k + 2} are not both marked at the click; mark them first, or use Add bleed "
                         "here.")
    margin = int(np.ceil(SPARE_MM / min(spacing_mm)))
    own = np.zeros_like(below) if own is None else own
    box = bounding_box((below | above | own)[None], (0, margin, margin))[1:]
    heights_mm = slice_heights_mm(ct)
    weight = (heights_mm[k] - heights_mm[k - 1]) / (heights_mm[k + 1] - heights_mm[k - 1])
    between = ((1 - weight) * _outside_mm(below[box], spacing_mm) + weight * _outside_mm(above[box], spacing_mm)) <= 0
    labels = np.where(above[box], mask[k + 1][box], 0)
    labels = np.where(below[box] & (labels == 0), mask[k - 1][box], labels)
    labels = np.where(own[box], mask[k][box], labels).astype(np.uint8)
    wanted = np.zeros((1, *labels.shape), np.uint8)
    wanted[0][between] = nearest_labels(labels, between, spacing_mm)
    refine_boundaries(wanted, smoothed(ct.hu[k][box], spacing_mm)[None], spacing_mm)
    changed = (own[box] | (wanted[0] > 0)) & (own[box] | (mask[k][box] == 0))
    return edit_where(mask, changed[None], wanted, (slice(k, k + 1), *box))


def _outside_mm(area, spacing_mm):
    """Distance of every pixel to the outline, negative inside."""
    return distance_mm(area, spacing_mm) - distance_mm(~area, spacing_mm)


def _area_at(area, at, spacing_mm):
    """bool, the part of one slice's area at a point, or the nearest within NEAR_MM; None where there is none."""
    if not area.any():
        return None
    parts, _count = connected_components(area)
    rows, columns = np.nonzero(area)
    away_mm = np.hypot((rows - at[0]) * spacing_mm[0], (columns - at[1]) * spacing_mm[1])
    nearest = int(np.argmin(away_mm))
    return parts == parts[rows[nearest], columns[nearest]] if away_mm[nearest] <= NEAR_MM else None
