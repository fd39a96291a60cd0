"""The six networks of the paper, each trained for the same minutes on the same data and tested on the same patients.

The paper (Peng et al. 2022, doi:10.3389/fnins.2022.965680) says that AttFocusNet is better than its rivals; this asks
the same of made bleeds, with nothing but the network changed. A run is one JSON line; runs that are there are not
repeated. The patients of the test are whole synthetic scans in heads that were not trained on: the figures are no claim
about real ones.

What is the same for all: heads, bleeds, view, loss, window, minutes, seeds, threshold 0.5, clean-up, test patients.
What is each network's own: its size (its paper's where that says one), its learning rate (the same for all that are
convolutions; the paper's of UNETR), patches where it takes stacks, outputs judged in training.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..calibration.release import averaged_model, brain_hu, pixel_spacing, training_data, window_hu
from ..evaluation.cases import append_row, evaluate, read_rows
from ..evaluation.metrics import icc_a1
from ..evaluation.prediction import Predict, model_id, predict_with
from ..network.base import NetworkConfig
from ..network.cost import gflop_per_slice, parameters
from ..network.registry import find_network
from ..network.weights import save_weights
from ..segmentation.segmenter import Segmenter
from ..synthetic.backgrounds import Background
from ..synthetic.code_version import generator_mark
from ..synthetic.patients import TEST, Patient, synthetic_patients
from ..training.plans import PLANS, Plan
from ..training.train import slices_per_step, train

SIX = ("unetpp", "attunet", "pranet", "unet3d", "unetr", "attfocusnet")  # in the order of the paper's tables
LEARNING_RATES = {"unetr": 1e-4}  # Hatamizadeh et al. 2022; the others take the plan's
CASE = (512, 512)  # rows and columns of a slice whose operations are counted


@dataclass(frozen=True)
class Setting:
    """One budget: what must be equal for runs to stand in one table. patients: of the test."""

    minutes: float
    patients: int
    size: int = 224
    pixel_mm: float = 0.9
    batch: int = 8

    def plan(self, network: str) -> Plan:
        """The preset `practical` in this view with the loss that starts with every seed (Resources/Ablation.md)."""
        base = PLANS["practical"]
        return replace(base, size=self.size, batch=self.batch, loss="ce_dice", first_steps=0, validation_blocks=0,
                       hard_share=0.0, ema=0.99, pixel_mm=(0.92 * self.pixel_mm, 1.08 * self.pixel_mm),
                       learning_rate=LEARNING_RATES.get(network, base.learning_rate))


def configs(names: tuple[str, ...] = SIX) -> list[NetworkConfig]:
    """Each network at its default size, which is its paper's where that says one. Raises PackageMissing for one that
    cannot be built here, before hours are spent on the others."""
    for name in names:
        find_network(name).check_packages()
    return [find_network(name).config_class() for name in names]


def tiny_configs(names: tuple[str, ...] = SIX) -> list[NetworkConfig]:
    """The same networks as small as they can be, for a dry run: whether everything is there, nothing else."""
    small = {"base_width": 4, "window": 32, "blocks": (1, 1, 1, 1), "channels": 8, "hidden_size": 24, "heads": 2}
    return [replace(one, **{name: value for name, value in small.items() if hasattr(one, name)})
            for one in configs(names)]


Patients = Callable[[set[str]], Iterable[Patient]]  # called with the names of those that are not needed


def made_once(pool: list[Background], count: int) -> Patients:
    """The patients of the test, made for the first run and kept for the others (some 40 MB each)."""
    made: dict[str, Patient] = {}

    def others(known: set[str]) -> list[Patient]:
        made.update((one.name, one) for one in synthetic_patients(pool, TEST, count, known=known | made.keys()))
        return [patient for name, patient in made.items() if name not in known]

    return others


def run_one(pool: list[Background], config: NetworkConfig, setting: Setting, seed: int, folder: Path, device: str,
            patients: Patients) -> dict:
    """Train one network, test it on the patients; a row of the table. What is in `folder` already is not done again."""
    plan = setting.plan(config.network)
    train(pool, folder, plan, config, seed=seed, minutes=setting.minutes, device=device, clock=clock_of(device))
    about = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
    weights = save_weights(folder / "weights", averaged_model(folder), {
        "version": f"{config.network}, seed {seed}", "pixel_spacing_mm": pixel_spacing(folder),
        "window_hu": window_hu(folder), "brain_hu": brain_hu(folder), "training_data": training_data(folder)})
    segmenter, seconds = Segmenter(device, weights, "torch"), []
    rows = evaluate(timed(predict_with(segmenter), seconds), f"{model_id(segmenter)}, patients {generator_mark()}",
                    patients, folder / "cases.jsonl")[:setting.patients]
    return {"network": config.network, "seed": seed, "config": config.to_dict(), **budget(setting), "device": device,
            "threads": torch.get_num_threads(), "learning_rate": plan.learning_rate, "steps": about["step"],
            "slices": about["step"] * slices_per_step(plan, config), "parameters": parameters(config),
            "gflop_per_slice": gflop_per_slice(config, *CASE), **figures(rows),
            "seconds": float(np.median([wall for wall, _ in seconds])) if seconds else None,
            "processor_seconds": float(np.median([used for _, used in seconds])) if seconds else None}


def clock_of(device: str) -> Callable[[], float]:
    """What a budget is counted by: processor time where there is no card, so that a busy machine treats all alike."""
    return time.process_time if device == "cpu" else time.monotonic


def budget(setting: Setting) -> dict:
    return {"minutes": setting.minutes, "patients": setting.patients, "size": setting.size,
            "pixel_mm": setting.pixel_mm, "batch": setting.batch}


def timed(predict: Predict, seconds: list[tuple[float, float]]) -> Predict:
    """predict, noting (wall, processor) seconds of every case."""
    def noting(ct):
        wall, used = time.perf_counter(), time.process_time()
        found = predict(ct)
        seconds.append((time.perf_counter() - wall, time.process_time() - used))
        return found

    return noting


def figures(rows: list[dict]) -> dict:
    """Of the cases of one run: mean Dice per case, median HD95 where both masks are there, cases with no mask, ICC and
    mean difference of volumes; beside them those of ABC/2 measured in the true masks."""
    true, found = ([row[name] for row in rows] for name in ("true_ml", "ml"))
    distances = [row["hd95_mm"] for row in rows if row["hd95_mm"] is not None]
    return {"dice": float(np.mean([row["dice"] for row in rows])),
            "hd95_mm": float(np.median(distances)) if distances else None,
            "nothing_found": sum(not row["ml"] for row in rows), "icc": _icc(found, true),
            "bias_ml": float(np.mean(np.subtract(found, true))),
            "coniglobus_icc": _icc([row["true_abc2_ml"] for row in rows], true)}


def _icc(first: list[float], second: list[float]) -> float | None:
    return icc_a1(first, second) if len(first) > 2 and (np.ptp(first) or np.ptp(second)) else None


def run_all(pool: list[Background], chosen: list[NetworkConfig], setting: Setting, seeds: list[int], folder: Path,
            device: str = "cpu", say=lambda text: None) -> list[dict]:
    """Every network with every seed that folder/runs.jsonl does not have for this setting; all rows of the setting."""
    rows_file = folder / "runs.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    mark, patients = {**budget(setting), "device": device}, made_once(pool, setting.patients)

    def of_setting():
        return [row for row in read_rows(rows_file) if all(row[name] == value for name, value in mark.items())]

    for seed in seeds:
        for config in chosen:
            if any((row["network"], row["seed"], row["config"]) == (config.network, seed, _plain(config))
                   for row in of_setting()):
                continue
            place = folder / f"{config.network}-{setting.minutes:g}min-{setting.size}px-{device}-{seed}"
            row = run_one(pool, config, setting, seed, place, device, patients)
            append_row(rows_file, row)
            say(json.dumps(row))
    return of_setting()


def _plain(config: NetworkConfig) -> dict:
    return json.loads(json.dumps(config.to_dict()))
