"""Strokes with the mouse land in the slice that is seen, whatever transform the scan lies under."""

import numpy as np
import pytest
from mrml_phantoms import add_acquisition_transform, add_ct, add_linear_transform, add_slice_views, rigid_matrix
from phantoms import GRIDS, ellipsoid_ct

VIEWS = ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode")  # closing the scene leaves them


@pytest.fixture
def views(panel):
    yield add_slice_views(panel.slicer)
    for class_name in VIEWS:
        for node in panel.slicer.util.getNodesByClass(class_name):
            panel.slicer.mrmlScene.RemoveNode(node)


@pytest.fixture
def press():
    from bridge.mouse_effects import press

    return press


def phantom_of(grid):
    return ellipsoid_ct(grid, pixel_mm=2.0, columns=96, rows=104, step_mm=4.0, center_mm=(0.0, 10.0, 8.0), head=True)


def start(panel, phantom, registered=False, warp_mm=None):
    """The phantom in the scene as the DICOM reader leaves it, segmented; with warp_mm one slice off by this much."""
    node = add_ct(panel.slicer, phantom.ct)
    if warp_mm is not None:
        positions = phantom.ct.slice_origins_ras.copy()
        positions[10] += [0.0, 0.0, warp_mm]
        add_acquisition_transform(panel.slicer, node, positions)
    if registered:
        registration = add_linear_transform(panel.slicer, rigid_matrix())
        (node.GetParentTransformNode() or node).SetAndObserveTransformNodeID(registration.GetID())
    node.CreateDefaultDisplayNodes()
    panel.choose(node)
    panel.take(phantom)
    panel.ui.reviewSection.collapsed = False
    panel.spin(0.05)
    return node


def stroke(panel, press, views, k, effect="Paint", editor=None, segment="IVH"):
    """Look at slice k, press in its middle where nothing is marked; the slices whose voxels changed."""
    from ICHVolumePanel import scene, scene_lines

    volume, editor = panel.case.volume_node, editor or panel.widget.editor
    before = scene.mask_from_segmentation(panel.segmentation, volume)
    editor.setActiveEffectByName(effect)
    editor.setCurrentSegmentID(segment)
    scene_lines.show_slice(volume, k)
    panel.spin(0.02)
    middle = scene_lines.slice_corners_world(volume, k).mean(axis=0)
    assert press(editor, views["Red"], middle)
    changed = scene.mask_from_segmentation(panel.segmentation, volume) != before
    return sorted(set(np.flatnonzero(changed.any(axis=(1, 2))).tolist()))


@pytest.mark.parametrize("effect", ["Paint", "Draw", "Erase"])
@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_stroke_changes_the_slice_that_is_seen_and_no_other(panel, views, press, grid, registered, effect):
    phantom = phantom_of(grid)
    start(panel, phantom, registered)
    k = int(np.count_nonzero(phantom.mask, axis=(1, 2)).argmax())
    assert stroke(panel, press, views, k, effect, segment="ICH" if effect == "Erase" else "IVH") == [k]


@pytest.mark.parametrize("warp_mm", [0.002, 0.05, 0.3, 2.0])
def test_a_slice_that_is_a_little_off_is_painted_like_any_other(panel, views, press, warp_mm):
    start(panel, phantom_of("regular"), warp_mm=warp_mm)
    for k in (10, 11, 30):
        assert stroke(panel, press, views, k) == [k]


def test_a_scan_moved_for_painting_comes_back_with_every_number_and_line(panel, views, press):
    from ICHVolumePanel import scene_lines

    volume = start(panel, phantom_of("tilted-uneven"), registered=True)
    warp, result = volume.GetParentTransformNode(), panel.case.result
    place = [line.GetNthControlPointPositionWorld(0) for line in scene_lines.ab_lines(panel.segmentation)]
    seen = scene_lines.slice_corners_world(volume, 12)
    panel.widget.editor.setActiveEffectByName("Paint")
    panel.settle()
    assert volume.GetParentTransformNode().IsLinear()
    assert not np.allclose(scene_lines.slice_corners_world(volume, 12), seen, atol=1.0)
    panel.case.draw()
    panel.settle()
    assert panel.case.result.volume_ml == result.volume_ml and panel.case.result.abc2 == result.abc2
    panel.widget.editor.setActiveEffectByName("")
    panel.settle()
    lines = scene_lines.ab_lines(panel.segmentation)
    assert all(node.GetParentTransformNode() is warp for node in (volume, panel.segmentation))
    for line, before in zip(lines, place, strict=True):
        np.testing.assert_allclose(line.GetNthControlPointPositionWorld(0), before, atol=0.02)
    assert panel.case.result.abc2 == result.abc2


def test_the_lines_lie_on_the_slice_as_it_is_shown_while_painting(panel, views, press):
    from ICHVolumePanel import scene_lines

    volume = start(panel, phantom_of("uneven"))
    k = panel.case.result.abc2.slice_index
    panel.widget.editor.setActiveEffectByName("Paint")
    panel.settle()
    height = scene_lines.slice_corners_world(volume, k)[0][2]
    for line in scene_lines.ab_lines(panel.segmentation):
        assert line.GetNthControlPointPositionWorld(0)[2] == pytest.approx(height, abs=0.05)


def test_a_stroke_in_an_uneven_scan_is_measured_at_its_true_height(panel, views, press):
    phantom = phantom_of("uneven")
    start(panel, phantom)
    before = panel.case.result.volume_ml.ivh
    k = len(phantom.mask) - 12  # in the thick part
    stroke(panel, press, views, k)
    panel.settle()
    voxels = np.count_nonzero(panel.case.mask[k] == 2)
    expected = voxels * 2.0 * 2.0 * 6.4 / 1000
    assert before == 0 and panel.case.result.volume_ml.ivh == pytest.approx(expected, rel=0.01)


def test_a_scan_saved_while_it_is_painted_is_saved_where_it_was_taken(panel, views, tmp_path):
    volume = start(panel, phantom_of("uneven"))
    result = panel.case.result.volume_ml
    panel.widget.editor.setActiveEffectByName("Paint")
    assert volume.GetParentTransformNode() is None
    assert panel.slicer.mrmlScene.WriteToMRB(str(tmp_path / "case.mrb"), None)
    panel.slicer.mrmlScene.Clear(False)
    messages = panel.slicer.vtkMRMLMessageCollection()
    assert panel.slicer.mrmlScene.ReadFromMRB(str(tmp_path / "case.mrb"), True, messages)
    panel.settle()
    again = panel.slicer.util.getNode("Head CT")
    assert again.GetParentTransformNode() is not None
    assert panel.case.result.volume_ml == result


def test_models_exported_while_an_effect_is_active_lie_where_the_scan_was_taken(panel, views):
    from ICHVolumePanel import scene_export

    start(panel, phantom_of("uneven"))
    before = scene_export.surfaces_world(panel.segmentation)["ICH"].GetBounds()
    panel.widget.editor.setActiveEffectByName("Paint")
    after = scene_export.surfaces_world(panel.segmentation)["ICH"].GetBounds()
    np.testing.assert_allclose(after, before, atol=0.05)


@pytest.mark.parametrize("end", ["leaving the module", "folding", "another CT", "closing the panel"])
def test_whatever_ends_the_effect_puts_the_scan_back(panel, views, end):
    volume = start(panel, phantom_of("uneven"))
    warp = volume.GetParentTransformNode()
    panel.widget.editor.setActiveEffectByName("Draw")
    assert volume.GetParentTransformNode() is None
    if end == "leaving the module":
        panel.widget.exit()
    elif end == "folding":
        panel.ui.reviewSection.collapsed = True
    elif end == "another CT":
        panel.choose_ct(phantom_of("regular").ct, "Other")
    else:
        panel.leave()
    panel.spin(0.1)
    assert volume.GetParentTransformNode() is warp


def test_slicers_own_segment_editor_is_kept_from_the_wrong_slice_too(panel, views, press, bridge):
    phantom = phantom_of("uneven")
    volume = start(panel, phantom)
    other = bridge.slicer.qMRMLSegmentEditorWidget()
    other.setMRMLSegmentEditorNode(panel.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "Module's"))
    other.setMRMLScene(panel.slicer.mrmlScene)
    other.setSegmentationNode(panel.segmentation)
    other.setSourceVolumeNode(volume)
    k = panel.case.result.abc2.slice_index
    assert stroke(panel, press, views, k, "Paint", other) == [k]
    other.setActiveEffect(None)
    assert not volume.GetParentTransformNode().IsLinear()


def test_a_mask_under_another_warp_than_its_ct_is_not_painted_at_all(panel, views, press):
    start(panel, phantom_of("uneven"))
    panel.case.volume_node.SetAndObserveTransformNodeID(None)
    panel.settle()
    panel.widget.editor.setActiveEffectByName("Paint")
    assert panel.widget.editor.activeEffect() is None
    assert "same transform" in panel.status
