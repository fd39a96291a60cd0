"""How good a model is: held-out synthetic patients of unseen anatomies, and false alarms on real bleed-free scans.

Every row is one case and is written to a JSON-lines file at once, so an evaluation can be stopped and continued.
Synthetic patients show what the model can do on the generator's kind of bleed; they say nothing about real patients.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..imaging.boxes import bounding_box
from ..imaging.dice import dice
from ..measure import measure_mask
from ..postprocessing.local_contrast import look_around, smoothed
from ..segmentation.segmenter import Segmenter
from ..synthetic.backgrounds import Background
from ..synthetic.patients import Patient, as_ct, generator_mark
from .metrics import hd95_mm

log = logging.getLogger(__name__)
AROUND_MM = (2.0, 8.0)  # the ring around a bleed that its contrast is taken against
BRAIN_HU = (0, 60)


def evaluate(segmenter: Segmenter, patients: Callable[[set[str]], Iterable[Patient]], rows_file: Path) -> list[dict]:
    """Segment the patients, append a row of each to rows_file; returns all rows, sorted by case.

    patients: called with the names of the cases that rows_file already has, gives the others.
    Raises InputError when rows_file holds rows of other weights.
    """
    rows = rows_of_model(segmenter, rows_file)
    for patient in patients({row["case"] for row in rows}):
        row = {**case_row(patient, segmenter.apply(patient.ct)), "model": model_mark(segmenter)}
        rows.append(row)
        append_row(rows_file, row)
        log.info("%s: Dice %.3f, %.2f of %.2f mL", patient.name, row["dice"], row["ml"], row["true_ml"])
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


def model_mark(segmenter: Segmenter) -> str:
    """Which weights at which threshold, with which classifier on pieces and which interval, made a row, of which
    generator's patients."""
    weights = segmenter.weights
    calibration = json.dumps(weights.manifest["calibration"], sort_keys=True).encode()
    return (f"{weights.sha256[:16]} at {weights.threshold:g}, calibration "
            f"{hashlib.sha256(calibration).hexdigest()[:8]}, patients {generator_mark()}")


def rows_of_model(segmenter: Segmenter, rows_file: Path) -> list[dict]:
    """The rows of an interrupted evaluation. Raises InputError when they are of another model."""
    rows = read_rows(rows_file)
    if any(row.get("model") != model_mark(segmenter) for row in rows):
        raise InputError(f"{rows_file}: holds cases of other weights, another calibration or an earlier generator; "
                         "give another folder, or remove the file.")
    return rows


def case_row(patient: Patient, segmentation) -> dict:
    """One case in numbers: Dice, HD95, volumes, ABC/2, lesions found by size, contrast, the interval."""
    ct, truth, mask = patient.ct, patient.truth, segmentation.mask
    spacing = (float(np.median(np.abs(ct.slice_steps_mm))), *ct.pixel_spacing_mm)
    measured, true = measure_mask(ct, mask), measure_mask(ct, truth)
    ivh_true = (truth == 2).any()
    return {
        "case": patient.name, "index": patient.index, "made_head": patient.made_head,
        "true_ml": true.volume_ml.total, "ml": measured.volume_ml.total, "true_ich_ml": true.volume_ml.ich,
        "ich_ml": measured.volume_ml.ich,
        "true_ivh_ml": true.volume_ml.ivh, "ivh_ml": measured.volume_ml.ivh,
        "dice": dice(mask, truth), "ivh_dice": dice(mask == 2, truth == 2) if ivh_true else None,
        "hd95_mm": hd95_mm(mask, truth, spacing),
        "abc2_ml": measured.abc2.coniglobus_ml if measured.abc2 else 0.0,
        "true_abc2_ml": true.abc2.coniglobus_ml if true.abc2 else 0.0,
        "lesions": [[volume, bool(hit)] for volume, hit in lesions_found(mask, truth, ct)],
        "contrast_hu": contrast_hu(ct, truth), "slices": slices_found(mask, truth, ct),
        "interval_ml": segmentation.interval_ml, "ambiguous_ml": segmentation.ambiguous_ml,
    }


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
    """Mean HU of the true blood minus that of the brain 2 to 8 mm around it in the same slices; None where that is
    not to be had."""
    import SimpleITK as sitk

    reach = [int(np.ceil(AROUND_MM[1] / step)) + 1 for step in ct.pixel_spacing_mm]
    near = bounding_box(truth > 0, (0, *reach))
    if near is None:
        return None
    blood, hu = truth[near] > 0, ct.hu[near]
    image = sitk.GetImageFromArray(blood.astype(np.uint8))
    image.SetSpacing((*ct.pixel_spacing_mm[::-1], 1000.0))  # slices so far apart that each is measured alone
    away_mm = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True))
    around = (away_mm > AROUND_MM[0]) & (away_mm < AROUND_MM[1]) & (hu > BRAIN_HU[0]) & (hu < BRAIN_HU[1])
    return float(hu[blood].mean() - hu[around].mean()) if around.any() else None


def false_alarms(segmenter: Segmenter, backgrounds: Iterable[Background]) -> dict:
    """Real bleed-free slices as they are: how many have more than 20 mm2 marked, and the marked mL per patient."""
    slices = alarms = 0
    per_patient = {}
    for one in backgrounds:
        ct = as_ct(one.hu, one.step_mm)
        mask = segmenter.apply(ct).mask > 0
        area_mm2 = mask.sum(axis=(1, 2)) * ct.pixel_area_mm2
        slices, alarms = slices + len(area_mm2), alarms + int((area_mm2 > 20).sum())
        per_patient[one.patient] = float(area_mm2 @ ct.slab_heights_mm / 1000)
    return {"slices": slices, "with_more_than_20_mm2": alarms, "share": alarms / max(slices, 1), "ml": per_patient}
