"""A correction is a click: press a tool, a point is placed, the mask, the table and Undo follow."""

import numpy as np
import pytest


@pytest.fixture
def ready(panel, sample):
    panel.volume = panel.choose_ct(sample.ct)
    panel.take(sample)
    return panel


def mask_of(panel):
    from ICHVolumePanel import scene

    return scene.mask_from_segmentation(panel.segmentation, panel.volume)


def middle(mask):
    return tuple(int(round(float(np.mean(one)))) for one in np.nonzero(mask))


def place(panel, voxel):
    """As Slicer's place mode does at a click: the active place node gets a defined point, the mode ends."""
    logic = panel.slicer.app.applicationLogic()
    interaction = logic.GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    node = panel.slicer.mrmlScene.GetNodeByID(logic.GetSelectionNode().GetActivePlaceNodeID())
    node.AddControlPointWorld(*map(float, panel.case.ct.voxel_to_ras(voxel)))
    interaction.SwitchToViewTransformMode()
    panel.settle()
    panel.spin(0.2)


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
    ready.ui.growButton.click()
    interaction.SwitchToViewTransformMode()  # Esc
    assert not ready.ui.growButton.checked and not points(ready)
    ready.ui.growButton.click()
    ready.widget.exit()
    assert not points(ready)
    ready.widget.enter()


def test_the_tools_wait_for_a_mask(panel, sample):
    panel.choose_ct(sample.ct)
    assert not panel.ui.growButton.enabled
