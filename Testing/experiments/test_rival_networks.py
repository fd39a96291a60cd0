"""The six networks of the paper under one budget: what is equal, what is measured, and what the table says of it."""

import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.experiments import rival_networks as rivals
from ICHVolumeLib.experiments.rival_networks import SIX, Setting, figures, made_once, run_all, run_one, tiny_configs
from ICHVolumeLib.experiments.rival_table import claim, conditions, spread, table
from ICHVolumeLib.network.config import AttFocusNetConfig
from ICHVolumeLib.network.registry import find_network
from ICHVolumeLib.synthetic.patients import Patient

SETTING = Setting(minutes=0.004, patients=3, size=64, pixel_mm=3.0, batch=4)


@pytest.fixture
def patients(monkeypatch):
    """Three phantoms in place of synthetic patients, which take seconds each."""
    made = [ellipsoid_ct("regular", pixel_mm=3.0, step_mm=8, columns=64, rows=72, semi_axes_mm=(size, 20, 20))
            for size in (20, 25, 30)]
    monkeypatch.setattr(rivals, "synthetic_patients", lambda pool, part, count, known: [
        Patient(f"{part}{number}", one.ct, one.mask, number) for number, one in enumerate(made)
        if f"{part}{number}" not in known])


def row(network, seed, dice, **more):
    return {"network": network, "seed": seed, "config": find_network(network).config_class().to_dict(),
            "minutes": 60, "patients": 40, "size": 224, "pixel_mm": 0.9, "batch": 8, "device": "cpu", "threads": 2,
            "learning_rate": 1e-4 if network == "unetr" else 2e-3, "slices": 9000, "parameters": 2_770_407,
            "gflop_per_slice": 36.9, "dice": dice, "hd95_mm": 6.0, "nothing_found": 1, "icc": 0.9, "bias_ml": -1.5,
            "coniglobus_icc": 0.8, "seconds": 3.2, "processor_seconds": 6.0, **more}


def test_nothing_but_the_learning_rate_differs_between_the_plans():
    plans = [SETTING.plan(name).to_dict() for name in SIX]
    assert {tuple(sorted(name for name in one if one[name] != plans[0][name])) for one in plans} == {
        (), ("learning_rate",)}
    assert SETTING.plan("unetr").learning_rate == 1e-4 != SETTING.plan("attfocusnet").learning_rate


def test_a_dry_run_has_the_same_six_networks_only_smaller():
    pytest.importorskip("monai")
    pytest.importorskip("einops")
    assert [one.network for one in tiny_configs()] == list(SIX)
    assert all(getattr(one, "base_width", 4) == 4 for one in tiny_configs())


def test_a_run_is_trained_tested_and_written_down_once(pool, patients, tmp_path):
    said, config = [], AttFocusNetConfig(base_width=4)
    rows = run_all(pool, [config], SETTING, [0], tmp_path, say=said.append)
    again = run_all(pool, [config], SETTING, [0], tmp_path, say=said.append)
    assert rows == again and len(rows) == len(said) == 1
    found = rows[0]
    assert (found["network"], found["seed"], found["minutes"], found["patients"]) == ("attfocusnet", 0, 0.004, 3)
    assert found["slices"] == 4 * found["steps"] > 0 and found["seconds"] > 0 and 0 <= found["dice"] <= 1
    assert found["parameters"] > 100_000 and found["gflop_per_slice"] > 1
    assert run_all(pool, [], Setting(1, 3), [0], tmp_path) == []  # of another budget: another table
    assert "| AttFocusNet | 1 |" in table(rows)


def test_a_run_that_is_there_is_tested_again_from_its_files_alone(pool, patients, tmp_path):
    first, again = (run_one(pool, AttFocusNetConfig(base_width=4), SETTING, 0, tmp_path, "cpu",
                            made_once(pool, SETTING.patients)) for _ in range(2))
    changed = {name for name in first if first[name] != again[name]}
    assert changed <= {"seconds", "processor_seconds"} and again["seconds"] is None


def test_the_patients_of_the_test_are_made_once_for_all_runs(pool, patients, monkeypatch):
    asked, make = [], rivals.synthetic_patients
    monkeypatch.setattr(rivals, "synthetic_patients",
                        lambda *args, known: asked.append(sorted(known)) or make(*args, known=known))
    others = made_once(pool, SETTING.patients)
    assert [one.name for one in others({"test0"})] == ["test1", "test2"]
    assert {one.name for one in others(set())} == {"test0", "test1", "test2"}
    assert {id(one) for one in others({"test0"})} <= {id(one) for one in others(set())}
    assert asked == [["test0"], ["test1", "test2"], ["test0", "test1", "test2"], ["test0", "test1", "test2"]]


def test_the_figures_of_cases_that_are_known():
    cases = [{"dice": 0.9, "hd95_mm": 4.0, "ml": 10.0, "true_ml": 10.0, "true_abc2_ml": 12.0},
             {"dice": 0.7, "hd95_mm": 6.0, "ml": 18.0, "true_ml": 20.0, "true_abc2_ml": 22.0},
             {"dice": 0.0, "hd95_mm": None, "ml": 0.0, "true_ml": 4.0, "true_abc2_ml": 6.0}]
    found = figures(cases)
    assert (found["dice"], found["hd95_mm"], found["nothing_found"]) == (pytest.approx(1.6 / 3), 5.0, 1)
    assert found["bias_ml"] == pytest.approx(-2) and 0.9 < found["icc"] < 1
    assert found["coniglobus_icc"] == pytest.approx(392 / 404)  # mean squares: 392 / 3 of cases, 6 of methods


def test_the_table_gives_mean_and_spread_and_the_rows_that_are_no_network():
    text = table([row("unetr", 0, 0.5), row("unetr", 1, 0.6), row("attfocusnet", 0, 0.8, hd95_mm=None)])
    assert "| UNETR | 2 | 2.8 M | 37 | 9000 ± 0 | 0.550 ± 0.071 | 6.0 ± 0.0 | 1.0 ± 0.0 | 0.900 ± 0.000 |" in text
    assert "| AttFocusNet | 1 | 2.8 M | 37 | 9000 | 0.800 | - |" in text
    assert "47.7 by hand (paper)" in text and "170.1 (paper)" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1
    assert "| processor s a case |" in text and "| 6.0 |" in text  # a busy machine's wall time says nothing
    assert "| s a case |" in table([row("unetr", 0, 0.5, device="cuda")])
    assert table([]) == "" and spread([], 2) == "-"


def test_what_was_equal_and_what_was_not_is_said():
    said = conditions([row("unetr", 0, 0.5), row("attfocusnet", 0, 0.8)])
    assert "60 processor minutes of training each on cpu (2 threads)" in said
    assert "UNETR 0.0001, AttFocusNet 0.002" in said


def test_the_papers_order_is_judged_by_runs_of_the_same_seed():
    def rows(gains):
        return [row(name, seed, 0.5 + 0.1 * seed + (gain if name == "attfocusnet" else 0))
                for seed, gain in enumerate(gains) for name in ("unetpp", "attfocusnet")]

    assert "against UNet++: Dice +0.030" in claim(rows([0.03, 0.031, 0.029]))
    assert "order holds at this budget" in claim(rows([0.03, 0.031, 0.029]))
    assert "does not hold at this budget" in claim(rows([-0.03, -0.031, -0.029]))
    assert "do not decide" in claim(rows([0.03, -0.03]))
    assert "95 % interval +- 0.064): these runs do not decide" in claim(rows([0.025, 0.035]))  # 12.71 x 0.005: two runs
    assert "too few runs" in claim(rows([0.03]))
    assert claim([row("unetpp", 0, 0.5)]) == ""
