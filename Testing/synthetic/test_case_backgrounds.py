"""Cases of data sets as heads: turned and scaled as backgrounds lie, and only those that are known not to bleed."""

import numpy as np
import pytest

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.case import DatasetCase
from ICHVolumeLib.synthetic.backgrounds import PIXEL_MM
from ICHVolumeLib.synthetic.case_backgrounds import background_of, backgrounds_of, rescale


def head_case(name="a", *, pixel_mm=(0.9, 0.9), columns_to_left=True, up=True, mark=None):
    """A round head with a calcification right, in front and at the bottom; columns_to_left, up: how it is stored."""
    size = [round(200 / one) for one in pixel_mm]
    y, x = ((np.arange(n) - (n - 1) / 2) * one for n, one in zip(size, pixel_mm, strict=True))
    radius = np.hypot(*np.meshgrid(x, y))
    one = np.select([radius < 65, radius < 72, radius < 80], [32, 900, 40], -1000).astype(np.int16)
    hu = np.repeat(one[None], 4, axis=0)
    hu[0, (y[:, None] < -20) & (y[:, None] > -30) & (x < -30) & (x > -40)] = 300
    steps = np.array([pixel_mm[1] * (-1 if columns_to_left else 1), -pixel_mm[0], 5.0 * (1 if up else -1)])
    hu = hu[:: 1 if up else -1, :, :: 1 if columns_to_left else -1].copy()
    truth = None if mark is None else np.full(hu.shape, mark, np.uint8)
    return DatasetCase(name, CTVolume.regular(hu, np.diag([*steps, 1.0])), truth, "CC0", dataset="mine")


@pytest.mark.parametrize("stored", [{}, {"columns_to_left": False}, {"up": False}, {"pixel_mm": (0.9, 0.6)}])
def test_a_head_lies_as_backgrounds_do_however_it_is_stored(stored):
    head = background_of(head_case(**stored))
    assert (head.patient, head.kind, head.step_mm, head.hu.shape) == ("a", "mine", 5.0, (4, 512, 512))
    rows, columns = np.nonzero((head.hu[0] > 200) & (head.hu[1] < 100))
    assert (np.mean(rows) - 255.5) * PIXEL_MM == pytest.approx(-25, abs=1)  # front
    assert (np.mean(columns) - 255.5) * PIXEL_MM == pytest.approx(-35, abs=1)  # the patient's right
    width_mm = np.ptp(np.flatnonzero((head.hu[2] > 500)[256])) * PIXEL_MM
    assert width_mm == pytest.approx(144, abs=2)


def test_cases_with_blood_are_passed_over_and_unmarked_ones_refused():
    assert [one.patient for one in backgrounds_of([head_case("a", mark=1), head_case("b", mark=0)])] == ["b"]
    with pytest.raises(InputError, match="c: has no mask.*not known"):
        list(backgrounds_of([head_case("c")]))


def test_labels_stay_labels():
    labels = np.zeros((100, 100), np.uint8)
    labels[40:60, 40:60] = 255
    scaled = rescale(labels, 0.9, nearest=True)
    assert scaled.dtype == np.uint8 and set(np.unique(scaled)) == {0, 255}
    assert np.count_nonzero(scaled) == pytest.approx(20 * 20 * 4, rel=0.06)
