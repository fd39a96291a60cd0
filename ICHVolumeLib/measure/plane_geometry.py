"""Plane geometry of one slice of a piece, exact on its pixels: convex hull, diameter, width.

A slice is given as rectangles (n, 3) of integers: row j, first column i0, column after the last i1. Points are
pixel corners (x, y) = (column, row) counted from the outer corner of pixel (0, 0): corner (x, y) lies at voxel
coordinate (j, i) = (y - 0.5, x - 0.5). Lengths are mm with pixel size (width, height) = (x, y).
"""

import numpy as np

_TOUCH_MM = 1e-9  # a line through a corner touches it in spite of rounding
_BLOCK = 1_000_000  # line x rectangle pairs handled at once


def convex_hull(points) -> np.ndarray:
    """Corners of the convex hull of integer points (n, 2), counter-clockwise in (x, y); exact (monotone chain)."""
    points = sorted(set(map(tuple, points)))
    if len(points) < 3:
        return np.array(points)
    chains = []
    for ordered in (points, points[::-1]):
        chain: list[tuple] = []
        for x, y in ordered:
            while len(chain) > 1 and ((chain[-1][0] - chain[-2][0]) * (y - chain[-2][1])
                                      <= (chain[-1][1] - chain[-2][1]) * (x - chain[-2][0])):
                chain.pop()
            chain.append((x, y))
        chains += chain[:-1]
    return np.array(chains)


def outer_corners(rectangles: np.ndarray) -> list[tuple[int, int]]:
    """Pixel corners that can lie on the hull: of every row the two left-most and the two right-most ones."""
    rows, first = np.unique(rectangles[:, 0], return_index=True)
    left = np.minimum.reduceat(rectangles[:, 1], first)
    right = np.maximum.reduceat(rectangles[:, 2], first)
    x = np.concatenate([left, right, left, right])
    y = np.concatenate([rows, rows, rows + 1, rows + 1])
    return list(zip(x.tolist(), y.tolist(), strict=True))


def longest_diameter(hull: np.ndarray, pixel_mm: tuple[float, float]) -> np.ndarray:
    """The two hull corners farthest apart, (2, 2); of equal pairs the one that comes first by (row, column)."""
    hull = hull[np.lexsort((hull[:, 0], hull[:, 1]))]
    difference = (hull[:, None] - hull[None]) * np.asarray(pixel_mm)
    first, second = np.unravel_index(np.argmax((difference ** 2).sum(-1)), (len(hull), len(hull)))
    return hull[[min(first, second), max(first, second)]]


def widest_chord(rectangles: np.ndarray, diameter: np.ndarray, pixel_mm: tuple[float, float]) -> np.ndarray:
    """The longest straight segment perpendicular to `diameter` between outermost points of the slice.

    Returns its end points (2, 2) in corner coordinates. Both ends lie on the same perpendicular; a gap between
    them (a bay, a hole) is bridged, as with a ruler. Exact: the length of the chord changes linearly between
    pixel corners, so the longest one runs through a corner. Ties: the one nearest to the first end of `diameter`.
    """
    low, high, corner_t, along, across = _in_frame(rectangles, diameter, pixel_mm)
    block = max(1, _BLOCK // len(rectangles))
    chords = np.concatenate([_chords(low, high, corner_t[n:n + block], along, across)
                             for n in range(0, len(corner_t), block)])
    lengths = chords[:, 1] - chords[:, 0]
    best = np.flatnonzero(lengths >= lengths.max() - _TOUCH_MM)[0]
    return (corner_t[best] * along + chords[best][:, None] * across) / np.asarray(pixel_mm)


def caliper_width(hull: np.ndarray, diameter: np.ndarray, pixel_mm: tuple[float, float]) -> np.ndarray:
    """A segment as long as the gap of a caliper closed on the slice along the diameter; end points (2, 2).

    Its ends need not lie on one perpendicular of the slice; it is drawn through the first extreme corner.
    """
    along, across = _axes(diameter, pixel_mm)
    points = hull[np.lexsort((hull[:, 0], hull[:, 1]))] * np.asarray(pixel_mm)
    s = points @ across
    t = points[np.argmin(s)] @ along
    return (t * along + np.array([s.min(), s.max()])[:, None] * across) / np.asarray(pixel_mm)


def _axes(diameter, pixel_mm):
    along = (diameter[1] - diameter[0]) * np.asarray(pixel_mm)
    along = along / np.linalg.norm(along)
    return along, np.array([-along[1], along[0]])


def _in_frame(rectangles, diameter, pixel_mm):
    """Rectangles in mm (low and high corner), positions t of all corners along the diameter, the two axes."""
    j, i0, i1 = rectangles.T
    low = np.stack([i0, j], 1) * np.asarray(pixel_mm)
    high = np.stack([i1, j + 1], 1) * np.asarray(pixel_mm)
    along, across = _axes(diameter, pixel_mm)
    x = np.concatenate([low[:, 0], high[:, 0], low[:, 0], high[:, 0]])
    y = np.concatenate([low[:, 1], low[:, 1], high[:, 1], high[:, 1]])
    return low, high, np.unique(x * along[0] + y * along[1]), along, across


def _chords(low, high, t, along, across):
    """(len(t), 2): lowest and highest s at which the line {t along + s across} meets any of the rectangles."""
    start = np.full((len(t), len(low)), -np.inf)
    end = np.full((len(t), len(low)), np.inf)
    for axis in (0, 1):
        to_low = low[None, :, axis] - t[:, None] * along[axis]
        to_high = high[None, :, axis] - t[:, None] * along[axis]
        if abs(across[axis]) < 1e-12:  # the line is parallel to these sides: it is between them or misses
            misses = (to_low > _TOUCH_MM) | (to_high < -_TOUCH_MM)
            end[misses] = -np.inf
            continue
        if across[axis] < 0:
            to_low, to_high = to_high, to_low
        np.maximum(start, to_low / across[axis], out=start)
        np.minimum(end, to_high / across[axis], out=end)
    meets = start <= end + _TOUCH_MM
    return np.stack([np.where(meets, start, np.inf).min(1), np.where(meets, end, -np.inf).max(1)], 1)
