"""What is no head CT: a sentence in the panel, nothing lost, and the panel still works."""

import numpy as np
import pytest


def shown(panel):
    return panel.ui.findingsLabel.text


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
    node = make(panel, small)
    panel.widget.parameters.inputVolume = node
    panel.spin(0.1)
    assert words in shown(panel)
    assert not panel.ui.segmentButton.enabled
    assert words in panel.ui.segmentButton.toolTip
    panel.choose_ct(sample.ct)
    assert panel.ui.segmentButton.enabled


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
