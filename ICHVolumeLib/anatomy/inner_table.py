"""The inner surface of a scan's skull, felt along straight lines from inside.

The scan is averaged to a few millimetres with right angles first, every slice at its own position, so that tilt and
uneven slices change nothing.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.components import largest_component
from ..imaging.head_mask import sides_with_bone
from ..imaging.isotropic import isotropic_image
from ..imaging.morphology import dilated

SPACING_MM = 3.0
AIR_HU, DENSE_HU, SOFT_HU = -200.0, 1000.0, 100.0
BONE_HU = 200.0  # halfway up the edge of a thin, averaged skull; clotted blood is below 100
STEP_MM = 1.0
VERTEX_MM = 100.0  # of the head below its top, which every head CT shows


@dataclass(frozen=True, eq=False)
class SkullImage:
    """hu: float32 (z, y, x), clipped, without dense pieces that are no part of the skull; to_index: 4x4, RAS mm to
    (x, y, z) indices; middle_ras: about the middle of the upper cavity."""

    hu: np.ndarray
    to_index: np.ndarray
    middle_ras: np.ndarray

    @classmethod
    def of(cls, ct: CTVolume) -> "SkullImage | None":
        """None where no bone encloses anything."""
        import SimpleITK as sitk

        values = np.clip(ct.hu, np.int16(AIR_HU), np.int16(DENSE_HU))  # floats would make it four times as large
        image = isotropic_image(ct, values, (SPACING_MM,) * 3, AIR_HU)
        values = sitk.GetArrayFromImage(image)
        to_ras = np.eye(4)
        to_ras[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        to_ras[:3, 3] = image.GetOrigin()
        skull = largest_component(values > BONE_HU)
        inside = (sides_with_bone(skull) >= 3) & (values > SOFT_HU - 150) & (values < SOFT_HU)
        if not inside.any():
            return None
        places = np.argwhere(inside)[:, ::-1] @ to_ras[:3, :3].T + to_ras[:3, 3]
        middle = places[places[:, 2] >= places[:, 2].max() - VERTEX_MM].mean(axis=0)
        cleared = np.where(dilated(skull, (1, 1, 1)), values, np.minimum(values, SOFT_HU))
        return cls(cleared, np.linalg.inv(to_ras), middle)

    def at(self, ras: np.ndarray) -> np.ndarray:
        """(...,) HU at (..., 3) RAS mm, trilinear; AIR_HU beyond the scan."""
        x, y, z = np.moveaxis(ras @ self.to_index[:3, :3].T + self.to_index[:3, 3], -1, 0)
        sizes = np.array(self.hu.shape)[::-1]
        within = np.ones(x.shape, bool)
        corner, part = [], []
        for axis, size in zip((x, y, z), sizes, strict=True):
            within &= (axis >= 0) & (axis <= size - 1)
            low = np.clip(np.floor(axis), 0, max(size - 2, 0)).astype(np.intp)
            corner.append(low)
            part.append((axis - low).astype(np.float32))
        flat = self.hu.ravel()
        row, plane = sizes[0], sizes[0] * sizes[1]
        start = corner[0] + row * corner[1] + plane * corner[2]
        along = [flat[start + offset] * (1 - part[0]) + flat[start + offset + 1] * part[0]
                 for offset in (0, row, plane, plane + row)]
        front = [along[first] * (1 - part[1]) + along[first + 1] * part[1] for first in (0, 2)]
        return np.where(within, front[0] * (1 - part[2]) + front[1] * part[2], np.float32(AIR_HU))

    def first_bone_mm(self, from_ras: np.ndarray, directions: np.ndarray, low_mm, high_mm) -> np.ndarray:
        """(n,) mm from a point along (n, 3) unit vectors to the first bone between low_mm and high_mm (each a number or
        (n,)); NaN where soft tissue does not lead to bone there."""
        low_mm, high_mm = (np.broadcast_to(np.asarray(end, float), len(directions)) for end in (low_mm, high_mm))
        steps = int(np.ceil((high_mm - low_mm).max() / STEP_MM)) + 1
        reach = low_mm[:, None] + STEP_MM * np.arange(steps)
        values = self.at(from_ras + directions[:, None, :] * reach[..., None])
        bony = (values >= BONE_HU) & (reach <= high_mm[:, None])
        at = bony.argmax(axis=1)
        rows = np.arange(len(directions))
        found = bony[rows, at] & (at > 0)
        before, after = values[rows, at - 1], values[rows, at]
        found &= before > SOFT_HU - 150
        share = (BONE_HU - before) / np.maximum(after - before, 1e-3)
        return np.where(found, reach[rows, at] - STEP_MM * (1 - share), np.nan)
