"""Agreement of volumes: published worked examples and cases with known answers; other programs: test_oracles."""

import numpy as np
import pytest

from ICHVolumeLib.evaluation.agreement import (
    confusion,
    icc_a1_interval,
    limits_of_agreement,
    percent_agreement,
    regression,
    volume_agreement,
    within,
)
from ICHVolumeLib.evaluation.distributions import f_quantile, normal_two_sided, t_quantile

# Shrout & Fleiss 1979, Table 2: ICC(2,1) = .29, 95 % interval .02 to .76
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
# Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8: peak flow by two meters, L/min
LARGE_METER = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI_METER = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_quantiles_are_those_of_printed_tables():
    assert f_quantile(0.95, 5, 10) == pytest.approx(3.3258, abs=5e-5)
    assert f_quantile(0.975, 10, 20) == pytest.approx(2.7737, abs=5e-5)
    assert t_quantile(0.975, 10) == pytest.approx(2.228139, abs=5e-7)
    assert t_quantile(0.025, 10) == pytest.approx(-2.228139, abs=5e-7) and t_quantile(0.5, 3) == 0
    assert normal_two_sided(1.959964) == pytest.approx(0.05, abs=1e-6)


def test_the_interval_of_the_icc_is_that_of_shrout_and_fleiss_table():
    assert icc_a1_interval(SHROUT_FLEISS) == pytest.approx((0.019, 0.761), abs=0.001)


def test_limits_of_agreement_are_bland_and_altmans():
    found = limits_of_agreement(np.subtract(LARGE_METER, MINI_METER))
    assert found["bias"] == pytest.approx(-2.1, abs=0.05) and found["sd"] == pytest.approx(38.8, abs=0.05)
    assert found["bias_ci95"] == pytest.approx([-22.0, 17.8], abs=0.1)
    assert (found["low"], found["high"]) == pytest.approx((-2.118 - 1.96 * 38.765, -2.118 + 1.96 * 38.765), abs=0.01)
    assert found["low_ci95"][0] < found["low"] < found["low_ci95"][1]


def test_percent_is_of_the_mean_of_both_and_leaves_one_sided_zeros_out():
    found = percent_agreement([30, 20, 0, 5, 0], [10, 20, 8, 0, 0])
    assert found["n"] == 2 and found["bias"] == pytest.approx((100 + 0) / 2) and found["left_out"] == 2
    assert percent_agreement([1], [0]) is None


def test_a_straight_line_is_found_again():
    x = np.array([1.0, 5, 20, 40, 80])
    found = regression(x, 2 + 0.9 * x)
    assert (found["intercept"], found["slope"], found["r_squared"]) == pytest.approx((2, 0.9, 1))
    assert found["slope_ci95"] == pytest.approx([0.9, 0.9])
    assert regression([3, 3, 3], [1, 2, 3]) is None and regression([1, 2], [1, 2]) is None


def test_shares_within_10_and_20_percent_and_5_ml():
    found = within([11, 118, 25.1, 0, 3], [10, 100, 20, 4, 0])
    assert found["10_percent"] == pytest.approx(1 / 4) and found["20_percent"] == pytest.approx(2 / 4)
    assert found["5_ml"] == pytest.approx(3 / 5) and found["bleeding_cases"] == 4


def test_30_ml_exactly_is_above_the_limit_and_kappa_is_cohens():
    found = confusion([30, 29.99, 50, 10], [30, 30, 20, 10])
    assert (found["above_both"], found["above_true_only"], found["above_measured_only"], found["below_both"]) == \
        (1, 1, 1, 1)
    table = confusion([40] * 20 + [40] * 5 + [10] * 10 + [10] * 15, [40] * 20 + [10] * 5 + [40] * 10 + [10] * 15)
    assert table["kappa"] == pytest.approx(0.4)  # the textbook's 2 x 2 table of 50 grant proposals
    assert confusion([1, 2], [1, 2])["kappa"] is None


def test_perfect_volumes_agree_perfectly():
    values = [1.0, 5, 30, 60]
    found = volume_agreement(values, values)
    assert found["icc_a1"] == {"value": pytest.approx(1), "low": 1, "high": 1} and found["concordance"] == 1
    assert found["mean_absolute_error_ml"] == 0 and found["within"]["5_ml"] == 1


def test_a_constant_error_lowers_the_icc_and_shows_in_the_bias():
    true = np.array([1.0, 5, 9, 20, 33, 48])
    found = volume_agreement(true + 10, true)
    assert found["icc_a1"]["value"] < 0.95 and found["bland_altman_ml"]["bias"] == pytest.approx(10)
    assert found["icc_a1"]["low"] < found["icc_a1"]["value"] < found["icc_a1"]["high"]


def test_too_few_cases_or_no_spread_give_no_figure():
    assert volume_agreement([1, 2], [1, 2])["icc_a1"] is None
    empty = volume_agreement([], [])
    assert empty["n"] == 0 and empty["icc_a1"] is empty["concordance"] is empty["mean_absolute_error_ml"] is None
    zeros = volume_agreement([0, 0, 0], [0, 0, 0])
    assert zeros["icc_a1"] is zeros["bland_altman_percent"] is zeros["bias_percent_of_total"] is None
