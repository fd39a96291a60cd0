"""What is saved is what was there: scene bundles, .seg.nrrd, surfaces."""

import json

import numpy as np
import pytest
from mrml_phantoms import add_ct, add_linear_transform, rigid_matrix
from phantoms import GRIDS, ellipsoid_ct
from segment_editor import Editor

from ICHVolumeLib.core.labels import ICH, IVH, LABELS
from ICHVolumeLib.measure import measure_mask

AI_RESULT = json.dumps({"volume_ml": {"total": 50.27}, "note": 'quotes " \' ; : % & < > = \n tab\t 中 µ ≥'})


@pytest.fixture
def panel(slicer):
    from ICHVolumePanel import scene, scene_export, scene_lines

    class Panel:
        pass

    Panel.scene, Panel.lines, Panel.export = scene, scene_lines, scene_export
    return Panel


def segmented(slicer, panel, grid="tilted", registered=False, pixel_mm=3.0, step_mm=7.5):
    columns = int(192 / pixel_mm)
    phantom = ellipsoid_ct(grid, pixel_mm=pixel_mm, columns=columns, rows=columns + 6, step_mm=step_mm, head=False)
    volume = add_ct(slicer, phantom.ct)
    if registered:
        registration = add_linear_transform(slicer, rigid_matrix())
        (volume.GetParentTransformNode() or volume).SetAndObserveTransformNodeID(registration.GetID())
    mask = phantom.mask.copy()
    mask[:, :, : columns // 2] *= IVH.value
    return phantom, mask, volume, panel.scene.new_segmentation(volume, mask, LABELS)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_saved_scene_restores_mask_edits_both_results_and_lines(slicer, panel, grid, tmp_path):
    scene, lines = panel.scene, panel.lines
    phantom, mask, volume, segmentation = segmented(slicer, panel, grid, registered=True)
    scene.remember(segmentation, "automaticResult", AI_RESULT)
    abc2 = measure_mask(phantom.ct, phantom.mask).abc2
    lines.set_ab_lines(segmentation, volume, abc2.a_line_ras, abc2.b_line_ras)
    lines.write_table(segmentation, ["", "AI"], [["volume (mL)", "50.3"]])
    Editor(slicer, segmentation, volume).erase("ICH", np.roll(mask == ICH.value, 5, axis=2))
    edited = scene.mask_from_segmentation(segmentation, volume)
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "case.mrb"))

    slicer.mrmlScene.Clear(False)
    slicer.mrmlScene.ReadFromMRB(str(tmp_path / "case.mrb"), False)
    volume = slicer.util.getNode("Head CT")
    [segmentation] = scene.find_segmentations_for(volume)
    assert scene.volume_of(segmentation) is volume
    restored = scene.mask_from_segmentation(segmentation, volume)
    np.testing.assert_array_equal(restored, edited)
    assert scene.is_edited(segmentation, restored)
    assert not scene.is_edited(segmentation, mask)
    assert scene.recall(segmentation, "automaticResult") == AI_RESULT
    np.testing.assert_allclose(scene.ct_arrays(volume)["slice_origins_ras"], phantom.ct.slice_origins_ras, atol=1e-4)
    line_a, line_b = lines.ab_lines(segmentation)
    np.testing.assert_allclose(lines.line_points(line_a, volume), abc2.a_line_ras, atol=1e-3)
    np.testing.assert_allclose(lines.line_points(line_b, volume), abc2.b_line_ras, atol=1e-3)
    assert lines.table_of(segmentation).GetCellText(0, 1) == "50.3"


def test_forgotten_text_is_gone(slicer, panel):
    *_, segmentation = segmented(slicer, panel)
    panel.scene.remember(segmentation, "automaticResult", AI_RESULT)
    panel.scene.remember(segmentation, "automaticResult", "")
    assert panel.scene.recall(segmentation, "automaticResult") == ""


def read_segmentation(slicer, path):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = slicer.vtkMRMLSegmentationStorageNode()
    slicer.mrmlScene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    return node


@pytest.mark.parametrize("grid", GRIDS)
def test_an_exported_mask_comes_back_with_names_colours_codes_and_grid(slicer, panel, grid, tmp_path):
    import vtk

    _, mask, volume, segmentation = segmented(slicer, panel, grid)
    segmentation.GetSegmentation().GetSegment("ICH").SetName("thalamic bleed")
    path = panel.export.export_mask(segmentation, tmp_path / "case.seg.nrrd")
    assert [file.name for file in tmp_path.iterdir()] == ["case.seg.nrrd"]
    again = read_segmentation(slicer, path)
    again.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    np.testing.assert_array_equal(panel.scene.mask_from_segmentation(again, volume), mask)
    for label in LABELS:
        segment = again.GetSegmentation().GetSegment(label.name)
        assert segment.GetColor() == pytest.approx(label.color, abs=1e-5)
        tag = vtk.reference("")
        assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), tag)
        assert str(tag) == label.terminology
    assert again.GetSegmentation().GetSegment("ICH").GetName() == "thalamic bleed"


@pytest.mark.parametrize("grid", GRIDS)
def test_the_mask_file_of_the_command_line_opens_in_slicer(slicer, panel, grid, tmp_path):
    import vtk

    from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd

    phantom, mask, volume, _ = segmented(slicer, panel, grid)
    write_mask_seg_nrrd(tmp_path / "mask.seg.nrrd", mask, phantom.ct)
    node = read_segmentation(slicer, tmp_path / "mask.seg.nrrd")
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())  # uneven positions are the CT's, not the file's
    np.testing.assert_array_equal(panel.scene.mask_from_segmentation(node, volume), mask)
    for label, [segment_id] in zip(LABELS, panel.scene.segment_ids(node), strict=True):
        segment = node.GetSegmentation().GetSegment(segment_id)
        assert segment.GetName() == label.name
        assert segment.GetColor() == pytest.approx(label.color, abs=1e-4)
        tag = vtk.reference("")
        assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), tag)
        assert str(tag) == label.terminology
    image = node.GetBinaryLabelmapInternalRepresentation("ICH")
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(matrix), phantom.ct.ijk_to_ras, atol=1e-4)


@pytest.mark.parametrize("grid", GRIDS)
def test_an_exported_mask_is_read_by_the_command_line(slicer, panel, grid, tmp_path):
    from ICHVolumeLib.io.masks import read_mask

    phantom, mask, _, segmentation = segmented(slicer, panel, grid)
    path = panel.export.export_mask(segmentation, tmp_path / "mask.seg.nrrd")
    np.testing.assert_array_equal(read_mask(path, phantom.ct), mask)


def read_model(slicer, path, space):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
    storage = slicer.vtkMRMLModelStorageNode()
    storage.SetCoordinateSystem(getattr(slicer.vtkMRMLStorageNode, f"CoordinateSystem{space}"))
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    return node.GetPolyData()


def open_edges(surface):
    import vtk

    clean = vtk.vtkCleanPolyData()  # STL repeats every corner
    clean.SetInputData(surface)
    edges = vtk.vtkFeatureEdges()
    edges.SetInputConnection(clean.GetOutputPort())
    edges.BoundaryEdgesOn()
    edges.NonManifoldEdgesOn()
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.Update()
    return edges.GetOutput().GetNumberOfCells()


def mesh_volume_ml(surface):
    import vtk

    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(surface)
    properties = vtk.vtkMassProperties()
    properties.SetInputConnection(triangles.GetOutputPort())
    return properties.GetVolume() / 1000


@pytest.mark.parametrize("grid", ["regular", "tilted", "uneven", "oblique"])
@pytest.mark.parametrize("space", ["LPS", "RAS"])
def test_surfaces_are_closed_and_lie_on_the_bleed(slicer, panel, grid, space, tmp_path):
    phantom, _, volume, segmentation = segmented(slicer, panel, grid, registered=True, pixel_mm=2.0, step_mm=2.5)
    panel.scene.replace_mask(segmentation, phantom.mask, LABELS, volume)
    paths = panel.export.export_models(segmentation, tmp_path, ("STL", "OBJ", "PLY"), space, prefix="case ")
    assert [path.name for path in paths] == ["case ICH.stl", "case ICH.obj", "case ICH.ply"]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths} | {"case ICH.mtl"}
    for path in paths:
        surface = read_model(slicer, path, space)
        center = np.array(surface.GetBounds()).reshape(3, 2).mean(axis=1)
        np.testing.assert_allclose(center, rigid_matrix()[:3, 3], atol=2.0)
        assert open_edges(surface) == 0
        assert mesh_volume_ml(surface) == pytest.approx(phantom.volume_ml, rel=0.06)


def test_each_format_is_what_its_name_says(slicer, panel, tmp_path):
    *_, segmentation = segmented(slicer, panel)
    panel.export.export_models(segmentation, tmp_path, ("stl", "obj", "ply"))
    starts = {path.suffix: path.read_bytes() for path in tmp_path.glob("ICH.*")}
    assert starts[".ply"].startswith(b"ply\n")
    assert b"\nv " in starts[".obj"] and b"mtllib ICH.mtl" in starts[".obj"] and ".mtl" in starts
    triangles = int.from_bytes(starts[".stl"][80:84], "little")
    assert len(starts[".stl"]) == 84 + 50 * triangles
    assert len(list(tmp_path.iterdir())) == 8


def test_the_coordinate_system_is_written_into_the_file(slicer, panel, tmp_path):
    *_, segmentation = segmented(slicer, panel)
    for space in ("LPS", "RAS"):
        for path in panel.export.export_models(segmentation, tmp_path, ("STL", "OBJ", "PLY"), space):
            assert f"SPACE={space}".encode() in path.read_bytes()[:400]


def test_an_empty_segmentation_exports_nothing_and_says_so(slicer, panel, tmp_path):
    phantom, mask, volume, segmentation = segmented(slicer, panel)
    panel.scene.replace_mask(segmentation, 0 * mask, LABELS, volume)
    with pytest.raises(ValueError, match="nothing to export"):
        panel.export.export_models(segmentation, tmp_path)
    panel.scene.replace_mask(segmentation, phantom.mask, LABELS, volume)
    assert [path.name for path in panel.export.export_models(segmentation, tmp_path)] == ["ICH.stl"]


@pytest.mark.parametrize(("arguments", "expected"), [
    ({"formats": ("STP",)}, "Unknown model format STP"), ({"space": "XYZ"}, "Unknown coordinate system XYZ")])
def test_an_unknown_format_or_space_is_refused(slicer, panel, tmp_path, arguments, expected):
    *_, segmentation = segmented(slicer, panel)
    with pytest.raises(ValueError, match=expected):
        panel.export.export_models(segmentation, tmp_path, **arguments)


def test_a_missing_folder_is_named(slicer, panel, tmp_path):
    *_, segmentation = segmented(slicer, panel)
    with pytest.raises(OSError, match="is not a folder"):
        panel.export.export_models(segmentation, tmp_path / "gone")
    with pytest.raises(OSError, match="is not a folder"):
        panel.export.export_mask(segmentation, tmp_path / "gone" / "x.seg.nrrd")


def test_a_failed_write_leaves_the_old_file_and_no_half_one(slicer, panel, tmp_path, monkeypatch):
    *_, segmentation = segmented(slicer, panel)
    (tmp_path / "ICH.stl").write_text("old", encoding="utf-8")

    def disk_full(path, *_):
        path.write_text("half", encoding="utf-8")
        return 0

    monkeypatch.setattr(panel.export, "_write_model", disk_full)
    with pytest.raises(OSError, match="read-only, the disk full"):
        panel.export.export_models(segmentation, tmp_path)
    assert (tmp_path / "ICH.stl").read_text(encoding="utf-8") == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_that_is_taken_by_a_folder_is_told(slicer, panel, tmp_path):
    *_, segmentation = segmented(slicer, panel)
    (tmp_path / "case.seg.nrrd").mkdir()
    with pytest.raises(OSError, match=r"case\.seg\.nrrd could not be written"):
        panel.export.export_mask(segmentation, tmp_path / "case.seg.nrrd")
    assert [file.name for file in tmp_path.iterdir()] == ["case.seg.nrrd"]


def test_a_read_only_folder_is_named(slicer, panel, tmp_path, monkeypatch):
    *_, segmentation = segmented(slicer, panel)

    def refuse(*_, **__):  # the superuser may write anywhere, so the refusal is made here
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(panel.export.tempfile, "mkdtemp", refuse)
    with pytest.raises(OSError, match=r"x\.seg\.nrrd could not be written; is the folder read-only.*Permission denied"):
        panel.export.export_mask(segmentation, tmp_path / "x.seg.nrrd")
