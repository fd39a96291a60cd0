"""What was followed as the septum is believed only where slices and third ventricle agree: never a wrong shift."""

import numpy as np
import pytest
from provoking_heads import KINDS, provoking_head

from ICHVolumeLib.anatomy.mass_effect import measure_mass_effect
from ICHVolumeLib.anatomy.midline import Path
from ICHVolumeLib.anatomy.midline_checks import NO_MIDDLE, ONE_SLICE, SCATTERED, believed, on_one_surface
from ICHVolumeLib.anatomy.midplane import IdealLine, SlicePlane


def path(height_mm: float, away_mm, s_mm=None) -> Path:
    """Rows that lie away_mm to the right of a line that runs straight to the front, in the slice at this height."""
    s_mm = np.arange(0.0, 30.0) if s_mm is None else s_mm
    plane = SlicePlane(round(height_mm), np.array([0, 0, height_mm]), np.array([0.0, 1, 0]), np.array([1.0, 0, 0]))
    line = IdealLine(plane, (80.0, 0.0), (-80.0, 0.0), (10.0, 10.0))
    return Path(line, s_mm, np.broadcast_to(away_mm, len(s_mm)).astype(float), np.ones(len(s_mm)))


def test_slices_that_agree_with_the_third_ventricle_are_believed():
    septum = [path(height, 6.0 - height / 10) for height in (8, 12, 16)]
    middle = believed(septum, [path(0, 4.5), path(4, 5.0)])
    assert not middle.reason and [one.line.plane.k for one in middle.paths] == [8, 12, 16]


def test_a_septum_far_from_the_third_ventricle_is_not_believed():
    middle = believed([path(height, 8.0) for height in (8, 12, 16)], [path(0, 0.2), path(4, 0.1)])
    assert not middle.paths and "8 mm to the right, the third ventricle in the middle" in middle.reason


def test_rows_beside_the_surface_of_the_others_do_not_count():
    """In one slice the path leaves the septum for the gap beside the third ventricle."""
    rows = np.arange(0.0, 30.0)
    astray = path(12, np.where(rows < 10, -8.0, 0.5))
    kept, share = on_one_surface([path(8, 0.5), astray, path(16, 0.5), path(20, 0.5)])
    assert share == pytest.approx(110 / 120, abs=0.02)
    assert max(abs(one.largest[0]) for one in kept) < 1.0


def test_slices_that_do_not_agree_are_not_believed():
    assert believed([path(8, 9.0), path(12, -6.0), path(16, 5.0), path(20, -9.0)], []).reason == SCATTERED


def test_one_slice_alone_shows_no_large_shift():
    assert believed([path(8, 5.0)], []).reason == ONE_SLICE
    assert believed([path(8, 1.0)], []).paths
    assert believed([path(8, 5.0)], [path(0, 5.0)]).paths


def test_the_third_ventricle_alone_is_told_but_is_no_shift():
    middle = believed([], [path(0, -4.0), path(4, -4.2)])
    assert not middle.paths and "third ventricle lies 4 mm to the left" in middle.reason
    assert believed([], []).reason == NO_MIDDLE


HARDEST = ("hole beside the other horn, one filled", "one horn closed", "holes on both sides, third closed")


@pytest.mark.slow
@pytest.mark.parametrize("kind", HARDEST)
def test_a_head_made_to_provoke_a_wrong_shift_gives_none(kind):
    """In the first of them a shift of 20 mm was said where there is none."""
    number = list(KINDS).index(kind)
    _, _, head = provoking_head(number, size=128)
    shift, _ = measure_mass_effect(head.ct, head.mask, head.frame)
    assert shift.shift_mm is None or shift.shift_mm <= 3.0
    assert shift.shift_mm is not None or shift.reason
