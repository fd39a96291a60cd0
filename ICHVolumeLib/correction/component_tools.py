"""Remove one component of a mask, or keep only it. A component is what hangs together in 3D, whatever its labels."""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..imaging.boxes import bounding_box
from ..imaging.components import connected_components
from .edit import Click, Edit, checked_click, edit_where

NEAR_MM = 3.0  # a click beside a thin component is meant for it


def remove_component(ct: CTVolume, mask: np.ndarray, click: Click) -> Edit:
    """Unmark the component at the click. Raises InputError when nothing is marked there."""
    component, box = component_at(ct, mask, checked_click(ct, mask, click))
    return edit_where(mask, component, 0, box)


def keep_component(ct: CTVolume, mask: np.ndarray, click: Click) -> Edit:
    """Unmark all other components. Raises InputError when nothing is marked at the click."""
    component, box = component_at(ct, mask, checked_click(ct, mask, click))
    return edit_where(mask, (mask[box] > 0) & ~component, 0, box)


def component_at(ct: CTVolume, mask: np.ndarray, click: Click) -> tuple[np.ndarray, tuple[slice, ...]]:
    """(bool array, the index box around all that is marked): the 26-connected component at the click, or the nearest
    one in its slice within NEAR_MM. Raises InputError when there is none."""
    click = marked_voxel_near(ct, mask, click)
    box = bounding_box(mask > 0, (0, 0, 0))
    components, _count = connected_components(mask[box] > 0)
    return components == components[tuple(one - part.start for one, part in zip(click, box, strict=True))], box


def marked_voxel_near(ct: CTVolume, mask: np.ndarray, click: Click) -> Click:
    """The click, or the nearest marked voxel of its slice within NEAR_MM. Raises InputError when there is none."""
    k, j, i = click
    if mask[k, j, i]:
        return click
    reach = [int(np.ceil(NEAR_MM / step)) for step in ct.pixel_spacing_mm]
    first = max(j - reach[0], 0), max(i - reach[1], 0)
    rows, columns = np.nonzero(mask[k, first[0]:j + reach[0] + 1, first[1]:i + reach[1] + 1])
    row_mm, column_mm = ct.pixel_spacing_mm
    away_mm = np.hypot((rows + first[0] - j) * row_mm, (columns + first[1] - i) * column_mm)
    if not len(away_mm) or away_mm.min() > NEAR_MM:
        raise InputError(f"Nothing is marked at the click in slice {k + 1}; click on a marked bleed.")
    nearest = int(np.argmin(away_mm))
    return k, int(rows[nearest] + first[0]), int(columns[nearest] + first[1])
