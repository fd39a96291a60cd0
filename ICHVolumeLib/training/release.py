"""From a checkpoint to shipped weights: threshold and interval calibrated on patients kept apart for that."""

import json
import logging
from pathlib import Path

import numpy as np

from ..interval import calibrate_interval
from ..network.attfocusnet import AttFocusNet, AttFocusNetConfig
from ..network.weights import save_weights
from ..segmentation import Segmenter
from .checkpoint import load_checkpoint
from .evaluate import CALIBRATION, evaluate, synthetic_patients

log = logging.getLogger(__name__)

FULL_RESOLUTION_MM = 0.47  # a head in 512 pixels
THRESHOLDS = np.round(np.arange(0.2, 0.81, 0.05), 2)
TRAINING_DATA = (
    "Synthetic hemorrhages in bleed-free heads: real slices of the CT-ICH data set v1.0.0 (Hssayeni et al., Data "
    "2020;5:14, PhysioNet, CC BY 4.0), the CT brain template of C. Rorden (BSD-2), and heads made by code. "
    "No real hemorrhage with a mask was used.")


def averaged_model(run: Path) -> AttFocusNet:
    """The averaged weights of a training run, in evaluation mode."""
    config = AttFocusNetConfig.from_dict(_about(run)["config"])
    averaged = AttFocusNet(config)
    load_checkpoint(Path(run), AttFocusNet(config), averaged)
    return averaged.eval()


def _about(run: Path) -> dict:
    return json.loads((Path(run) / "checkpoint.json").read_text(encoding="utf-8"))


def pixel_spacing(run: Path) -> dict:
    """The manifest's pixel_spacing_mm: what the run was trained on, and what other scans are resampled to."""
    low, high = _about(run)["plan"]["pixel_mm"]
    target = FULL_RESOLUTION_MM if low <= FULL_RESOLUTION_MM <= high else float(np.sqrt(low * high))
    return {"native_range": [low, high], "target": round(target, 3)}


def release(run: Path, folder: Path, pool, *, version: str, patients: int = 40, work: Path | None = None) -> dict:
    """Write calibrated weights of `run` into `folder`; returns the manifest fields that were set.

    patients: synthetic patients of the calibration half, first for the threshold, then for the interval.
    """
    model, work = averaged_model(run), Path(work or run)
    fields = {"version": version, "training_data": TRAINING_DATA, "pixel_spacing_mm": pixel_spacing(run)}
    save_weights(folder, model, fields)
    fields["threshold"] = choose_threshold(Segmenter(weights_dir=folder), pool, patients)
    save_weights(folder, model, fields)
    rows_file = work / f"calibration-{version}.jsonl"
    rows_file.unlink(missing_ok=True)
    rows = evaluate(Segmenter(weights_dir=folder), synthetic_patients(pool, CALIBRATION, patients), rows_file)
    fields["calibration"] = {"interval": calibrate_interval(
        [row["true_ml"] for row in rows], [row["ml"] for row in rows], [row["ambiguous_ml"] for row in rows])}
    save_weights(folder, model, fields)
    return fields


def choose_threshold(segmenter: Segmenter, pool, patients: int) -> float:
    """The threshold with the smallest volume bias: |summed marked volume / summed true volume - 1|."""
    true_ml, marked_ml = 0.0, np.zeros(len(THRESHOLDS))
    for patient in synthetic_patients(pool, CALIBRATION, patients):
        chance = segmenter.bleed_chance(patient.ct)
        mm3 = patient.ct.voxel_volumes_mm3
        true_ml += float((patient.truth > 0).sum(axis=(1, 2)) @ mm3) / 1000
        marked_ml += [float((chance >= one).sum(axis=(1, 2)) @ mm3) / 1000 for one in THRESHOLDS]
    bias = marked_ml / true_ml - 1
    log.info("volume bias by threshold: %s", dict(zip(THRESHOLDS.tolist(), np.round(bias, 4).tolist(), strict=True)))
    return float(THRESHOLDS[np.argmin(np.abs(bias))])
