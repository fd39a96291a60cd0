"""The slices around a click at about 1 mm pixels: where a bleed is looked for before its edge is drawn finely."""

from dataclasses import dataclass

import numpy as np

from ..imaging.disks import box_mean, widened_by_disk
from ..imaging.head_mask import sides_with_bone
from ..postprocessing.local_contrast import WINDOW_HU

COARSE_MM = 0.9
BONE_HU = 130
BONE_RIM_MM = 1.3  # partial volume of bone looks like blood


@dataclass(frozen=True, eq=False)
class Plane:
    """One slice; arrays (rows, columns) of coarse pixels. hu: within WINDOW_HU, mean of a coarse pixel; smooth: of
    3 x 3 of them; sides: of four, how many have bone; marked: already; barred: bone and its rim, or marked."""

    hu: np.ndarray
    smooth: np.ndarray
    sides: np.ndarray
    marked: np.ndarray
    barred: np.ndarray


class Planes:
    """Made when asked for. hu (slices, rows, columns); marked: bool, what a bleed may not grow into."""

    def __init__(self, hu: np.ndarray, marked: np.ndarray, spacing_mm: tuple[float, float]):
        self._hu, self._marked = hu, marked
        self.stride = max(round(COARSE_MM / min(spacing_mm)), 1)
        self.pixel_mm = float(np.sqrt(spacing_mm[0] * spacing_mm[1])) * self.stride
        self._made: dict[int, Plane] = {}

    def __len__(self) -> int:
        return len(self._hu)

    def __getitem__(self, k: int) -> Plane:
        if k not in self._made:
            self._made[k] = self._make(k)
        return self._made[k]

    def _make(self, k: int) -> Plane:
        stride = self.stride
        rows, columns = (size // stride * stride for size in self._hu.shape[1:])
        fine, marked = self._hu[k, :rows, :columns], self._marked[k, :rows, :columns]
        clipped = np.clip(fine, *WINDOW_HU).astype(np.float32)
        hu = np.zeros((rows // stride, columns // stride), np.float32)
        bone, taken = np.zeros(hu.shape, bool), np.zeros(hu.shape, bool)
        for j in range(stride):
            for i in range(stride):
                hu += clipped[j::stride, i::stride]
                bone |= fine[j::stride, i::stride] > BONE_HU
                taken |= marked[j::stride, i::stride]
        hu /= stride**2
        barred = widened_by_disk(bone[None], BONE_RIM_MM / self.pixel_mm)[0] | taken
        return Plane(hu, box_mean(hu[None], 1)[0], sides_with_bone(bone[None])[0], taken, barred)
