"""Distances, openings and labels of areas in a slice are in millimetres, whatever the pixels."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.distance import distance_mm, nearest_label
from ICHVolumeLib.imaging.morphology import dilated, dilated_by_disk, opened

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


@pytest.mark.parametrize("reach", [(0, 0, 0), (1, 1, 1), (0, 3, 2), (2, 0, 30)])
def test_a_box_grows_as_simpleitk_grows_it(reach):
    import SimpleITK as sitk

    binary = np.random.default_rng(3).random((5, 14, 17)) > 0.97
    image = sitk.GetImageFromArray(np.pad(binary.astype(np.uint8), 31))
    grown = sitk.GetArrayFromImage(sitk.BinaryDilate(image, list(reversed(reach)), sitk.sitkBox)) > 0
    assert (dilated(binary, reach) == grown[31:-31, 31:-31, 31:-31]).all()
    assert binary.any() and not dilated(np.zeros((3, 4, 5), bool), reach).any()


def test_a_disk_grows_by_its_radius():
    area = np.zeros((41, 41), bool)
    area[20, 20] = True
    rows, columns = np.nonzero(dilated_by_disk(area, 6))
    distance = np.hypot(rows - 20, columns - 20)
    assert distance.max() <= 6.5 and len(rows) == np.count_nonzero(np.hypot(*(np.ogrid[-20:21, -20:21])) <= 6.5)
