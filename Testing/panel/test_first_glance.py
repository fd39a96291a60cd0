"""What a tired reader sees first: the next step, then the ICH, then what must be known with it."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import with_info

from ICHVolumeLib.core.labels import LABELS

PANEL_HEIGHT = 1100  # px of a screen with 1200 lines, under Slicer's toolbars
PANEL_WIDTH = 420
TOOLS_ROW = 26  # px for the row of correction tools
SECTIONS = ("reviewSection", "resultsSection", "scoreSection", "otherScoresSection")
ONE_OPEN = ("followUpSection", "exportSection", "settingsSection")


@pytest.fixture
def two_labels(sample):
    """ICH with a smaller IVH beside it, in a scan that does not name the patient's age."""
    mask = sample.mask.copy()
    columns = np.flatnonzero(mask.any(axis=(0, 1)))
    mask[:, :, columns[-8]:] *= 2
    return replace(sample, ct=with_info(sample.ct, patient_age_years=None), mask=mask)


@pytest.fixture
def ready(panel, two_labels):
    panel.volume = panel.choose_ct(two_labels.ct)
    doubt = np.zeros(len(two_labels.mask), np.float32)
    doubt[[12, 20]] = 0.5, 0.3
    panel.take(two_labels, slice_uncertainty=doubt)
    return panel


def is_loud(button):
    return "background-color" in button.styleSheet


def top(panel, widget):
    from PySide6.QtCore import QPoint

    return widget._object.mapTo(panel.widget.parent._object, QPoint(0, 0)).y()


def test_before_a_result_the_loud_button_segments_and_after_it_the_next_step_is_loud(panel, two_labels):
    panel.choose_ct(two_labels.ct)
    assert is_loud(panel.ui.segmentButton) and not is_loud(panel.ui.nextReviewButton)
    assert panel.ui.reviewSection.collapsed
    doubt = np.zeros(len(two_labels.mask), np.float32)
    doubt[12] = 0.5
    panel.take(two_labels, slice_uncertainty=doubt)
    assert not is_loud(panel.ui.segmentButton) and is_loud(panel.ui.nextReviewButton)
    assert not panel.ui.reviewSection.collapsed
    panel.choose_ct(two_labels.ct, "Next")
    assert is_loud(panel.ui.segmentButton) and panel.ui.reviewSection.collapsed


def test_where_no_slice_is_doubtful_the_largest_is_the_next_step(panel, two_labels):
    panel.choose_ct(two_labels.ct)
    panel.take(two_labels)
    assert is_loud(panel.ui.largestSliceButton) and not is_loud(panel.ui.nextReviewButton)


def test_a_section_that_somebody_folded_stays_folded_through_edits(ready):
    from segment_editor import Editor

    ready.ui.reviewSection.collapsed = True
    Editor(ready.slicer, ready.segmentation, ready.volume).erase("ICH", np.indices(ready.case.mask.shape)[0] > 18)
    ready.settle()
    ready.type_into("gcs", "9")
    assert ready.ui.reviewSection.collapsed


def test_the_ich_comes_first_then_the_ivh_then_the_total(ready):
    volume = ready.case.result.volume_ml
    assert ready.ui.volumeLabel.text == f"{volume.ich:.1f} mL ICH"
    assert list(ready.rows())[:3] == ["ich_ml", "ivh_ml", "volume"]
    text = ready.ui.detailLabel.text
    assert text.index("ICH") < text.index("IVH") < text.index(f"total {volume.total:.1f} mL")


def test_the_labels_wear_their_colours(ready):
    for label in LABELS:
        color = "#" + "".join(f"{round(255 * part):02x}" for part in label.color)
        assert f'color:{color}">\u25a0' in ready.ui.detailLabel.text
        item = ready.ui.resultsTable.item(ready.row_number(f"{label.name.lower()}_ml"), 0)._object
        assert item.icon().pixmap(8, 8).toImage().pixelColor(4, 4).name() == color


def test_a_name_with_signs_of_html_is_shown_as_it_is(ready):
    from segment_editor import Editor

    other = ready.segmentation.GetSegmentation().AddEmptySegment("x", "<b>ICH </b>")
    Editor(ready.slicer, ready.segmentation, ready.volume).paint(other, np.roll(ready.case.mask, 60, axis=1) == 1)
    ready.wait_until(lambda: "Not counted" in ready.ui.detailLabel.text)
    assert "&lt;b&gt;ICH &lt;/b&gt;" in ready.ui.detailLabel.text


def test_the_formulas_stand_under_abc2_and_not_under_the_score(ready):
    keys = list(ready.rows())
    assert keys.index("abc2") < keys.index("kothari_ml") < keys.index("two_thirds_sh_ml") < keys.index("ivh")
    assert keys[-1] == "ich_score"


def test_before_anything_is_entered_the_score_asks_instead_of_saying_0_to_5(ready):
    assert ready.ui.scoreLabel.text == "ICH score:\nenter GCS, age, site"
    assert ready.rows()["ich_score"][1:] == ("\u2013", "enter GCS, age, site")
    ready.type_into("gcs", "9")
    assert ready.ui.scoreLabel.text == "ICH score 2\u20135"
    assert "\u2013" in ready.rows()["ich_score"][1] and len(ready.rows()["ich_score"][1]) > 1
    ready.type_into("gcs", "")
    assert ready.ui.scoreLabel.text == "ICH score:\nenter GCS, age, site"


def test_routine_remarks_stand_below_the_result_and_warnings_above(panel):
    from phantoms import ellipsoid_ct

    tilted = ellipsoid_ct("tilted", pixel_mm=2.0, columns=96, rows=104, step_mm=5.0)
    panel.choose_ct(tilted.ct)
    panel.take(tilted)
    panel.spin(0.05)
    assert "tilted" in panel.ui.remarksLabel.text and "tilted" not in panel.ui.findingsLabel.text
    assert top(panel, panel.ui.volumeLabel) < top(panel, panel.ui.remarksLabel)
    assert top(panel, panel.ui.findingsLabel) < top(panel, panel.ui.volumeLabel)


def test_no_bleed_found_is_read_together_with_its_caveat(panel, two_labels):
    from types import SimpleNamespace

    panel.choose_ct(two_labels.ct)
    panel.take(SimpleNamespace(mask=two_labels.mask * 0))
    assert panel.ui.volumeLabel.text == "No bleed found by the model"
    assert "not mean that the scan is normal" in panel.ui.detailLabel.text
    assert "bold" in panel.ui.detailLabel.styleSheet and "color" in panel.ui.detailLabel.styleSheet
    assert top(panel, panel.ui.detailLabel) - top(panel, panel.ui.volumeLabel) < 60
    assert not panel.ui.scoreLabel.isVisibleTo(panel.widget.parent)
    assert is_loud(panel.ui.drawByHandButton)


@pytest.mark.parametrize("last", ONE_OPEN)
def test_a_panel_with_everything_open_fits_the_screen(ready, last):
    from phantoms import ellipsoid_ct

    tilted = ellipsoid_ct("tilted", pixel_mm=2.0, columns=96, rows=104, step_mm=5.0)  # has routine remarks
    ready.choose_ct(tilted.ct, "Tilted")
    ready.take(tilted)
    for name in (*SECTIONS, *ONE_OPEN, last):
        getattr(ready.ui, name).collapsed = False
    ready.type_into("c_mm", "30")
    ready.type_into("gcs", "9")
    ready.spin(0.1)
    table = ready.ui.resultsTable._object
    last_item = table.visualItemRect(table.item(table.rowCount() - 1, 0))
    assert last_item.bottom() <= table.viewport().height(), "the score's row is seen whole"
    layout = ready.widget.parent._object.layout()
    assert layout.totalHeightForWidth(PANEL_WIDTH) <= PANEL_HEIGHT


def test_the_sections_at_the_end_are_folded_at_first_and_one_of_them_is_open_at_a_time(ready):
    def opened():
        return [name for name in ONE_OPEN if not getattr(ready.ui, name).collapsed]

    assert opened() == []
    for name in (*ONE_OPEN, *ONE_OPEN):
        getattr(ready.ui, name).collapsed = False
        assert opened() == [name]
    getattr(ready.ui, ONE_OPEN[-1]).collapsed = True
    assert opened() == [] and not ready.ui.resultsSection.collapsed
