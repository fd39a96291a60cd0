"""From a checkpoint to shipped weights: threshold, classifier and interval are calibrated on patients kept apart."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..engines.openvino_graph import BUILDERS
from ..evaluation.model_card import NO_REAL
from ..network.registry import network_of, read_config
from ..network.weights import copy_weights, load_weights, save_weights, weights_folder
from ..segmentation.conformal_interval import IN_TRAINED_HEADS, calibrate_intervals
from ..segmentation.network_runner import NetworkRunner
from ..segmentation.segmenter import Segmenter
from ..synthetic.patients import CALIBRATION, TRAINED, synthetic_patients
from ..training.checkpoint import ABOUT, CHECKPOINT, load_checkpoint, mix_in_start
from .coarse_threshold import HIGHEST, FoundBleed, choose, found_bleeds
from .int8_ranges import int8_ranges
from .threshold import Calibration

RANGE_PATIENTS = 10
KEPT_IN = {CALIBRATION: "calibration", TRAINED: "calibration_trained"}  # apart: the first choose the threshold, too
FULL_RESOLUTION_MM = 0.47  # a head in 512 pixels
KNOWN_HU = 2.0  # so far from the level of training a scan stays as it is: there it varies by up to 4 HU, too
KEPT = ("pixel_spacing_mm", "window_hu", "brain_hu", "training_data", "real_patients", "licence", "clean_up_mm3",
        "start_share")  # calibrated again
SYNTHETIC = (
    "Synthetic hemorrhages in bleed-free heads: real slices of the CT-ICH data set v1.0.0 (Hssayeni et al., Data "
    "2020;5:14, PhysioNet, CC BY 4.0), the CT brain template of C. Rorden (BSD-2), and heads made by code. ")
REAL = "Also real hemorrhages of the same data set ({names}), with masks made for this project, not by radiologists."


def averaged_model(run: Path, start_share: float = 0.0):
    """The network (torch) with the averaged weights of a training run, mixed with a share of those that it started
    from; evaluation mode."""
    config = read_config(_about(run), str(Path(run) / ABOUT))
    network = network_of(config)
    averaged = network.new_model(config)
    load_checkpoint(Path(run), network.new_model(config), averaged)
    if start_share:
        mix_in_start(Path(run), averaged, start_share)
    return averaged.eval()


def _about(run: Path) -> dict:
    return json.loads((Path(run) / ABOUT).read_text(encoding="utf-8"))


def pixel_spacing(run: Path) -> dict:
    """The manifest's pixel_spacing_mm: what the run was trained on, and what other scans are resampled to."""
    low, high = _about(run)["plan"]["pixel_mm"]
    target = FULL_RESOLUTION_MM if low <= FULL_RESOLUTION_MM <= high else float(np.sqrt(low * high))
    return {"native_range": [low, high], "target": round(target, 3)}


def window_hu(run: Path) -> list[float]:
    """The manifest's window_hu: what the run was trained on; the paper's where the plan does not say."""
    return list(_about(run)["plan"].get("window_hu", (-60.0, 140.0)))


def brain_hu(run: Path) -> list[float] | None:
    """The manifest's brain_hu: the levels that the run knows brain at; None where it saw heads as they are."""
    levels_hu = _about(run)["plan"].get("brain_hu")
    return levels_hu and [levels_hu[0] - KNOWN_HU, levels_hu[1] + KNOWN_HU]


def is_run(folder: Path) -> bool:
    """True for the folder of a training run, False for one of released weights."""
    return (Path(folder) / CHECKPOINT).is_file()


def _with_int8_ranges(folder: Path, model, fields: dict, pool, jobs: int, eight_bits: bool) -> None:
    """Measure the ranges of the saved weights on calibration patients, and save the weights with them."""
    weights = load_weights(folder)
    if weights.config.network in BUILDERS:
        patients = synthetic_patients(pool, CALIBRATION, RANGE_PATIENTS, jobs=jobs)
        fields["int8_ranges"] = int8_ranges(weights, (one.ct for one in patients))
        save_weights(folder, model, fields, eight_bits)


def release(run: Path, folder: Path, pool, *, version: str, patients: int = 100, work: Path | None = None,
            jobs: int = 0, start_share: float = 0.0) -> dict:
    """Write calibrated weights of `run` into `folder`; returns the manifest fields that were set.

    run: a training run's folder, or released weights that are to be calibrated again. patients: synthetic patients of
    the calibration half; the network sees each once, and what it thought is kept in work / "calibration" (default: in
    the run's folder, or beside `folder`), where an interrupted calibration goes on. start_share: see `averaged_model`.
    """
    if start_share and not is_run(run):
        raise InputError(f"{run} holds released weights, which have no start; name the run that they came from.")
    model, fields = _of_run(run, start_share) if is_run(run) else _of_weights(run)
    eight_bits = is_run(run) or load_weights(run).in_eight_bits  # released weights are not rounded again
    if start_share:
        fields["start_share"] = start_share
    work = Path(work or (run if is_run(run) else Path(folder).parent))
    fields["version"] = version
    save_weights(folder, model, fields, eight_bits)
    _with_int8_ranges(folder, model, fields, pool, jobs, eight_bits)
    calibration = Calibration(work / KEPT_IN[CALIBRATION], Segmenter(weights_dir=folder), jobs)
    for patient in synthetic_patients(pool, CALIBRATION, patients, jobs=jobs, known=calibration.rows):
        calibration.add(patient)
    chosen = calibration.choose()
    kept = {**chosen["intervals"], **({"pieces": chosen["pieces"]} if chosen["pieces"] else {})}
    fields |= {"threshold": chosen["threshold"], "calibration": kept}
    save_weights(folder, model, fields, eight_bits)
    return fields


def release_intervals(weights: Path | None, folder: Path, pool, *, version: str, patients: int = 100,
                      trained_heads: int = 100, work: Path | None = None, jobs: int = 0) -> dict:
    """Released weights (None: the shipped ones) with other intervals, threshold and pieces as they are; returns the
    manifest fields that were set.

    patients: of the calibration half, which has the heads of five real patients; trained_heads: patients with new
    bleeds in the heads of training, some thirty real ones: how far a volume is off differs from head to head, and the
    network is no better in heads that it knows (Resources/TrainingHistory.md). work: as `release` has it; theirs are
    kept in work / "calibration_trained".
    """
    place = weights_folder(weights)
    known = load_weights(place)
    before, measured = known.manifest["calibration"], []
    work, segmenter = Path(work or Path(folder).parent), Segmenter(weights_dir=place)
    for part, count in ((CALIBRATION, patients), (TRAINED, trained_heads)):
        calibration = Calibration(work / KEPT_IN[part], segmenter, jobs)
        for patient in synthetic_patients(pool, part, count, jobs=jobs, known=calibration.rows):
            calibration.add(patient)
        measured.append(calibration.measured(known.threshold, before.get("pieces")))
    intervals = calibrate_intervals(*([*one, *other] for one, other in zip(*measured, strict=True)))
    fields = {"version": version, "calibration": {**before, **intervals, IN_TRAINED_HEADS: len(measured[1][0])}}
    copy_weights(known, place, folder, fields)
    return fields


def release_coarse(run: Path, folder: Path, pool, *, version: str, fine_weights: Path | None = None,
                   patients: int = 100, jobs: int = 0) -> dict:
    """Write the weights of the coarse pass from a training run into `folder` (`coarse` within the weights that they
    belong to); returns the manifest fields. fine_weights: those weights (default: the shipped ones). What was found is
    kept in the run's folder (coarse_bleeds.jsonl), where an interrupted calibration goes on."""
    fields = {**_of_run(run, 0.0)[1], "version": version, "threshold": HIGHEST}
    model = averaged_model(run)
    save_weights(folder, model, fields, eight_bits=True)
    _with_int8_ranges(folder, model, fields, pool, jobs, eight_bits=True)
    fine, coarse = (NetworkRunner(load_weights(one), "cpu", "auto") for one in (fine_weights, folder))
    rows_file = Path(run) / "coarse_bleeds.jsonl"
    rows = [json.loads(line) for line in rows_file.read_text("utf-8").splitlines()] if rows_file.is_file() else []
    found = [FoundBleed(**bleed) for row in rows for bleed in row["bleeds"]]
    known = {row["patient"] for row in rows}
    for patient in synthetic_patients(pool, CALIBRATION, patients, jobs=jobs, known=known):
        bleeds = found_bleeds(patient, fine, coarse)
        found += bleeds
        with rows_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"patient": patient.name, "bleeds": [asdict(one) for one in bleeds]}) + "\n")
        known.add(patient.name)
    fields["threshold"] = round(choose(found), 4)
    fields["calibration"] = {"coarse": {"patients": len(known), "bleeds": len(found)}}
    save_weights(folder, model, fields, eight_bits=True)
    return fields


def _of_run(run: Path, start_share: float):
    return averaged_model(run, start_share), {
        "pixel_spacing_mm": pixel_spacing(run), "window_hu": window_hu(run), "brain_hu": brain_hu(run),
        "training_data": training_data(run),
        "real_patients": _about(run).get("real_patients", [])}


def training_data(run: Path) -> str:
    """The manifest's training_data: what the run has seen."""
    names = _about(run).get("real_patients", [])
    return SYNTHETIC + (REAL.format(names=", ".join(names)) if names else NO_REAL)


def _of_weights(folder: Path):
    weights = load_weights(folder)
    model = network_of(weights.config).training_model(weights)
    return model, {name: weights.manifest[name] for name in KEPT if name in weights.manifest}
