"""Bodies as fields of distances: right places, no steps between slices, rounded ends."""

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.report.shapes import bleed_shapes, head_shapes


def extent_mm(shape):
    """(3, 2) from and to, along R, A and S."""
    kji = np.argwhere(shape.inside_mm > 0)
    ras = np.c_[kji[:, ::-1], np.ones(len(kji))] @ shape.index_to_ras[:3].T
    return np.stack([ras.min(axis=0), ras.max(axis=0)], -1)


@pytest.fixture(scope="module", params=["regular", "tilted-uneven", "flipped"])
def phantom(request):
    return ellipsoid_ct(request.param, pixel_mm=1.5, step_mm=4.0, columns=136, rows=144, noise_hu=0.0,
                        semi_axes_mm=(24.0, 16.0, 18.0), center_mm=(20.0, -30.0, 10.0))


def test_the_bleed_lies_where_the_mask_lies(phantom):
    (ich,) = bleed_shapes(phantom.ct, phantom.mask)
    assert extent_mm(ich) == pytest.approx(np.array([(-4, 44), (-46, -14), (-8, 28)]), abs=3.5)


def test_skin_holds_skull_and_both_have_their_size(phantom):
    skin, skull = map(extent_mm, head_shapes(phantom.ct))
    assert skin[:2] == pytest.approx(np.array([(-76, 76), (-92, 92)]), abs=3)
    assert skull[:2] == pytest.approx(np.array([(-72, 72), (-88, 88)]), abs=4)


def test_a_slanted_wall_has_no_steps():
    """A cylinder that leans 45 degrees, in slices 6 mm apart: its wall is straight in between."""
    slices, side = 12, 120
    columns = np.arange(side)
    mask = np.zeros((slices, side, side), np.uint8)
    for k in range(slices):
        mask[k, 40:80, np.abs(columns - 30 - 6 * k) <= 15] = 1
    ct = CTVolume.regular(np.zeros(mask.shape, np.int16), np.diag([1.0, 1, 6, 1]))
    (shape,) = bleed_shapes(ct, mask)
    k, j, i = shape.inside_mm.shape
    rows = shape.inside_mm[:, j // 2] > 0
    heights = shape.index_to_ras[2, 3] + shape.index_to_ras[2, 2] * np.arange(k)
    whole = (heights > 3) & (heights < 63)
    left = shape.index_to_ras[0, 3] + shape.index_to_ras[0, 0] * rows.argmax(axis=1)
    straight = 15 + heights
    assert np.abs(left - straight)[whole].max() < 1.6, "the wall leaves the straight line"


def test_a_label_that_is_not_there_has_no_shape_but_the_first():
    ct = CTVolume.regular(np.zeros((5, 20, 20), np.int16), np.diag([1.0, 1, 5, 1]))
    mask = np.zeros((5, 20, 20), np.uint8)
    mask[2, 5:9, 5:9] = 2
    ich, ivh = bleed_shapes(ct, mask)
    assert not (ich.inside_mm > 0).any() and (ivh.inside_mm > 0).any()
