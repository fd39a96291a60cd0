"""Distances between outlines: against surface-distance and shapes with known answers; MONAI: test_oracles."""

import numpy as np
import pytest
from mask_pairs import GRIDS, TOLERANCE_MM, ragged_pair, scan
from phantoms import ellipsoid_ct

from ICHVolumeLib.evaluation.metrics import hd95_mm
from ICHVolumeLib.evaluation.surfaces import slice_hd95_mm, surface_scores


@pytest.mark.parametrize("spacing_mm", GRIDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distances_are_those_of_deepminds_surface_distance(spacing_mm, seed):
    oracle = pytest.importorskip("surface_distance")
    mask, truth = ragged_pair(seed)
    found = surface_scores(scan(mask.shape, spacing_mm), mask, truth, TOLERANCE_MM)
    distances = oracle.compute_surface_distances(truth, mask, spacing_mm)
    assert found.surface_hd95_mm == pytest.approx(oracle.compute_robust_hausdorff(distances, 95), abs=1e-6)
    assert found.surface_dice == pytest.approx(
        oracle.compute_surface_dice_at_tolerance(distances, TOLERANCE_MM), abs=1e-6)


@pytest.mark.parametrize("spacing_mm", GRIDS)
def test_hd95_of_a_regular_grid_is_that_of_the_distance_map(spacing_mm):
    mask, truth = ragged_pair(3)
    assert surface_scores(scan(mask.shape, spacing_mm), mask, truth, TOLERANCE_MM).hd95_mm == pytest.approx(
        hd95_mm(mask, truth, spacing_mm), abs=1e-6)


def test_every_arrangement_of_eight_voxels_has_deepminds_area():
    """Masks of noise hold nearly every one of them, also at the border of the scan."""
    oracle = pytest.importorskip("surface_distance")
    mask = np.random.default_rng(0).random((6, 12, 12)) > 0.5
    truth = np.random.default_rng(1).random((6, 12, 12)) > 0.9
    found = surface_scores(scan(mask.shape, (5.0, 0.5, 0.7)), mask, truth, 0.6)
    distances = oracle.compute_surface_distances(truth, mask, (5.0, 0.5, 0.7))
    assert found.surface_dice == pytest.approx(oracle.compute_surface_dice_at_tolerance(distances, 0.6), abs=1e-6)


def test_a_box_that_is_moved_lies_as_far_away_as_it_was_moved():
    mask, truth = np.zeros((12, 40, 40), bool), np.zeros((12, 40, 40), bool)
    mask[3:9, 10:20, 10:20], truth[3:9, 10:20, 14:24] = True, True
    found = surface_scores(scan(mask.shape, (5.0, 0.5, 0.5)), mask, truth, TOLERANCE_MM)
    assert found.hd95_mm == found.surface_hd95_mm == pytest.approx(2.0)
    assert surface_scores(scan(mask.shape, (5.0, 0.5, 0.5)), mask, truth, 2.0).surface_dice == pytest.approx(1)


def test_uneven_slices_count_by_where_they_lie():
    """Blood of slice 2 and of slice 4: 9 mm apart where their steps are 2 and 7 mm."""
    mask, truth = np.zeros((7, 20, 20), bool), np.zeros((7, 20, 20), bool)
    mask[2, 5:15, 5:15], truth[4, 5:15, 5:15] = True, True
    origins = [(0, 0, z) for z in (0, 2, 4, 6, 13, 20, 27)]
    assert surface_scores(scan(mask.shape, (4.5, 1, 1), origins), mask, truth, 1.0).hd95_mm == pytest.approx(9.0)


def test_the_tilt_of_the_gantry_does_not_change_a_distance_within_a_slice():
    """Taken as a right-angled grid, the tilted slices would lie straight above each other."""
    tilted = ellipsoid_ct("tilted", step_mm=5, columns=64, rows=64, half_height_mm=30, head=False).ct
    mask = np.zeros(tilted.hu.shape, bool)
    mask[4:9, 20:40, 20:40] = True
    assert surface_scores(tilted, np.roll(mask, 3, axis=1), mask, 1.0).hd95_mm == pytest.approx(3.0)
    lifted_mm = surface_scores(tilted, np.roll(mask, 1, axis=0), mask, 1.0).hd95_mm
    assert lifted_mm == pytest.approx(np.linalg.norm(tilted.ijk_to_ras[:3, 2]), rel=0.1)


def test_the_surface_of_a_ball_within_a_large_tolerance_is_all_of_it():
    k, j, i = np.indices((30, 30, 30))
    ball = (k - 15) ** 2 + (j - 15) ** 2 + (i - 15) ** 2 < 100
    assert surface_scores(scan(ball.shape), ball, np.roll(ball, 2, 1), 2.0).surface_dice == 1
    assert 0 < surface_scores(scan(ball.shape), ball, np.roll(ball, 2, 1), 0.5).surface_dice < 0.6


def test_one_empty_mask_has_no_distance_and_two_agree():
    empty = np.zeros((4, 8, 8), bool)
    some = empty.copy()
    some[1, 2, 2] = True
    one_sided = surface_scores(scan(empty.shape), some, empty, 1.0)
    assert (one_sided.hd95_mm, one_sided.surface_hd95_mm, one_sided.surface_dice) == (None, None, None)
    both = surface_scores(scan(empty.shape), empty, empty, 1.0)
    assert (both.hd95_mm, both.surface_dice) == (0.0, 1.0)


def test_hd95_of_a_slice_is_that_of_the_plane():
    mask, truth = np.zeros((3, 20, 20), bool), np.zeros((3, 20, 20), bool)
    mask[1, 5:9, 5:9], truth[1, 5:9, 9:13] = True, True
    ct = scan(mask.shape, (5.0, 0.5, 0.75))
    assert slice_hd95_mm(ct, mask[1], truth[1]) == pytest.approx(3.0)
    assert slice_hd95_mm(ct, mask[0], truth[0]) == 0
    assert slice_hd95_mm(ct, mask[1], truth[0]) is None
