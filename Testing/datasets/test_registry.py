"""Data sets by name; one more takes a function, and is trained on and scored by the functions that the commands use."""

import numpy as np
import pytest

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets import registry
from ICHVolumeLib.datasets.case import TEST, TRAIN, DatasetCase
from ICHVolumeLib.datasets.registry import Dataset, dataset_named, load_cases, names, register


@pytest.fixture(autouse=True)
def only_here(monkeypatch):
    monkeypatch.setattr(registry, "_DATASETS", dict(registry._DATASETS))


# --- a data set in under 30 lines
def toy_case(name, split, blood):
    """Skin, bone and brain in 2.3 mm pixels, with a ball of blood or without."""
    z, y, x = np.mgrid[:6, :100, :100] - np.array([2.5, 49.5, 49.5])[:, None, None, None]
    radius_mm = 2.3 * np.hypot(x, y)
    hu = np.select([radius_mm < 65, radius_mm < 72, radius_mm < 80], [32, 900, 40], -1000).astype(np.int16)
    truth = (blood & (np.hypot(2.3 * np.hypot(x - 10, y), 5 * z) < 14)).astype(np.uint8)
    ct = CTVolume.regular(hu + 30 * truth.astype(np.int16), np.diag([-2.3, -2.3, 5.0, 1.0]))
    return DatasetCase(name, ct, truth, "CC0", split, "toy")


def load_toy(folder):
    for line in (folder / "list.txt").read_text(encoding="utf-8").split():
        name, split, blood = line.split(",")
        yield toy_case(name, split, blood == "bleeds")


TOY = Dataset("toy", "balls in balls", "CC0", load_toy)
# --- that was it


def test_a_toy_data_set_is_trained_on_and_scored_as_any_other(tmp_path):
    pytest.importorskip("torch", reason="training needs torch")
    from dataclasses import replace

    from ICHVolumeLib.calibration.release import averaged_model
    from ICHVolumeLib.evaluation.cases import evaluate
    from ICHVolumeLib.evaluation.prediction import model_id, predict_with
    from ICHVolumeLib.evaluation.summary import summarise
    from ICHVolumeLib.network.config import AttFocusNetConfig
    from ICHVolumeLib.network.weights import save_weights
    from ICHVolumeLib.segmentation.segmenter import Segmenter
    from ICHVolumeLib.synthetic.case_backgrounds import backgrounds_of
    from ICHVolumeLib.training.plans import PLANS
    from ICHVolumeLib.training.train import train

    (tmp_path / "list.txt").write_text(" ".join(["p0,train,clean", "p1,train,clean", "p2,train,bleeds",
                                                 "t0,test,bleeds", "t1,test,bleeds"]), encoding="utf-8")
    register(TOY)
    pool = list(backgrounds_of(case for case in load_cases("toy", tmp_path) if case.split == TRAIN))
    assert [(one.patient, one.kind) for one in pool] == [("p0", "toy"), ("p1", "toy")]  # blood is not learnt as brain
    plan = replace(PLANS["practical"], epochs=1, epoch_slices=40, batch=4, size=64, pixel_mm=(1.8, 2.4),
                   validation_blocks=0, kind_shares={"toy": 1.0})
    curves = train(pool, tmp_path / "run", plan, AttFocusNetConfig(base_width=4))
    assert curves["step"] == [10]

    save_weights(tmp_path / "weights", averaged_model(tmp_path / "run"), {"version": "toy"})
    segmenter = Segmenter(weights_dir=tmp_path / "weights")
    rows = evaluate(predict_with(segmenter), model_id(segmenter), lambda known: (
        case for case in load_cases("toy", tmp_path) if case.split == TEST and case.id not in known),
        tmp_path / "cases.jsonl")
    assert [(row["case"], row["dataset"], row["split"]) for row in rows] == [(name, "toy", "test")
                                                                             for name in ("t0", "t1")]
    assert rows[0]["true_ml"] == pytest.approx(4 / 3 * np.pi * 1.4**3, rel=0.05)
    assert rows[0]["contrast_hu"] == pytest.approx(30, abs=3)
    assert summarise(rows)["cases"] == 2


def test_a_name_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(InputError, match=r"no data set rsna; known are bhsd, cq500, ct_ich, ct_ich_bleeds"):
        load_cases("rsna", "anywhere")


def test_a_name_is_given_once():
    assert register(dataset_named("folder")) is dataset_named("folder")
    with pytest.raises(ValueError, match="folder already"):
        register(Dataset("folder", "another", "CC0", load_toy))


def test_every_data_set_says_what_it_is_and_under_which_terms():
    for name in names():
        assert dataset_named(name).words and dataset_named(name).licence


def test_the_registry_loads_nothing_heavy():
    from test_import_is_light import HEAVY, modules_after

    assert modules_after("import ICHVolumeLib.datasets.registry").isdisjoint(HEAVY)
