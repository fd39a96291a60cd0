"""Models on the same cases: exact small tests, draws by patient, and a refusal where the cases differ."""

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.evaluation.model_comparison import (
    bootstrap_by_patient,
    compare_models,
    holm,
    icc_difference,
    patient_draws,
    same_cases,
    wilcoxon,
)


def test_five_differences_of_one_sign_have_one_chance_in_sixteen():
    assert wilcoxon([1, 2, 3, 4, 5]) == (0, 2 / 2**5)
    assert wilcoxon([-1, -2, -3, -4, -5, 0, 0]) == (0, 2 / 2**5)
    assert wilcoxon([0, 0]) == (0, None)


def test_equal_differences_share_their_rank():
    """By hand: |1| three times has rank 2, 2 rank 4; W- = 2, variance 4*5*9/24 - (27-3)/48 = 7."""
    smaller, p = wilcoxon([1, 1, -1, 2])
    assert smaller == 2 and p == pytest.approx(0.2568, abs=5e-5)


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_never_falls():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]


def test_a_patient_is_drawn_with_all_scans():
    for draw in patient_draws(["a", "a", "b", "c"], 50, seed=1):
        assert np.count_nonzero(draw == 0) == np.count_nonzero(draw == 1)


def test_scans_of_one_patient_make_the_interval_wider():
    rng = np.random.default_rng(0)
    of_patient = np.repeat(rng.normal(0, 1, 20), 5)
    patients = np.repeat(np.arange(20), 5).astype(str)
    by_patient, by_scan = (bootstrap_by_patient(np.mean, [of_patient], whose, repeats=500, seed=0)
                           for whose in (patients, np.arange(100).astype(str)))
    assert np.ptp(by_patient) > 1.7 * np.ptp(by_scan)


def test_the_same_seed_gives_the_same_interval():
    values = np.arange(10.0)
    first, again = (bootstrap_by_patient(np.mean, [values], list("abcdefghij"), repeats=100, seed=7) for _ in range(2))
    assert first == again


def test_two_models_are_compared_case_by_case():
    dice = {"good": [0.9, 0.8, 0.95, None, 0.7, 0.99], "poor": [0.8, 0.75, 0.9, 0.2, 0.69, 0.5]}
    row, = compare_models({"dice": dice}, list("abcdef"), repeats=200)
    assert (row["first"], row["second"], row["n"], row["left_out"]) == ("good", "poor", 5, 1)
    assert row["mean_difference"] == pytest.approx(np.mean([0.1, 0.05, 0.05, 0.01, 0.49]))
    assert row["ci95"][0] <= row["mean_difference"] <= row["ci95"][1]
    assert row["p"] == row["p_holm"]


def test_holm_counts_every_pair_and_every_score():
    rng = np.random.default_rng(0)
    table = {score: {name: rng.normal(step, 0.5, 12).tolist() for step, name in enumerate("abc")}
             for score in ("dice", "hd95_mm")}
    rows = compare_models(table, [str(n) for n in range(12)], repeats=20)
    assert len(rows) == 6 and min(row["p_holm"] for row in rows) == pytest.approx(6 * min(row["p"] for row in rows))


def test_models_on_other_patients_are_refused_by_name():
    with pytest.raises(InputError, match="unet has no mask of p3, which another model has"):
        same_cases({"unet": ["p1", "p2"], "ours": ["p1", "p2", "p3"]})
    with pytest.raises(InputError, match="ours has p1 twice"):
        same_cases({"ours": ["p1", "p1"]})
    assert same_cases({"unet": ["b", "a"], "ours": ["a", "b"]}) == ["a", "b"]


def test_the_better_volumes_have_the_higher_icc():
    rng = np.random.default_rng(0)
    true = rng.gamma(2, 15, 40)
    found = icc_difference(true + rng.normal(0, 1, 40), true + rng.normal(0, 12, 40), true,
                           [str(n) for n in range(40)], repeats=200)
    assert found["difference"] > 0 and found["ci95"][0] > 0
    assert icc_difference([1, 2], [1, 2], [1, 2], ["a", "b"]) is None
