"""Ablation: a variant differs from the base in one thing, gets the same budget, is measured on the same cases."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from ICHVolumeLib.experiments import ablation
from ICHVolumeLib.experiments.ablation import (
    BASE,
    NO_FOCUS,
    TestStack,
    Variant,
    claim,
    fixed_patients,
    measure,
    run_all,
    table,
    variants,
)
from ICHVolumeLib.network.config import AttFocusNetConfig
from ICHVolumeLib.synthetic.background_pool import is_validation


@pytest.fixture(scope="module")
def heads(make_head):
    names = [f"r{number}" for number in range(40)]
    held, trained = ([name for name in names if is_validation(name) is wanted][:2] for wanted in (True, False))
    return [make_head(name, "ct_ich", slices=3) for name in held + trained]


def differences(variant, base):
    first, second = ({**asdict(one.config), **asdict(one.ingredients), **one.plan(80).to_dict()} for one in
                     (variant, base))
    return {name for name in first if first[name] != second[name]}


def test_every_variant_differs_from_the_base_in_one_thing():
    base, *others = variants()
    for one in others:
        assert len(differences(one, base) - {"size", "first_steps"}) == 1, one.name  # they go with pixel and loss
    assert len({one.name for one in others}) == len(others)


def test_the_budget_is_the_same_number_of_slices_for_all():
    assert {one.plan(4000).epochs * one.plan(4000).epoch_slices for one in variants()} == {4000}


def test_the_fixed_patients_are_validation_patients_and_always_the_same(heads):
    first, second = fixed_patients(heads, 1.8, 112, 3), fixed_patients(heads, 1.8, 112, 3)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.hu, two.hu)
    assert not fixed_patients([one for one in heads if not is_validation(one.patient)], 1.8, 112, 3)


def test_measures_of_masks_whose_errors_are_known():
    truth = np.zeros((3, 64, 64), np.uint8)
    truth[1, 10:20, 10:20], truth[1, 40:60, 40:60] = 2, 1  # 0.41 mL and 1.62 mL at 0.9 mm and 5 mm
    mask = truth.copy()
    mask[1, 10:20, 10:20] = 0
    clean = np.zeros_like(truth)
    marked = clean.copy()
    marked[0, :5, :5] = 1  # 20.25 mm2 in one of three slices
    cases = [TestStack(truth * 1.0, truth, 0.9, 5.0), TestStack(clean * 1.0, clean, 0.9, 5.0)]
    found = measure([mask, marked], cases)
    assert found == pytest.approx({"dice": 800 / 900, "ivh_dice": 0, "small_recall": 0, "recall": 1,
                                   "false_alarm": 1 / 3})


def test_runs_are_appended_once_and_become_a_table(heads, tmp_path, monkeypatch):
    small = [Variant(name, AttFocusNetConfig(base_width=4, fusion=fusion), {"batch": 2, "bf16": False}, pixel_mm=3.6,
                     size=64) for name, fusion in (("base", "R1"), ("other", "R2"))]
    monkeypatch.setattr(ablation, "variants", lambda: small)
    monkeypatch.setattr(ablation, "PATIENTS", 2)
    said = []
    rows = run_all(heads, small, 8, [0], tmp_path, say=said.append)
    again = run_all(heads, small, 8, [0], tmp_path, say=said.append)
    assert len(said) == 2 and again == rows
    assert {row["variant"] for row in rows} == {"base", "other"} and all(row["slices"] == 8 for row in rows)
    assert "| base | 0.1" in table(rows)


def test_the_table_gives_mean_and_spread_over_seeds():
    row = {"variant": "x", "slices": 8, "parameters": 2_840_000, "ivh_dice": None, "recall": 0.9, "false_alarm": 0.02,
           "small_recall": 0.5}
    text = table([row | {"seed": 0, "dice": 0.6}, row | {"seed": 1, "dice": 0.7}])
    assert "| x | 2.84 M | 2 | 0.650 ± 0.071 | - | 50.0 ± 0.0 % | 90.0 ± 0.0 % | 2.0 ± 0.0 % |" in text


def test_the_plan_of_a_variant_is_that_of_its_view():
    plan = replace(Variant("x"), pixel_mm=0.6, size=336).plan(100)
    assert plan.size == 336 and plan.pixel_mm[0] < 0.6 < plan.pixel_mm[1]


def test_the_papers_claim_is_judged_by_runs_of_the_same_seed():
    def rows(gains):
        return [{"variant": name, "seed": seed, "dice": 0.5 + 0.1 * seed + (gain if name == BASE else 0)}
                for seed, gain in enumerate(gains) for name in (BASE, NO_FOCUS)]

    assert "mean +0.030, two standard errors 0.001: the paper's claim holds" in claim(rows([0.03, 0.031, 0.029]))
    assert "claim does not hold" in claim(rows([-0.03, -0.031, -0.029]))
    assert "mean +0.000, two standard errors 0.035: these runs do not decide" in claim(rows([0.03, -0.03, 0.0]))
    assert "too few runs" in claim(rows([0.03]))
    assert claim([]) == ""
