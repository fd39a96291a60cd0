"""Volumes against the analytic ellipsoid on every kind of slice grid."""

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct, with_info

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.measure import measure_mask


@pytest.mark.parametrize("grid", GRIDS)
def test_an_ellipsoid_keeps_its_volume_on_every_grid(grid):
    bleed = ellipsoid_ct(grid, head=False)
    assert measure_mask(bleed.ct, bleed.mask).volume_ml.ich == pytest.approx(bleed.volume_ml, rel=0.01)


@pytest.mark.parametrize("tilt_deg", [10, 20, 30])
def test_the_product_of_spacings_would_be_wrong_where_the_gantry_is_tilted(tilt_deg):
    bleed = ellipsoid_ct("tilted", head=False, tilt_deg=tilt_deg)
    spacings = np.linalg.norm(bleed.ct.ijk_to_ras[:3, :3], axis=0)
    by_product = bleed.mask.sum() * spacings.prod() / 1000
    assert by_product / bleed.volume_ml == pytest.approx(1 / np.cos(np.radians(tilt_deg)), rel=0.01)
    assert measure_mask(bleed.ct, bleed.mask).volume_ml.total == pytest.approx(bleed.volume_ml, rel=0.01)


def test_unequal_slabs_count_by_their_own_height():
    ct = _stack([0, 2, 4, 10, 16])
    mask = np.zeros((5, 4, 4), np.uint8)
    mask[2, :, :2] = 1  # 8 voxels in a slab that reaches 1 mm down and 3 mm up
    assert measure_mask(ct, mask).volume_ml.ich == pytest.approx(8 * 4 / 1000)


def test_ich_and_ivh_are_counted_apart_and_add_up():
    mask = np.zeros((5, 4, 4), np.uint8)
    mask[1, 0, :3], mask[3, 2, :2] = 1, 2
    volume_ml = measure_mask(_stack([0, 5, 10, 15, 20]), mask).volume_ml
    assert (volume_ml.ich, volume_ml.ivh) == pytest.approx((0.015, 0.010))
    assert volume_ml.total == volume_ml.ich + volume_ml.ivh


def test_the_papers_formula_uses_the_slice_thickness_of_the_file():
    bleed = ellipsoid_ct("overlapping", head=False)  # 2.5 mm apart, 5 mm thick
    volume_ml = measure_mask(bleed.ct, bleed.mask).volume_ml
    assert volume_ml.paper_formula == pytest.approx(2 * volume_ml.total)
    assert volume_ml.total == pytest.approx(bleed.volume_ml, rel=0.01)


def test_without_a_slice_thickness_the_papers_formula_takes_the_median_step():
    bleed = ellipsoid_ct("regular", head=False)
    volume_ml = measure_mask(with_info(bleed.ct, slice_thickness_mm=None), bleed.mask).volume_ml
    assert volume_ml.paper_formula == pytest.approx(volume_ml.total)


def test_an_empty_mask_measures_zero_and_has_no_abc2():
    measurement = measure_mask(_stack([0, 5, 10]), np.zeros((3, 4, 4), np.uint8))
    assert (measurement.volume_ml.total, measurement.volume_ml.paper_formula) == (0, 0)
    assert measurement.abc2 is None and measurement.components == [] and not measurement.found


def test_a_boolean_mask_is_ich():
    mask = np.zeros((3, 4, 4), bool)
    mask[1, 1, 1] = True
    assert measure_mask(_stack([0, 5, 10]), mask).volume_ml.ich == pytest.approx(0.005)


@pytest.mark.parametrize("mask, words", [
    (np.zeros((3, 4, 5), np.uint8), "resample"),
    (np.full((3, 4, 4), 3, np.uint8), "value 3"),
    (np.full((3, 4, 4), 0.5), "whole numbers"),
    (np.full((3, 4, 4), -1, np.int16), "no labels"),
])
def test_a_mask_that_does_not_fit_is_refused_in_words(mask, words):
    with pytest.raises(InputError, match=words):
        measure_mask(_stack([0, 5, 10]), mask)


def _stack(positions_mm):
    """4 x 4 pixels of 1 mm, slices at these positions."""
    origins = np.zeros((len(positions_mm), 3))
    origins[:, 2] = positions_mm
    matrix = np.diag([1, 1, (positions_mm[-1] - positions_mm[0]) / (len(positions_mm) - 1), 1.0])
    return CTVolume(np.full((len(positions_mm), 4, 4), 60, np.int16), matrix, origins)
