"""How good a model is, any model: held-out synthetic patients or cases of a data set, and false alarms on real
bleed-free scans.

Every row is one case and is written to a JSON-lines file at once, so an evaluation can be stopped and continued.
Synthetic patients show what the model can do on the generator's kind of bleed; they say nothing about real patients.
"""

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import IVH
from ..datasets.case import UNSURE, DatasetCase
from ..imaging.boxes import bounding_box
from ..imaging.dice import dice
from ..measure import measure_mask
from ..postprocessing.local_contrast import look_around, look_around_component, smoothed, widened
from ..synthetic.backgrounds import Background
from ..synthetic.patients import Patient, as_ct
from .metrics import hd95_mm
from .prediction import Predict, Prediction

log = logging.getLogger(__name__)


def evaluate(predict: Predict, model_id: str, cases: Callable[[set[str]], Iterable[Patient | DatasetCase]],
             rows_file: Path) -> list[dict]:
    """Segment the cases with any model, append a row of each to rows_file; returns all rows, sorted by case.

    model_id: what marks the rows as this model's (prediction.model_id for ours). cases: called with the ids of the
    cases that rows_file already has, gives the others.
    Raises InputError when rows_file holds rows of another model, a case has no truth, or a mask another shape.
    """
    rows = rows_of_model(model_id, rows_file)
    for case in cases({row["case"] for row in rows}):
        row = {**case_row(case, predict(case.ct)), "model": model_id}
        rows.append(row)
        append_row(rows_file, row)
        log.info("%s: Dice %.3f, %.2f of %.2f mL", case.id, row["dice"], row["ml"], row["true_ml"])
    return sorted(rows, key=lambda row: row["case"])


def append_row(rows_file: Path, row: dict):
    with open(rows_file, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_rows(rows_file: Path) -> list[dict]:
    """Rows of a JSON-lines file; a last line that was cut short when the program was ended is left out."""
    if not Path(rows_file).is_file():
        return []
    text = Path(rows_file).read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        text = text[:text.rfind("\n") + 1]
        Path(rows_file).write_text(text, encoding="utf-8", newline="\n")
    return [json.loads(line) for line in text.splitlines()]


def rows_of_model(model_id: str, rows_file: Path) -> list[dict]:
    """The rows of an interrupted evaluation. Raises InputError when they are of another model."""
    rows = read_rows(rows_file)
    if any(row.get("model") != model_id for row in rows):
        raise InputError(f"{rows_file}: holds cases of other weights, another calibration or an earlier generator; "
                         "give another folder, or remove the file.")
    return rows


def case_row(case: Patient | DatasetCase, prediction: Prediction) -> dict:
    """One case in numbers: Dice, HD95, volumes, ABC/2, lesions found by size, contrast, the interval.

    Voxels that are UNSURE in the truth count as unmarked in both, blood outside the brain as none.
    """
    ct, (truth, mask) = case.ct, _scored(case, prediction)
    spacing = (float(np.median(np.abs(ct.slice_steps_mm))), *ct.pixel_spacing_mm)
    measured, true = measure_mask(ct, mask), measure_mask(ct, truth)
    ivh_true = (truth == 2).any()
    return {
        "case": case.id, **case.row(),
        "true_ml": true.volume_ml.total, "ml": measured.volume_ml.total, "true_ich_ml": true.volume_ml.ich,
        "ich_ml": measured.volume_ml.ich,
        "true_ivh_ml": true.volume_ml.ivh, "ivh_ml": measured.volume_ml.ivh,
        "dice": dice(mask, truth), "ich_dice": dice(mask == 1, truth == 1) if (truth == 1).any() else None,
        "ivh_dice": dice(mask == 2, truth == 2) if ivh_true else None,
        "hd95_mm": hd95_mm(mask, truth, spacing),
        "abc2_ml": measured.abc2.coniglobus_ml if measured.abc2 else 0.0,
        "true_abc2_ml": true.abc2.coniglobus_ml if true.abc2 else 0.0,
        "lesions": [[volume, bool(hit)] for volume, hit in lesions_found(mask, truth, ct)],
        "contrast_hu": contrast_hu(ct, truth), "slices": slices_found(mask, truth, ct),
        "interval_ml": prediction.interval_ml, "ambiguous_ml": prediction.ambiguous_ml,
        "label_intervals_ml": prediction.label_intervals_ml, "findings": list(prediction.findings),
    }


def _scored(case: Patient | DatasetCase, prediction: Prediction) -> tuple[np.ndarray, np.ndarray]:
    """(truth, mask) of the ICH and IVH that are counted."""
    truth, mask = case.truth, prediction.mask
    if truth is None:
        raise InputError(f"{case.id}: has no mask to score against; give it one, or leave it out.")
    if mask.shape != truth.shape:
        raise InputError(f"{case.id}: the model's mask has {mask.shape} voxels and the scan {truth.shape}; give the "
                         "mask on the scan's own grid.")
    if mask.dtype.kind not in "bui" or not 0 <= mask.min(initial=0) <= mask.max(initial=0) <= IVH.value:
        raise InputError(f"{case.id}: the model's mask ({mask.dtype}) holds more than 0, 1 (ICH) and 2 (IVH); give "
                         "labels, not probabilities or labels of another kind.")
    if truth.max(initial=0) > IVH.value:
        mask = np.where(truth == UNSURE, 0, mask).astype(mask.dtype)
        truth = np.where(truth > IVH.value, 0, truth).astype(np.uint8)
    return truth, mask


def lesions_found(mask: np.ndarray, truth: np.ndarray, ct: CTVolume) -> list[tuple[float, bool]]:
    """(mL, found) of every connected true lesion; found: at least a tenth of it is marked."""
    import SimpleITK as sitk

    near = bounding_box(truth > 0, (0, 0, 0))
    if near is None:
        return []
    truth, mask, slice_ml = truth[near] > 0, mask[near] > 0, ct.voxel_volumes_mm3[near[0]] / 1000
    components = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray(truth.astype(np.uint8)), True))
    count = int(components.max()) + 1
    sizes, marked = np.zeros(count), np.zeros(count)
    for one, shown, voxel_ml in zip(components, mask, slice_ml, strict=True):
        sizes += np.bincount(one.ravel(), minlength=count) * voxel_ml
        marked += np.bincount(one[shown], minlength=count) * voxel_ml
    return [(float(size), bool(hit > 0.0999 * size)) for size, hit in zip(sizes[1:], marked[1:], strict=True)]


def slices_found(mask: np.ndarray, truth: np.ndarray, ct: CTVolume) -> list[tuple[float, float | None, float]]:
    """(mm2 of blood, its contrast in HU, Dice) of every slice with blood: what a network of single slices was shown."""
    rows = []
    for k in np.flatnonzero((truth > 0).any(axis=(1, 2))):
        blood = truth[k] > 0
        around = look_around(smoothed(ct.hu[k], ct.pixel_spacing_mm), blood, blood, ct.pixel_spacing_mm)
        rows.append((float(np.count_nonzero(blood) * ct.pixel_area_mm2), around and around.contrast_hu,
                     float(dice(mask[k], truth[k]))))
    return rows


def contrast_hu(ct: CTVolume, truth: np.ndarray) -> float | None:
    """Median HU of the true blood above that of the brain around it, mean of the slices by area; None where that is
    not to be had.

    Ring, brain and smoothing are local_contrast.py's, as for `slices_found` and the clean-up. Rows of 0.1.0
    hold the difference of the means, unsmoothed, to the brain 2 to 8 mm away instead.
    """
    near = bounding_box(truth > 0, (0, 0, 0))
    if near is None:
        return None
    near = widened(near, ct.pixel_spacing_mm)
    blood, hu = truth[near] > 0, smoothed(ct.hu[near], ct.pixel_spacing_mm)
    seen, contrast = look_around_component(hu, blood, blood, ct.pixel_spacing_mm)
    return contrast if seen else None


def false_alarms(predict: Predict, backgrounds: Iterable[Background]) -> dict:
    """Real bleed-free slices as they are: how many have more than 20 mm2 marked, and the marked mL per patient."""
    slices = alarms = 0
    per_patient = {}
    for one in backgrounds:
        ct = as_ct(one.hu, one.step_mm)
        mask = predict(ct).mask > 0
        area_mm2 = mask.sum(axis=(1, 2)) * ct.pixel_area_mm2
        slices, alarms = slices + len(area_mm2), alarms + int((area_mm2 > 20).sum())
        per_patient[one.patient] = float(area_mm2 @ ct.slab_heights_mm / 1000)
    return {"slices": slices, "with_more_than_20_mm2": alarms, "share": alarms / max(slices, 1), "ml": per_patient}
