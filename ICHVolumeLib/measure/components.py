"""The pieces of a mask: 26-connected in 3D, found on runs of voxels instead of voxels.

A run is a stretch of equal, non-zero voxels within one image row. A bleed has a few thousand runs but a
million voxels, so labelling runs takes milliseconds after every edit, wherever in the head the pieces lie.
Connectivity is the usual one (two voxels that touch by a face, an edge or a corner), per label value.
"""

from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.labels import LABELS


@dataclass(frozen=True, eq=False)
class Runs:
    """n runs in (k, j, i) order: slice, row, first column, column after the last, label value; each (n,) int."""

    k: np.ndarray
    j: np.ndarray
    i0: np.ndarray
    i1: np.ndarray
    value: np.ndarray

    def __len__(self):
        return len(self.k)

    @property
    def length(self) -> np.ndarray:
        return self.i1 - self.i0

    def take(self, chosen) -> "Runs":
        """The chosen runs (an index array, a slice or a boolean array)."""
        return Runs(self.k[chosen], self.j[chosen], self.i0[chosen], self.i1[chosen], self.value[chosen])


@dataclass(frozen=True, eq=False)
class LabelComponent:
    """One 26-connected piece: its runs, and mean_hu over its voxels."""

    runs: Runs
    mean_hu: float

    @property
    def value(self) -> int:
        return int(self.runs.value[0])

    @property
    def slice_range(self) -> tuple[int, int]:
        return int(self.runs.k[0]), int(self.runs.k[-1])

    def voxels_per_slice(self) -> np.ndarray:
        """(last - first + 1,) voxel counts of the slices in slice_range; none is zero, as the piece is connected."""
        return np.bincount(self.runs.k - self.runs.k[0], weights=self.runs.length)


def find_runs(mask: np.ndarray) -> Runs:
    """Runs of a uint8 mask (slices, rows, columns).

    Raises InputError when the mask holds a value that is no label.
    """
    k, j = np.nonzero(_rows_in_use(mask))
    lines = np.zeros((len(k), mask.shape[2] + 2), np.uint8)
    lines[:, 1:-1] = mask[k, j]
    change = np.flatnonzero(lines[:, 1:] != lines[:, :-1])
    row, i = np.divmod(change, lines.shape[1] - 1)
    value = lines[row, i + 1].astype(np.int64)
    first = np.flatnonzero(value)
    unknown = set(np.unique(value[first]).tolist()) - {label.value for label in LABELS}
    if unknown:
        known = ", ".join(f"{label.value} ({label.name})" for label in LABELS)
        raise InputError(f"The mask holds the value {min(unknown)}; allowed are 0 (background), {known}. "
                         "Export it as a label map with these values.")
    return Runs(k[row[first]], j[row[first]], i[first], i[first + 1], value[first])


def find_components(runs: Runs, hu: np.ndarray) -> list[LabelComponent]:
    """The 26-connected pieces, in the order of their first voxel. hu: (slices, rows, columns), the mask's grid."""
    if not len(runs):
        return []
    piece_of = label_runs(runs, hu.shape)
    order = np.argsort(piece_of, kind="stable")
    starts = np.flatnonzero(np.diff(piece_of[order], prepend=-1))
    hu_sums = np.bincount(piece_of, weights=_hu_sums(runs, hu))
    voxels = np.bincount(piece_of, weights=runs.length)
    return [LabelComponent(runs.take(members), float(hu_sum / count))
            for members, hu_sum, count in zip(np.split(order, starts[1:]), hu_sums, voxels, strict=True)]


def label_runs(runs: Runs, shape: tuple[int, int, int]) -> np.ndarray:
    """(n,) number of the 26-connected piece each run belongs to; pieces are numbered by their first run."""
    return connected(len(runs), *_touching(runs, shape))


def connected(count: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Connected parts of a graph of `count` nodes with edges a[n] - b[n]: (count,) part numbers 0, 1, 2, ...

    Parts are numbered by their lowest node. Roots hook onto the smallest neighbouring root and paths are then
    halved until flat, so a few vectorised rounds do (Shiloach and Vishkin 1982, 10.1016/0196-6774(82)90008-6).
    """
    parent = np.arange(count)
    while True:
        root_a, root_b = parent[a], parent[b]
        apart = root_a != root_b
        if not apart.any():
            return np.unique(parent, return_inverse=True)[1]
        a, b, root_a, root_b = a[apart], b[apart], root_a[apart], root_b[apart]
        np.minimum.at(parent, np.maximum(root_a, root_b), np.minimum(root_a, root_b))
        while (parent[parent] != parent).any():
            parent = parent[parent]


def _rows_in_use(mask):
    """(slices, rows) bool. Eight voxels are looked at at once where the row length allows it."""
    rows = np.ascontiguousarray(mask)
    if rows.shape[2] % 8 == 0:
        rows = rows.view(np.uint64)
    return np.bitwise_or.reduce(rows, axis=2) != 0


def _touching(runs, shape):
    """Pairs of runs (a, b), same label, that share a voxel's face, edge or corner."""
    stride, width = shape[1] + 1, shape[2] + 2  # one empty row and column apart, so that no key wraps around
    row = runs.k * stride + runs.j
    start_key, end_key = row * width + runs.i0, row * width + runs.i1
    pairs = []
    for step in (1, stride - 1, stride, stride + 1):  # next row; then the three rows of the next slice
        low = np.searchsorted(end_key, start_key + step * width, "left")
        high = np.searchsorted(start_key, end_key + step * width, "right")
        count = np.maximum(high - low, 0)
        a = np.repeat(np.arange(len(runs)), count)
        b = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
        same = runs.value[a] == runs.value[b]
        pairs.append((a[same], b[same]))
    # Within a row only unlike labels touch: equal ones would be one run.
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def _hu_sums(runs, hu):
    """(n,) sum of the Hounsfield units of each run."""
    ends = np.cumsum(runs.length)
    begins = ends - runs.length
    first_voxel = (runs.k * hu.shape[1] + runs.j) * hu.shape[2] + runs.i0
    voxel = np.repeat(first_voxel - begins, runs.length) + np.arange(ends[-1])
    return np.add.reduceat(np.ascontiguousarray(hu).reshape(-1)[voxel], begins, dtype=np.float64)
