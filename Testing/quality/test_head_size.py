"""A voxel size that no head fits is said; the oracle is an ellipsoid of a head's size."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct, with_info

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.quality.head_size import check_head_size

SMALL = {"pixel_mm": 2.0, "columns": 90, "rows": 106, "step_mm": 5.0}


@pytest.fixture(scope="module")
def head():
    return with_info(ellipsoid_ct("regular", **SMALL).ct, patient_age_years=None)


def stretched(ct, *factors):
    return CTVolume.regular(ct.hu, np.diag([*factors, 1.0]) @ ct.ijk_to_ras, ct.info)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_head_has_the_size_of_a_head(grid):
    assert check_head_size(ellipsoid_ct(grid, **SMALL).ct) == []


@pytest.mark.parametrize("factor", [0.25, 0.4, 2.0, 4.0])
def test_slices_that_lie_too_near_or_too_far_are_seen_at_the_cap(head, factor):
    [finding] = check_head_size(stretched(head, 1, 1, factor))
    assert finding.code == "head-size" and "the skull rises" in finding.message


def test_a_head_half_as_large_is_seen_at_its_area(head):
    [finding] = check_head_size(stretched(head, 0.5, 0.5, 0.5))
    assert "42 cm2" in finding.message or "43 cm2" in finding.message  # pi x 66 x 82 / 4 mm2


def test_a_child_may_have_a_small_head(head):
    small = stretched(head, 0.7, 0.7, 0.7)
    assert check_head_size(small)
    assert check_head_size(replace(small, info=replace(small.info, patient_age_years=0.5))) == []


def test_a_slab_without_vertex_and_base_says_nothing(head):
    middle = slice(14, 22)
    assert check_head_size(CTVolume.regular(head.hu[middle], head.ijk_to_ras, head.info)) == []
