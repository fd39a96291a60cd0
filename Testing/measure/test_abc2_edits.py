"""A clinician corrects A, B or C, or drags a line: everything derived follows, and reset is exact."""

import numpy as np
import pytest

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.measure import abc2_from_lines, abc2_with_axes, measure_mask


@pytest.fixture
def single():
    return _measured(pieces=1)


@pytest.fixture
def double():
    return _measured(pieces=2)


def test_corrected_axes_give_their_own_product(single):
    edited = abc2_with_axes(single, a_mm=50, b_mm=30, c_mm=40)
    assert (edited.a_mm, edited.b_mm, edited.c_mm) == (50, 30, 40)
    assert edited.coniglobus_ml == pytest.approx(30)
    assert edited.abc3_ml == pytest.approx(20)
    assert edited.kothari_ml == pytest.approx(50 * 30 * single.c_kothari_mm / 2000)


def test_two_thirds_sh_follows_c_as_its_height_and_not_a_or_b(single):
    assert abc2_with_axes(single, c_mm=2 * single.c_mm).two_thirds_sh_ml == pytest.approx(2 * single.two_thirds_sh_ml)
    assert abc2_with_axes(single, a_mm=99, b_mm=98).two_thirds_sh_ml == pytest.approx(single.two_thirds_sh_ml)


def test_kotharis_c_is_corrected_by_itself(single):
    edited = abc2_with_axes(single, c_kothari_mm=10)
    assert edited.kothari_ml == pytest.approx(single.a_mm * single.b_mm * 10 / 2000)
    assert edited.coniglobus_ml == single.coniglobus_ml


def test_other_hematomas_keep_their_volume_in_the_sum(double):
    largest_ml = double.a_mm * double.b_mm * double.c_mm / 2000
    edited = abc2_with_axes(double, a_mm=2 * double.a_mm)
    assert edited.coniglobus_ml == pytest.approx(double.coniglobus_ml + largest_ml)
    assert edited.pieces == 2


@pytest.mark.parametrize("name", ["single", "double"])
def test_without_a_correction_nothing_changes(name, request):
    abc2 = request.getfixturevalue(name)
    assert abc2_with_axes(abc2) == abc2 and abc2_from_lines(abc2) == abc2


def test_a_dragged_line_sets_its_length_and_keeps_the_other(single):
    line = ((0.0, 0.0, 5.0), (30.0, 40.0, 5.0))
    edited = abc2_from_lines(single, a_line_ras=line)
    assert edited.a_mm == 50 and edited.a_line_ras == line
    assert (edited.b_mm, edited.b_line_ras) == (single.b_mm, single.b_line_ras)
    assert edited.coniglobus_ml == pytest.approx(50 * single.b_mm * single.c_mm / 2000)


def test_both_lines_may_be_dragged_as_arrays_and_come_back_as_plain_points(single):
    edited = abc2_from_lines(single, np.array([[0, 0, 0], [10, 0, 0]]), np.array([[0, 0, 0], [0, 4, 3]]))
    assert (edited.a_mm, edited.b_mm) == (10, 5)
    assert edited.b_line_ras == ((0.0, 0.0, 0.0), (0.0, 4.0, 3.0))
    assert all(type(value) is float for line in (edited.a_line_ras, edited.b_line_ras) for end in line for value in end)


def test_putting_the_automatic_line_back_restores_the_automatic_numbers(single):
    dragged = abc2_from_lines(single, a_line_ras=((0, 0, 0), (1, 2, 3)))
    restored = abc2_from_lines(dragged, a_line_ras=single.a_line_ras)
    assert restored == single


@pytest.mark.parametrize("length", [0, -3, float("nan"), float("inf")])
def test_an_impossible_length_is_refused(single, length):
    with pytest.raises(InputError, match="C = .* positive number"):
        abc2_with_axes(single, c_mm=length)


def test_a_line_without_length_is_refused(single):
    with pytest.raises(InputError, match="B = 0.0 mm"):
        abc2_from_lines(single, b_line_ras=((1, 2, 3), (1, 2, 3)))


def _measured(pieces):
    mask = np.zeros((8, 30, 60), np.uint8)
    mask[1:4, 5:25, 4:34] = 1
    mask[2, 6:24, 4:34] = 1
    if pieces == 2:
        mask[3:6, 5:15, 40:52] = 1
    ct = CTVolume.regular(np.full(mask.shape, 60, np.int16), np.diag([0.9, 0.9, 5.0, 1.0]))
    abc2 = measure_mask(ct, mask).abc2
    assert abc2.pieces == pieces
    return abc2
