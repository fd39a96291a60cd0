"""What is marked in air or outside the skull is said; a bleed at the inner table is left in peace."""

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.anatomy.head_frame import HeadFrame
from ICHVolumeLib.quality.mask_outside import check_below_floor, check_outside
from ICHVolumeLib.quality.skull import look_at_skull

SMALL = {"pixel_mm": 2.0, "columns": 90, "rows": 106, "step_mm": 5.0}


@pytest.fixture(scope="module")
def at_the_skull():
    return ellipsoid_ct("regular", center_mm=(50, 0, 0), semi_axes_mm=(14, 20, 20), **SMALL)


def noticed(phantom, mask):
    return check_outside(phantom.ct, mask > 0, look_at_skull(phantom.ct), phantom.volume_ml)


def test_a_bleed_at_the_inner_table_is_inside(at_the_skull):
    assert noticed(at_the_skull, at_the_skull.mask) == []


def test_a_band_through_the_skull_is_named_with_its_slice(at_the_skull):
    mask = at_the_skull.mask.copy()
    mask[18, 50:56, :20] = 1
    [finding] = noticed(at_the_skull, mask)
    assert finding.code == "mask-outside-head" and "slice 19" in finding.message


def test_air_is_named_where_no_skull_is_found():
    phantom = ellipsoid_ct("regular", head=False, **SMALL)
    mask = np.zeros_like(phantom.mask)
    mask[5:8, 10:20, 10:20] = 1
    assert noticed(phantom, mask)[0].code == "mask-outside-head"


def frame(ct, z_mm, good=True):
    """A frame in which the middle of the scan lies z_mm above the anterior commissure's height, 20 mm behind it."""
    middle = ct.voxel_to_ras((np.array(ct.hu.shape) - 1) / 2)
    ras_to_atlas = np.eye(4)
    ras_to_atlas[:3, 3] = np.array([0, -20, z_mm]) - middle
    return HeadFrame(ras_to_atlas, fit_mm=1.0, good=good)


def ball(phantom):
    mask = np.zeros(phantom.mask.shape, bool)
    k, j, i = (np.array(mask.shape) - 1) // 2
    mask[k - 1:k + 2, j - 4:j + 5, i - 4:i + 5] = True
    return mask


def test_a_mark_below_the_floor_of_the_skull_is_named_with_its_slices_and_size(at_the_skull):
    marked = ball(at_the_skull)
    [finding] = check_below_floor(at_the_skull.ct, marked, frame(at_the_skull.ct, -100))
    volume_ml = marked.sum() * 2 * 2 * 5 / 1000
    said_ml = float(finding.message.split()[0])
    assert finding.code == "mask-below-skull" and said_ml == pytest.approx(volume_ml, rel=0.25)  # every second pixel
    assert "slices 18 to 20" in finding.message or "slices 17 to 19" in finding.message


def test_a_mark_in_the_brain_and_one_in_a_head_of_no_good_frame_are_left_in_peace(at_the_skull):
    ct, marked = at_the_skull.ct, ball(at_the_skull)
    assert check_below_floor(ct, marked, frame(ct, 10)) == []
    assert check_below_floor(ct, marked, frame(ct, -60)) == [], "within the margin"
    assert check_below_floor(ct, marked, frame(ct, -100, good=False)) == [] == check_below_floor(ct, marked, None)
