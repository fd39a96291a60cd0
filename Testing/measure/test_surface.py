"""The 3D model: closed, at true positions, read back unchanged by VTK and by 3D Slicer's own reader."""

import numpy as np
import pytest
from bare_slicer import require_slicer
from phantoms import GRIDS, ellipsoid_ct
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersCore import vtkFeatureEdges, vtkMassProperties
from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
from vtkmodules.vtkIOPLY import vtkPLYReader

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.measure.surface import hematoma_surface, is_closed, write_surface

READERS = {".stl": vtkSTLReader, ".obj": vtkOBJReader, ".ply": vtkPLYReader}


@pytest.fixture(scope="module")
def bleed():
    return ellipsoid_ct(head=False, center_mm=(20, -10, 15))


@pytest.fixture(scope="module")
def surface(bleed):
    return hematoma_surface(bleed.mask, bleed.ct)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_surface_encloses_the_body_on_every_grid(grid):
    body = ellipsoid_ct(grid, head=False, semi_axes_mm=(30, 20, 25), center_mm=(20, -10, 15))
    model = hematoma_surface(body.mask, body.ct)
    assert model.volume_ml == pytest.approx(body.volume_ml, rel=0.02)
    scaled = (model.points_ras - (20, -10, 15)) / (30, 20, 25)
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1, atol=0.12)
    _assert_watertight_and_outward(model)


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (-1, -1, -1)])
def test_normals_point_outwards_whichever_way_the_axes_run(signs):
    mask = np.zeros((5, 8, 8), np.uint8)
    mask[1:4, 2:6, 2:6] = 1
    ct = CTVolume.regular(np.zeros(mask.shape, np.int16), np.diag([*signs, 1.0]))
    _assert_watertight_and_outward(hematoma_surface(mask, ct))


def test_a_sphere_has_the_volume_of_a_sphere():
    ball = ellipsoid_ct(head=False, semi_axes_mm=(20, 20, 20), pixel_mm=0.5, step_mm=0.5, columns=96, rows=96,
                        half_height_mm=22)
    assert hematoma_surface(ball.mask, ball.ct).volume_ml == pytest.approx(ball.volume_ml, rel=0.01)


@pytest.mark.parametrize("share", [0.03, 0.2, 0.5])
@pytest.mark.parametrize("smoothing", [0, 0.5, 1])
def test_any_mask_gives_a_closed_surface(share, smoothing):
    mask = (np.random.default_rng(4).random((12, 20, 24)) < share).astype(np.uint8)
    _assert_watertight_and_outward(hematoma_surface(mask, _cube(mask), smoothing=smoothing))


@pytest.mark.parametrize("max_triangles", [500, 3000, 20_000])
def test_decimation_keeps_it_closed_and_under_the_limit(max_triangles):
    body = ellipsoid_ct(head=False, pixel_mm=0.5, step_mm=1.0, columns=160, rows=128, half_height_mm=24)
    assert len(hematoma_surface(body.mask, body.ct).triangles) > 20_000
    model = hematoma_surface(body.mask, body.ct, max_triangles=max_triangles)
    assert max_triangles / 5 < len(model.triangles) <= max_triangles
    assert model.volume_ml == pytest.approx(body.volume_ml, rel=0.05)
    _assert_watertight_and_outward(model)


def test_scattered_blood_is_decimated_to_a_closed_surface_too():
    mask = (np.random.default_rng(5).random((30, 60, 60)) < 0.05).astype(np.uint8)
    mask[10:20, 20:40, 20:40] = 1
    model = hematoma_surface(mask, _cube(mask), max_triangles=2000)
    assert len(model.triangles) <= 2000
    _assert_watertight_and_outward(model)


def test_more_smoothing_is_smaller_and_rounder(bleed):
    models = [hematoma_surface(bleed.mask, bleed.ct, smoothing=smoothing) for smoothing in (0, 0.5, 1)]
    volumes = [model.volume_ml for model in models]
    areas = [_mass_properties(model).GetSurfaceArea() for model in models]
    assert volumes == sorted(volumes, reverse=True) and areas == sorted(areas, reverse=True)
    assert {model.voxel_volume_ml for model in models} == {models[0].voxel_volume_ml}


def test_tiny_pieces_do_not_vanish_in_smoothing():
    mask = np.zeros((6, 20, 20), np.uint8)
    mask[3, 5, 5] = 1
    mask[2:5, 8:16, 8:16] = 1
    model = hematoma_surface(mask, _cube(mask), smoothing=1)
    crumb = model.points_ras[:, 0] < 6.5
    assert np.ptp(model.points_ras[crumb], axis=0) == pytest.approx((1, 1, 1), abs=0.01)


def test_blood_on_the_first_and_last_slice_keeps_its_outer_half_slab():
    mask = np.zeros((3, 10, 10), np.uint8)
    mask[:, 2:8, 2:8] = 1
    model = hematoma_surface(mask, _cube(mask, step_mm=5.0), smoothing=0)
    assert model.points_ras[:, 2].min() == pytest.approx(-2.5) and model.points_ras[:, 2].max() == pytest.approx(12.5)


def test_the_voxel_volume_beside_it_is_the_measured_one(bleed, surface):
    assert surface.voxel_volume_ml == pytest.approx(bleed.mask.sum() * 2.5 / 1000)


def test_the_volume_is_vtks_mass_property(surface):
    assert surface.volume_ml == pytest.approx(_mass_properties(surface).GetVolume() / 1000, rel=1e-5)


def test_labels_are_chosen_and_none_means_all_blood():
    mask = np.zeros((5, 20, 30), np.uint8)
    mask[1:4, 5:15, 3:13], mask[1:4, 5:15, 13:20] = 1, 2
    ct = _cube(mask)
    volumes = [hematoma_surface(mask, ct, label).voxel_volume_ml for label in (1, 2, None)]
    assert volumes == pytest.approx([0.3, 0.21, 0.51])


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("space", ["LPS", "RAS"])
def test_the_file_read_back_by_vtk_has_the_same_geometry(surface, tmp_path, suffix, space):
    path = write_surface(surface, tmp_path / f"ich{suffix}", space)
    read = _read(path)
    sign = np.array([-1, -1, 1]) if space == "LPS" else np.ones(3)
    corners = vtk_to_numpy(read.GetPoints().GetData())[_triangles(read)] * sign
    np.testing.assert_allclose(corners, surface.points_ras[surface.triangles], atol=1e-3)
    assert _open_or_non_manifold_edges(read) == 0
    assert f"SPACE={space}".encode() in path.read_bytes()[:200]


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("space", ["LPS", "RAS"])
def test_slicer_puts_the_file_where_the_blood_is(surface, tmp_path, suffix, space):
    slicer = require_slicer()
    path = write_surface(surface, tmp_path / f"ich{suffix}", space)
    node, storage = slicer.vtkMRMLModelNode(), slicer.vtkMRMLModelStorageNode()
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    points = vtk_to_numpy(node.GetPolyData().GetPoints().GetData())
    np.testing.assert_allclose((points.min(0), points.max(0)),
                               (surface.points_ras.min(0), surface.points_ras.max(0)), atol=1e-3)


def test_a_binary_stl_is_as_long_as_its_triangles_say(surface, tmp_path):
    content = write_surface(surface, tmp_path / "ich.STL").read_bytes()
    assert len(content) == 84 + 50 * len(surface.triangles)
    assert not content.startswith(b"solid")  # or readers would take it for text
    facets = np.frombuffer(content[84:], [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    middle = facets["corners"].mean(axis=(0, 1))
    outwards = ((facets["corners"].mean(axis=1) - middle) * facets["normal"]).sum(axis=1)
    assert (outwards > 0).mean() > 0.99
    np.testing.assert_allclose(np.linalg.norm(facets["normal"], axis=1), 1, atol=1e-4)


def test_the_default_limit_bounds_the_file(tmp_path):
    mask = np.zeros((40, 256, 256), np.uint8)
    mask[1:-1] = np.random.default_rng(6).random((38, 256, 256)) < 0.3
    path = write_surface(hematoma_surface(mask, _cube(mask)), tmp_path / "noise.stl")
    assert 100_000 < path.stat().st_size <= 84 + 50 * 200_000


def test_the_same_mask_gives_the_same_file(bleed, tmp_path):
    files = [write_surface(hematoma_surface(bleed.mask, bleed.ct), tmp_path / f"{n}.stl") for n in (1, 2)]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("label", [None, 1, 2])
def test_an_empty_mask_makes_no_surface(label):
    mask = np.zeros((3, 8, 8), np.uint8)
    with pytest.raises(InputError, match="no 3D model to make"):
        hematoma_surface(mask, _cube(mask), label)


@pytest.mark.parametrize("settings, words", [({"smoothing": 1.5}, "Smoothing"), ({"smoothing": -1}, "Smoothing"),
                                             ({"max_triangles": 4}, "at least 500"), ({"label": 7}, "no label")])
def test_settings_out_of_range_are_refused(bleed, settings, words):
    with pytest.raises(InputError, match=words):
        hematoma_surface(bleed.mask, bleed.ct, **settings)


def test_a_mask_of_another_scan_is_refused(bleed):
    with pytest.raises(InputError, match="drawn on"):
        hematoma_surface(bleed.mask[1:], bleed.ct)


def test_unknown_endings_and_spaces_are_refused(surface, tmp_path):
    with pytest.raises(InputError, match=".stl, .obj or .ply"):
        write_surface(surface, tmp_path / "ich.vtk")
    with pytest.raises(InputError, match="coordinate system"):
        write_surface(surface, tmp_path / "ich.stl", "LAS")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(surface, tmp_path):
    with pytest.raises(InputError, match="Cannot write"):
        write_surface(surface, tmp_path / "missing" / "ich.stl")
    (tmp_path / "ich.stl").mkdir()  # a folder in the way
    with pytest.raises(InputError, match="Cannot write"):
        write_surface(surface, tmp_path / "ich.stl")
    assert [path.name for path in tmp_path.iterdir()] == ["ich.stl"]


def test_an_open_or_twisted_mesh_is_not_called_closed():
    tetrahedron = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)])
    assert is_closed(tetrahedron)
    assert not is_closed(tetrahedron[:3])
    assert not is_closed(np.concatenate([tetrahedron, tetrahedron]))
    tetrahedron[0] = tetrahedron[0, ::-1]
    assert not is_closed(tetrahedron)


def _assert_watertight_and_outward(model):
    edges = np.sort(np.concatenate([model.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert np.isfinite(model.points_ras).all() and model.volume_ml > 0
    a, b, c = (model.points_ras[model.triangles[:, n]] for n in range(3))
    assert (a * np.cross(b, c)).sum() / 6000 == pytest.approx(model.volume_ml, rel=1e-6)


def _poly_data(model):
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(model.points_ras, deep=True))
    offsets = np.arange(0, 3 * len(model.triangles) + 1, 3)
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(model.triangles.ravel(), True))
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    return mesh


def _mass_properties(model):
    properties = vtkMassProperties()
    properties.SetInputData(_poly_data(model))
    properties.Update()
    return properties


def _read(path):
    reader = READERS[path.suffix]()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def _triangles(mesh):
    return vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)


def _open_or_non_manifold_edges(mesh):
    edges = vtkFeatureEdges()
    edges.SetInputData(mesh)
    edges.FeatureEdgesOff()
    edges.BoundaryEdgesOn()
    edges.NonManifoldEdgesOn()
    edges.Update()
    return edges.GetOutput().GetNumberOfCells()


def _cube(mask, step_mm=1.0):
    return CTVolume.regular(np.full(mask.shape, 60, np.int16), np.diag([1.0, 1.0, step_mm, 1.0]))
