"""Midline shift and lateral ventricles against made heads whose mass effect is known."""

from dataclasses import replace

import numpy as np
import pytest
from shifted_patients import shifted_patient

from ICHVolumeLib.anatomy import mass_effect
from ICHVolumeLib.anatomy.mass_effect import doubted_towards, measure_mass_effect, read_mass_effect, with_dragged_line
from ICHVolumeLib.anatomy.midline_checks import NO_MIDDLE
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.plain import to_plain
from ICHVolumeLib.core.result import MidlineShift

SIZE = 128  # 1.8 mm pixels


@pytest.fixture(scope="module")
def pushed():
    """To the patient's left by about 8 mm; slices of uneven height."""
    return shifted_patient(20, 8.0, size=SIZE, straight=True, uneven=True, ventricles=1.3)


@pytest.fixture(scope="module")
def measured(pushed):
    return measure_mass_effect(pushed.ct, pushed.mask, pushed.frame)


def test_a_known_shift_is_found_on_its_side(pushed, measured):
    shift, _ = measured
    assert shift.shift_mm == pytest.approx(pushed.true_shift_mm, abs=1.5)
    assert shift.direction == "left" and shift.landmark == "septum pellucidum" and not shift.reason


def test_the_drawn_points_lie_in_the_slice_and_give_the_same_distance(pushed, measured):
    shift, _ = measured
    origin, normal = pushed.ct.slice_origins_ras[shift.slice_index], pushed.ct.slice_normal_ras
    points = np.array([*shift.ideal_line_ras, shift.point_ras, shift.foot_ras])
    assert np.abs((points - origin) @ normal).max() < 1e-6
    front, rear, point, foot = points
    assert np.linalg.norm(point - foot) == pytest.approx(shift.shift_mm, abs=0.6)  # medians over rows
    assert (point - foot) @ (front - rear) == pytest.approx(0, abs=1e-6)
    assert front[1] > rear[1] and point[0] < foot[0]  # -R is the patient's left


def test_a_head_without_a_shift_says_at_most_2_mm():
    head = shifted_patient(13, 0.0, size=SIZE, straight=True, bleed=False)
    shift, _ = measure_mass_effect(head.ct, None, head.frame)
    assert shift.shift_mm is not None and shift.shift_mm <= 2.0


def test_both_ventricles_are_measured_and_told_apart(pushed, measured):
    _, ventricles = measured
    assert ventricles.total_ml == pytest.approx(sum(pushed.lateral_ml), rel=0.3)
    assert ventricles.left_ml + ventricles.right_ml == pytest.approx(ventricles.total_ml)
    assert ventricles.right_ml == pytest.approx(pushed.lateral_ml[0], rel=0.35)


def test_a_head_mirrored_by_its_matrix_has_its_shift_on_the_other_side(pushed, measured):
    mirror = np.diag([-1.0, 1, 1, 1])
    ct = CTVolume(pushed.ct.hu, mirror @ pushed.ct.ijk_to_ras, pushed.ct.slice_origins_ras * (-1, 1, 1), pushed.ct.info)
    frame = replace(pushed.frame, ras_to_atlas=mirror @ pushed.frame.ras_to_atlas @ mirror)
    shift, ventricles = measure_mass_effect(ct, pushed.mask, frame)
    assert shift.direction == "right" and shift.shift_mm == pytest.approx(measured[0].shift_mm, abs=0.3)
    assert ventricles.left_ml == pytest.approx(measured[1].right_ml, rel=0.05)


def test_nothing_is_measured_without_a_good_frame(pushed):
    for frame in (None, replace(pushed.frame, good=False)):
        shift, ventricles = measure_mass_effect(pushed.ct, pushed.mask, frame)
        assert shift.shift_mm is None and ventricles.total_ml is None
        assert shift.reason == ventricles.reason == mass_effect.NO_FRAME


def test_nothing_is_measured_where_the_scan_ends_below_the_ventricles(pushed):
    low = slice(0, 24)
    ct = CTVolume(pushed.ct.hu[low], pushed.ct.ijk_to_ras, pushed.ct.slice_origins_ras[low], pushed.ct.info)
    shift, ventricles = measure_mass_effect(ct, pushed.mask[low], pushed.frame)
    assert shift.shift_mm is None and shift.reason
    assert ventricles.total_ml is None and ventricles.reason


def test_no_ventricles_no_number(pushed):
    """Everything as dense as brain, as when swelling has closed them."""
    hu = np.where((pushed.ct.hu > -20) & (pushed.ct.hu < 28), 30, pushed.ct.hu).astype(np.int16)
    shift, ventricles = measure_mass_effect(replace(pushed.ct, hu=hu), pushed.mask, pushed.frame)
    assert (shift.shift_mm, shift.reason) == (None, NO_MIDDLE)
    assert (ventricles.total_ml, ventricles.reason) == (None, mass_effect.NO_VENTRICLES)


def test_plain_values_come_back(measured):
    assert read_mass_effect(to_plain(measured)) == measured
    assert read_mass_effect(None) == (None, None)


def test_a_dragged_line_is_measured_again():
    before = MidlineShift(3.0, "left", 7, ((0, 80, 5), (0, -80, 5)), (-3, 0, 5), (0, 0, 5), "septum pellucidum", 0.9)
    after = with_dragged_line(before, ((0, 80, 5), (0, -80, 5)), (6.5, 10, 5))
    assert (after.shift_mm, after.direction, after.slice_index) == (pytest.approx(6.5), "right", 7)
    assert after.foot_ras == pytest.approx((0, 10, 5)) and after.landmark == "drawn by hand"
    oblique = with_dragged_line(before, ((0, 80, 5), (16, -80, 5)), (0, 80, 5))
    assert oblique.shift_mm == pytest.approx(0, abs=1e-9) and oblique.direction == ""


def test_a_shift_towards_the_bleed_is_not_believed_and_one_away_from_it_is():
    shift = MidlineShift(8.2, "left", 19, landmark="septum pellucidum", quality=0.6)
    doubted = doubted_towards("left", shift)
    assert doubted.shift_mm is None and "8 mm towards the bleed" in doubted.reason
    for side in ("right", "both", "midline", ""):
        assert doubted_towards(side, shift) is shift
    small, drawn = replace(shift, shift_mm=2.0), replace(shift, landmark="drawn by hand")
    assert doubted_towards("left", small) is small and doubted_towards("left", drawn) is drawn
    assert doubted_towards("left", None) is None
