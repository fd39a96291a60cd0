"""What every choice is worth: variants trained with the same number of slices, tested on the same fixed patients.

The budget is counted in slices, so that a busy computer changes nothing. A run is one JSON line; runs that are there
are not repeated. The patients of the test are in validation heads, with seeds of their own.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import torch

from ..calibration.release import averaged_model
from ..evaluation.cases import append_row, lesions_found, read_rows
from ..imaging.dice import dice
from ..network.base import NetworkConfig
from ..network.config import AttFocusNetConfig, AttUNetConfig
from ..network.registry import network_of
from ..segmentation.input_slices import moved_hu, windowed_slices
from ..synthetic.background_pool import is_validation
from ..synthetic.backgrounds import PIXEL_MM, Background
from ..synthetic.generator import EVERYTHING, Ingredients, make_block
from ..synthetic.patients import as_ct
from ..training.plans import PLANS, Plan
from ..training.train import bf16_pays, train

PIXELS, SIZE = 1.6, 128  # the whole head, as coarse as it can be: every run takes minutes
PATIENTS = 30
SEED = 3_000_000
BASE, NO_FOCUS = "base: R1, concat, width 16", "AttUNet (focus off)"
MEASURES = {"dice": "Dice, any blood", "ivh_dice": "IVH Dice", "small_recall": "found, 0.1-1 mL",
            "recall": "found, over 1 mL", "false_alarm": "clean slices marked"}


@dataclass(frozen=True)
class Variant:
    """One line of the table: a network, a view, a generator."""

    name: str
    config: NetworkConfig = field(default_factory=AttFocusNetConfig)
    plan_changes: dict = field(default_factory=dict)
    ingredients: Ingredients = EVERYTHING
    pixel_mm: float = PIXELS
    size: int = SIZE

    def plan(self, slices: int) -> Plan:
        """The preset `practical` in this view, one epoch of `slices`, averaged over fewer steps as the run is short."""
        spread = 0.08 * self.pixel_mm
        return replace(PLANS["practical"], **{
            "epochs": 1, "epoch_slices": slices, "validation_blocks": 0, "size": self.size,
            "ema": 0.99, "pixel_mm": (self.pixel_mm - spread, self.pixel_mm + spread), "loss": "ce_dice",
            "first_steps": 0, **self.plan_changes})


def variants() -> list[Variant]:
    """The base first; every other differs from it in one thing."""
    base = AttFocusNetConfig()
    made = [Variant(BASE)]
    made += [Variant(name, replace(base, **changes)) for name, changes in (
        ("fusion R2", {"fusion": "R2"}), ("fusion R3", {"fusion": "R3"}), ("gate add", {"gate": "add"}),
        ("width 8", {"base_width": 8}), ("width 24", {"base_width": 24}),
        ("3 slices", {"in_slices": 3}))]
    made.insert(4, Variant(NO_FOCUS, AttUNetConfig()))
    made += [Variant("pixels 1.2 mm", pixel_mm=1.2, size=176), Variant("pixels 0.9 mm", pixel_mm=0.9, size=224)]
    made += [Variant("loss of the paper", plan_changes={"loss": "bce_dice"}),
             Variant("loss of hard pixels", plan_changes={"loss": "class_dice", "first_steps": 300}),
             Variant("no hard negatives", plan_changes={"hard_share": 0.0}),
             Variant("window -60 to 140 HU", plan_changes={"window_hu": (-60.0, 140.0)})]
    made += [Variant(f"without {one.name.replace('_', ' ')}", ingredients=replace(EVERYTHING, **{one.name: False}))
             for one in fields(Ingredients) if one.type in (bool, "bool")]
    return made


@dataclass(frozen=True, eq=False)
class TestStack:
    """hu float32, labels uint8 (slices, rows, columns); pixel and slice distance in mm.

    brain_hu: how bright the brain is; None where that is not known.
    """

    hu: np.ndarray
    labels: np.ndarray
    pixel_mm: float
    step_mm: float
    brain_hu: float | None = None


def fixed_patients(pool: list[Background], pixel_mm: float, size: int, count: int = PATIENTS) -> list[TestStack]:
    """Bleeding validation patients as one variant sees them; the same for every variant but for the view."""
    held = [one for one in pool if is_validation(one.patient) and one.may_bleed]
    patients = []
    for index in range(count if held else 0):
        block = make_block(np.random.default_rng(SEED + index), held[index % len(held)], size=size, pixel_mm=pixel_mm,
                           slices=None, bleed=True)
        patients.append(TestStack(block.hu, block.labels, pixel_mm, block.step_mm, block.brain_hu))
    return patients


def clean_slices(pool: list[Background], pixel_mm: float, size: int) -> list[TestStack]:
    """Real bleed-free validation patients as they are, resampled to the view."""
    return [TestStack(_resampled(one.hu, pixel_mm, size), np.zeros((len(one.hu), size, size), np.uint8), pixel_mm,
                      one.step_mm, one.brain_hu) for one in pool if is_validation(one.patient) and one.kind == "ct_ich"]


def _resampled(hu: np.ndarray, pixel_mm: float, size: int) -> np.ndarray:
    """Slices (n, rows, columns) of PIXEL_MM to size x size pixels around the same middle; air beyond the image."""
    images = torch.from_numpy(hu[:, None].astype(np.float32))
    wanted = [max(round(length * PIXEL_MM / pixel_mm), 1) for length in hu.shape[1:]]
    images = torch.nn.functional.interpolate(images, wanted, mode="bilinear", antialias=True)[:, 0].numpy()
    frame = np.full((len(hu), size, size), -1000, np.float32)
    ours, theirs = [], []
    for length in images.shape[1:]:
        both = min(length, size)
        ours.append(slice((size - both) // 2, (size - both) // 2 + both))
        theirs.append(slice((length - both) // 2, (length - both) // 2 + both))
    frame[:, ours[0], ours[1]] = images[:, theirs[0], theirs[1]]
    return frame


@torch.no_grad()
def mark(model, patient: TestStack, plan: Plan, in_slices: int, device: torch.device, batch: int = 8) -> np.ndarray:
    """The mask of a patient by a model of the registry, uint8, at threshold 0.5 without clean-up."""
    network = network_of(model.config)
    images = windowed_slices(patient.hu, plan.window_hu, in_slices, moved_hu=moved_hu(patient.brain_hu, plan.brain_hu))
    masks = []
    for first in range(0, len(images), batch):
        inputs = torch.from_numpy(images[first:first + batch]).to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16_pays(device)):
            probabilities = torch.softmax(network.logits(model, inputs).float(), 1).cpu().numpy()
        masks.append(np.where(probabilities[:, 0] > 0.5, 0, np.where(probabilities[:, 2] > probabilities[:, 1], 2, 1)))
    return np.concatenate(masks).astype(np.uint8)


def measure(masks: Iterable[np.ndarray], patients: list[TestStack]) -> dict:
    """Mean Dice of any blood per bleeding patient, pooled IVH Dice, lesions found by size, clean slices marked."""
    dices, ivh, lesions, alarms = [], np.zeros(3), [], []
    for mask, one in zip(masks, patients, strict=True):
        truth = one.labels
        if truth.any():
            dices.append(dice(mask, truth))
            lesions += lesions_found(mask, truth, as_ct(truth.astype(np.int16), one.step_mm, one.pixel_mm))
        else:
            alarms += list((mask > 0).sum(axis=(1, 2)) * one.pixel_mm**2 > 20)
        ivh += [((mask == 2) & (truth == 2)).sum(), (mask == 2).sum(), (truth == 2).sum()]
    found = {"small_recall": [hit for ml, hit in lesions if 0.1 <= ml < 1],
             "recall": [hit for ml, hit in lesions if ml >= 1], "false_alarm": alarms, "dice": dices}
    return {**{name: float(np.mean(values)) if values else None for name, values in found.items()},
            "ivh_dice": float(2 * ivh[0] / (ivh[1] + ivh[2])) if ivh[1] + ivh[2] else None}


def run_one(pool: list[Background], variant: Variant, slices: int, seed: int, folder: Path, device: str = "cpu",
            tests: dict | None = None) -> dict:
    """Train one variant and measure it; tests: remembered test patients by view."""
    plan, tests = variant.plan(slices), {} if tests is None else tests
    view = (variant.pixel_mm, variant.size)
    if view not in tests:
        tests[view] = fixed_patients(pool, *view) + clean_slices(pool, *view)
    train(pool, folder, plan, variant.config, seed=seed, device=device, ingredients=variant.ingredients)
    model, where = averaged_model(folder).to(device), torch.device(device)
    masks = (mark(model, one, plan, variant.config.in_slices, where) for one in tests[view])
    parameters = sum(one.numel() for one in model.parameters())
    return {"variant": variant.name, "seed": seed, "slices": slices, "parameters": parameters,
            **measure(masks, tests[view])}


def run_all(pool: list[Background], chosen: list[Variant], slices: int, seeds: list[int], folder: Path,
            device: str = "cpu", say=lambda text: None) -> list[dict]:
    """Every variant with every seed that folder/runs.jsonl does not have yet; returns all rows of this budget."""
    rows_file, tests = folder / "runs.jsonl", {}
    folder.mkdir(parents=True, exist_ok=True)
    done = {(row["variant"], row["seed"], row["slices"]) for row in read_rows(rows_file)}
    for seed in seeds:
        for number, variant in enumerate(variants()):
            if variant not in chosen or (variant.name, seed, slices) in done:
                continue
            row = run_one(pool, variant, slices, seed, folder / f"{number:02d}-{slices}-{seed}", device, tests)
            append_row(rows_file, row)
            say(json.dumps(row))
    return [row for row in read_rows(rows_file) if row["slices"] == slices]


def table(rows: list[dict]) -> str:
    """Markdown: mean and standard deviation over the seeds of every variant, in the order of `variants`."""
    if not rows:
        return ""
    names = list(dict.fromkeys([one.name for one in variants()] + [row["variant"] for row in rows]))
    lines = ["| variant | parameters | seeds | " + " | ".join(MEASURES.values()) + " |",
             "|---" * (3 + len(MEASURES)) + "|"]
    for name in names:
        of_one = [row for row in rows if row["variant"] == name]
        if of_one:
            cells = [_cell([row[measure] for row in of_one if row[measure] is not None], measure)
                     for measure in MEASURES]
            lines.append(f"| {name} | {of_one[0]['parameters'] / 1e6:.2f} M | {len(of_one)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def claim(rows: list[dict]) -> str:
    """The paper's claim in a sentence: Dice with focus minus without, run by run with the same seed."""
    of = {name: {row["seed"]: row["dice"] for row in rows if row["variant"] == name} for name in (BASE, NO_FOCUS)}
    gains = [of[BASE][seed] - of[NO_FOCUS][seed] for seed in sorted(of[BASE].keys() & of[NO_FOCUS].keys())]
    if not gains:
        return ""
    each = ", ".join(f"{gain:+.3f}" for gain in gains)
    if len(gains) < 3:
        return f"AttFocusNet against AttUNet, same seed: Dice {each}; too few runs to say more.\n"
    error = float(np.std(gains, ddof=1) / np.sqrt(len(gains)))
    classifier = ("these runs do not decide the paper's claim" if abs(np.mean(gains)) <= 2 * error else
               "the paper's claim holds here" if np.mean(gains) > 0 else "the paper's claim does not hold here")
    return (f"AttFocusNet against AttUNet, same seed: Dice {each}; mean {np.mean(gains):+.3f}, two standard errors "
            f"{2 * error:.3f}: {classifier}.\n")


def _cell(values: list[float], measure: str) -> str:
    if not values:
        return "-"
    scale, form = (1, "{:.3f}") if "dice" in measure else (100, "{:.1f}")
    spread = f" ± {form.format(scale * np.std(values, ddof=1))}" if len(values) > 1 else ""
    return form.format(scale * np.mean(values)) + spread + ("" if scale == 1 else " %")
