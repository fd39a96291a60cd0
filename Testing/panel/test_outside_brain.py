"""Blood outside the brain in the panel: a row and a segment of its own, no volume and no score."""

import numpy as np
import pytest
from segment_editor import Editor

from ICHVolumeLib.core.labels import OUTSIDE_BRAIN
from ICHVolumeLib.io.masks import read_mask


@pytest.fixture
def outside(sample):
    return (np.roll(sample.mask, 62, axis=2) * (sample.mask == 0)).astype(np.uint8)


@pytest.fixture
def ready(panel, sample, outside):
    panel.volume = panel.choose_ct(sample.ct)
    panel.take(sample, outside=outside, outside_ml=48.3)
    return panel


def names(panel):
    segments = panel.segmentation.GetSegmentation()
    return [segments.GetSegment(one).GetName() for one in segments.GetSegmentIDs()]


def test_it_has_its_row_and_its_segment_and_stays_out_of_the_total(ready, sample):
    assert names(ready) == ["ICH", "IVH", OUTSIDE_BRAIN.name]
    assert ready.rows()["outside"] == ("48.3", "48.3", "mL, not counted")
    assert ready.case.result.volume_ml.total == pytest.approx(sample.volume_ml, rel=0.03)
    assert "Not counted" not in ready.ui.detailLabel.text  # no segment that a person forgot to name


def test_it_stands_through_edits_of_the_mask(ready, sample):
    Editor(ready.slicer, ready.segmentation, ready.volume).erase("ICH", np.indices(sample.mask.shape)[0] > 20)
    ready.settle()
    assert ready.case.is_edited and ready.rows()["outside"][0] == "48.3"


def test_its_row_follows_edits_of_its_segment(ready, sample, outside):
    seen = ready.case.result
    Editor(ready.slicer, ready.segmentation, ready.volume).erase(OUTSIDE_BRAIN.name, np.indices(outside.shape)[0] < 18)
    ready.settle()
    left_ml = np.count_nonzero(outside[18:], axis=(1, 2)) @ sample.ct.voxel_volumes_mm3[18:] / 1000
    assert ready.case.result.outside_brain_ml == pytest.approx(left_ml) and left_ml > 1
    assert ready.rows()["outside"][:2] == ("48.3", f"{left_ml:.1f}")
    assert ready.case.result.volume_ml == seen.volume_ml
    Editor(ready.slicer, ready.segmentation, ready.volume).erase(OUTSIDE_BRAIN.name, outside >= 0)
    ready.settle()
    assert ready.rows()["outside"][:2] == ("48.3", "0.0") and ready.case.result.outside_brain_ml == 0


def test_blood_outside_the_brain_alone_is_shown_and_no_scan_is_called_free_of_blood(panel, sample, outside):
    panel.choose_ct(sample.ct)
    panel.take(sample, mask=0 * sample.mask, outside=outside, outside_ml=48.3)
    assert panel.segmentation is not None and OUTSIDE_BRAIN.name in names(panel)
    assert panel.ui.volumeLabel.text == "No bleed found in the brain, but blood outside it"
    assert panel.case.result.volume_ml.total == 0 and panel.rows()["outside"][0] == "48.3"
    assert panel.ui.resultsSection.isVisibleTo(panel.widget.parent)
    panel.take(sample, mask=0 * sample.mask, outside=0 * outside, outside_ml=0.0)
    assert panel.segmentation is None and panel.ui.volumeLabel.text == "No bleed found by the model"


def test_the_exported_report_outlines_it_as_it_is_now(ready, outside, tmp_path):
    from ICHVolumePanel.exporting import Wishes, export_case

    wishes = Wishes(formats=(), mask=True, table=False, report=True)
    Editor(ready.slicer, ready.segmentation, ready.volume).erase(OUTSIDE_BRAIN.name, np.indices(outside.shape)[0] < 18)
    ready.settle()
    written = {path.suffix: path for path in export_case(ready.case, tmp_path, wishes)}
    assert 'class="outside"' in written[".html"].read_text(encoding="utf-8")
    assert ready.case.outside_mask()[18:].sum() == outside[18:].sum() and not ready.case.outside_mask()[:18].any()
    back = read_mask(written[".nrrd"], ready.case.ct)
    assert (back == ready.case.mask).all()  # the segment is known there, and left out


def test_a_later_run_replaces_it_unless_a_person_changed_it(ready, sample, outside):
    ready.take(sample, outside=0 * outside, outside_ml=0.0)
    assert names(ready) == ["ICH", "IVH"] and "outside" not in ready.rows()
    ready.take(sample, outside=outside, outside_ml=48.3)
    first = ready.segmentation
    Editor(ready.slicer, first, ready.volume).paint(OUTSIDE_BRAIN.name, np.roll(outside, 3, axis=1))
    ready.settle()
    ready.take(sample, outside=outside, outside_ml=48.3)
    assert ready.segmentation is not first and first.GetScene() is not None
