"""The Follow-up section: an earlier bleed, from the scene or a folder, against the one that is looked at."""

import re

import numpy as np
import pytest
from follow_up_patients import measured, scan_of_head
from segment_editor import Editor

PANEL_WIDTH, PANEL_HEIGHT = 420, 1100


def segmented(panel, ich_ml, ivh_ml, name):
    """A CT in the scene with its mask as segmentation; both nodes."""
    from types import SimpleNamespace

    ct, mask, _ = scan_of_head(ich_ml, ivh_ml)
    volume = panel.choose_ct(ct, name)
    panel.take(SimpleNamespace(mask=mask))
    return volume, panel.segmentation


def compare(panel):
    panel.ui.followUpSection.collapsed = False
    panel.ui.compareButton.click()
    panel.wait_until(lambda: panel.ui.followUpLabel.text not in ("", "Comparing \u2026"), patience_s=300)
    return panel.ui.followUpLabel.text


@pytest.fixture
def grown(panel):
    """20 mL earlier; 32 mL and 3 mL of new IVH now."""
    panel.earlier = segmented(panel, 20, 0, "Day 1")[1]
    segmented(panel, 32, 3, "Day 2")
    return panel


def test_growth_rules_new_ivh_and_warnings_are_told_of_an_earlier_segmentation(grown):
    grown.ui.earlierSelector.setCurrentNode(grown.earlier)
    said = compare(grown)
    now = grown.case.result.volume_ml
    assert f"{now.ich:.1f} mL" in said and f"{now.ivh:.1f} mL" in said
    assert re.search(r"\+1[12]\.\d mL \(\+\d\d %\)", said), "12 mL more, to a voxel"
    assert said.count("<b>yes</b>") == 2, "both rules: more than 6 mL, and new IVH"
    assert "New intraventricular blood" in said
    assert "Cannot tell whether both scans are of one patient" in said
    assert "Earlier scan:" not in said and "about the earlier scan: point here" in said
    assert "Earlier scan: The pixels" in grown.ui.followUpLabel.toolTip


def test_what_is_said_fits_the_screen_and_nothing_of_it_is_cut(grown):
    grown.ui.earlierSelector.setCurrentNode(grown.earlier)
    compare(grown)
    window, label = grown.widget.parent._object, grown.ui.followUpLabel._object
    height = window.layout().totalHeightForWidth(PANEL_WIDTH)
    window.resize(PANEL_WIDTH, height)
    grown.spin(0.1)
    assert height <= PANEL_HEIGHT
    assert label.height() >= label.heightForWidth(label.width())


def test_the_choice_is_one_of_both_and_goes_with_the_scan(grown, tmp_path):
    ui = grown.ui
    ui.earlierFolderEdit.currentPath = str(tmp_path)
    ui.earlierSelector.setCurrentNode(grown.earlier)
    assert ui.earlierFolderEdit.currentPath == ""
    ui.earlierFolderEdit.currentPath = str(tmp_path)
    assert ui.earlierSelector.currentNode() is None
    segmented(grown, 25, 0, "Another patient")
    assert ui.earlierFolderEdit.currentPath == "" and ui.earlierSelector.currentNode() is None


def test_an_unchanged_bleed_has_no_growth_and_neither_rule_is_met(panel):
    earlier = segmented(panel, 20, 0, "Day 1")[1]
    segmented(panel, 20, 0, "Day 2")
    panel.ui.earlierSelector.setCurrentNode(earlier)
    said = compare(panel)
    assert said.count("<b>\u00b10 mL</b>") == 3 and said.count("<b>no</b>") == 2 and "New" not in said


def test_what_was_said_goes_when_the_mask_changes(grown):
    grown.ui.earlierSelector.setCurrentNode(grown.earlier)
    compare(grown)
    grown.spin(0.3)
    assert grown.ui.followUpLabel.text
    before = grown.case.result.volume_ml
    Editor(grown.slicer, grown.segmentation, grown.case.volume_node).erase(
        "ICH", np.indices(grown.case.mask.shape)[0] > np.flatnonzero(grown.case.mask.any(axis=(1, 2)))[1])
    grown.wait_until(lambda: grown.case.result.volume_ml != before)
    grown.spin(0.1)
    assert grown.ui.followUpLabel.text == ""


def test_a_result_folder_is_compared_and_one_that_is_none_is_said(panel, tmp_path):
    ct, mask, _ = scan_of_head(20)
    folder = measured(tmp_path / "day1", ct, mask)
    segmented(panel, 22, 0, "Day 2")
    panel.ui.earlierFolderEdit.currentPath = str(folder)
    said = compare(panel)
    assert said.count("<b>no</b>") == 2 and "ICH" in said
    panel.ui.followUpLabel.text = ""
    panel.ui.earlierFolderEdit.currentPath = str(tmp_path)
    assert "result.json" in compare(panel)


def test_without_a_choice_or_with_the_same_mask_it_is_said(grown):
    grown.ui.compareButton.click()
    assert "Choose the segmentation of the earlier scan" in grown.ui.followUpLabel.text
    grown.ui.earlierSelector.setCurrentNode(grown.segmentation)
    grown.ui.compareButton.click()
    assert "that is looked at" in grown.ui.followUpLabel.text
