"""What the views show, and whose surface it is."""

import numpy as np
import pytest
from mrml_phantoms import add_slice_views


@pytest.fixture
def composites(panel):
    add_slice_views(panel.slicer)
    nodes = [panel.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _name in range(3)]
    yield nodes
    for class_name in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode"):
        for node in panel.slicer.util.getNodesByClass(class_name):
            panel.slicer.mrmlScene.RemoveNode(node)


def test_the_chosen_ct_is_shown_in_the_slice_views(panel, sample, composites):
    first = panel.choose_ct(sample.ct)
    assert {node.GetBackgroundVolumeID() for node in composites} == {first.GetID()}
    second = panel.choose_ct(sample.ct, "Second")
    assert {node.GetBackgroundVolumeID() for node in composites} == {second.GetID()}


def test_views_that_show_the_ct_in_front_of_another_stay_as_they_are(panel, sample, composites):
    other, ct = panel.add_ct(sample.ct, "Other"), panel.add_ct(sample.ct)
    for node in composites:
        node.SetBackgroundVolumeID(other.GetID())
        node.SetForegroundVolumeID(ct.GetID())
    panel.choose(ct)
    assert {node.GetBackgroundVolumeID() for node in composites} == {other.GetID()}


def test_the_3d_view_is_centred_after_a_run(panel, sample, bridge, weights):
    panel.choose_ct(sample.ct)
    assert not bridge.slicer_app.resets_3d
    panel.ui.weightsFolderEdit.currentPath = str(weights)
    panel.ui.deviceCombo.setCurrentIndex(1)
    panel.ui.segmentButton.click()
    panel.wait_until_idle()
    panel.settle()
    assert panel.case.result.found
    assert len(bridge.slicer_app.resets_3d) == 1


def test_there_may_be_no_views_at_all(panel, monkeypatch, bridge):
    from ICHVolumePanel import scene_views

    monkeypatch.setattr(bridge.slicer.app, "layoutManager", lambda: None)
    scene_views.center_3d()


def test_a_line_end_does_not_snap_to_the_surface_and_stays_on_its_slice(panel, sample):
    from ICHVolumePanel import scene_lines

    volume = panel.choose_ct(sample.ct)
    panel.take(sample)
    line, _ = scene_lines.ab_lines(panel.segmentation)
    display = line.GetDisplayNode()
    assert display.GetSnapMode() == display.SnapModeUnconstrained
    automatic = panel.case.result.abc2
    end = np.array(automatic.a_line_ras[0])
    line.SetNthControlPointPosition(0, *(end + [0.0, 6.0, 11.0]))  # dragged in the 3D view, towards the vertex
    panel.settle()
    np.testing.assert_allclose(panel.case.result.abc2.a_line_ras[0], end + [0.0, 6.0, 0.0], atol=1e-3)
    np.testing.assert_allclose(scene_lines.line_points(line, volume)[0], end + [0.0, 6.0, 0.0], atol=1e-3)


def test_lines_and_table_lie_in_the_folder_of_the_study(panel, sample):
    from ICHVolumePanel import scene_lines

    volume = panel.add_ct(sample.ct)
    hierarchy = panel.slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(panel.slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study")
    for node in [volume]:
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node), study)
    panel.choose(volume)
    panel.take(sample)
    for node in (panel.segmentation, *scene_lines.ab_lines(panel.segmentation),
                 scene_lines.table_of(panel.segmentation)):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study, node.GetName()


def test_the_editors_own_3d_button_is_not_offered_beside_the_panels_box(panel):
    assert not panel.widget.editor.show3DButtonVisible


def test_the_first_ct_of_the_scene_is_no_labelmap_and_no_mr(open_panel, bridge, sample):
    labelmap = bridge.slicer.util.addVolumeFromArray(sample.mask, nodeClassName="vtkMRMLLabelMapVolumeNode", name="A")
    picture = bridge.slicer.util.addVolumeFromArray(np.zeros((1, 8, 8), np.int16), name="B")
    ct = bridge.slicer.util.addVolumeFromArray(sample.ct.hu, ijkToRAS=sample.ct.ijk_to_ras, name="C")
    panel = open_panel()
    panel.settle()
    assert panel.widget.parameters.inputVolume is ct
    assert labelmap.GetScene() and picture.GetScene()


def test_the_editor_follows_the_panel_whatever_its_own_selectors_say(panel, sample, bridge):
    first = panel.choose_ct(sample.ct)
    panel.take(sample)
    mask = panel.segmentation
    foreign = panel.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Foreign")
    panel.widget.editor._object.setSegmentationNode(foreign)
    panel.widget.editor._object.setSourceVolumeNode(None)
    panel.choose(None)
    panel.choose(first)
    node = panel.widget.editor.mrmlSegmentEditorNode()
    assert node.GetSegmentationNode() is mask and node.GetSourceVolumeNode() is first


def test_the_editor_has_a_segment_to_paint_in_at_once(panel, sample):
    panel.choose_ct(sample.ct)
    panel.take(sample)
    assert panel.widget.editor.currentSegmentID() == "ICH"
