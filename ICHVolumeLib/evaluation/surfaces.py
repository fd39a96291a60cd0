"""How far the outlines of two masks lie apart, in mm between true positions, on tilted and uneven slices, too.

hd95_mm: the larger of the two directed 95th percentiles between the centres of outline voxels (those with a face
neighbour outside), the usual definition (MONAI's). surface_hd95_mm and surface_dice: after Nikolov et al. 2021,
doi:10.2196/26151: the outline is a surface between the voxels, every element of it weighs as much as its area, and
surface Dice is the share of both surfaces within a tolerance of the other. Thick slices make the first one count their
few voxels, the second one their area.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.boxes import bounding_box

PERCENT = 95.0
_ROUNDING_MM = 1e-6  # a distance that is the tolerance is within it, whatever its last digit
_CORNERS = np.array([(k, j, i) for k in (0, 1) for j in (0, 1) for i in (0, 1)])  # bit n of a cell's code: corner n
_HALF = 4  # corners


@dataclass(frozen=True)
class SurfaceScores:
    """mm, and the share of both surfaces within the tolerance; None when exactly one mask is empty."""

    hd95_mm: float | None
    surface_hd95_mm: float | None
    surface_dice: float | None


def surface_scores(ct: CTVolume, mask: np.ndarray, truth: np.ndarray, tolerance_mm: float) -> SurfaceScores:
    """Distances of two masks (slices, rows, columns) on the grid of the scan, whatever their labels.

    Distance 0 and surface Dice 1 when both are empty; None when one is: that is counted apart, never averaged in.
    """
    box = bounding_box((mask > 0) | (truth > 0), (0, 0, 0))
    if box is None:
        return SurfaceScores(0.0, 0.0, 1.0)
    first, second = mask[box] > 0, truth[box] > 0
    if not first.any() or not second.any():
        return SurfaceScores(None, None, None)
    grid = _Grid.around(ct, box)
    there, back = _distances_mm(*(grid.outline_ras(one) for one in (first, second)))
    hd95_mm = max(np.percentile(there, PERCENT), np.percentile(back, PERCENT))
    (points, areas), (other_points, other_areas) = (grid.surface(one) for one in (first, second))
    there, back = _distances_mm(points, other_points)
    limit_mm = tolerance_mm + _ROUNDING_MM
    within = areas[there <= limit_mm].sum() + other_areas[back <= limit_mm].sum()
    return SurfaceScores(float(hd95_mm),
                         max(_weighted_percentile(there, areas), _weighted_percentile(back, other_areas)),
                         float(within / (areas.sum() + other_areas.sum())))


def slice_hd95_mm(ct: CTVolume, mask: np.ndarray, truth: np.ndarray) -> float | None:
    """hd95_mm of one slice (rows, columns) within its plane; None when one mask is empty, 0 when both are."""
    first, second = mask > 0, truth > 0
    if not first.any() or not second.any():
        return 0.0 if first.any() == second.any() else None
    step = ct.ijk_to_ras[:3, 1], ct.ijk_to_ras[:3, 0]
    clouds = [np.argwhere(_outline(one)) @ np.array(step) for one in (first, second)]
    return float(max(np.percentile(one, PERCENT) for one in _distances_mm(*clouds)))


@dataclass(frozen=True, eq=False)
class _Grid:
    """Part of a scan's grid with one slice, row and column more on every side.

    origins_ras: (slices, 3), mm, of voxel (0, 0) of every slice; row_ras, column_ras: the step to the next one.
    """

    origins_ras: np.ndarray
    row_ras: np.ndarray
    column_ras: np.ndarray

    @classmethod
    def around(cls, ct: CTVolume, box) -> "_Grid":
        slices, rows, columns = box
        origins = np.asarray(ct.slice_origins_ras, float)
        whole = np.concatenate([[2 * origins[0] - origins[1]], origins, [2 * origins[-1] - origins[-2]]])
        row, column = ct.ijk_to_ras[:3, 1], ct.ijk_to_ras[:3, 0]
        first = (rows.start - 1) * row + (columns.start - 1) * column
        return cls(whole[slices.start:slices.stop + 2] + first, row, column)

    def outline_ras(self, mask: np.ndarray) -> np.ndarray:
        """(n, 3) centres of the outline voxels of a mask that fills the part."""
        return self._ras(np.argwhere(_outline(mask)) + 1)

    def surface(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) middles of the cells of eight voxels that the surface runs through, (n,) its mm2 there."""
        codes = _cell_codes(np.pad(mask, 1))
        cells = np.argwhere((codes > 0) & (codes < 255))
        steps = np.round(np.diff(self.origins_ras, axis=0), 6)
        kinds, kind_of = np.unique(steps, axis=0, return_inverse=True)
        areas = np.stack([_areas_mm2(step, self.row_ras, self.column_ras) for step in kinds])
        return self._ras(cells + 0.5), areas[kind_of.ravel()[cells[:, 0]], codes[tuple(cells.T)]]

    def _ras(self, kji: np.ndarray) -> np.ndarray:
        k = np.arange(len(self.origins_ras))
        origin = np.stack([np.interp(kji[:, 0], k, self.origins_ras[:, axis]) for axis in range(3)], -1)
        return origin + kji[:, 1:2] * self.row_ras + kji[:, 2:3] * self.column_ras


def _outline(mask: np.ndarray) -> np.ndarray:
    """Voxels with a face neighbour outside; what lies beyond the array is outside."""
    padded = np.pad(mask, 1)
    inner = padded.copy()
    for axis in range(mask.ndim):
        inner &= np.roll(padded, 1, axis) & np.roll(padded, -1, axis)
    return (padded & ~inner)[(slice(1, -1),) * mask.ndim]


def _cell_codes(mask: np.ndarray) -> np.ndarray:
    """uint8, one smaller along every axis: which of the eight voxels around each corner are marked."""
    size = np.array(mask.shape) - 1
    codes = np.zeros(size, np.uint8)
    for bit, first in enumerate(_CORNERS):
        codes |= mask[tuple(slice(a, a + n) for a, n in zip(first, size, strict=True))].astype(np.uint8) << bit
    return codes


def _areas_mm2(slice_step, row_step, column_step) -> np.ndarray:
    """(256,) area of the surface in a cell of each code, its edges being the steps (3,) in mm."""
    edges = np.stack([slice_step, row_step, column_step], axis=1)
    to_mm2 = np.linalg.det(edges) * np.linalg.inv(edges).T  # of vectors that stand on triangles
    normals, codes = _triangles()
    return np.bincount(codes, np.linalg.norm(normals @ to_mm2.T, axis=1), minlength=256)


@lru_cache(maxsize=1)
def _triangles() -> tuple[np.ndarray, np.ndarray]:
    """The triangles of marching cubes in a cell of edge 1: vectors (k, j, i) of length area (n, 3), their codes (n,).

    A cell more than half full is taken as its opposite, so that inside and outside have the same surface.
    """
    found = [_marched(code) for code in range(256)]
    of_code = [found[255 - code] if code.bit_count() > _HALF else found[code] for code in range(256)]
    return np.concatenate(of_code), np.repeat(np.arange(256), [len(one) for one in of_code])


def _marched(code: int) -> np.ndarray:
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkMarchingCubes

    cell = vtkImageData()
    cell.SetDimensions(2, 2, 2)
    cell.GetPointData().SetScalars(numpy_to_vtk(np.array([code >> bit & 1 for bit in range(8)], float), deep=True))
    march = vtkMarchingCubes()
    march.ComputeNormalsOff()
    march.SetValue(0, 0.5)
    march.SetInputData(cell)
    march.Update()
    surface = march.GetOutput()
    if not surface.GetNumberOfPolys():
        return np.zeros((0, 3))
    points = vtk_to_numpy(surface.GetPoints().GetData()).astype(float)[:, ::-1]
    corners = points[vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)]
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2


def _distances_mm(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From every point (n, 3) of each cloud to the nearest of the other."""
    return _nearest_mm(first, second), _nearest_mm(second, first)


def _nearest_mm(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """vtkStaticPointLocator finds the nearest; vtkHausdorffDistancePointSetFilter errs on a handful of points."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkPolyData, vtkStaticPointLocator

    cloud, vtk_points = vtkPolyData(), vtkPoints()
    vtk_points.SetData(numpy_to_vtk(np.ascontiguousarray(others), deep=True))
    cloud.SetPoints(vtk_points)
    locator = vtkStaticPointLocator()
    locator.SetDataSet(cloud)
    locator.BuildLocator()
    nearest = np.fromiter(map(locator.FindClosestPoint, points.tolist()), int, len(points))
    return np.linalg.norm(points - others[nearest], axis=1)


def _weighted_percentile(distances: np.ndarray, weights: np.ndarray) -> float:
    """The distance below which PERCENT of the weight lies."""
    order = np.argsort(distances)
    share = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(share, PERCENT / 100)), len(order) - 1)
    return float(distances[order][place])
