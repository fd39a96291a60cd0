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


def test_nothing_marked_has_no_box():
    assert bounding_box(np.zeros((3, 4, 5), bool), (1, 1, 1)) is None
