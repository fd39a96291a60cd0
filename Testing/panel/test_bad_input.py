"""What is no head CT: a sentence in the panel, nothing lost, and the panel still works."""

import numpy as np
import pytest


def shown(panel):
    """What is said of the CT: what is serious, then routine remarks."""
    return panel.ui.findingsLabel.text + panel.ui.remarksLabel.text


@pytest.fixture
def small():
    hu = np.random.default_rng(0).integers(-1000, 1000, (6, 64, 64)).astype(np.int16)
    return hu


def add(panel, array, class_name=None, name="Wrong"):
    return panel.slicer.util.addVolumeFromArray(array, name=name, nodeClassName=class_name)


@pytest.mark.parametrize(("make", "words"), [
    (lambda panel, hu: add(panel, hu[:1]), "single slice"),
    (lambda panel, hu: add(panel, np.zeros((6, 64, 64, 3), np.uint8), "vtkMRMLVectorVolumeNode"), "colour"),
    (lambda panel, hu: add(panel, (hu > 0).astype(np.uint8), "vtkMRMLLabelMapVolumeNode"), "labelmap"),
    (lambda panel, hu: add(panel, np.abs(hu).astype(np.uint8)), "Hounsfield"),
    (lambda panel, hu: panel.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode"), "no voxels"),
])
def test_a_node_that_is_no_ct_gets_a_sentence_and_a_disabled_button(panel, small, sample, make, words):
    good = panel.choose_ct(sample.ct)
    panel.take(sample)
    panel.type_into("gcs", "9")
    before = panel.rows()
    node = make(panel, small)
    panel.widget.parameters.inputVolume = node
    panel.settle()
    assert words in shown(panel)
    assert not panel.ui.segmentButton.enabled
    assert words in panel.ui.segmentButton.toolTip
    panel.choose(good)
    assert panel.ui.segmentButton.enabled
    assert panel.rows() == before


def test_no_volume_is_said_and_the_next_one_works(panel, sample):
    panel.choose_ct(sample.ct)
    panel.choose(None)
    assert shown(panel) == "Choose a head CT." == panel.ui.segmentButton.toolTip
    assert not panel.ui.segmentButton.enabled
    panel.choose_ct(sample.ct)
    assert panel.ui.segmentButton.enabled


def test_a_deleted_ct_empties_the_panel_and_the_next_one_works(panel, sample):
    node = panel.choose_ct(sample.ct)
    panel.take(sample)
    other = panel.add_ct(sample.ct, "Other")
    panel.slicer.mrmlScene.RemoveNode(node)
    panel.settle()
    assert panel.case is None or panel.case.volume_node is other
    assert panel.rows() == {}
    panel.choose(other)
    panel.take(sample)
    assert panel.case.result.found


def test_a_ct_deleted_while_it_is_read_is_said(panel, sample):
    node = panel.add_ct(sample.ct)
    panel.ui.inputSelector.setCurrentNode(node)
    assert "Reading the CT" in shown(panel)
    panel.slicer.mrmlScene.RemoveNode(node)
    panel.settle()
    assert panel.case is None and not panel.ui.segmentButton.enabled
    panel.choose_ct(sample.ct)
    assert panel.ui.segmentButton.enabled


def test_values_that_are_no_hounsfield_units_are_read_once_and_again_when_they_change(panel, small, sample):
    node = add(panel, np.abs(small), name="Phase image")
    panel.choose(node)
    assert "not Hounsfield units" in shown(panel)
    panel.ui.exportObjCheckBox.checked = True  # any choice has the panel look at its volume again
    assert not panel.widget.panel._turns._works
    panel.slicer.util.updateVolumeFromArray(node, sample.ct.hu)
    panel.ui.exportObjCheckBox.checked = False
    panel.settle()
    assert panel.ui.segmentButton.enabled


@pytest.mark.parametrize(("slices", "words"), [(6, "not Hounsfield units"), (1, "single slice")])
def test_a_refused_volume_that_is_put_right_is_taken_without_another_click(panel, small, sample, slices, words):
    node = add(panel, np.abs(small[:slices]), name="Phase image")
    panel.choose(node)
    assert words in shown(panel)
    node.SetName("Renamed")
    panel.settle()
    assert words in shown(panel) and not panel.ui.segmentButton.enabled
    panel.slicer.util.updateVolumeFromArray(node, sample.ct.hu)
    panel.settle()
    assert panel.ui.segmentButton.enabled and np.array_equal(panel.case.ct.hu, sample.ct.hu)


def test_a_sagittal_series_is_refused_by_the_childs_check(open_panel, sample):
    panel = open_panel(checks_in_child=True)
    turned = np.eye(4)[[2, 0, 1, 3]] @ sample.ct.ijk_to_ras
    node = panel.slicer.util.addVolumeFromArray(sample.ct.hu, ijkToRAS=turned, name="Sagittal")
    panel.choose(node)
    assert "model was made for axial slices" in shown(panel)
    assert not panel.ui.segmentButton.enabled and "axial" in panel.ui.segmentButton.toolTip
    panel.choose_ct(sample.ct)
    assert panel.ui.segmentButton.enabled


def test_a_segmentation_asked_for_before_the_check_refuses_the_scan_never_runs(panel, sample):
    from ICHVolumeLib.core.findings import ERROR, Finding

    client, asked = panel.widget.panel._client, []
    client.check = lambda ct, callbacks: asked.append(callbacks)
    client._make_child = lambda: pytest.fail("a child was started")
    client._ensure_child = lambda: None
    panel.ui.inputSelector.setCurrentNode(panel.add_ct(sample.ct))
    panel.wait_until(lambda: asked)
    assert "Checking the CT" in shown(panel)
    panel.ui.segmentButton.click()
    assert client.is_busy
    asked[0].done(None, {"findings": [vars(Finding("not-axial", ERROR, "The slices are coronal."))]})
    panel.spin(0.05)
    assert not client.is_busy and "coronal" in shown(panel) and not panel.ui.segmentButton.enabled


def test_a_check_that_cannot_be_done_is_said_and_the_scan_can_still_be_measured(open_panel, sample, monkeypatch):
    from ICHVolumePanel import child_process

    monkeypatch.setattr(child_process, "python_executable", lambda: "/nowhere/PythonSlicer")
    panel = open_panel(checks_in_child=True, own_child=True)
    panel.choose_ct(sample.ct)
    assert "image could not be checked" in shown(panel) and "cannot be started" in shown(panel)
    panel.take(sample)
    assert panel.case.result.found


def test_an_mr_is_named(panel, sample):
    node = panel.add_ct(sample.ct, "MR")
    hierarchy = panel.slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(panel.slicer.mrmlScene)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "MR")
    panel.choose(node)
    assert "MR" in shown(panel)
    assert not panel.ui.segmentButton.enabled


def test_findings_show_as_soon_as_the_ct_is_chosen(panel):
    from phantoms import ellipsoid_ct

    panel.choose_ct(ellipsoid_ct("tilted", pixel_mm=1.0, step_mm=5.0).ct, "Tilted")
    assert "tilt" in shown(panel).lower()
    assert panel.ui.segmentButton.enabled


def test_what_the_geometry_tells_is_said_before_the_child_has_looked_at_the_image(panel):
    from phantoms import ellipsoid_ct

    panel.widget.panel._client.check = lambda ct, callbacks: None
    panel.ui.inputSelector.setCurrentNode(panel.add_ct(ellipsoid_ct("tilted", pixel_mm=2.0, step_mm=5.0).ct))
    panel.wait_until(lambda: panel.case is not None)
    assert "tilt" in shown(panel).lower() and "Checking the CT" in shown(panel)


def test_an_answer_that_cannot_be_read_is_said_and_the_panel_is_ready_again(panel, sample, tmp_path):
    panel.choose_ct(sample.ct)
    panel.widget.panel._run.started()
    panel.widget.panel._done(panel.case, tmp_path / "absent.npz")
    assert "no such file" in panel.status
    assert panel.ui.segmentButton.isVisibleTo(panel.widget.parent)


def test_export_before_anything_is_measured_is_off_and_says_why(panel, sample):
    panel.choose_ct(sample.ct)
    assert not panel.ui.exportButton.enabled
    assert "Nothing to export yet" in panel.ui.exportButton.toolTip


def test_clicks_without_a_ct_do_nothing(panel):
    for button in (panel.ui.segmentButton, panel.ui.cancelButton, panel.ui.nextReviewButton, panel.ui.exportButton,
                   panel.ui.largestSliceButton, panel.ui.drawByHandButton, panel.ui.resetButton,
                   panel.ui.automaticLinesButton):
        button._object.clicked.emit()
    panel.spin(0.05)
    assert panel.case is None


def test_a_ct_that_changes_while_it_is_read_is_read_anew(panel, sample):
    node = panel.add_ct(sample.ct)
    panel.ui.inputSelector.setCurrentNode(node)
    reading = panel.widget.panel._turns._works[0].steps
    next(reading)  # the first slices are read
    panel.slicer.util.updateVolumeFromArray(node, sample.ct.hu + np.int16(5))
    panel.settle()
    assert np.array_equal(panel.case.ct.hu, sample.ct.hu + 5)


@pytest.mark.parametrize(("change", "kept"), [(5, False), (0, True)])
def test_a_mask_of_a_ct_that_was_changed_meanwhile_is_not_kept(panel, sample, change, kept):
    from ICHVolumeLib.core.errors import InputError

    node = panel.choose_ct(sample.ct)
    panel.slicer.util.updateVolumeFromArray(node, sample.ct.hu + np.int16(change))
    if kept:  # touched, but the same voxels
        panel.take(sample)
        assert panel.case.result.found
        return
    with pytest.raises(InputError, match="changed while it was segmented"):
        panel.take(sample)
    assert panel.slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    panel.settle()
    panel.take(sample)
    assert panel.case.result.found


@pytest.mark.parametrize("meanwhile", ["scene closed", "another click"])
def test_what_happens_during_the_question_about_packages_does_no_harm(panel, sample, monkeypatch, meanwhile):
    from ICHVolumePanel import packages

    panel.choose_ct(sample.ct)
    asked, started, client = [], [], panel.widget.panel._client
    monkeypatch.setattr(client, "_ensure_child", lambda: None)
    monkeypatch.setattr(client, "_start_next", lambda: started.append(len(client._jobs)))

    def ask(_packaging, _device):
        if not asked:
            asked.append(True)
            if meanwhile == "scene closed":
                panel.slicer.mrmlScene.Clear(False)
            else:
                panel.ui.segmentButton.click()
        return False

    monkeypatch.setattr(packages, "ensure", ask)
    panel.ui.segmentButton.click()
    assert started == ([] if meanwhile == "scene closed" else [1])
