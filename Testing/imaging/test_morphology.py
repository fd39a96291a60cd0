"""Distances, openings and labels of areas in a slice are in millimetres, whatever the pixels."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.distance import distance_mm, nearest_label
from ICHVolumeLib.imaging.morphology import opened

SPACING_MM = (0.5, 1.0)
Y, X = (axis * step for axis, step in zip(np.ogrid[:120, :60], SPACING_MM, strict=True))


def disk(radius_mm, center_mm=(30.0, 30.0)):
    return np.hypot(Y - center_mm[0], X - center_mm[1]) <= radius_mm


def test_the_distance_to_a_disk_is_that_to_its_edge():
    away = distance_mm(disk(10), SPACING_MM)
    expected = np.hypot(Y - 30, X - 30) - 10
    outside = expected > 2
    assert np.abs(away - expected)[outside].max() < 1.0
    assert (away[disk(10)] <= 0).all()
    assert (away[~disk(10)] > 0).all()


@pytest.mark.parametrize(("half_width_mm", "stays"), [(2.0, False), (4.6, True)])
def test_opening_takes_away_what_is_narrower_than_the_disk(half_width_mm, stays):
    bar = (np.abs(Y - 30) <= half_width_mm) & (X > 10) & (X < 50)
    assert opened(bar, 3.0, SPACING_MM).any() == stays


@pytest.mark.parametrize("label", [1, 2])
def test_a_slice_of_one_label_has_that_label_everywhere(label):
    assert (nearest_label(disk(5) * np.uint8(label), SPACING_MM) == label).all()


def test_between_two_labels_the_nearer_one_is_taken():
    labels = disk(4, (30.0, 15.0)) * np.uint8(1) + disk(4, (30.0, 45.0)) * np.uint8(2)
    nearest = nearest_label(labels, SPACING_MM)
    assert (nearest[:, :29] == 1).all()
    assert (nearest[:, 32:] == 2).all()
