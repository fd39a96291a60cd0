"""The hematoma as a closed surface for 3D viewers and printers: STL, OBJ and PLY in mm.

The surface is cut between voxels on the index grid, smoothed, and only then placed at the true slice positions, so a
tilted or unevenly spaced scan gives the same body as an upright one. It is always watertight: every edge belongs
to exactly two triangles, with outward normals.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import LABELS
from .components import connected

SPACES = ("LPS", "RAS")
MIN_TRIANGLES = 500
MAX_TRIANGLES = 200_000  # a 10 MB STL file
_RAW_PER_FINAL, _RAW_ALWAYS = 2, 50_000  # triangles that decimation may start from; more are cut more coarsely


@dataclass(frozen=True, eq=False)
class Surface:
    """points_ras: (n, 3) mm; triangles: (m, 3) point numbers, counter-clockwise seen from outside.

    volume_ml is the mesh's; voxel_volume_ml the mask's, which is the one to report: smoothing shrinks a mesh.
    """

    points_ras: np.ndarray
    triangles: np.ndarray
    volume_ml: float
    voxel_volume_ml: float


def hematoma_surface(mask: np.ndarray, ct: CTVolume, label: int | None = None, *, smoothing: float = 0.5,
                     max_triangles: int = MAX_TRIANGLES) -> Surface:
    """The closed surface of a mask (slices, rows, columns) on the grid of the CT.

    label: one value of labels.py, or None for all blood together.
    smoothing: 0 (none) to 1, with the meaning of 3D Slicer's closed-surface "smoothing factor".
    max_triangles: the surface is decimated to at most this many.
    Raises InputError when the mask has another shape than the CT or nothing to show, or a setting is out of range.
    """
    inside = _chosen_voxels(mask, ct, label)
    if not 0 <= smoothing <= 1:
        raise InputError(f"Smoothing {smoothing} is not possible; use 0 (none) to 1 (strongest).")
    if max_triangles < MIN_TRIANGLES:
        raise InputError(f"A surface of {max_triangles} triangles is no model; allow at least {MIN_TRIANGLES}.")
    voxel_volume_ml = float(inside.sum(axis=(1, 2)) @ ct.voxel_volumes_mm3) / 1000
    cropped, first_voxel = _crop(inside)
    points_kji, triangles = _closed_mesh(cropped, _spacing_kji(ct), smoothing, max_triangles)
    points = _to_ras(points_kji + first_voxel, ct)
    volume_mm3 = float(_cone_volumes(points, triangles).sum())
    if volume_mm3 < 0:  # the index axes are left-handed in RAS
        triangles, volume_mm3 = triangles[:, ::-1].copy(), -volume_mm3
    return Surface(points, triangles, volume_mm3 / 1000, voxel_volume_ml)


def write_surface(surface: Surface, path: str | Path, space: str = "LPS") -> Path:
    """Write the surface in mm as the suffix says: .stl (binary), .obj or .ply (binary). Returns the path.

    The coordinate system ("LPS", or "RAS") stands in the file's header as SPACE=LPS, where 3D Slicer writes it and
    looks for it. An existing file is replaced only when the new one is complete. Raises InputError for another
    suffix or space, or a folder that cannot be written.
    """
    path = Path(path)
    writer = {".stl": _stl, ".obj": _obj, ".ply": _ply}.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path.name}: 3D models are written as .stl, .obj or .ply; choose one of these endings.")
    if space not in SPACES:
        raise InputError(f"{space!r} is no coordinate system for 3D models; use {' or '.join(SPACES)}.")
    flip = (-1, -1, 1) if space == "LPS" else (1, 1, 1)
    content = writer((surface.points_ras * flip).astype("<f4"), surface.triangles,
                     f"ICHVolume hematoma, unit mm. SPACE={space}")
    replace_file(path, content)
    return path


def is_closed(triangles: np.ndarray) -> bool:
    """True when every edge belongs to exactly two triangles that run along it in opposite directions."""
    start, end = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    count = int(triangles.max()) + 1
    there, back = np.sort(start.astype(np.int64) * count + end), np.sort(end.astype(np.int64) * count + start)
    return bool((there[1:] != there[:-1]).all() and np.array_equal(there, back))


def _chosen_voxels(mask, ct, label):
    mask = np.asarray(mask)
    if mask.shape != ct.hu.shape:
        raise InputError(f"The mask has {mask.shape} voxels (slices, rows, columns) but the scan has {ct.hu.shape}; "
                         "choose the scan the mask was drawn on.")
    names: dict[int | None, str] = {None: "blood", **{one.value: one.name for one in LABELS}}
    if label not in names:
        raise InputError(f"{label} is no label; use one of {[one.value for one in LABELS]}, or None for all blood.")
    inside = mask > 0 if label is None else mask == label
    if not inside.any():
        raise InputError(f"The mask holds no {names[label]}, so there is no 3D model to make.")
    return inside


def _crop(inside):
    """The bounding box of the True voxels, and its first (k, j, i)."""
    spans = [np.flatnonzero(inside.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    return inside[tuple(slice(span[0], span[-1] + 1) for span in spans)], np.array([span[0] for span in spans])


def _spacing_kji(ct):
    return np.array([np.abs(ct.slice_steps_mm).mean(), *ct.pixel_spacing_mm])


def _closed_mesh(inside, spacing_kji, smoothing, max_triangles):
    """Points (n, 3) in voxel coordinates (k, j, i) of the box and triangles (m, 3), closed, at most max_triangles.

    Decimation may pinch or lose thin parts; then, as for a mesh that is far too large, the cells are made coarser.
    """
    for factors in _cell_sizes(spacing_kji):
        mesh = _contour(_coarser(inside, factors))
        if mesh.GetNumberOfPolys() > max(_RAW_PER_FINAL * max_triangles, _RAW_ALWAYS):
            continue
        mesh = _smooth(mesh, smoothing)
        if mesh.GetNumberOfPolys() > max_triangles:
            mesh = _decimate(mesh, max_triangles)
        points, triangles = _arrays(mesh)
        if 0 < len(triangles) <= max_triangles and is_closed(triangles):
            return points[:, ::-1] * factors + (factors - 1) / 2 - factors, triangles  # the contour is padded by one


def _cell_sizes(spacing_kji):
    """Voxels per cell along k, j, i: 1 each, then ever coarser and as nearly cubic in mm as they can be."""
    factors, cell_mm = np.ones(3, int), spacing_kji.min()
    while True:
        yield factors
        previous = factors
        while (factors == previous).all():
            cell_mm *= 1.1
            factors = np.maximum(1, np.round(cell_mm / spacing_kji)).astype(int)


def _coarser(inside, factors):
    """Cells of factors[0] x factors[1] x factors[2] voxels; the fullest are True, as many as keep the volume best."""
    if (factors == 1).all():
        return inside
    padded = np.pad(inside, [(0, -size % factor) for size, factor in zip(inside.shape, factors, strict=True)])
    blocks = [part for size, factor in zip(padded.shape, factors, strict=True) for part in (size // factor, factor)]
    filled = padded.reshape(blocks).sum(axis=(1, 3, 5))  # voxels of each cell
    levels = np.arange(1, factors.prod() + 1)
    cells = np.cumsum(np.bincount(filled.ravel(), minlength=levels[-1] + 1)[::-1])[::-1][1:]  # with at least `level`
    allowed = np.where(cells > 0, np.abs(cells - filled.sum() / levels[-1]), np.inf)
    return filled >= levels[np.argmin(allowed)]


def _contour(inside):
    """vtkPolyData between True and False voxels; one empty voxel is put around, so points count from there."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    padded = np.pad(inside.astype(np.uint8), 1)
    image = vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel(), deep=True))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    return contour.GetOutput()


def _smooth(mesh, smoothing):
    """Windowed-sinc smoothing with the settings 3D Slicer derives from its smoothing factor.

    Parts of a few voxels would collapse to a point: those that lose more than half of their volume stay as cut.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

    if smoothing == 0:
        return mesh
    smoother = vtkWindowedSincPolyDataFilter()
    smoother.SetInputData(mesh)
    smoother.SetNumberOfIterations(int(20 + 40 * smoothing))
    smoother.SetPassBand(10 ** (-4 * smoothing))
    smoother.BoundarySmoothingOff()
    smoother.FeatureEdgeSmoothingOff()
    smoother.NonManifoldSmoothingOn()
    smoother.NormalizeCoordinatesOn()
    smoother.Update()
    cut, triangles = _arrays(mesh)
    smooth = _arrays(smoother.GetOutput())[0]
    part = connected(len(cut), triangles[:, [0, 1]].ravel(), triangles[:, [1, 2]].ravel())
    before, after = (np.bincount(part[triangles[:, 0]], _cone_volumes(points, triangles)) for points in (cut, smooth))
    keeps = np.abs(after) >= np.abs(before) / 2
    smoother.GetOutput().GetPoints().SetData(numpy_to_vtk(np.where(keeps[part][:, None], smooth, cut), deep=True))
    return smoother.GetOutput()


def _decimate(mesh, max_triangles):
    from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

    decimation = vtkQuadricDecimation()
    decimation.SetInputData(mesh)
    decimation.SetTargetReduction(1 - (max_triangles - 2) / mesh.GetNumberOfPolys())
    decimation.VolumePreservationOn()
    decimation.Update()
    return decimation.GetOutput()


def _arrays(mesh):
    from vtkmodules.util.numpy_support import vtk_to_numpy

    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)
    return points, vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)


def _to_ras(kji, ct):
    """Voxel coordinates to RAS mm, also beyond the first and last slice (half a slab is still blood)."""
    origins = np.asarray(ct.slice_origins_ras, float)
    origins = np.concatenate([2 * origins[:1] - origins[1:2], origins, 2 * origins[-1:] - origins[-2:-1]])
    slices = np.arange(-1, len(origins) - 1)
    origin = np.stack([np.interp(kji[:, 0], slices, origins[:, axis]) for axis in range(3)], -1)
    return origin + kji[:, 2:] * ct.ijk_to_ras[:3, 0] + kji[:, 1:2] * ct.ijk_to_ras[:3, 1]


def _cone_volumes(points, triangles):
    """(m,) signed volumes between each triangle and the middle of all points; summed over a closed mesh they are
    its volume (divergence theorem), positive when the triangles face outwards."""
    a, b, c = (points[triangles[:, n]] - points.mean(axis=0) for n in range(3))
    return (a * np.cross(b, c)).sum(axis=1) / 6


def _stl(points, triangles, header):
    corners = points[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    facets = np.zeros(len(triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    facets["normal"], facets["corners"] = normals, corners
    return header.encode("ascii").ljust(80) + np.uint32(len(triangles)).astype("<u4").tobytes() + facets.tobytes()


def _obj(points, triangles, header):
    lines = [f"# {header}"]
    lines += [f"v {x:.6g} {y:.6g} {z:.6g}" for x, y, z in points.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (triangles + 1).tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")


def _ply(points, triangles, header):
    head = (f"ply\nformat binary_little_endian 1.0\ncomment {header}\n"
            f"element vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\n"
            f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n")
    faces = np.zeros(len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    return head.encode("ascii") + points.astype("<f4").tobytes() + faces.tobytes()
