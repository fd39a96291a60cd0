"""Index boxes around what is marked."""

import numpy as np


def bounding_box(marked: np.ndarray, margin: tuple[int, ...]) -> tuple[slice, ...] | None:
    """The box of everything marked in (slices, rows, columns) or (rows, columns), wider by so many voxels along each
    axis where there is room; None when nothing is marked."""
    flat, found = marked, []
    if marked.ndim == 3:
        found = [np.flatnonzero([one.any() for one in marked])]  # one by one: a turned scan is not copied
        if not len(found[0]):
            return None
        flat = np.any(marked[found[0][0]:found[0][-1] + 1], axis=0)
    found += [np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))]
    if not len(found[-1]):
        return None
    return tuple(slice(max(int(one[0]) - more, 0), min(int(one[-1]) + 1 + more, size))
                 for one, more, size in zip(found, margin, marked.shape, strict=True))
