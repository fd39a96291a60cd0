"""From a head CT to the network's input and back: orientation, head box, window, in-plane grid.

No slice is ever resampled along the stack: the network sees the slices as scanned, and the mask keeps their grid.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..imaging.head_mask import BLOCK, HeadMask

BOX_MARGIN_MM = 40.0  # around the brain: with 15 the box still moved p(bleed) by up to 0.09, with 40 by 0.002
BOX_MULTIPLE = 32  # box edges, pixels: few different shapes, so compiled networks are used again
FULL_RESOLUTION_UP_TO_MM = 0.5  # weights whose target is at most this take a 512-pixel slice as it is ...
NATIVE_512_SPACING_MM = (0.3, 0.75)  # ... over this wider range


@dataclass(frozen=True, eq=False)
class Grid:
    """The network's in-plane grid for one scan and the box of it the network sees; all slices share both.

    native_shape, shape: (rows, columns) of the scan and of the whole resampled slice (the same when nothing is
    resampled). box: first row, end row, first column, end column on the resampled slice; may reach beyond it (air).
    """

    native_shape: tuple[int, int]
    shape: tuple[int, int]
    box: tuple[int, int, int, int]

    @property
    def box_shape(self) -> tuple[int, int]:
        return self.box[1] - self.box[0], self.box[3] - self.box[2]

    @property
    def is_native(self) -> bool:
        return self.shape == self.native_shape

    @property
    def inside(self) -> tuple[slice, slice]:
        """The part of the resampled slice that lies in the box."""
        return (slice(max(self.box[0], 0), min(self.box[1], self.shape[0])),
                slice(max(self.box[2], 0), min(self.box[3], self.shape[1])))

    @property
    def inside_box(self) -> tuple[slice, slice]:
        """The same part, in the coordinates of the box."""
        return tuple(slice(part.start - first, part.stop - first)
                     for part, first in zip(self.inside, (self.box[0], self.box[2]), strict=True))

    def to_network(self, windowed: np.ndarray) -> np.ndarray:
        """(rows, columns) of the scan, 0..1 -> box_shape, float32, air (0) beyond the image."""
        box = np.zeros(self.box_shape, np.float32)
        if self.is_native:
            box[self.inside_box] = windowed[self.inside]
            return box
        for axis, part in enumerate(self.inside):
            taps = _linear_taps(self.native_shape[axis], self.shape[axis])
            windowed = _resample(windowed, axis, *(values[part] for values in taps))
        box[self.inside_box] = windowed
        return box

    def to_native(self, maps: np.ndarray) -> np.ndarray:
        """(n, *box_shape) probabilities -> (n, rows, columns) on the part of the scan given by native_part; beyond the
        box they count as 0."""
        maps = maps[(slice(None), *self.inside_box)]
        if self.is_native:
            return maps
        for axis, (part, native) in enumerate(zip(self.inside, self.native_part, strict=True)):
            places, weights = (values[native] for values in _linear_taps(self.shape[axis], self.native_shape[axis]))
            within = (places >= part.start) & (places < part.stop)
            places = np.clip(places - part.start, 0, part.stop - part.start - 1)
            maps = _resample(maps, axis + 1, places, weights * within)
        return maps

    def around(self, wanted: np.ndarray) -> tuple["Grid", tuple[slice, slice]] | None:
        """The smallest grid that gives the same native values wherever wanted, bool (*box_shape), has a say, and its
        part of this box; None where nothing is wanted inside the image."""
        wanted = wanted[self.inside_box]
        if not wanted.any():
            return None
        part, box = [], []
        for axis, inside in enumerate(self.inside_box):
            found = np.flatnonzero(wanted.any(axis=1 - axis)) + inside.start
            reach = int(np.ceil(max(self.shape[axis] / self.native_shape[axis], 1))) + 1
            first, end = max(int(found[0]) - reach, 0), min(int(found[-1]) + 1 + reach, self.box_shape[axis])
            part.append(slice(first, end))
            box += [self.box[2 * axis] + first, self.box[2 * axis] + end]
        return Grid(self.native_shape, self.shape, tuple(box)), tuple(part)

    @property
    def native_part(self) -> tuple[slice, slice]:
        """Rows and columns of the scan that the box covers."""
        if self.is_native:
            return self.inside
        scales = [native / size for native, size in zip(self.native_shape, self.shape, strict=True)]
        return tuple(slice(int(np.floor(part.start * scale)), min(int(np.ceil(part.stop * scale)), native))
                     for part, scale, native in zip(self.inside, scales, self.native_shape, strict=True))


def make_grid(head: HeadMask, native_shape: tuple[int, int], spacing_mm: tuple[float, float],
              native_range_mm: tuple[float, float] = (0.35, 0.6), target_mm: float = 0.47,
              size_multiple: int = 16, crop: bool = True) -> Grid:
    """Resample only where the pixels are of a size the network has not learnt; one box for the whole scan.

    native_range_mm, target_mm: from the weights' manifest. crop False: the box is the whole slice.
    """
    low, high = native_range_mm
    if native_shape == (512, 512) and target_mm <= FULL_RESOLUTION_UP_TO_MM:
        low, high = min(low, NATIVE_512_SPACING_MM[0]), max(high, NATIVE_512_SPACING_MM[1])
    if all(low <= spacing <= high for spacing in spacing_mm):
        shape = native_shape
    else:
        shape = tuple(max(round(size * spacing / target_mm), 1)
                      for size, spacing in zip(native_shape, spacing_mm, strict=True))
    multiple = int(np.lcm(size_multiple, BOX_MULTIPLE))
    edges = []
    for axis in (0, 1):
        first, end = 0, shape[axis]
        if crop and head.skull_found:
            scale = shape[axis] / native_shape[axis]
            margin = BOX_MARGIN_MM / spacing_mm[axis] * scale
            occupied = np.flatnonzero(head.enclosed[head.has_brain].any(axis=(0, 2 - axis)))
            first = max(int(occupied[0] * BLOCK * scale - margin), 0)
            end = min(int(np.ceil((occupied[-1] + 1) * BLOCK * scale + margin)), shape[axis])
        edges += _widen(first, end, multiple, size_multiple)
    return Grid(native_shape, shape, tuple(edges))


def _widen(first: int, end: int, multiple: int, step: int) -> tuple[int, int]:
    """A range around first..end of a length that is a multiple; it starts at a multiple of step.

    So the network's poolings meet the same pixels whatever the box, and the mask hardly depends on the box.
    """
    aligned = first // step * step
    length = -(-(end - aligned) // multiple) * multiple
    start = max(aligned - (aligned + length - end) // 2 // step * step, 0)
    return start, start + length


@lru_cache(maxsize=8)
def _linear_taps(size: int, new_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Linear interpolation between pixel centres of the same field of view: for every new pixel the old ones it is
    made of and their weights, (new_size, taps) int and float32.

    When the new grid is coarser the triangle is as wide as its pixels, so that nothing falls between them.
    """
    step = size / new_size
    reach = max(step, 1)
    centres = (np.arange(new_size) + 0.5) * step - 0.5
    places = np.floor(centres - reach).astype(int)[:, None] + np.arange(1, int(2 * reach) + 2)
    weights = np.clip(1 - np.abs(centres[:, None] - places) / reach, 0, None) * ((places >= 0) & (places < size))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(places, 0, size - 1), weights.astype(np.float32)


def _resample(maps: np.ndarray, axis: int, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of whole rows or columns. A matrix product with the mostly empty weights would keep a second pool
    of threads busy beside the network's."""
    along = [1] * maps.ndim
    along[axis] = -1
    resampled = np.float32(0)
    for place, weight in zip(places.T, weights.T, strict=True):
        resampled = resampled + maps.take(place, axis) * weight.reshape(along)
    return resampled
