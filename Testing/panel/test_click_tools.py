"""A correction is a click: press a tool, a point is placed, the mask, the table and Undo follow."""

from dataclasses import replace

import numpy as np
import pytest
from mrml_phantoms import add_acquisition_transform, add_ct, add_linear_transform, rigid_matrix
from phantoms import ellipsoid_ct

PLACES = ("no transform", "registered", "negligible warp", "negligible warp, registered", "warp", "warp, registered")


@pytest.fixture
def ready(panel, sample):
    panel.volume = panel.choose_ct(sample.ct)
    panel.take(sample)
    return panel


def mask_of(panel):
    from ICHVolumePanel import scene

    return scene.mask_from_segmentation(panel.segmentation, panel.case.volume_node)


def middle(mask):
    return tuple(int(round(float(np.mean(one)))) for one in np.nonzero(mask))


def place(panel, voxel):
    """As Slicer's place mode does at a click: the active place node gets a defined point, the mode ends."""
    logic = panel.slicer.app.applicationLogic()
    interaction = logic.GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    node = panel.slicer.mrmlScene.GetNodeByID(logic.GetSelectionNode().GetActivePlaceNodeID())
    node.AddControlPointWorld(*shown_at(panel, voxel))
    interaction.SwitchToViewTransformMode()
    panel.settle()
    panel.spin(0.2)


def shown_at(panel, voxel):
    """World RAS, mm: where the views show the voxel (k, j, i) now, from the scene's own transforms."""
    import vtk

    volume, matrix, to_world = panel.case.volume_node, vtk.vtkMatrix4x4(), vtk.vtkGeneralTransform()
    volume.GetIJKToRASMatrix(matrix)
    parent = volume.GetParentTransformNode()
    if parent is not None:
        parent.GetTransformToWorld(to_world)
    return to_world.TransformPoint(matrix.MultiplyPoint([*map(float, voxel[::-1]), 1.0])[:3])


def in_a_scene(panel, place_of_ct):
    """A bleed whose mask lacks one slice, in a scan under this transform; (phantom with the whole mask, that slice)."""
    whole = ellipsoid_ct("uneven" if place_of_ct.startswith("warp") else "regular", pixel_mm=2.0, columns=96, rows=104,
                         step_mm=4.0, center_mm=(0.0, 10.0, 8.0), head=True)
    k = int(np.count_nonzero(whole.mask, axis=(1, 2)).argmax())
    gap = whole.mask.copy()
    gap[k] = 0
    node = add_ct(panel.slicer, whole.ct)
    if place_of_ct.startswith("negligible"):
        positions = whole.ct.slice_origins_ras.copy()
        positions[10] += [0.0, 0.0, 0.05]
        add_acquisition_transform(panel.slicer, node, positions)
    if place_of_ct.endswith("registered"):
        registration = add_linear_transform(panel.slicer, rigid_matrix())
        (node.GetParentTransformNode() or node).SetAndObserveTransformNodeID(registration.GetID())
    node.CreateDefaultDisplayNodes()
    panel.choose(node)
    panel.take(replace(whole, mask=gap))
    panel.ui.reviewSection.collapsed = False
    panel.spin(0.05)
    return whole, k


def another_editor(panel):
    """Slicer's own Segment Editor on the same mask."""
    other = panel.slicer.qMRMLSegmentEditorWidget()
    other.setMRMLSegmentEditorNode(panel.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "Module's"))
    other.setMRMLScene(panel.slicer.mrmlScene)
    other.setSegmentationNode(panel.segmentation)
    other.setSourceVolumeNode(panel.case.volume_node)
    return other


def points(panel):
    return [node for node in panel.slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
            if node.GetAttribute("ICHVolume.click")]


def test_a_click_removes_a_piece_and_undo_brings_it_and_the_table_back(ready, sample):
    before = ready.rows()
    ready.ui.removePieceButton.click()
    place(ready, middle(sample.mask))
    ready.wait_until(lambda: not mask_of(ready).any())
    ready.wait_until(lambda: not ready.case.result.found, 5)
    assert "ICH -49" in ready.status
    assert not ready.ui.removePieceButton.checked and not points(ready)
    ready.widget.editor.undo()
    ready.wait_until(lambda: ready.case.result.found and ready.rows() == before, 10)
    assert np.array_equal(mask_of(ready), sample.mask)
    assert not ready.case.is_edited


def test_a_click_marks_what_was_missed(ready, sample):
    ready.ui.removePieceButton.click()
    place(ready, middle(sample.mask))
    ready.ui.growButton.click()
    place(ready, middle(sample.mask))
    ready.wait_until(lambda: mask_of(ready).any())
    added = mask_of(ready) > 0
    both = 2 * np.count_nonzero(added & (sample.mask > 0))
    assert both / (np.count_nonzero(added) + np.count_nonzero(sample.mask)) > 0.95


def test_a_click_makes_it_ivh_and_the_table_says_so(ready, sample):
    ready.ui.toIvhButton.click()
    place(ready, middle(sample.mask))
    ready.wait_until(lambda: ready.rows()["ivh"][2] == "yes? confirm")
    assert np.array_equal(mask_of(ready), 2 * sample.mask)


def test_a_click_beside_says_why_and_changes_nothing(ready, sample):
    ready.ui.removePieceButton.click()
    place(ready, (1, 5, 5))
    assert "Nothing is marked" in ready.status
    assert np.array_equal(mask_of(ready), sample.mask)


def test_pressing_again_or_leaving_ends_the_waiting(ready):
    interaction = ready.slicer.app.applicationLogic().GetInteractionNode()
    ready.ui.growButton.click()
    assert points(ready)
    ready.ui.keepPieceButton.click()
    assert not ready.ui.growButton.checked and len(points(ready)) == 1
    ready.ui.keepPieceButton.click()
    assert not points(ready) and interaction.GetCurrentInteractionMode() != interaction.Place
    assert not ready.status
    ready.ui.growButton.click()
    assert "click in a slice view" in ready.status
    interaction.SwitchToViewTransformMode()  # Esc
    assert not ready.ui.growButton.checked and not points(ready) and not ready.status
    ready.ui.growButton.click()
    ready.widget.exit()
    assert not points(ready)
    ready.widget.enter()


def test_the_tools_wait_for_a_mask(panel, sample):
    panel.choose_ct(sample.ct)
    assert not panel.ui.growButton.enabled and not panel.ui.clickToolsBox.isVisibleTo(panel.widget.parent)
    panel.take(sample)
    assert panel.ui.growButton.enabled and panel.ui.clickToolsBox.isVisibleTo(panel.widget.parent)


@pytest.mark.parametrize("effect", ["none", "in the panel", "in Slicer's own editor"])
@pytest.mark.parametrize("place_of_ct", PLACES)
def test_a_click_changes_the_slice_that_it_hits_and_no_other(panel, place_of_ct, effect):
    whole, k = in_a_scene(panel, place_of_ct)
    before = mask_of(panel)
    editor = {"none": None, "in the panel": panel.widget.editor}.get(effect) or another_editor(panel)
    if effect != "none":
        editor.setActiveEffectByName("Paint")
    panel.ui.repairSliceButton.click()
    place(panel, (k, *middle(whole.mask)[1:]))
    panel.settle()
    after = mask_of(panel)
    assert np.flatnonzero((after != before).any(axis=(1, 2))).tolist() == [k], panel.status
    both = np.count_nonzero((after[k] > 0) & (whole.mask[k] > 0))
    assert 2 * both / (np.count_nonzero(after[k]) + np.count_nonzero(whole.mask[k])) > 0.9
    panel.widget.editor.undo()
    assert np.array_equal(mask_of(panel), before)


@pytest.mark.parametrize("place_of_ct", [PLACES[0], PLACES[-1],
                                         *(pytest.param(one, marks=pytest.mark.slow) for one in PLACES[1:-1])])
def test_a_click_adds_the_bleed_where_it_is_under_any_transform(panel, place_of_ct):
    whole, k = in_a_scene(panel, place_of_ct)
    panel.ui.removePieceButton.click()
    place(panel, (k - 1, *middle(whole.mask)[1:]))
    panel.ui.removePieceButton.click()
    place(panel, (k + 1, *middle(whole.mask)[1:]))
    assert not mask_of(panel).any(), panel.status
    panel.ui.growButton.click()
    place(panel, (k, *middle(whole.mask)[1:]))
    panel.settle()
    added = mask_of(panel) > 0
    both = 2 * np.count_nonzero(added & (whole.mask > 0))
    assert both / (np.count_nonzero(added) + np.count_nonzero(whole.mask)) > 0.9, panel.status


def test_a_scan_that_is_put_back_right_after_the_click_is_changed_where_the_click_was(panel):
    whole, k = in_a_scene(panel, "warp")
    before, other = mask_of(panel), another_editor(panel)
    other.setActiveEffectByName("Paint")
    panel.ui.repairSliceButton.click()
    logic = panel.slicer.app.applicationLogic()
    node = panel.slicer.mrmlScene.GetNodeByID(logic.GetSelectionNode().GetActivePlaceNodeID())
    node.AddControlPointWorld(*shown_at(panel, (k, *middle(whole.mask)[1:])))
    other.setActiveEffect(None)
    panel.settle()
    assert np.flatnonzero((mask_of(panel) != before).any(axis=(1, 2))).tolist() == [k], panel.status


TOOLS = {"growButton": "missed", "removePieceButton": "marked", "keepPieceButton": "marked",
         "repairSliceButton": "lacking", "toIvhButton": "marked", "toIchButton": "marked"}


@pytest.mark.parametrize("name", TOOLS)
def test_the_table_follows_every_tool_and_its_undo(panel, sample, name):
    k, j, i = middle(sample.mask)
    mask = sample.mask * (2 if name == "toIchButton" else 1)
    if TOOLS[name] == "lacking":
        mask[k] = 0
    if TOOLS[name] == "missed":
        mask[:] = 0
    mask[k, 20:28, 20:28] = 1  # a second piece
    panel.choose_ct(sample.ct)
    panel.take(replace(sample, mask=mask))
    rows, result = panel.rows(), panel.case.result
    getattr(panel.ui, name).click()
    place(panel, (k, j, i))
    panel.wait_until(lambda: panel.case.result is not result, 10)
    panel.settle()
    after = mask_of(panel)
    assert not np.array_equal(after, mask), panel.status
    assert np.array_equal(panel.case.mask, after) and panel.rows() != rows
    panel.widget.editor.undo()
    panel.wait_until(lambda: panel.rows() == rows, 10)
    assert np.array_equal(mask_of(panel), mask) and not panel.case.is_edited


def test_a_stroke_while_a_click_is_worked_on_is_kept_and_the_click_is_asked_for_again(ready, sample, monkeypatch):
    from ICHVolumePanel import mask_images
    from segment_editor import Editor

    marked = np.zeros(sample.mask.shape, bool)
    marked[3, 30:34, 30:34] = True
    make = mask_images.images_in_steps

    def with_a_stroke(*arguments):
        images = yield from make(*arguments)
        Editor(ready.slicer, ready.segmentation, ready.volume).paint("IVH", marked)
        return images

    monkeypatch.setattr(mask_images, "images_in_steps", with_a_stroke)
    ready.ui.removePieceButton.click()
    place(ready, middle(sample.mask))
    ready.settle()
    assert "click again" in ready.status
    assert np.array_equal(mask_of(ready), np.where(marked, 2, sample.mask))


def test_a_removed_piece_that_was_painted_in_both_labels_is_gone(ready, sample):
    segmentation = ready.segmentation.GetSegmentation()
    overlapping = segmentation.GetSegment("ICH")
    segmentation.CopySegmentFromSegmentation(segmentation, "ICH")
    copied = [one for one in segmentation.GetSegmentIDs() if segmentation.GetSegment(one) is not overlapping][-1]
    segmentation.GetSegment(copied).SetTag("ICHVolume.label", "IVH")
    ready.settle()
    assert np.array_equal(mask_of(ready), 2 * sample.mask)
    ready.ui.removePieceButton.click()
    place(ready, middle(sample.mask))
    ready.settle()
    assert not mask_of(ready).any(), ready.status
