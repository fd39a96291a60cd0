"""A mask brought onto the grid of its CT, or refused with both grids in words. Nothing is resampled.

Axis order (slices, rows, columns) = (k, j, i); matrices map (i, j, k, 1) to RAS mm.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError

TOLERANCE_VOXELS = 0.1  # files round positions; a tenth of a voxel anywhere in the volume is the same grid
FARTHEST_VOXELS = 1e6  # a mask that begins farther away is no crop of this CT


@dataclass(frozen=True, eq=False)
class GridMatch:
    """How a mask of a certain matrix and shape lies in the CT: axes to swap and flip, and its first voxel (k, j, i)."""

    order: tuple[int, ...]  # CT axis -> mask axis
    flips: tuple[int, ...]  # step 1 or -1 along each CT axis
    first: tuple[int, ...]

    def place(self, mask: np.ndarray, shape) -> np.ndarray | None:
        """`mask` on the CT's grid of `shape`; None when a marked voxel would lie outside."""
        turned = mask.transpose(self.order)[tuple(slice(None, None, step) for step in self.flips)]
        if turned.shape == tuple(shape) and not any(self.first):
            return np.ascontiguousarray(turned)
        from_mask, to_ct = [], []
        for first, size, whole in zip(self.first, turned.shape, shape, strict=True):
            low, high = max(first, 0), min(first + size, whole)
            if high <= low:
                return None
            from_mask.append(slice(low - first, high - first))
            to_ct.append(slice(low, high))
        out = np.zeros(shape, mask.dtype)
        out[tuple(to_ct)] = turned[tuple(from_mask)]
        return out if np.count_nonzero(out) == np.count_nonzero(mask) else None


def onto_grid(path, mask: np.ndarray, matrix: np.ndarray, ct: CTVolume) -> np.ndarray:
    """`mask` with axes reversed, swapped or padded so that it lies on the CT's grid.

    Raises InputError, with both grids in words, when that is not enough: another spacing, place or direction, or
    marked voxels outside the CT.
    """
    match = match_grid(mask.shape, matrix, ct.ijk_to_ras)
    placed = match.place(mask, ct.hu.shape) if match else None
    if placed is None:
        raise InputError(f"{path} does not fit this CT: {_difference(mask, matrix, ct)}. Give the mask drawn on this "
                         "series. Only if the mask lies right on the blood where both are shown together in 3D Slicer, "
                         "bring it onto the CT (Resample Scalar/Vector/DWI Volume, nearest neighbor), and check every "
                         f"slice. The mask's grid: {grid_words(mask.shape, matrix)}; the CT's: "
                         f"{grid_words(ct.hu.shape, ct.ijk_to_ras)}.")
    return placed


def match_grid(shape, matrix, ct_matrix) -> GridMatch | None:
    """How a mask of this shape and matrix lies in the CT's grid, None when it is another grid."""
    with np.errstate(all="ignore"):  # a damaged matrix may hold anything; it then fails the comparison below
        to_ct = np.linalg.inv(ct_matrix) @ matrix  # mask (i, j, k) -> CT (i, j, k)
        turn, shift = np.rint(to_ct[:3, :3]), np.rint(to_ct[:3, 3])
        corners = _corners(shape)
        error = corners @ (to_ct[:3, :3] - turn).T + to_ct[:3, 3] - shift
    if not (np.abs(turn).sum(0) == 1).all() or not (np.abs(turn).sum(1) == 1).all() \
            or not (np.abs(error) <= TOLERANCE_VOXELS).all() or not (np.abs(shift) < FARTHEST_VOXELS).all():
        return None
    first = (corners @ turn.T + shift).min(0).astype(int)
    order = [int(np.flatnonzero(turn[axis])[0]) for axis in range(3)]  # CT axis -> mask axis, i j k
    return GridMatch(tuple(2 - order[2 - axis] for axis in range(3)),
                     tuple(int(turn[2 - axis].sum()) for axis in range(3)), tuple(int(value) for value in first[::-1]))


def grid_words(shape, matrix) -> str:
    """A grid for people: size, spacing, where it begins, and the direction of its columns, rows and slices."""
    spacing = _size_words(np.linalg.norm(matrix[:3, :3], axis=0))
    origin = ", ".join(f"{value:.1f}" for value in matrix[:3, 3])
    return (f"{shape[2]} x {shape[1]} x {shape[0]} voxels of {spacing} mm from ({origin}) mm RAS with columns, rows "
            f"and slices running along {direction_words(matrix[:3, :3])}")


def direction_words(vectors) -> str:
    """Unit vectors of the columns of `vectors` (3, n), RAS."""
    with np.errstate(all="ignore"):
        units = np.round(vectors / np.linalg.norm(vectors, axis=0), 3) + 0.0
    return ", ".join("(" + " ".join(f"{value:.3f}" for value in unit) + ")" for unit in units.T)


def tilt_deg(matrix) -> float:
    """Angle between the slice normal and the way the slices are stacked; NaN for a degenerate matrix."""
    with np.errstate(all="ignore"):
        normal = np.cross(matrix[:3, 0], matrix[:3, 1])
        cosine = abs(normal @ matrix[:3, 2]) / np.linalg.norm(normal) / np.linalg.norm(matrix[:3, 2])
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _corners(shape) -> np.ndarray:
    """(8, 3) indices i, j, k of a volume's corner voxels."""
    far = np.array(shape[::-1], float) - 1
    return np.array([[a, b, c] for a in (0, far[0]) for b in (0, far[1]) for c in (0, far[2])])


def _difference(mask, matrix, ct) -> str:
    """What differs most, in one sentence without its end; the two rows of numbers behind it would hide it."""
    tilts = tilt_deg(matrix), tilt_deg(ct.ijk_to_ras)
    if abs(tilts[0] - tilts[1]) > 0.05:
        return (f"the CT's slices are tilted by {tilts[1]:.1f} degrees against the way they are stacked, the mask's by "
                f"{tilts[0]:.1f}{': the tilt was lost on the way' if tilts[0] < tilts[1] else ''}")
    if match_grid(mask.shape, matrix, ct.ijk_to_ras):
        return "marked voxels lie outside it"
    with np.errstate(all="ignore"):
        sizes = [np.linalg.norm(one[:3, :3], axis=0) for one in (matrix, ct.ijk_to_ras)]
        if not np.allclose(np.sort(sizes[0]), np.sort(sizes[1]), rtol=0.005):
            return f"its voxels measure {_size_words(sizes[0])} mm, those of the CT {_size_words(sizes[1])} mm"
        if mask.shape != ct.hu.shape:
            return "it has another place or direction"
        corners = np.c_[_corners(mask.shape), np.ones(8)]
        farthest = np.linalg.norm((corners @ (matrix - ct.ijk_to_ras).T)[:, :3], axis=1).max()
    return f"the same voxel lies up to {farthest:.2f} mm apart in the two"


def _size_words(sizes_mm) -> str:
    return " x ".join(f"{value:.4g}" for value in sizes_mm)
