"""How good a model is on real slices with masks: one row a slice, then the figures of the model card."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..datasets.case import UNSURE
from ..datasets.ct_ich import STEP_MM
from ..datasets.ct_ich_bleeds import OUTSIDE_ONLY, RealStack
from ..imaging.dice import dice
from ..segmentation.segmenter import Segmenter
from ..synthetic.patients import as_ct
from .cases import append_row, read_rows
from .prediction import Predict

log = logging.getLogger(__name__)
ALARM_MM2 = 20.0  # more than this marked on a slice without blood in the brain is a false alarm
SOFT_HU = (-15, 95)
HIT = 0.1  # share of a slice's blood that must be marked


def score_stacks(predict: Predict, mark: str, stacks: Iterable[RealStack], rows_file: Path) -> list[dict]:
    """Segment the stacks that rows_file lacks for this model, append their rows; all rows of this model.

    mark: what marks the rows as this model's (model_mark for ours).
    """
    rows = [row for row in read_rows(rows_file) if row["model"] == mark]
    known = {(row["patient"], row["split"]) for row in rows}
    for stack in stacks:
        if (stack.patient, stack.split) in known:
            continue
        mask = predict(as_ct(stack.hu, STEP_MM, stack.spacing_mm)).mask
        new = [{**row, "model": mark} for row in slice_rows(stack, mask)]
        for row in new:
            append_row(rows_file, row)
        rows += new
        log.info("%s: %d slices", stack.patient, len(new))
    return rows


def brightened(stack: RealStack, by_hu: float) -> RealStack:
    """The stack with all soft tissue brighter by so many HU, as another dose or calibration shows it; what an 8-bit
    slice has saturated stays."""
    soft = (stack.hu > SOFT_HU[0]) & (stack.hu < SOFT_HU[1])
    return replace(stack, hu=np.where(soft, np.round(stack.hu + by_hu), stack.hu).astype(np.int16))


def mirrored(stack: RealStack) -> RealStack:
    """The stack with left and right exchanged, the truth with it."""
    return replace(stack, hu=np.ascontiguousarray(stack.hu[:, :, ::-1]),
                   truth=np.ascontiguousarray(stack.truth[:, :, ::-1]))


def model_mark(segmenter: Segmenter) -> str:
    """Which weights at which threshold, pixel size and levels of brain made a row."""
    weights = segmenter.weights
    pixels = weights.manifest["pixel_spacing_mm"]
    levels = "" if weights.brain_hu is None else ", brain {:g} to {:g} HU".format(*weights.brain_hu)
    return f"{weights.version} {weights.sha256[:16]} at {weights.threshold:g}, {pixels['target']:g} mm{levels}"


def slice_rows(stack: RealStack, mask: np.ndarray) -> list[dict]:
    """A row for every slice of the stack but its context: areas in mm2, Dice (None where there is nothing to find).

    mask: uint8, the stack's shape, 1 ICH, 2 IVH. Pixels that are UNSURE in the truth are left out.
    """
    rows = []
    for k, (kind, number) in enumerate(zip(stack.kinds, stack.numbers, strict=True)):
        if kind != "context":
            truth, marked = stack.truth[k], np.where(stack.truth[k] == UNSURE, 0, mask[k])
            rows.append({"patient": stack.patient, "split": stack.split, "slice": number, "kind": kind,
                         **_scores(truth, marked, stack.spacing_mm**2)})
    return rows


def _scores(truth: np.ndarray, marked: np.ndarray, pixel_mm2: float) -> dict:
    blood = np.isin(truth, (1, 2))
    areas = {f"{what}_{name}_mm2": float(np.count_nonzero(where == label) * pixel_mm2)
             for what, where in (("true", truth), ("marked", marked)) for label, name in ((1, "ich"), (2, "ivh"))}
    ivh_found = (truth == 2) & (marked > 0)
    return {**areas,
            "found_mm2": float(np.count_nonzero(blood & (marked > 0)) * pixel_mm2),
            "false_mm2": float(np.count_nonzero(~blood & (marked > 0)) * pixel_mm2),
            "ivh_found_mm2": float(np.count_nonzero(ivh_found) * pixel_mm2),
            "ivh_called_ich_mm2": float(np.count_nonzero(ivh_found & (marked == 1)) * pixel_mm2),
            "dice": dice(marked > 0, blood) if blood.any() else None,
            "ich_dice": dice(marked == 1, truth == 1) if (truth == 1).any() else None,
            "ivh_dice": dice(marked == 2, truth == 2) if (truth == 2).any() else None}


def summarise_real(rows: list[dict]) -> dict:
    """The figures of the rows of one model; None where no slice was measured."""
    bleeding = [row for row in rows if row["dice"] is not None]
    true_mm2 = [row["true_ich_mm2"] + row["true_ivh_mm2"] for row in bleeding]
    hits = [row["found_mm2"] >= HIT * area for row, area in zip(bleeding, true_mm2, strict=True)]
    found = sum(row["ivh_found_mm2"] for row in bleeding)
    figures = {"bleeding_slices": len(bleeding), "patients": len({row["patient"] for row in bleeding})}
    for name in ("dice", "ich_dice", "ivh_dice"):
        values = [row[name] for row in bleeding if row[name] is not None]
        figures[name] = {"slices": len(values), "mean": float(np.mean(values)),
                         "median": float(np.median(values))} if values else None
    figures |= {"hit_rate": float(np.mean(hits)) if hits else None,
                "ivh_called_ich": sum(row["ivh_called_ich_mm2"] for row in bleeding) / found if found else None,
                "false_mm2_on_bleeding_slices": sum(row["false_mm2"] for row in bleeding)}
    outside = [row for row in rows if row["kind"] == "extra_axial"]
    figures["marked_slices"] = {
        "normal": _alarms(row for row in rows if row["kind"] == "normal"),
        "no blood, of bleeding patients": _alarms(row for row in rows if row["kind"] == "no_blood"),
        "blood outside the brain only": _alarms(row for row in outside if row["split"] != OUTSIDE_ONLY),
        "blood outside the brain only, outlined": _alarms(row for row in outside if row["split"] == OUTSIDE_ONLY)}
    return figures


def _alarms(rows) -> dict:
    """How many slices, how many of them with more than ALARM_MM2 marked, and what is marked in all."""
    areas = [row["marked_ich_mm2"] + row["marked_ivh_mm2"] for row in rows]
    return {"slices": len(areas), "marked": sum(area > ALARM_MM2 for area in areas), "marked_mm2": float(sum(areas))}
