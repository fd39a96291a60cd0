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
