"""What a correction changes, small enough that undo and the write into a scene cost next to nothing."""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..imaging.boxes import bounding_box

AIR_HU, BONE_HU = -200, 300  # of the 3 x 3 pixels around a click
Click = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Edit:
    """box: index box along slices, rows, columns; labels: uint8 of that box, 0 none, 1 ICH, 2 IVH."""

    box: tuple[slice, slice, slice]
    labels: np.ndarray

    def apply(self, mask: np.ndarray) -> np.ndarray:
        """The new mask, uint8 (slices, rows, columns); the given one is left as it is."""
        changed = mask.copy()
        changed[self.box] = self.labels
        return changed

    def is_empty(self, mask: np.ndarray) -> bool:
        """True when it changes nothing."""
        return bool(np.array_equal(mask[self.box], self.labels))


def edit_where(mask: np.ndarray, changed: np.ndarray, label, box=None) -> Edit:
    """The Edit that sets the true voxels of `changed` to label (a number, or an array like `changed`).

    box: where `changed` lies in the mask; None: it is as large as the mask. Nothing changed gives a box of one voxel.
    """
    near = bounding_box(changed, (0, 0, 0)) or (slice(0, 1),) * 3
    where = near if box is None else tuple(slice(whole.start + part.start, whole.start + part.stop)
                                           for whole, part in zip(box, near, strict=True))
    labels = mask[where].copy()
    values = label[near] if isinstance(label, np.ndarray) else np.uint8(label)
    return Edit(where, np.where(changed[near], values, labels).astype(np.uint8))


def checked_click(ct: CTVolume, mask: np.ndarray, click) -> Click:
    """The click as three whole numbers.

    Raises InputError when the mask is not on the CT's grid, or the click lies outside the scan.
    """
    if mask.shape != ct.hu.shape:
        raise InputError(f"The mask is {mask.shape} voxels but the CT is {ct.hu.shape}; use the mask of this CT.")
    k, j, i = (int(round(float(one))) for one in click)
    if not all(0 <= one < size for one, size in zip((k, j, i), ct.hu.shape, strict=True)):
        raise InputError(f"The click (slice {k + 1}, row {j}, column {i}) lies outside the scan; click in the head.")
    return k, j, i


def require_in_head(ct: CTVolume, click: Click) -> None:
    """Raises InputError when the click is on air or on bone."""
    k, j, i = click
    around_hu = float(np.median(ct.hu[k, max(j - 1, 0):j + 2, max(i - 1, 0):i + 2]))
    if around_hu < AIR_HU:
        raise InputError(f"The click in slice {k + 1} lies outside the head; click inside the skull.")
    if around_hu > BONE_HU:
        raise InputError(f"The click in slice {k + 1} is on bone or metal; click inside the skull.")


def slice_heights_mm(ct: CTVolume) -> np.ndarray:
    """(slices,) where each slice lies along the normal, mm from the first; uneven steps as they are."""
    return np.concatenate([[0.0], np.cumsum(np.abs(ct.slice_steps_mm))])


def voxel_at(ct: CTVolume, point_ras) -> Click:
    """The voxel (k, j, i) whose slice, at its true position, is nearest to a point in RAS mm; it may lie outside."""
    offsets = np.asarray(point_ras, float) - ct.slice_origins_ras
    k = int(np.argmin(np.abs(offsets @ ct.slice_normal_ras)))
    axes = np.column_stack([ct.ijk_to_ras[:3, 1], ct.ijk_to_ras[:3, 0], ct.slice_normal_ras])
    j, i, _away = np.linalg.solve(axes, offsets[k])
    return k, int(round(j)), int(round(i))
