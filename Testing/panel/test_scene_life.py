"""Save, load, close, reload, delete: nothing is lost and nothing raises."""

import numpy as np
import pytest
from segment_editor import Editor


def work_on(panel, sample):
    """A segmented, corrected and scored case."""
    panel.volume = panel.choose_ct(sample.ct, "Patient")
    uncertainty = np.zeros(len(sample.mask), np.float32)
    uncertainty[[11, 20]] = 0.5, 0.3
    panel.take(sample, slice_uncertainty=uncertainty)
    Editor(panel.slicer, panel.segmentation, panel.volume).erase("ICH", np.indices(sample.mask.shape)[0] > 20)
    panel.settle()
    panel.type_into("a_mm", "51")
    panel.type_into("gcs", "8")
    panel.choose_in("site", "lobar")
    panel.ui.deviceCombo.setCurrentIndex(1)
    panel.ui.spaceCombo.setCurrentIndex(1)
    panel.ui.exportObjCheckBox.checked = True
    panel.ui.exportFolderEdit.currentPath = "/some/folder"
    panel.settle()


def save(panel, path):
    assert panel.slicer.mrmlScene.WriteToMRB(str(path), None)


def load(panel, path):
    messages = panel.slicer.vtkMRMLMessageCollection()
    assert panel.slicer.mrmlScene.ReadFromMRB(str(path), True, messages)
    panel.settle()


def test_a_saved_scene_brings_everything_back(panel, sample, tmp_path):
    work_on(panel, sample)
    before, mask = panel.rows(), panel.case.mask.copy()
    save(panel, tmp_path / "case.mrb")
    panel.slicer.mrmlScene.Clear(False)
    panel.settle()
    assert panel.case is None and not panel.ui.headlineBox.isVisibleTo(panel.widget.parent)
    load(panel, tmp_path / "case.mrb")
    assert panel.case is not None
    assert panel.case.volume_node.GetName() == "Patient"
    assert np.array_equal(panel.case.mask, mask)
    assert panel.rows() == before
    assert panel.case.is_edited
    assert panel.ui.deviceCombo.currentIndex == 1
    assert panel.ui.spaceCombo.currentIndex == 1
    assert panel.ui.exportObjCheckBox.checked
    assert panel.ui.exportFolderEdit.currentPath == "/some/folder"
    assert panel.ui.nextReviewButton.enabled


def test_the_lines_and_later_drags_work_after_loading(panel, sample, tmp_path):
    from ICHVolumePanel import scene_lines

    work_on(panel, sample)
    save(panel, tmp_path / "case.mrb")
    panel.slicer.mrmlScene.Clear(False)
    load(panel, tmp_path / "case.mrb")
    lines = scene_lines.ab_lines(panel.segmentation)
    assert lines is not None
    before = panel.case.result.abc2.b_mm
    end = np.array(scene_lines.line_points(lines[1], panel.case.volume_node)[0])
    lines[1].SetNthControlPointPosition(0, *(end + [3, 3, 0]))
    panel.wait_until(lambda: panel.case.result.abc2.b_mm != before)
    lines_in_scene = panel.slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode")
    assert lines_in_scene == 2


def test_no_bleed_found_is_remembered_by_the_scene(panel, sample, tmp_path):
    from types import SimpleNamespace

    panel.choose_ct(sample.ct, "Patient")
    panel.take(SimpleNamespace(mask=sample.mask * 0))
    assert panel.ui.volumeLabel.text == "No bleed found by the model"
    save(panel, tmp_path / "case.mrb")
    panel.slicer.mrmlScene.Clear(False)
    load(panel, tmp_path / "case.mrb")
    assert panel.ui.volumeLabel.text == "No bleed found by the model"


def test_closing_the_scene_empties_the_panel_which_goes_on_working(panel, sample):
    work_on(panel, sample)
    panel.slicer.mrmlScene.Clear(False)
    panel.settle()
    assert panel.rows() == {}
    assert not panel.ui.segmentButton.enabled
    work_on(panel, sample)
    assert panel.case.result.found


def test_the_module_reloaded_finds_its_case_again(panel, open_panel, sample):
    work_on(panel, sample)
    before = panel.rows()
    panel.leave()
    again = open_panel()
    again.settle()
    assert again.rows() == before


def test_edits_after_the_panel_closed_reach_nobody(panel, sample):
    work_on(panel, sample)
    segmentation, volume = panel.segmentation, panel.volume
    panel.leave()
    Editor(panel.slicer, segmentation, volume).erase("ICH", sample.mask == 1)
    panel.settle()


@pytest.mark.parametrize("which", ["volume", "segmentation", "line"])
def test_deleting_a_node_is_safe(panel, sample, which):
    from ICHVolumePanel import scene_lines

    work_on(panel, sample)
    node = {"volume": panel.volume, "segmentation": panel.segmentation,
            "line": scene_lines.ab_lines(panel.segmentation)[0]}[which]
    panel.slicer.mrmlScene.RemoveNode(node)
    panel.settle()
    if which == "line":
        Editor(panel.slicer, panel.segmentation, panel.volume).erase("ICH", np.indices(sample.mask.shape)[0] > 18)
        panel.settle()
        assert scene_lines.ab_lines(panel.segmentation) is not None
    else:
        assert panel.rows() == {}
    panel.choose_ct(sample.ct, "Another")
    panel.take(sample)
    assert panel.case.result.found


def test_two_patients_keep_their_own_numbers(panel, sample):
    from dataclasses import replace

    work_on(panel, sample)
    first, first_volume = panel.rows(), panel.volume
    other = replace(sample, mask=np.where(np.indices(sample.mask.shape)[0] > 18, sample.mask, 0).astype(np.uint8))
    panel.choose_ct(sample.ct, "Other patient")
    panel.take(other)
    assert panel.rows()["gcs"][1] == "\u2013"
    assert panel.rows()["volume"] != first["volume"]
    panel.choose(first_volume)
    panel.settle()
    assert panel.rows() == first


def test_a_registration_of_the_ct_changes_no_number(panel, sample):
    import vtk

    work_on(panel, sample)
    before = panel.rows()
    transform = panel.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 12.0)
    transform.SetMatrixTransformToParent(matrix)
    panel.volume.SetAndObserveTransformNodeID(transform.GetID())
    panel.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    panel.settle()
    assert panel.rows()["volume"] == before["volume"]
    assert panel.rows()["a_mm"] == before["a_mm"]


OF_A_KIND = [pytest.param(text, marks=pytest.mark.slow) for text in (
    "[1]", '{"gcs": "deep"}', '{"a_mm": "wide"}', '{"site": 3}', '{"a_line_ras": 5}')]


@pytest.mark.parametrize("text", ["{", '{"gcs": 99}', '{"a_line_ras": [[1, 2]]}', *OF_A_KIND])
@pytest.mark.parametrize(("keeper", "key"), [("CT", "clinical"), ("mask", "corrections")])
def test_corrections_that_cannot_be_read_are_ignored_with_a_sentence(panel, sample, text, keeper, key):
    from ICHVolumePanel import scene

    node = panel.choose_ct(sample.ct, "Foreign")
    panel.take(sample)
    scene.remember(node if keeper == "CT" else panel.segmentation, key, text)
    panel.choose(None)
    panel.choose(node)
    assert "cannot be read and is ignored" in panel.status and "Foreign" in panel.status
    assert panel.ui.segmentButton.enabled and panel.case.result.volume_ml.total > 0
    panel.type_into("gcs", "8")
    panel.type_into("c_mm", "30")
    panel.choose(None)
    panel.choose(node)
    assert panel.status == "" and panel.rows()["gcs"][1] == "8"


def test_an_ai_record_that_cannot_be_read_is_ignored_with_a_sentence(panel, sample):
    from ICHVolumePanel import scene

    node = panel.choose_ct(sample.ct, "Foreign")
    panel.take(sample)
    scene.remember(panel.segmentation, "ai", '{"run": 3}')
    panel.choose(None)
    panel.choose(node)
    assert "cannot be read" in panel.status and panel.case.result.found and panel.case.record is None


def test_a_scene_closed_while_a_mask_by_hand_is_made_is_safe(panel, sample):
    panel.choose_ct(sample.ct)
    panel.ui.drawByHandButton.click()
    panel.slicer.mrmlScene.Clear(False)
    panel.settle()
    panel.choose_ct(sample.ct)
    panel.ui.drawByHandButton.click()
    panel.settle()
    assert panel.segmentation is not None
