"""Brain that jumps from slice to slice is said: a slope that changed leaves air where it was."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.quality.brain_levels import check_brain_levels

SMALL = {"pixel_mm": 2.0, "columns": 90, "rows": 106, "step_mm": 5.0}


@pytest.fixture(scope="module")
def head():
    return ellipsoid_ct("regular", **SMALL).ct


def with_slope(ct, slope, slices):
    hu = ct.hu.astype(float)
    hu[slices] = (hu[slices] + 1024) * slope - 1024
    return replace(ct, hu=np.rint(hu).astype(np.int16))


def test_a_sound_head_does_not_jump(head):
    assert check_brain_levels(head) == []


@pytest.mark.parametrize("slope", [0.98, 1.02])
def test_another_slope_in_some_slices_is_named_with_its_place(head, slope):
    [finding] = check_brain_levels(with_slope(head, slope, slice(18, 24)))
    assert finding.code == "slice-levels"
    assert "between slice 18 and 19 by 21 HU" in finding.message


def test_a_large_bleed_is_no_other_level():
    assert check_brain_levels(ellipsoid_ct("regular", semi_axes_mm=(35, 30, 30), **SMALL).ct) == []


def test_darker_brain_at_the_vertex_is_named(head):
    assert check_brain_levels(with_slope(head, 0.97, slice(29, 37)))
