"""What is marked in air or outside the skull is said; a bleed at the inner table is left in peace."""

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.quality.mask_outside import check_outside
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
