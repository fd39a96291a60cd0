"""Metrics against published examples and shapes with known answers."""

import numpy as np
import pytest

from ICHVolumeLib.evaluation.metrics import (
    bland_altman,
    bootstrap_interval,
    concordance,
    hd95_mm,
    icc_a1,
    icc_a1_of_table,
)
from ICHVolumeLib.imaging.dice import dice

# Shrout & Fleiss 1979, Table 2: six subjects, four judges; ICC(2,1) = .29
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def test_icc_reproduces_shrout_and_fleiss():
    assert icc_a1_of_table(SHROUT_FLEISS) == pytest.approx(0.29, abs=0.005)


def test_icc_falls_when_one_rater_is_shifted_because_it_asks_for_absolute_agreement():
    values = np.array([1.0, 5, 9, 20, 33, 48])
    assert icc_a1(values, values) == pytest.approx(1)
    assert icc_a1(values + 10, values) < 0.95


def test_concordance_is_lins_formula():
    first, second = np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 4, 5])
    assert concordance(first, second) == pytest.approx(2 * 1.25 / (1.25 + 1.25 + 1))


def test_dice_of_overlapping_boxes():
    first, second = np.zeros((2, 10, 10)), np.zeros((2, 10, 10))
    first[:, :, :6], second[:, :, 3:9] = 1, 1
    assert dice(first, second) == pytest.approx(0.5)
    assert dice(first * 0, second * 0) == 1
    assert dice(first, second * 0) == 0


def test_hd95_of_two_shifted_boxes_is_the_shift_in_mm():
    first, second = np.zeros((12, 40, 40)), np.zeros((12, 40, 40))
    first[3:9, 10:20, 10:20], second[3:9, 10:20, 14:24] = 1, 1
    assert hd95_mm(first, second, (5.0, 0.5, 0.5)) == pytest.approx(2.0)


def test_hd95_counts_slices_by_their_height():
    first, second = np.zeros((12, 20, 20)), np.zeros((12, 20, 20))
    first[3, 5:15, 5:15], second[5, 5:15, 5:15] = 1, 1
    assert hd95_mm(first, second, (5.0, 0.5, 0.5)) == pytest.approx(10.0)


def test_hd95_of_one_empty_mask_is_not_a_number_that_could_be_averaged():
    first = np.zeros((3, 5, 5))
    second = first.copy()
    second[1, 2, 2] = 1
    assert hd95_mm(first, second, (1, 1, 1)) is None
    assert hd95_mm(first, first, (1, 1, 1)) == 0


def test_bland_altman_gives_bias_and_limits():
    agreement = bland_altman([11, 12, 13, 14], [10, 10, 10, 10])
    assert agreement["bias"] == pytest.approx(2.5)
    assert agreement["high"] - agreement["bias"] == pytest.approx(1.96 * np.std([1, 2, 3, 4], ddof=1))


def test_the_bootstrap_interval_of_a_mean_matches_its_standard_error():
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = bootstrap_interval(np.mean, values)
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)
