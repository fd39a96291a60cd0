"""The picture of a case in a list of many: the largest slice of the bleed, outlined, as a small PNG."""

from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.ct_volume import CTVolume
from ..core.labels import LABELS
from ..core.result import Result
from .png import encode_png
from .slice_view import SliceView, largest_slice

HEIGHT_PX = 160  # shown at half of it, so that it is sharp on any screen
COLORS = {"ICH": (255, 90, 82), "IVH": (255, 176, 46)}  # as in the report


def write_thumbnail(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> None:
    """mask: uint8 (slices, rows, columns). Without a bleed the middle slice of the head is shown."""
    largest = result.abc2.slice_index if result.abc2 else largest_slice(mask)
    replace_file(path, encode_png(thumbnail(ct, mask, len(ct.hu) // 2 if largest is None else largest)))


def thumbnail(ct: CTVolume, mask: np.ndarray, k: int) -> np.ndarray:
    """uint8 (HEIGHT_PX, columns, 3): slice k as radiologists see it, square pixels, borders of the labels in color."""
    grey, labels, (width_mm, height_mm) = SliceView(ct, mask).planes(k)
    rows, columns = grey.shape
    pixel_mm = rows * height_mm / HEIGHT_PX
    size = HEIGHT_PX, max(1, round(columns * width_mm / pixel_mm))
    picture = np.repeat(_resized(grey.astype(np.float32), size)[..., None], 3, axis=2)
    for label in LABELS:
        inside = _resized((labels == label.value).astype(np.float32), size) >= 0.5
        if not inside.any() and (labels == label.value).any():  # smaller than a pixel here: still to be seen
            inside = _resized((labels == label.value).astype(np.float32), size) > 0
        picture[_border(inside)] = COLORS[label.name]
    return picture.round().astype(np.uint8)


def _resized(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """By area where it shrinks, linear where it grows: sums over the exact edges of the new pixels."""
    for axis, wanted in enumerate(size):
        plane = np.moveaxis(plane, axis, 0)
        edges = np.linspace(0, len(plane), wanted + 1)
        sums = np.concatenate([np.zeros_like(plane[:1]), np.cumsum(plane, axis=0, dtype=np.float64)])
        below = np.minimum(edges.astype(int), len(plane) - 1)
        share = (edges - below)[:, None]
        at_edges = sums[below] * (1 - share) + sums[below + 1] * share
        plane = np.moveaxis(np.diff(at_edges, axis=0) / np.diff(edges)[:, None], 0, axis)
    return plane


def _border(inside: np.ndarray) -> np.ndarray:
    """The outermost two pixels of an area: one on the screen."""
    core = inside
    for _ in range(2):
        around = np.pad(core, 1)
        core = core & around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return inside & ~core
