"""Pixel size of slices that carry none: from the skull's area, never from a head holder."""

import numpy as np
import pytest
from ct_ich_files import HALF_WIDTH_MM, TRUE_MM, slice_in_a_holder, write_slice

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.ct_ich import load_ct_ich
from ICHVolumeLib.datasets.head_scale import head_spacing_mm
from ICHVolumeLib.synthetic.backgrounds import PIXEL_MM
from ICHVolumeLib.synthetic.case_backgrounds import background_of


@pytest.fixture
def folder(tmp_path):
    for number, scale in enumerate((0.8, 0.95, 1.0, 1.0, 0.9)):
        write_slice(tmp_path / f"p001_s{number:02d}.jpg", scale=scale)
    return tmp_path


def test_a_head_in_a_holder_keeps_its_size(folder):
    head = background_of(next(load_ct_ich(folder)))
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
