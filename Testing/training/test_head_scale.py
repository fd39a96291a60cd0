"""Pixel size of slices that carry none: from the skull's area, never from a head holder."""

import numpy as np
import pytest
import SimpleITK as sitk

from ICHVolumeLib.errors import InputError
from ICHVolumeLib.training.backgrounds import PIXEL_MM, load_ct_ich
from ICHVolumeLib.training.head_scale import head_spacing_mm

TRUE_MM = 0.38
HALF_WIDTH_MM, HALF_LENGTH_MM = 75.0, 92.5  # an ellipse of 218 cm2


def slice_in_a_holder(spacing_mm=TRUE_MM, scale=1.0, holder=True):
    """Skull with brain in a bright head holder that is wider than the head, 8 bit, 650 x 650."""
    y, x = (np.mgrid[:650, :650] - 324.5) * spacing_mm
    y = y + 8
    inner = np.hypot(x / (HALF_WIDTH_MM * scale - 6), y / (HALF_LENGTH_MM * scale - 6)) < 1
    outer = np.hypot(x / (HALF_WIDTH_MM * scale), y / (HALF_LENGTH_MM * scale)) < 1
    image = np.select([inner, outer], [113, 255], 0)
    cup = np.abs(np.hypot(x, y) - 112) < 3
    image[holder & cup & (y > 20)] = 255
    return image.astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for number, scale in enumerate((0.8, 0.95, 1.0, 1.0, 0.9)):
        image = sitk.GetImageFromArray(slice_in_a_holder(scale=scale))
        sitk.WriteImage(image, str(tmp_path / f"p001_s{number:02d}.jpg"))
    return tmp_path


def test_a_head_in_a_holder_keeps_its_size(folder):
    head = load_ct_ich(folder)[0]
    width_mm = np.ptp(np.flatnonzero((head.hu[2] > 200)[256])) * PIXEL_MM
    assert width_mm == pytest.approx(2 * HALF_WIDTH_MM, rel=0.03)


def test_the_holder_does_not_change_the_pixel_size():
    with_it, without = (head_spacing_mm(np.stack([slice_in_a_holder(holder=holder)] * 2)) for holder in (True, False))
    assert with_it == pytest.approx(without, rel=0.01)
    assert with_it == pytest.approx(TRUE_MM, rel=0.03)


def test_an_open_skull_is_measured_on_the_slices_where_it_is_closed():
    closed = slice_in_a_holder()
    opened = closed.copy()
    opened[:, 200:450][:300] = np.minimum(opened[:, 200:450][:300], 113)
    assert head_spacing_mm(np.stack([opened, closed, opened])) == pytest.approx(TRUE_MM, rel=0.03)


def test_slices_without_a_skull_are_refused():
    with pytest.raises(InputError, match="No skull"):
        head_spacing_mm(np.zeros((2, 650, 650), np.uint8))
