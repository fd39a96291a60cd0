"""The midline in the panel: what the check of the image measured is shown, drawn, dragged and put back."""

import numpy as np
import pytest

from ICHVolumeLib.core.result import MidlineShift, Ventricles


@pytest.fixture
def ready(panel, sample):
    """A case whose check found a shift of 4 mm to the left (the sample is a phantom without a brain)."""
    panel.volume = panel.choose_ct(sample.ct)
    panel.take(sample)
    k = 20
    at = [tuple(float(v) for v in sample.ct.voxel_to_ras(np.array([k, j, i], float))) for j, i in
          ((10, 40), (90, 40), (50, 44))]
    foot = tuple(float(v) for v in sample.ct.voxel_to_ras(np.array([k, 50, 40], float)))
    mm = float(np.linalg.norm(np.subtract(at[2], foot)))
    shift = MidlineShift(mm, "right" if at[2][0] > foot[0] else "left", k, (at[0], at[1]), at[2], foot,
                         "septum pellucidum", 0.9)
    panel.case.checked(panel.case.noticed, None, (shift, Ventricles(30.0, 14.0, 16.0, 0.9)))
    panel.widget.panel._refresh()
    return panel


def lines_of(panel):
    from ICHVolumePanel import scene_midline

    return scene_midline.midline_lines(panel.segmentation)


def test_shift_and_ventricles_stand_in_the_table_and_the_lines_in_the_scene(ready):
    shift = ready.case.result.midline_shift
    assert ready.rows()["midline_points_ras"][1] == f"{shift.shift_mm:.1f}"
    assert ready.rows()["midline_points_ras"][2] == f"to the {shift.direction}"
    assert ready.rows()["ventricles"][1:] == ("30.0", "left 14.0, right 16.0")
    assert lines_of(ready)[1].GetNthControlPointLabel(1) == f"shift {shift.shift_mm:.1f} mm"


def test_a_dragged_middle_is_measured_again_marked_and_put_back(ready):
    before = ready.case.result.midline_shift
    _ideal, shift_line = lines_of(ready)
    away = np.subtract(before.point_ras, before.foot_ras)
    shift_line.SetNthControlPointPosition(1, *(np.array(before.foot_ras) + 2 * away))
    ready.wait_until(lambda: ready.case.result.midline_shift.shift_mm != before.shift_mm)
    now = ready.case.result.midline_shift
    assert now.shift_mm == pytest.approx(2 * before.shift_mm, abs=0.02) and now.direction == before.direction
    assert ready.rows()["midline_points_ras"][1] == f"{now.shift_mm:.1f}"
    assert "midline-corrected" in [finding.code for finding in ready.case.result.findings]
    ready.ui.automaticLinesButton.click()
    assert ready.case.result.midline_shift == before


def test_a_dragged_midline_end_moves_the_foot(ready):
    before = ready.case.result.midline_shift
    ideal, _shift = lines_of(ready)
    away = np.subtract(before.point_ras, before.foot_ras)
    ideal.SetNthControlPointPosition(0, *(np.array(before.ideal_line_ras[0]) + away))
    ready.wait_until(lambda: ready.case.result.midline_shift != before)
    assert 0 < ready.case.result.midline_shift.shift_mm < before.shift_mm


def test_lines_go_with_the_segmentation(ready):
    from ICHVolumePanel import scene_lines

    lines = lines_of(ready)
    scene_lines.remove_segmentation(ready.segmentation)
    assert all(ready.slicer.mrmlScene.GetNodeByID(line.GetID()) is None for line in lines)


def not_measured(panel, reason="neither is visible"):
    panel.case.checked(panel.case.noticed, None, (MidlineShift(reason=reason), Ventricles(reason=reason)))
    panel.widget.panel._refresh()


def test_a_midline_is_drawn_from_nothing_and_counts_once_its_middle_was_placed(ready):
    assert not ready.ui.drawMidlineButton.isVisibleTo(ready.widget.parent)
    not_measured(ready)
    assert lines_of(ready) is None and ready.ui.drawMidlineButton.isVisibleTo(ready.widget.parent)
    ready.ui.drawMidlineButton.click()
    ideal, shift_line = lines_of(ready)
    assert shift_line.GetNthControlPointLabel(1) == "drag to the septum"
    ends = [np.array(ideal.GetNthControlPointPosition(index)) for index in range(2)]
    assert ends[0][1] > ends[1][1]  # front, then rear
    ideal.SetNthControlPointPosition(0, *(ends[0] + (2, 0, 0)))
    ready.spin(0.3)
    assert ready.case.result.midline_shift.shift_mm is None, "the middle was not placed yet"
    middle = np.array(shift_line.GetNthControlPointPosition(1))
    shift_line.SetNthControlPointPosition(1, *(middle + (7, 0, 0)))
    ready.wait_until(lambda: ready.case.result.midline_shift.shift_mm is not None)
    along = ends[1] - (ends[0] + (2, 0, 0))
    away = middle + (7, 0, 0) - ends[1]
    expected = np.linalg.norm(away - (away @ along) / (along @ along) * along)
    shift = ready.case.result.midline_shift
    assert shift.shift_mm == pytest.approx(expected, abs=0.05) and shift.landmark == "drawn by hand"
    assert "not measured" in next(one.message for one in ready.case.result.findings if one.code == "midline-corrected")
    ready.ui.automaticLinesButton.click()
    assert ready.case.result.midline_shift.shift_mm is None and lines_of(ready) is None


def test_a_drawn_midline_is_there_again_when_the_segmentation_is_chosen_again(ready):
    from ICHVolumePanel.corrections import Corrections

    not_measured(ready)
    ready.ui.drawMidlineButton.click()
    _ideal, shift_line = lines_of(ready)
    shift_line.SetNthControlPointPosition(1, *(np.array(shift_line.GetNthControlPointPosition(1)) + (5, 0, 0)))
    ready.wait_until(lambda: ready.case.result.midline_shift.shift_mm is not None)
    drawn = ready.case.result.midline_shift
    assert Corrections.from_json(ready.case.corrections.to_json()) == ready.case.corrections
    ready.case.choose(ready.segmentation)
    assert ready.case.result.midline_shift.shift_mm == pytest.approx(drawn.shift_mm)


def test_marked_ivh_is_measured_as_ventricle_by_the_child_process(ready, sample, monkeypatch):
    from ICHVolumeLib.worker import requests

    case, asked = ready.case, []

    def answer(ct, mask, result, head_frame, callbacks):
        asked.append(mask)
        callbacks.done(None, {"mass_effect": requests.to_plain((MidlineShift(1.5, "left", 20), Ventricles(40.0, 20.0,
                                                                                                          20.0, 0.9)))})

    monkeypatch.setattr(ready.widget.panel._client, "mass_effect", answer)
    case.mask = np.where(sample.mask > 0, 2, 0).astype(np.uint8)
    assert case.mass_effect.of(case)[0].reason == "being measured \u2026", "no number of the scan without the blood"
    ready.widget.panel._measured()
    assert len(asked) == 1 and case.result.ventricles.total_ml == 40.0
    ready.widget.panel._measured()
    assert len(asked) == 1, "the same mask is not measured twice"
