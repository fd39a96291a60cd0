"""Calibration: the threshold that gives true volumes after clean-up, found with one run of the network."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk

from ICHVolumeLib.calibration.probability_cache import load_probabilities, probabilities_of, save_probabilities
from ICHVolumeLib.calibration.threshold import Calibration, choose_threshold, head_of, table_lines
from ICHVolumeLib.network.weights import DEFAULT_MANIFEST
from ICHVolumeLib.segmentation.conformal_interval import calibrate_intervals
from ICHVolumeLib.synthetic.patients import Patient, as_ct


def patient(number, half_width=20):
    """A square of blood in two slices; no skull."""
    truth = np.zeros((4, 128, 128), np.uint8)
    truth[1:3, 64 - half_width:64 + half_width, 64 - half_width:64 + half_width] = 1
    return Patient(f"p{number:02d}", as_ct(np.full(truth.shape, 40, np.int16), 5.0), truth, number)


class Unsure:
    """A network whose chance falls off linearly around every bleed: at 0.35 its square is the true one.

    A far pixel of 0.9 is a speck that the clean-up takes away. ivh: the share of it all that it takes for IVH.
    """

    ivh = 0.0

    def __init__(self, patients, sha256="5" * 64):
        self.weights = SimpleNamespace(sha256=sha256, threshold=0.5, brain_hu=None, manifest=dict(DEFAULT_MANIFEST))
        self.patients, self.calls = patients, 0

    def lesion_probabilities(self, ct):
        self.calls += 1
        truth = next(one.truth for one in self.patients if one.ct is ct)
        rows, columns = np.nonzero(truth[1])
        half = (rows.max() - rows.min() + 1) / 2
        y, x = np.mgrid[:128, :128] - 63.5
        probability = np.clip(0.35 - 0.05 * (np.maximum(np.abs(y), np.abs(x)) - half + 0.49), 0, 1)
        probability[2, 2] = 0.9
        bleed = np.where(truth.any(axis=(1, 2))[:, None, None], probability, 0)
        return np.stack([bleed * (1 - self.ivh), bleed * self.ivh]).astype(np.float16)


@pytest.fixture(scope="module", autouse=True)
def quick_itk():
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    yield
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


@pytest.fixture
def patients():
    return [patient(number, half_width=6 + 2 * number) for number in range(10)]


def test_the_threshold_at_which_volumes_are_true_is_found(patients, tmp_path):
    calibration = Calibration(tmp_path, Unsure(patients))
    for one in patients:
        calibration.add(one)
    chosen = calibration.choose()
    assert 0.3 < chosen["threshold"] <= 0.35
    assert chosen["intervals"]["interval"]["patients"] == 10
    row = calibration.rows["p03"]
    assert row["ml_by_threshold"][f"{chosen['threshold']:.2f}"] == pytest.approx(row["true_ml"])  # without the speck
    assert "0.34" in row["ml_by_threshold"]
    assert len(table_lines(chosen | choose_threshold(list(calibration.rows.values()), [0.3, 0.34, 0.4]))) == 5


def test_patients_of_one_head_count_once_in_the_intervals(patients, tmp_path):
    assert head_of("calibration017-p052") == head_of("trained003-p052") != head_of("calibration018-made1000018")
    calibration = Calibration(tmp_path, Unsure(patients))
    for number, one in enumerate(patients):
        calibration.add(replace(one, name=f"calibration{number:03d}-{'p001' if number < 2 else one.name}"))
    assert calibrate_intervals(*calibration.measured(0.35, None))["interval"]["heads"] == 9


def test_the_choice_can_be_made_again_without_the_network(patients, tmp_path):
    first = Calibration(tmp_path, Unsure(patients))
    for one in patients:
        first.add(one)
    chosen = first.choose()
    again = Unsure([])
    assert Calibration(tmp_path, again).choose() == chosen
    assert again.calls == 0


def test_rows_of_other_weights_are_passed_over(patients, tmp_path):
    calibration = Calibration(tmp_path, Unsure(patients))
    calibration.add(patients[0])
    assert Calibration(tmp_path, Unsure(patients)).rows
    assert not Calibration(tmp_path, Unsure(patients, sha256="6" * 64)).rows


def test_kept_chances_give_the_same_volume(patients, tmp_path):
    kept = probabilities_of(Unsure(patients), patients[5])
    save_probabilities(tmp_path / "one.npz", kept)
    loaded = load_probabilities(tmp_path / "one.npz")
    for threshold in (0.05, 0.35, 0.9):
        assert loaded.volume_ml(threshold) == kept.volume_ml(threshold)
    assert kept.volume_ml(0.35) == pytest.approx(2 * 32**2 * 0.45**2 * 5 / 1000)
    assert loaded.amounts(0.35).doubtful_ml["total"] == kept.amounts(0.35).doubtful_ml["total"] > 0
    assert loaded.components(0.35) == kept.components(0.35)
    assert kept.components(0.35)[1] == [True]


@pytest.mark.parametrize(("ivh", "label"), [(0.25, 1), (0.75, 2)])
def test_blood_bears_the_likelier_label_and_the_other_share_is_in_doubt(patients, ivh, label):
    network = Unsure(patients)
    network.ivh = ivh
    kept = probabilities_of(network, patients[5])
    assert set(np.unique(kept.mask(0.2))) == {0, label}
    amounts, name = kept.amounts(0.2), {1: "ICH", 2: "IVH"}
    marked_ml = amounts.marked_ml["total"]
    assert amounts.marked_ml[name[label]] == marked_ml > 0 and amounts.marked_ml[name[3 - label]] == 0
    speck_ml = 2 * 0.45**2 * 5 / 1000  # marked before the clean-up
    assert amounts.doubtful_ml[name[3 - label]] == pytest.approx(0.25 * (marked_ml + speck_ml), rel=0.01)
    ambiguous_ml = amounts.doubtful_ml["total"]
    assert amounts.doubtful_ml[name[label]] == pytest.approx(ambiguous_ml + 0.25 * (marked_ml + speck_ml), rel=0.01)


def test_a_patient_of_whom_the_network_saw_nothing_counts_with_nothing(tmp_path):
    class Blind(Unsure):
        def lesion_probabilities(self, ct):
            return np.zeros((2, *ct.hu.shape), np.float16)

    missed = patient(0)
    save_probabilities(tmp_path / "one.npz", probabilities_of(Blind([missed]), missed))
    kept = load_probabilities(tmp_path / "one.npz")
    assert kept.volume_ml(0.35) == kept.amounts(0.35).doubtful_ml["total"] == 0
    assert kept.components(0.35) == ([], [])


def spotted(number):
    """A bright bleed in two slices, and in another place a spot of nothing, which the network marks, too."""
    rng = np.random.default_rng(number)
    hu = 30 + rng.normal(0, 4, (6, 128, 128))
    truth = np.zeros(hu.shape, np.uint8)
    half = 8 + number
    truth[1:3, 40 - half:40 + half, 40 - half:40 + half] = 1
    hu[truth > 0] += 30
    return Patient(f"s{number:02d}", as_ct(np.round(hu).astype(np.int16), 5.0), truth, number)


class Spotted(Unsure):
    def lesion_probabilities(self, ct):
        truth = next(one.truth for one in self.patients if one.ct is ct)
        probability = np.where(truth > 0, 0.95, 0.0)
        probability[4, 85:105, 85:105] = 0.5
        return np.stack([probability, np.zeros_like(probability)]).astype(np.float16)


def test_the_verdict_on_pieces_takes_the_spots_out_before_the_threshold_is_chosen(tmp_path):
    made = [spotted(number) for number in range(12)]
    calibration = Calibration(tmp_path, Spotted(made))
    for one in made:
        calibration.add(one)
    chosen = calibration.choose()
    assert chosen["pieces"]["pieces"] == 24
    row = calibration.rows["s03"]
    assert row["ml_by_threshold"]["0.30"] == pytest.approx(row["true_ml"], rel=0.02)
    again = Calibration(tmp_path, Spotted([]))
    again.measure([0.3], None)  # without the verdict the spot counts
    assert again.rows["s03"]["ml_by_threshold"]["0.30"] == pytest.approx(row["true_ml"] + 20**2 * 0.45**2 * 5 / 1000)


@pytest.mark.slow
def test_the_choice_is_the_same_in_several_processes(tmp_path):
    made = [spotted(number) for number in range(10)]
    alone = Calibration(tmp_path / "alone", Spotted(made))
    together = Calibration(tmp_path / "together", Spotted(made), jobs=2)
    for one in made:
        alone.add(one)
        together.add(one)
    assert alone.choose() == together.choose()


def row(true_ml, ml_by_threshold, ivh_ml=0.0):
    return {"true_ml": true_ml, "true_ivh_ml": ivh_ml, "ml_by_threshold": ml_by_threshold}


def test_a_bleed_that_is_missed_at_any_threshold_does_not_widen_all_the_others():
    seen = [row(20.0, {"0.10": 22.0, "0.40": 20.0}) for _ in range(50)]
    missed = row(100.0, {"0.10": 5.0, "0.40": 0.0})  # with it the bias is +0.5 % at 0.10 and -9 % at 0.40
    assert choose_threshold([*seen, missed], [0.1, 0.4])["threshold"] == 0.4


def test_a_bias_beyond_chance_is_not_allowed_however_small_the_error():
    rows = [row(20.0, {"0.20": 20.0 + 2.0 * (-1) ** number, "0.30": 19.0}) for number in range(40)]
    chosen = choose_threshold(rows, [0.2, 0.3])
    assert chosen["threshold"] == 0.2
    assert [line["error"] for line in chosen["table"]] == pytest.approx([0.1, 0.05])
    assert [line["two SE"] for line in chosen["table"]] == pytest.approx([2 * 0.1 / 40**0.5, 0], rel=0.15)


def test_where_every_threshold_is_biased_it_is_the_least_biased():
    rows = [row(20.0, {"0.20": 23.0, "0.30": 18.0, "0.40": 16.0}) for _ in range(20)]
    assert choose_threshold(rows, [0.2, 0.3, 0.4])["threshold"] == 0.3
