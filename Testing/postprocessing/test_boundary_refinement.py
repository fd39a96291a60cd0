"""An outline that lies a little off comes to lie where half of the contrast is."""

from statistics import NormalDist

import numpy as np
import pytest

from ICHVolumeLib.postprocessing.boundary_refinement import (
    BLOOD,
    INWARDS_MM,
    NO_BLOOD,
    OUTWARDS_MM,
    refine_boundaries,
)
from ICHVolumeLib.postprocessing.local_contrast import SMOOTHING_MM, smoothed

SPACING_MM, BRAIN_HU, CLOT_HU = (0.5, 0.5), 30, 66
SHAPE = (3, 160, 160)
Y, X = (axis * 0.5 for axis in np.ogrid[:SHAPE[1], :SHAPE[2]])


def disk(radius_mm, center_mm=(40.0, 40.0)):
    return np.hypot(Y - center_mm[0], X - center_mm[1]) <= radius_mm


def head(area, clot_hu=CLOT_HU, noise_hu=2.0):
    hu = np.where(area, clot_hu, BRAIN_HU) + np.random.default_rng(0).normal(0, noise_hu, SHAPE)
    return np.round(hu).astype(np.int16)


def marked(area, label=1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[1, area] = label
    return mask


def equivalent_radius_mm(mask):
    return np.sqrt(np.count_nonzero(mask) * 0.25 / np.pi)


def smoothed_radius_mm(share):
    """Where a smoothed edge at 9 mm has this share of its contrast."""
    return 9 - SMOOTHING_MM * NormalDist().inv_cdf(share)


@pytest.mark.parametrize(("drawn_mm", "comes_to_mm"), [
    (7.0, smoothed_radius_mm(BLOOD)), (9.0, 9.0), (10.0, smoothed_radius_mm(NO_BLOOD))])
def test_an_outline_too_far_in_moves_out_one_too_far_out_moves_in_and_a_right_one_stays(drawn_mm, comes_to_mm):
    mask = marked(disk(drawn_mm))
    refine_boundaries(mask, smoothed(head(disk(9)), SPACING_MM), SPACING_MM)
    assert equivalent_radius_mm(mask[1]) == pytest.approx(comes_to_mm, abs=0.15)


def test_it_moves_out_only_so_far():
    mask = marked(disk(6))
    refine_boundaries(mask, smoothed(head(disk(14)), SPACING_MM), SPACING_MM)
    assert equivalent_radius_mm(mask[1]) == pytest.approx(6 + OUTWARDS_MM, abs=0.4)


def test_a_dark_middle_is_left_as_the_network_has_it():
    """A clot may be uneven inside: a swirl, a fluid level."""
    hu = head(disk(12) & ~disk(4))
    mask = marked(disk(12))
    refine_boundaries(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert mask[1][disk(12 - INWARDS_MM - 0.5)].all()


def test_bone_beside_a_bleed_is_not_added():
    hu = head(disk(9))
    hu[:, :, int(2 * 47):] = 900
    mask = marked(disk(7))
    refine_boundaries(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not mask[1][:, int(2 * 48):].any()


def test_a_thin_thread_is_not_added():
    thread = (np.abs(Y - 40) <= 0.6) & (X > 40) & (X < 60)
    mask = marked(disk(9))
    refine_boundaries(mask, smoothed(head(disk(9) | thread), SPACING_MM), SPACING_MM)
    assert not mask[1][:, int(2 * 50.5):].any()


def test_a_spot_near_a_bleed_but_apart_from_it_is_not_added():
    mask = marked(disk(6))
    refine_boundaries(mask, smoothed(head(disk(6) | disk(1.8, (40.0, 50.4)), noise_hu=0.0), SPACING_MM), SPACING_MM)
    assert not mask[1][:, int(2 * 48.2):].any()


@pytest.mark.parametrize(("clot_hu", "noise_hu"), [(BRAIN_HU + 7, 1.0), (BRAIN_HU + 12, 45.0)])
def test_a_faint_bleed_or_one_in_uneven_brain_keeps_its_outline(clot_hu, noise_hu):
    mask = marked(disk(7))
    refine_boundaries(mask, smoothed(head(disk(9), clot_hu, noise_hu), SPACING_MM), SPACING_MM)
    assert (mask == marked(disk(7))).all()


def test_other_blood_keeps_its_label_and_new_voxels_get_the_nearest():
    mask = marked(disk(7) & (X < 40), 1) + marked(disk(7) & (X >= 40), 2)
    before = mask.copy()
    refine_boundaries(mask, smoothed(head(disk(9)), SPACING_MM), SPACING_MM)
    assert (mask[before > 0] == before[before > 0]).mean() > 0.99
    assert set(np.unique(mask[1][:, :int(2 * 39)])) == {0, 1}
    assert set(np.unique(mask[1][:, int(2 * 41):])) == {0, 2}


def test_an_outline_does_not_move_into_what_is_far_brighter_than_the_bleed():
    clot, neighbour = disk(9), disk(12) & ~disk(9) & (X > 40)
    hu = head(clot, clot_hu=50)
    hu[:, neighbour] = 80  # two and a half times the contrast, and no bone
    mask = marked(clot)
    refine_boundaries(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert np.count_nonzero(mask[1] & neighbour) < 0.1 * neighbour.sum()
