"""Segment ICH: the real button, the real child process, a network whose answer is known."""

import os

import numpy as np
import pytest

OWN_CHILD = ("child_starts", "dies", "cannot_start", "reloaded", "packages_are_asked")  # tests of a child's own life


@pytest.fixture
def panel(open_panel, request):
    return open_panel(checks_in_child=True, own_child=any(words in request.node.name for words in OWN_CHILD))


@pytest.fixture
def ready(panel, weights, sample):
    panel.volume = panel.choose_ct(sample.ct)
    panel.ui.weightsFolderEdit.currentPath = str(weights)
    panel.ui.deviceCombo.setCurrentIndex(1)
    return panel


def child_of(panel):
    return panel.widget.panel._client._child


def segment(panel):
    panel.ui.segmentButton.click()
    panel.wait_until_idle()
    panel.settle()


def test_the_disabled_button_says_what_is_missing(panel):
    assert not panel.ui.segmentButton.enabled
    assert "head CT" in panel.ui.segmentButton.toolTip


def test_a_click_segments_measures_and_says_how_long_it_took(ready, sample):
    segment(ready)
    total = ready.case.result.volume_ml.total
    assert total == pytest.approx(sample.volume_ml, rel=0.05)
    assert ready.rows()["volume"][:2] == (f"{total:.1f}",) * 2
    assert f"total {total:.1f} mL" in ready.ui.detailLabel.text
    assert "s on CPU" in ready.status and "openvino" in ready.status
    assert ready.widget.parameters.segmentation is ready.segmentation


def test_the_mask_lies_on_the_cts_grid_with_named_segments_and_a_surface(ready, sample):
    segment(ready)
    segmentation = ready.segmentation.GetSegmentation()
    assert [segmentation.GetNthSegment(i).GetName() for i in range(2)] == ["ICH", "IVH"]
    assert segmentation.ContainsRepresentation("Closed surface")
    inside = sample.mask.astype(bool)
    marked = ready.case.mask.astype(bool)
    assert 2 * (inside & marked).sum() / (inside.sum() + marked.sum()) > 0.95


def test_progress_and_seconds_are_shown_while_it_runs(ready):
    seen = set()
    ready.ui.segmentButton.click()
    assert ready.ui.cancelButton.isVisibleTo(ready.widget.parent)
    assert not ready.ui.segmentButton.isVisibleTo(ready.widget.parent)
    ready.wait_until(lambda: seen.add(ready.status) or not ready.widget.panel._client.is_busy)
    assert any(text.startswith("Slice ") and " of " in text and text.endswith(" s") for text in seen), seen


def test_the_child_stays_warm_for_the_next_scan(ready):
    segment(ready)
    first = child_of(ready)._process.processId()
    segment(ready)
    assert child_of(ready)._process.processId() == first


def test_cancel_answers_within_a_second_and_the_next_run_works(ready):
    segment(ready)
    before = ready.slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    limit_s = 1.0 if ready.machine_is_quiet() else 10.0
    ready.ui.segmentButton.click()
    ready.spin(0.05)
    ready.ui.cancelButton.click()
    assert ready.wait_until_idle() < limit_s
    assert "Cancelled" in ready.status
    assert ready.slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == before
    segment(ready)
    assert "Done" in ready.status


def test_cancel_while_the_child_starts_answers_within_a_second(ready):
    limit_s = 1.0 if ready.machine_is_quiet() else 10.0
    ready.ui.segmentButton.click()
    ready.spin(0.15)
    ready.ui.cancelButton.click()
    assert ready.wait_until_idle() < limit_s
    segment(ready)
    assert "Done" in ready.status


def test_a_child_that_dies_gives_a_clear_message_and_the_panel_recovers(ready):
    segment(ready)
    volume_before = ready.case.result.volume_ml
    process = child_of(ready)._process
    ready.ui.segmentButton.click()
    process._object.kill()
    ready.wait_until_idle()
    assert "ended before it was done" in ready.status and "try again" in ready.status
    assert ready.case.result.volume_ml == volume_before
    segment(ready)
    assert "Done" in ready.status


def test_a_child_that_cannot_start_is_said(ready, monkeypatch):
    from ICHVolumePanel import child_process

    monkeypatch.setattr(child_process, "python_executable", lambda: os.path.join("nowhere", "PythonSlicer"))
    ready.widget.panel._client.renew()  # it runs since the scan was checked
    segment(ready)
    assert "cannot be started" in ready.status


def test_missing_weights_are_said_and_the_right_folder_then_works(ready, tmp_path, weights):
    ready.ui.weightsFolderEdit.currentPath = str(tmp_path)
    segment(ready)
    assert str(tmp_path) in ready.status
    assert ready.segmentation is None
    ready.ui.weightsFolderEdit.currentPath = str(weights)
    segment(ready)
    assert "Done" in ready.status


def test_no_bleed_is_a_result_and_not_an_empty_node(ready, sample):
    from dataclasses import replace

    hu = np.minimum(sample.ct.hu, np.where(sample.mask > 0, 30, 4000)).astype(np.int16)
    ready.choose_ct(replace(sample.ct, hu=hu), "No bleed")
    segment(ready)
    assert ready.ui.volumeLabel.text == "No bleed found by the model"
    assert "not mean that the scan is normal" in ready.ui.detailLabel.text
    assert ready.slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_second_run_replaces_an_untouched_mask_and_keeps_a_corrected_one(ready, sample):
    from segment_editor import Editor

    segment(ready)
    first = ready.segmentation
    segment(ready)
    assert ready.segmentation is first
    before = ready.case.mask
    Editor(ready.slicer, first, ready.volume).erase("ICH", sample.mask * 0 + (np.indices(sample.mask.shape)[0] > 20))
    ready.wait_until(lambda: ready.case.mask is not before)
    ready.settle()
    corrected = ready.case.mask.copy()
    segment(ready)
    assert ready.segmentation is not first
    assert "kept" in ready.status and first.GetName() in ready.status
    ready.widget.parameters.segmentation = first
    ready.settle()
    assert np.array_equal(ready.case.mask, corrected)


def test_the_ct_deleted_while_it_runs_is_said(ready):
    segment(ready)
    ready.ui.segmentButton.click()
    ready.slicer.mrmlScene.RemoveNode(ready.volume)
    ready.wait_until_idle()
    assert "deleted" in ready.status
    assert not ready.ui.segmentButton.enabled


def test_the_scene_closed_while_it_runs_is_safe(ready, sample):
    segment(ready)
    ready.ui.segmentButton.click()
    ready.slicer.mrmlScene.Clear(False)
    ready.wait_until_idle()
    ready.choose_ct(sample.ct)
    segment(ready)
    assert "Done" in ready.status


def test_the_module_reloaded_while_it_runs_is_safe(ready, open_panel, weights):
    ready.ui.segmentButton.click()
    ready.spin(0.1)
    ready.leave()
    again = open_panel(own_child=True)
    again.settle()
    assert again.widget.parameters.inputVolume is ready.volume
    again.ui.weightsFolderEdit.currentPath = str(weights)
    segment(again)
    assert "Done" in again.status


def test_packages_are_asked_for_on_the_click_and_a_refusal_is_said(ready):
    app = ready.bridge.slicer_app
    app.missing_packages.update({"openvino", "torch"})
    assert app.asked == []
    app.answers.append(False)
    ready.ui.segmentButton.click()
    assert "openvino" in ready.status and "not installed" in ready.status
    assert ready.ui.segmentButton.enabled
    app.answers.append(True)
    segment(ready)
    assert app.installed == ["openvino>=2025.0"]
    assert "Done" in ready.status


def test_the_logic_alone_segments_from_a_script(bridge, open_panel, weights, sample):
    panel = open_panel()
    node = panel.add_ct(sample.ct)
    logic = bridge.module.ICHVolumeLogic()
    segmentation = logic.segment(node, device="cpu", weightsFolder=str(weights))
    assert logic.measure(segmentation).volume_ml.total == pytest.approx(sample.volume_ml, rel=0.05)
