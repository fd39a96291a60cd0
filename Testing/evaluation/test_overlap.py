"""Overlap of masks: by hand, and each kind of average against its own definition."""

import numpy as np
import pytest
from mask_pairs import ragged_pair

from ICHVolumeLib.evaluation.overlap import (
    Overlap,
    empties,
    per_bleeding_slice,
    per_case,
    per_slice_with_empties,
    pooled,
    slice_overlaps,
    spread,
)

PERFECT, HALF, MISSED, ALARM, CLEAN = (Overlap(10, 0, 0), Overlap(5, 5, 5), Overlap(0, 0, 8), Overlap(0, 6, 0),
                                       Overlap(0, 0, 0))


def test_scores_of_two_boxes_are_what_is_counted_by_hand():
    """6 and 6 columns of 10 that share 3: Dice 1/2, IoU 1/3;"""
    mask, truth = np.zeros((2, 10, 10)), np.zeros((2, 10, 10))
    mask[:, :, :6], truth[:, :, 3:9] = 1, 2
    assert Overlap.of(mask, truth).scores() == {"dice": 0.5, "iou": 1 / 3, "sensitivity": 0.5, "ppv": 0.5}
    assert Overlap.of(mask, truth[:, ::-1]) == Overlap(60, 60, 60)


def test_dice_and_iou_of_one_mask_belong_together():
    """IoU = D / (2 - D), which is how a pooled table is told from an averaged one."""
    found = Overlap.of(*ragged_pair(1))
    assert found.iou == pytest.approx(found.dice / (2 - found.dice))


def test_what_is_not_defined_is_none_and_no_number_that_could_be_averaged():
    assert MISSED.scores() == {"dice": 0, "iou": 0, "sensitivity": 0, "ppv": None}
    assert ALARM.scores() == {"dice": 0, "iou": 0, "sensitivity": None, "ppv": 0}
    assert set(CLEAN.scores().values()) == {None}


def test_a_missed_bleed_counts_in_the_mean_of_the_cases_and_a_scan_without_blood_does_not():
    found = per_case([PERFECT, HALF, MISSED, ALARM, CLEAN])
    assert found["dice"]["n"] == 3 and found["dice"]["mean"] == pytest.approx(0.5)
    assert found["ppv"]["n"] == 2 and found["ppv"]["mean"] == pytest.approx(0.75)


def test_empties_of_one_side_are_counted_apart():
    assert empties([PERFECT, HALF, MISSED, ALARM, CLEAN]) == {"both_empty": 1, "missed": 1, "false_alarms": 1}


def test_pooled_scores_are_those_of_all_voxels_together():
    found = pooled([PERFECT, HALF, MISSED, ALARM, CLEAN])
    assert found["dice"] == pytest.approx(2 * 15 / (2 * 15 + 11 + 13))
    assert found["iou"] == pytest.approx(found["dice"] / (2 - found["dice"]))
    assert pooled([])["dice"] is None


def test_empty_slices_lift_the_mean_as_in_the_papers_table_2():
    """Of ten slices seven are empty in both masks: .75 per bleeding slice reads .85 with empties."""
    slices = [PERFECT, HALF, ALARM]
    assert per_bleeding_slice(slices)["dice"]["mean"] == pytest.approx(0.75)
    with_empties = per_slice_with_empties(slices, 10)
    assert with_empties["dice"]["mean"] == pytest.approx((1 + 0.5 + 0 + 7) / 10)
    assert with_empties["sensitivity"]["n"] == with_empties["ppv"]["n"] == 10


def test_only_slices_with_a_mark_are_kept_by_their_index():
    mask, truth = np.zeros((5, 4, 4), np.uint8), np.zeros((5, 4, 4), np.uint8)
    mask[1, :2], truth[1, 1:3], truth[3, 0, 0] = 1, 2, 1
    assert slice_overlaps(mask, truth) == {1: Overlap(4, 4, 4), 3: Overlap(0, 0, 1)}


def test_spread_gives_mean_sd_median_and_quartiles_of_what_is_known():
    found = spread([1.0, None, 2.0, 3.0, 4.0, 10.0])
    assert found == {"n": 5, "mean": 4.0, "sd": pytest.approx(np.std([1, 2, 3, 4, 10], ddof=1)), "median": 3.0,
                     "q1": 2.0, "q3": 4.0}
    assert spread([None]) is None and spread([2.0])["sd"] is None
