"""A scan as an image with right angles and even steps, for registration and for slices through another scan.

Tilt (a sheared matrix) and uneven slices go into the sampling: every slice is taken at its own position.
"""

from collections.abc import Callable

import numpy as np

from ..core.ct_volume import CTVolume

_PARTS = 4  # an output voxel averages so many places along each axis, so that fine pixels are not skipped


def axes_ras(ct: CTVolume) -> np.ndarray:
    """3x3, rows: unit vectors along columns i, rows j and the slice normal, RAS."""
    along_i, along_j = (ct.ijk_to_ras[:3, axis] / np.linalg.norm(ct.ijk_to_ras[:3, axis]) for axis in (0, 1))
    return np.stack([along_i, along_j, ct.slice_normal_ras])


def isotropic_image(ct: CTVolume, values: np.ndarray, spacing_mm: tuple[float, float, float], outside: float):
    """A SimpleITK float image (in RAS mm) of `values` (slices, rows, columns) on the scan's grid.

    spacing_mm: along columns, rows and the normal. The image has the scan's directions and holds all its slices; where
    a tilted stack leaves it empty, and at its edges, it has `outside`. Averages where the scan is finer, interpolates
    linearly between slices that are further apart.
    """
    import SimpleITK as sitk

    axes = axes_ras(ct)
    places = ct.slice_origins_ras @ axes.T  # (slices, 3) of the first voxels, in the frame of the axes
    row_mm, column_mm = ct.pixel_spacing_mm
    rows, columns = values.shape[1:]
    low = places.min(axis=0)
    high = places.max(axis=0) + np.array([(columns - 1) * column_mm, (rows - 1) * row_mm, 0])
    at = [np.arange(low[axis], high[axis] + 1e-6, spacing_mm[axis]) for axis in range(3)]
    planes = np.empty((len(values), len(at[1]), len(at[0])), np.float32)
    across_of, down_of = (_weights_by_place(at[axis], np.arange(count) * step_mm, spacing_mm[axis])
                          for axis, count, step_mm in ((0, columns, column_mm), (1, rows, row_mm)))
    for k, plane in enumerate(values):
        across, down = across_of(places[k, 0]), down_of(places[k, 1])
        planes[k] = down @ (plane.astype(np.float32) - np.float32(outside)) @ across.T
    through = _weights(at[2], places[:, 2], spacing_mm[2])
    image = sitk.GetImageFromArray(np.tensordot(through, planes, 1) + np.float32(outside))
    image.SetSpacing([float(step) for step in spacing_mm])
    image.SetOrigin((axes.T @ [axis[0] for axis in at]).tolist())
    image.SetDirection(axes.T.ravel().tolist())
    return image


def _weights_by_place(at_mm: np.ndarray, from_mm: np.ndarray, width_mm: float) -> Callable[[float], np.ndarray]:
    """place_mm -> _weights with from_mm beginning there; slices that lie above each other share theirs."""
    known: dict[float, np.ndarray] = {}

    def weights(place_mm: float) -> np.ndarray:
        place_mm = round(float(place_mm), 6)
        if place_mm not in known:
            known[place_mm] = _weights(at_mm, place_mm + from_mm, width_mm)
        return known[place_mm]

    return weights


def _weights(at_mm: np.ndarray, from_mm: np.ndarray, width_mm: float) -> np.ndarray:
    """(len(at_mm), len(from_mm)) float32: linear interpolation from ascending places, averaged over +- width / 2; less
    than 1 in sum where it reaches beyond the first or last place."""
    weights = np.zeros((len(at_mm), len(from_mm)))
    rows = np.arange(len(at_mm))
    for part in range(_PARTS):
        place = at_mm + ((part + 0.5) / _PARTS - 0.5) * width_mm
        inside = (place >= from_mm[0] - width_mm / 2 - 1e-6) & (place <= from_mm[-1] + width_mm / 2 + 1e-6)
        place = np.clip(place, from_mm[0], from_mm[-1])
        left = np.clip(np.searchsorted(from_mm, place, "right") - 1, 0, len(from_mm) - 2)
        share = (place - from_mm[left]) / (from_mm[left + 1] - from_mm[left])
        np.add.at(weights, (rows, left), inside * (1 - share) / _PARTS)
        np.add.at(weights, (rows, left + 1), inside * share / _PARTS)
    return weights.astype(np.float32)
