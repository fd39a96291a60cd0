import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.segmentation.conformal_interval import (
    amounts_of,
    calibrate_interval,
    calibrate_intervals,
    calibrated_on,
    label_intervals_ml,
    volume_interval_ml,
)


def patients(rng, count):
    """True volumes, and predictions whose error grows with the doubtful volume, as a network's does."""
    true_ml = rng.lognormal(2.5, 1.2, count)
    ambiguous_ml = 0.1 * true_ml * rng.lognormal(0, 0.5, count)
    return true_ml, np.clip(true_ml + rng.normal(0, 0.6, count) * ambiguous_ml, 0, None), ambiguous_ml


def test_nine_intervals_in_ten_hold_the_true_volume_of_new_patients():
    rng = np.random.default_rng(0)
    calibration = {"interval": calibrate_interval(*patients(rng, 500), coverage=0.9)}
    true_ml, volume_ml, ambiguous_ml = patients(rng, 2000)
    held = [low <= true <= high for true, (low, high) in zip(
        true_ml, (volume_interval_ml(*case, calibration) for case in zip(volume_ml, ambiguous_ml, strict=True)),
        strict=True)]
    assert 0.87 < np.mean(held) < 0.93


def test_the_quantile_has_the_finite_sample_correction():
    true_ml, errors = np.full(9, 10.0), np.arange(1, 10) / 10
    calibration = calibrate_interval(true_ml, true_ml + errors, np.zeros(9), 0.9, floor_ml=1.0, relative=0.0)
    assert calibration["quantile"] == pytest.approx(0.9)  # rank ceil(10 x 0.9) = 9 of 9


def test_too_few_patients_for_the_coverage_are_refused():
    with pytest.raises(InputError, match="too few"):
        calibrate_interval(np.ones(5), np.ones(5), np.zeros(5), 0.9)


def test_a_head_that_many_patients_have_counts_once():
    """Ten easy patients in one head, and nine heads with one each: of ten heads nine are 10 mL off at most."""
    errors = np.concatenate([np.zeros(10), np.arange(2.0, 11)])
    heads = ["easy"] * 10 + [f"other{n}" for n in range(9)]
    settings = {"coverage": 0.9, "floor_ml": 1.0, "relative": 0.0}
    by_head = calibrate_interval(np.full(19, 50.0), 50 + errors, np.zeros(19), **settings, heads=heads)
    by_patient = calibrate_interval(np.full(19, 50.0), 50 + errors, np.zeros(19), **settings)
    assert (by_head["quantile"], by_head["heads"], by_head["patients"]) == (10.0, 10, 19)  # 9.9 of 10 heads
    assert (by_patient["quantile"], by_patient["heads"]) == (9.0, 19)  # rank 18 of 19
    with pytest.raises(InputError, match="8 heads are too few"):
        calibrate_interval(np.ones(40), np.ones(40), np.zeros(40), heads=list(range(8)) * 5)


def test_nine_intervals_in_ten_hold_the_volume_in_new_heads():
    """Heads differ in how well they are measured, and some are had by many calibration patients."""
    rng = np.random.default_rng(3)

    def drawn(heads, patients_of):
        worse = np.repeat(rng.lognormal(0, 0.8, heads), patients_of)
        true_ml = rng.uniform(5, 60, len(worse))
        return true_ml, true_ml + worse * rng.normal(0, 1, len(worse)), np.zeros(len(worse))

    covered = []
    for _ in range(60):
        patients_of = rng.permutation([20] * 4 + [1] * 60)
        heads = np.repeat(np.arange(64), patients_of)
        kept = {"interval": calibrate_interval(*drawn(64, patients_of), heads=heads, relative=0.0)}
        true_ml, found_ml, doubtful_ml = drawn(300, np.ones(300, int))
        covered += [low <= true <= high for true, (low, high) in zip(
            true_ml, (volume_interval_ml(*one, kept) for one in zip(found_ml, doubtful_ml, strict=True)), strict=True)]
    assert 0.88 < np.mean(covered) < 0.94


def test_the_interval_never_goes_below_zero_and_is_none_without_calibration():
    calibration = {"interval": {"quantile": 2.0, "floor_ml": 1.0, "relative": 0.0}}
    assert volume_interval_ml(0.5, 0.0, calibration) == (0.0, 2.5)
    assert volume_interval_ml(0.5, 0.0, {}) is None


def test_an_interval_says_what_its_patients_were_and_those_of_before_were_synthetic():
    kept = calibrate_interval(np.ones(20), np.ones(20), np.zeros(20), calibrated_on="100 patients of a hospital")
    assert calibrated_on({"interval": kept}) == "100 patients of a hospital"
    synthetic = calibrate_interval(np.ones(20), np.ones(20), np.zeros(20))
    assert calibrated_on({"interval": synthetic}) == "synthetic patients"
    del kept["calibrated_on"]
    assert calibrated_on({"interval": kept}) == "synthetic patients"
    assert calibrated_on({}) == ""


def both_labels(rng, count):
    """True mL and what was found: the total as `patients`, of which a third of the patients have some in the
    ventricles, and the network mistakes a part of that."""
    true_ml, found = [], []
    for total, marked, ambiguous in zip(*patients(rng, count), strict=True):
        share = rng.uniform(0.1, 0.9) if rng.random() < 1 / 3 else 0.0
        mixed = share * rng.lognormal(-3, 1) * marked
        ivh = np.clip(share * marked + rng.normal(0, 1) * mixed, 0, marked)
        true_ml.append({"ICH": (1 - share) * total, "IVH": share * total})
        found.append(amounts_of({"ICH": marked - ivh, "IVH": ivh},
                                {"ICH": (1 - share) * ambiguous, "IVH": share * ambiguous}, mixed))
    return true_ml, found


def test_nine_intervals_in_ten_hold_the_volume_of_each_label_where_it_is_marked():
    rng = np.random.default_rng(1)
    calibration = calibrate_intervals(*both_labels(rng, 3000))
    assert calibration["interval_ivh"]["patients"] == pytest.approx(1000, abs=90)  # those with IVH only
    held = {"ICH": [], "IVH": []}
    for true, found in zip(*both_labels(rng, 3000), strict=True):
        for name, (low, high) in label_intervals_ml(found, calibration).items():
            held[name].append(low <= true[name] <= high)
    assert len(held["IVH"]) < 1200 and len(held["ICH"]) > 2900
    assert all(0.87 < np.mean(one) < 0.93 for one in held.values())


def test_a_label_that_few_patients_have_gets_no_interval_and_the_total_does():
    true_ml = [{"ICH": 10.0, "IVH": float(n < 5)} for n in range(40)]
    found = [amounts_of({"ICH": 9.0, "IVH": one["IVH"]}, {"ICH": 1.0, "IVH": 0.0}, 0.0) for one in true_ml]
    calibration = calibrate_intervals(true_ml, found)
    assert set(calibration) == {"interval", "interval_ich"}
    assert list(label_intervals_ml(found[0], calibration)) == ["ICH"]


def test_a_label_seen_in_few_heads_gets_no_interval_and_the_total_does():
    true_ml = [{"ICH": 10.0, "IVH": float(n < 40)} for n in range(80)]
    found = [amounts_of({"ICH": 9.0, "IVH": one["IVH"]}, {"ICH": 1.0, "IVH": 0.0}, 0.0) for one in true_ml]
    heads = ["one", "two"] * 20 + [f"head{n}" for n in range(40)]
    assert set(calibrate_intervals(true_ml, found, heads)) == {"interval", "interval_ich"}
    assert set(calibrate_intervals(true_ml, found)) == {"interval", "interval_ich", "interval_ivh"}


def test_blood_that_may_bear_the_wrong_label_is_in_doubt_for_both_and_not_for_the_total():
    amounts = amounts_of({"ICH": 20.0, "IVH": 10.0}, {"ICH": 2.0, "IVH": 1.0}, 4.0)
    assert amounts.marked_ml == {"ICH": 20.0, "IVH": 10.0, "total": 30.0}
    assert amounts.doubtful_ml == {"ICH": 6.0, "IVH": 5.0, "total": 3.0}
