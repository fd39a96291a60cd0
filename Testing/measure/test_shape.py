"""The shape class by its geometric rule, and the published error that goes with it."""

import numpy as np
import pytest

from ICHVolumeLib.measure.shape import EXPECTED_ERROR_PERCENT, shape_class


def test_the_published_errors():
    assert EXPECTED_ERROR_PERCENT == {"regular": 9.8, "irregular": 18.4, "multilobular": 39.1}


@pytest.mark.parametrize("radius", [1, 2, 3.5, 6, 20, 40])
@pytest.mark.parametrize("squeeze", [1, 0.5])
def test_ellipses_of_any_size_are_regular(radius, squeeze):
    assert _class(_discs([(0, 0, radius)], squeeze)) == "regular"


@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 9), (2, 2), (5, 30)])
def test_rectangles_down_to_one_pixel_are_regular(rows, columns):
    assert _class(np.ones((rows, columns), bool)) == "regular"


def test_a_slanted_bar_is_regular():
    j, i = np.mgrid[:60, :60]
    assert _class(np.abs(j - i) < 6) == "regular"


def test_an_l_is_irregular():
    picture = np.ones((40, 40), bool)
    picture[:28, 12:] = False
    assert _class(picture) == "irregular"


def test_a_crescent_is_irregular():
    assert _class(_discs([(0, 0, 30)]) & ~_discs([(22, 0, 26)])) == "irregular"


def test_two_lobes_with_a_waist_are_multilobular():
    assert _class(_discs([(-18, 0, 20), (18, 0, 20)])) == "regular"  # hardly a waist
    assert _class(_discs([(-24, 0, 20), (24, 0, 20)]) | _bar(24, 6)) == "multilobular"


def test_a_clover_is_multilobular():
    turns = np.arange(3) * 2 * np.pi / 3
    assert _class(_discs([(24 * np.cos(a), 24 * np.sin(a), 14) for a in turns] + [(0, 0, 14)])) == "multilobular"


def test_a_slice_in_two_parts_is_multilobular():
    assert _class(_discs([(-30, 0, 15), (30, 0, 15)])) == "multilobular"


def test_a_crumb_beside_a_disc_changes_nothing():
    assert _class(_discs([(0, 0, 30), (33, 0, 1)])) == "regular"


def test_a_hole_is_one_bay():
    assert _class(_discs([(0, 0, 30)]) & ~_discs([(0, 0, 15)])) == "irregular"


def _class(picture):
    rectangles = []
    for j, row in enumerate(np.pad(picture, ((0, 0), (1, 1))).astype(int)):
        edges = np.flatnonzero(np.diff(row))
        rectangles += [(j + 7, i0 + 3, i1 + 3) for i0, i1 in edges.reshape(-1, 2)]
    return shape_class(np.array(rectangles))


def _discs(discs, squeeze=1):
    j, i = np.mgrid[-60:61, -60:61]
    return np.any([(i - x) ** 2 + ((j - y) / squeeze) ** 2 <= r ** 2 for x, y, r in discs], axis=0)


def _bar(half_length, half_width):
    j, i = np.mgrid[-60:61, -60:61]
    return (np.abs(i) <= half_length) & (np.abs(j) <= half_width)
