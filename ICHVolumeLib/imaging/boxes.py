"""Index boxes around what is marked."""

import numpy as np


def bounding_box(marked: np.ndarray, margin: tuple[int, int, int]) -> tuple[slice, slice, slice] | None:
    """The box of everything marked in (slices, rows, columns), wider by so many voxels along each axis where there is
    room; None when nothing is marked."""
    slices = np.flatnonzero(marked.reshape(len(marked), -1).any(axis=1))
    if not len(slices):
        return None
    flat = np.any(marked[slices[0]:slices[-1] + 1], axis=0)
    found = slices, np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    k, j, i = (slice(max(int(one[0]) - more, 0), min(int(one[-1]) + 1 + more, size))
               for one, more, size in zip(found, margin, marked.shape, strict=True))
    return k, j, i
