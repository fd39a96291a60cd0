"""Openings of areas in a slice are in millimetres, whatever the pixels; boxes and disks grow by voxels."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.morphology import dilated, dilated_by_disk, opened

SPACING_MM = (0.5, 1.0)
Y, X = (axis * step for axis, step in zip(np.ogrid[:120, :60], SPACING_MM, strict=True))


def disk(radius_mm, center_mm=(30.0, 30.0)):
    return np.hypot(Y - center_mm[0], X - center_mm[1]) <= radius_mm


@pytest.mark.parametrize(("half_width_mm", "stays"), [(2.0, False), (4.6, True)])
def test_opening_takes_away_what_is_narrower_than_the_disk(half_width_mm, stays):
    bar = (np.abs(Y - 30) <= half_width_mm) & (X > 10) & (X < 50)
    assert opened(bar, 3.0, SPACING_MM).any() == stays


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
