"""The box of what is marked, against numpy's own indices."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.boxes import bounding_box


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("margin", [(0, 0, 0), (1, 2, 3), (40, 40, 40)])
def test_the_box_holds_everything_and_its_margin_and_stays_in_the_array(seed, margin):
    rng = np.random.default_rng(seed)
    marked = np.zeros((9, 20, 30), bool)
    marked[tuple(rng.integers(0, size, 4) for size in marked.shape)] = True
    expected = tuple(slice(max(found.min() - more, 0), min(found.max() + 1 + more, size))
                     for found, more, size in zip(np.nonzero(marked), margin, marked.shape, strict=True))
    assert bounding_box(marked, margin) == expected


def test_one_slice_has_a_box_of_rows_and_columns():
    marked = np.zeros((20, 30), bool)
    marked[[4, 9], [25, 11]] = True
    assert bounding_box(marked, (1, 5)) == (slice(3, 11), slice(6, 30))


@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 5), (0, 4, 5), (0, 0)])
def test_nothing_marked_has_no_box(shape):
    assert bounding_box(np.zeros(shape, bool), (1,) * len(shape)) is None
