"""Stacks of slices made wider, narrower and smoother in their planes, by shifted copies and running sums.

On the small boxes that a click works in this takes a tenth of the time of SimpleITK's filters.
"""

import numpy as np

FEW_PX = 4  # up to here adding shifted copies is faster than a running sum


def widened_by_disk(binary: np.ndarray, radius_px: float) -> np.ndarray:
    """bool (slices, rows, columns), every slice grown by a disk; beyond the edge there is nothing."""
    whole = int(radius_px)
    if whole < 1:
        return binary.copy()
    half_widths = [int(np.sqrt(radius_px**2 - dy**2)) for dy in range(whole + 1)]
    rows, result, reached = binary.copy(), np.zeros_like(binary), 0
    for dy in range(whole, -1, -1):  # the widest rows last
        while reached < half_widths[dy]:
            reached += 1
            rows[..., reached:] |= binary[..., :-reached]
            rows[..., :-reached] |= binary[..., reached:]
        result[:, dy:] |= rows[:, :rows.shape[1] - dy]
        result[:, :rows.shape[1] - dy] |= rows[:, dy:]
    return result


def narrowed_by_disk(binary: np.ndarray, radius_px: float) -> np.ndarray:
    """bool, every slice eroded by a disk; what touches the edge is taken to go on beyond it."""
    return ~widened_by_disk(~binary, radius_px)


def opened_by_disk(binary: np.ndarray, radius_px: float) -> np.ndarray:
    """bool, every slice without what is narrower than a disk."""
    return widened_by_disk(narrowed_by_disk(binary, radius_px), radius_px)


def closed_by_disk(binary: np.ndarray, radius_px: float) -> np.ndarray:
    """bool, every slice with gaps narrower than a disk filled."""
    return narrowed_by_disk(widened_by_disk(binary, radius_px), radius_px)


def depth_px(binary: np.ndarray) -> np.ndarray:
    """uint16, how many steps (diamond and square in turn, about a disk) every voxel lies inside its slice's area."""
    depth, step = np.zeros(binary.shape, np.uint16), 0
    left = binary
    while left.any():
        depth += left
        inner = left.copy()
        inner[:, 1:] &= left[:, :-1]
        inner[:, :-1] &= left[:, 1:]
        sideways = inner if step % 2 else left  # of the square: the corners too
        narrower = inner.copy()
        narrower[..., 1:] &= sideways[..., :-1]
        narrower[..., :-1] &= sideways[..., 1:]
        left, step = narrower, step + 1
    return depth


def box_mean(values: np.ndarray, radius_px: int) -> np.ndarray:
    """float32, mean over a square of 2 radius + 1 pixels in every slice; beyond the edge, the edge."""
    if radius_px < 1:
        return values.astype(np.float32)
    return _mean_along(_mean_along(values, radius_px, 1), radius_px, 2)


def _mean_along(values, radius_px: int, axis: int):
    size, width = values.shape[axis], 2 * radius_px + 1
    shape = list(values.shape)
    shape[axis] = size + width - 1
    longer = np.empty(shape, np.float32)
    part = _along(axis)
    longer[part(radius_px, radius_px + size)] = values
    longer[part(0, radius_px)] = values[part(0, 1)]
    longer[part(radius_px + size, None)] = values[part(size - 1, size)]
    if radius_px <= FEW_PX:
        sums = longer[part(0, size)].copy()
        for shift in range(1, width):
            sums += longer[part(shift, shift + size)]
    else:
        running = np.cumsum(longer, axis=axis, dtype=np.float64)
        sums = running[part(width - 1, None)].astype(np.float32)
        sums[part(1, None)] -= running[part(0, size - 1)]
    sums /= width
    return sums


def _along(axis: int):
    """Index of a range along one of three axes."""
    before, after = (slice(None),) * axis, (slice(None),) * (2 - axis)
    return lambda start, stop: (*before, slice(start, stop), *after)
