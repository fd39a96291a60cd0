"""Dice by hand-counted voxels; two empty masks agree."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.dice import dice


def row(*values):
    return np.array(values, np.uint8)


@pytest.mark.parametrize(("first", "second", "expected"), [
    (row(1, 1, 0, 0), row(1, 0, 1, 0), 0.5), (row(1, 2, 0, 0), row(2, 1, 0, 0), 1.0), (row(1, 0), row(0, 1), 0.0),
    (row(0, 0), row(0, 0), 1.0), (row(0, 0), row(0, 1), 0.0)])
def test_dice_counts_what_both_mark_whatever_the_label(first, second, expected):
    assert dice(first, second) == expected and dice(second, first) == expected
