"""Distances and nearest labels in a slice are in millimetres, whatever the pixels."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.distance import distance_mm, nearest_labels

SPACING_MM = (0.5, 1.0)
Y, X = (axis * step for axis, step in zip(np.ogrid[:120, :60], SPACING_MM, strict=True))
EVERYWHERE = np.ones((120, 60), bool)


def disk(radius_mm, center_mm=(30.0, 30.0)):
    return np.hypot(Y - center_mm[0], X - center_mm[1]) <= radius_mm


def test_the_distance_to_a_disk_is_that_to_its_edge():
    away = distance_mm(disk(10), SPACING_MM)
    expected = np.hypot(Y - 30, X - 30) - 10
    outside = expected > 2
    assert np.abs(away - expected)[outside].max() < 1.0
    assert (away[disk(10)] <= 0).all()
    assert (away[~disk(10)] > 0).all()


@pytest.mark.parametrize("label", [1, 2])
def test_a_slice_of_one_label_has_that_label_everywhere(label):
    assert (nearest_labels(disk(5) * np.uint8(label), EVERYWHERE, SPACING_MM) == label).all()


def test_a_pixel_gets_the_label_of_the_nearest_one_that_has_any():
    rng = np.random.default_rng(5)
    labels = np.zeros((120, 60), np.uint8)
    labels.ravel()[rng.choice(labels.size, 9, replace=False)] = rng.integers(1, 3, 9)
    wanted = rng.random(labels.shape) > 0.9
    rows, columns = np.nonzero(labels)
    away_mm = np.hypot(*((np.nonzero(wanted)[axis][:, None] - at) * step
                         for axis, at, step in zip((0, 1), (rows, columns), SPACING_MM, strict=True)))
    by_label = [away_mm[:, labels[rows, columns] == label].min(axis=1) for label in (1, 2)]
    clear = np.abs(by_label[0] - by_label[1]) > 1e-3
    expected = 1 + (by_label[1] < by_label[0])
    assert clear.sum() > 500 and (nearest_labels(labels, wanted, SPACING_MM) == expected)[clear].all()


def test_where_nothing_is_wanted_nothing_is_given():
    labels = disk(4, (30.0, 15.0)) * np.uint8(1) + disk(4, (30.0, 45.0)) * np.uint8(2)
    assert nearest_labels(labels, np.zeros(labels.shape, bool), SPACING_MM).shape == (0,)
