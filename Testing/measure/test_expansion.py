"""Hematoma expansion at its boundaries; differences are exact."""

import pytest

from ICHVolumeLib.core.result import VolumeMl
from ICHVolumeLib.measure import compare_volumes


@pytest.mark.parametrize("first, second, expanded, revised", [
    ((40, 0), (46, 0), False, False),  # exactly 6 mL and 15 %
    ((40, 0), (46.5, 0), True, True),
    ((10, 0), (13.25, 0), False, False),  # 32.5 %
    ((10, 0), (13.5, 0), True, True),
    ((10, 0), (10, 0.2), False, True),  # new ventricular blood
    ((10, 3), (10, 3.75), False, False),
    ((10, 3), (10, 4), False, True),  # exactly 1 mL more
    ((50, 5), (20, 5), False, False),
    ((0, 0), (2, 0), False, False),
    ((0, 0), (7, 0), True, True),
])
def test_both_definitions_at_their_boundaries(first, second, expanded, revised):
    result = compare_volumes(_volume(*first), _volume(*second))
    assert (result.expanded, result.expanded_revised) == (expanded, revised)


def test_differences_are_second_minus_first():
    result = compare_volumes(_volume(40, 8), _volume(30, 5))
    assert (result.ich_ml, result.ich_percent, result.ivh_ml, result.new_ivh) == (-10, -25, -3, False)


def test_growth_from_nothing_has_no_percentage():
    assert compare_volumes(_volume(0, 0), _volume(5, 1)).ich_percent is None


def _volume(ich, ivh):
    return VolumeMl(total=ich + ivh, ich=ich, ivh=ivh, paper_formula=ich + ivh)
