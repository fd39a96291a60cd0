"""A bleed's first and last slice are found by the half of its contrast that partial volume leaves there."""

from statistics import NormalDist

import numpy as np
import pytest

from ICHVolumeLib.postprocessing.local_contrast import SMOOTHING_MM, smoothed
from ICHVolumeLib.postprocessing.partial_volume_slices import SLICES, grow_end_slices

SPACING_MM, BRAIN_HU, CLOT_HU = (0.5, 0.5), 30.0, 66.0
SHAPE = (9, 120, 120)


def disk(radius_mm=8.0, center_mm=(30.0, 30.0)):
    y, x = np.ogrid[:SHAPE[1], :SHAPE[2]]
    return np.hypot(y * 0.5 - center_mm[0], x * 0.5 - center_mm[1]) <= radius_mm


def column(filled, noise_hu=2.0, clot_hu=CLOT_HU, seed=0):
    """HU of an upright cylinder that fills a share of every slice, filled (9,), with noise."""
    hu = BRAIN_HU + (clot_hu - BRAIN_HU) * np.asarray(filled)[:, None, None] * disk()
    return np.round(hu + np.random.default_rng(seed).normal(0, noise_hu, SHAPE)).astype(np.int16)


def marked(slices, label=1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[list(slices)] = disk() * np.uint8(label)
    return mask


@pytest.mark.parametrize("share", [0.7, 0.9])
def test_a_slice_that_is_more_than_half_full_is_added(share):
    hu = column([0, 0, 0, 1, 1, 1, share, 0, 0])
    mask = marked([3, 4, 5])
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == [3, 4, 5, 6]
    inwards_mm = SMOOTHING_MM * NormalDist().inv_cdf(0.5 / share)  # where the smoothed edge has half the contrast
    assert mask[6].sum() * 0.25 == pytest.approx(np.pi * (8 - inwards_mm) ** 2, rel=0.05)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_slice_that_is_less_than_half_full_is_not(share):
    hu = column([0, 0, share, 1, 1, 1, share, 0, 0])
    mask = marked([3, 4, 5])
    before = mask.copy()
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert (mask == before).all()


def test_both_ends_grow_and_the_network_s_own_slices_stay_as_they_are():
    hu = column([0, 0.8, 1, 1, 1, 1, 1, 0.8, 0])
    mask = marked([3, 4, 5])
    before = mask.copy()
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == list(range(3 - SLICES, 6 + SLICES))
    assert (mask[3:6] == before[3:6]).all()


def test_a_half_full_end_next_to_an_end_that_is_no_full_slice_itself_is_not_added():
    """The contrast is the highest of three slices: half of a half is not blood."""
    hu = column([0, 0, 0, 1, 1, 0.6, 0.35, 0, 0])
    mask = marked([3, 4, 5])
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not mask[6].any()


def test_bone_next_door_is_not_blood():
    hu = column([0, 0, 0, 1, 1, 1, 0, 0, 0])
    hu[6][disk()] = 700
    mask = marked([3, 4, 5])
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not mask[6].any()


def test_in_brain_as_uneven_as_the_bleed_is_bright_nothing_is_added():
    hu = column([0, 0, 0, 1, 1, 1, 0.8, 0, 0], clot_hu=44.0)
    folds = 12 * np.sin(np.arange(SHAPE[2]) / 5)[None, :] * np.ones((SHAPE[1], 1))
    hu[6] = np.round(hu[6] + folds)
    mask = marked([3, 4, 5])
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not mask[6].any()


def test_what_is_faint_already_does_not_grow():
    hu = column([0, 0, 0, 1, 1, 1, 1, 0, 0], clot_hu=BRAIN_HU + 7)
    mask = marked([3, 4, 5])
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not mask[6].any()


@pytest.mark.parametrize("label", [1, 2])
def test_the_new_voxels_get_the_label_beside_them(label):
    mask = marked([3, 4, 5], label)
    grow_end_slices(mask, smoothed(column([0, 0, 0, 1, 1, 1, 0.9, 0, 0]), SPACING_MM), SPACING_MM)
    assert set(np.unique(mask[6])) == {0, label}


def test_a_bleed_in_the_last_slice_has_nowhere_to_grow():
    mask = marked([6, 7, 8])
    before = mask.copy()
    grow_end_slices(mask, smoothed(column([0, 0, 0, 0, 0, 0, 1, 1, 1]), SPACING_MM), SPACING_MM)
    assert (mask == before).all()


def test_what_another_bleed_beyond_the_gap_has_marked_keeps_its_label():
    mask = marked([3, 4, 5])
    mask[7][disk()] = 2
    grow_end_slices(mask, smoothed(column([0, 0, 0, 1, 1, 1, 1, 1, 0]), SPACING_MM), SPACING_MM)
    assert mask[6].any()
    assert (mask[7][disk()] == 2).all()


def test_what_is_far_brighter_than_the_bleed_beside_it_is_another_thing():
    hu = column([0, 0, 0, 1, 1, 1, 0, 0, 0], clot_hu=50.0)
    hu[6, disk()] = 80  # two and a half times the contrast, and no bone
    mask = marked([3, 4, 5])
    grow_end_slices(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not mask[6].any()
