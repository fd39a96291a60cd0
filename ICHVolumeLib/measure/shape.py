"""How regular a hematoma is, because ABC/2 is the less accurate the less it looks like an ellipse.

Expected error of ABC/2 by shape: regular 9.8 %, irregular 18.4 %, multilobular 39.1 % (10.1161/STROKEAHA.114.007095).
There the shape was judged by eye; the rule here is geometric and ours, on the slice with the largest area:
- regular: the slice fills at least 90 % of the pixels of its convex hull;
- multilobular: it does not, and it has two or more bays (each at least 3 % of the hull) or falls into two or more
  parts (each at least 3 % of its area);
- irregular: the rest, as a bean, a comma or an L.
A digitised convex shape of any size fills its hull completely, so small bleeds are not called irregular for
the staircase of their pixels.
"""

import numpy as np

from .components import find_runs, label_runs
from .plane_geometry import convex_hull

REGULAR, IRREGULAR, MULTILOBULAR = "regular", "irregular", "multilobular"
EXPECTED_ERROR_PERCENT = {REGULAR: 9.8, IRREGULAR: 18.4, MULTILOBULAR: 39.1}
REGULAR_SOLIDITY = 0.90
LOBE_SHARE = 0.03


def shape_class(rectangles: np.ndarray) -> str:
    """REGULAR, IRREGULAR or MULTILOBULAR for a slice given as rectangles (n, 3): row, first column, end column."""
    local = rectangles - [rectangles[:, 0].min(), rectangles[:, 1].min(), rectangles[:, 1].min()]
    filled = np.zeros((local[:, 0].max() + 1, local[:, 2].max()), bool)
    for j, i0, i1 in local.tolist():
        filled[j, i0:i1] = True
    in_hull = _pixels_in_hull(local, filled.shape)
    if filled.sum() >= REGULAR_SOLIDITY * in_hull.sum():
        return REGULAR
    parts = _count_parts(filled, LOBE_SHARE * filled.sum())
    bays = _count_parts(in_hull & ~filled, LOBE_SHARE * in_hull.sum())
    return MULTILOBULAR if parts > 1 or bays > 1 else IRREGULAR


def _pixels_in_hull(rectangles, shape):
    """(rows, columns) bool: pixels whose centre lies in the convex hull of the rectangles' pixel centres."""
    j, i0, i1 = rectangles.T
    hull = convex_hull(np.concatenate([np.stack([i0, j], 1), np.stack([i1 - 1, j], 1)]).tolist())
    left, right = np.full(shape[0], np.inf), np.full(shape[0], -np.inf)
    for (x0, y0), (x1, y1) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        rows = np.arange(min(y0, y1), max(y0, y1) + 1)
        x = x0 + (x1 - x0) * (rows - y0) / (y1 - y0) if y0 != y1 else np.array([x0])
        left[rows], right[rows] = np.minimum(left[rows], x), np.maximum(right[rows], x)
    columns = np.arange(shape[1])
    return (columns >= left[:, None] - 1e-9) & (columns <= right[:, None] + 1e-9)


def _count_parts(pixels, at_least):
    """How many connected parts of the bool picture have this many pixels or more."""
    picture = pixels[None].astype(np.uint8)
    runs = find_runs(picture)
    if not len(runs):
        return 0
    return int((np.bincount(label_runs(runs, picture.shape), weights=runs.length) >= at_least).sum())
