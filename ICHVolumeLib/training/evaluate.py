"""How good a model is: held-out synthetic patients of unseen anatomies, and false alarms on real bleed-free scans.

Every row is one case and is written to a JSON-lines file at once, so an evaluation can be stopped and continued.
Synthetic patients show what the model can do on the generator's kind of bleed; they say nothing about real patients.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..measure import measure_mask
from ..segmentation import Segmenter
from ..volume import CTVolume, ScanInfo
from .backgrounds import PIXEL_MM, Background
from .generator import make_block
from .heads import is_validation, procedural
from .metrics import bland_altman, bootstrap_interval, concordance, dice, hd95_mm, icc_a1

log = logging.getLogger(__name__)
SIZES_ML = ((0.1, 1), (1, 10), (10, 30), (30, 150))
CALIBRATION, TEST = "calibration", "test"


@dataclass(frozen=True, eq=False)
class Patient:
    """A synthetic patient: ct, truth (uint8, 1 ICH, 2 IVH) and a name."""

    name: str
    ct: CTVolume
    truth: np.ndarray


def held_out(pool: list[Background], part: str) -> list[Background]:
    """Real patients never trained on; one half calibrates, the other half tests."""
    real = sorted((one for one in pool if one.kind == "ct_ich" and is_validation(one.patient)), key=lambda b: b.patient)
    return real[::2] if part == CALIBRATION else real[1::2]


def synthetic_patients(pool: list[Background], part: str, count: int) -> Iterator[Patient]:
    """Patients 0..count-1 of a part: two in three in a real head, one in three in a made one; 0.1-150 mL."""
    real = held_out(pool, part)
    first_seed = {CALIBRATION: 1_000_000, TEST: 2_000_000}[part]
    for index in range(count):
        seed = first_seed + index
        made = index % 3 == 2 or not real
        background = procedural(seed) if made else real[index % len(real)]
        for attempt in range(20):  # a bleed under half a voxel leaves no mask; draw the next one
            block = make_block(np.random.default_rng([seed, attempt]), background, size=512, pixel_mm=PIXEL_MM,
                               slices=None, bleed=True)
            if (block.labels > 0).any():
                break
        hu = np.clip(np.round(block.hu), -1024, 3071).astype(np.int16)
        yield Patient(f"{part}{index:03d}-{background.patient}", as_ct(hu, background.step_mm), block.labels)


def as_ct(hu: np.ndarray, step_mm: float) -> CTVolume:
    """A background's slices as an axial scan (row 0 front, column 0 patient's right, slice 0 lowest)."""
    matrix = np.diag([-PIXEL_MM, -PIXEL_MM, step_mm, 1.0])
    return CTVolume.regular(hu, matrix, ScanInfo(source="synthetic patient", slice_thickness_mm=step_mm))


def evaluate(segmenter: Segmenter, patients: Iterable[Patient], rows_file: Path) -> list[dict]:
    """Segment every patient not yet in rows_file; returns all rows."""
    rows = read_rows(rows_file)
    known = {row["case"] for row in rows}
    for patient in patients:
        if patient.name in known:
            continue
        segmentation = segmenter.apply(patient.ct)
        rows.append(case_row(patient, segmentation))
        with open(rows_file, "a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        log.info("%s: Dice %.3f, %.2f of %.2f mL", patient.name, rows[-1]["dice"], rows[-1]["ml"], rows[-1]["true_ml"])
    return rows


def read_rows(rows_file: Path) -> list[dict]:
    if not Path(rows_file).is_file():
        return []
    return [json.loads(line) for line in Path(rows_file).read_text(encoding="utf-8").splitlines()]


def case_row(patient: Patient, segmentation) -> dict:
    """One case in numbers: Dice, HD95, volumes, ABC/2, lesions found by size, the interval."""
    ct, truth, mask = patient.ct, patient.truth, segmentation.mask
    spacing = (float(np.median(np.abs(ct.slice_steps_mm))), *ct.pixel_spacing_mm)
    measured, true = measure_mask(ct, mask), measure_mask(ct, truth)
    ivh_true = (truth == 2).any()
    return {
        "case": patient.name, "true_ml": true.volume_ml.total, "ml": measured.volume_ml.total,
        "true_ich_ml": true.volume_ml.ich, "ich_ml": measured.volume_ml.ich,
        "true_ivh_ml": true.volume_ml.ivh, "ivh_ml": measured.volume_ml.ivh,
        "dice": dice(mask, truth), "ivh_dice": dice(mask == 2, truth == 2) if ivh_true else None,
        "hd95_mm": hd95_mm(mask, truth, spacing),
        "abc2_ml": measured.abc2.coniglobus_ml if measured.abc2 else 0.0,
        "true_abc2_ml": true.abc2.coniglobus_ml if true.abc2 else 0.0,
        "lesions": [[volume, bool(hit)] for volume, hit in lesions_found(mask, truth, ct)],
        "interval_ml": segmentation.interval_ml, "ambiguous_ml": segmentation.ambiguous_ml,
    }


def lesions_found(mask: np.ndarray, truth: np.ndarray, ct: CTVolume) -> list[tuple[float, bool]]:
    """(mL, found) of every connected true lesion; found: at least a tenth of it is marked."""
    import SimpleITK as sitk

    pieces = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray((truth > 0).astype(np.uint8)), True))
    volumes = np.repeat(ct.voxel_volumes_mm3 / 1000, truth[0].size).reshape(truth.shape)
    sizes = np.bincount(pieces.ravel(), volumes.ravel())
    marked = np.bincount(pieces.ravel(), (volumes * (mask > 0)).ravel(), minlength=len(sizes))
    return [(float(size), hit >= 0.1 * size) for size, hit in zip(sizes[1:], marked[1:], strict=True)]


def summarise(rows: list[dict]) -> dict:
    """The figures of the model card from case rows."""
    def column(name):
        return np.array([row[name] for row in rows if row[name] is not None], float)

    true, measured = column("true_ml"), column("ml")
    lesions = np.array([lesion for row in rows for lesion in row["lesions"]], float).reshape(-1, 2)
    large, small = lesions[:, 0] >= 1, (lesions[:, 0] >= 0.1) & (lesions[:, 0] < 1)
    percent = 100 * (measured - true) / true
    covered = [row["interval_ml"][0] <= row["true_ml"] <= row["interval_ml"][1] for row in rows if row["interval_ml"]]
    return {
        "cases": len(rows), "dice_mean": column("dice").mean(), "dice_sd": column("dice").std(ddof=1),
        "dice_median": np.median(column("dice")), "ivh_dice_mean": _mean(column("ivh_dice")),
        "ivh_dice_median": _median(column("ivh_dice")), "hd95_median_mm": _median(column("hd95_mm")),
        "missed_cases": int((measured == 0).sum()),
        "icc_a1": icc_a1(measured, true), "icc_a1_ci95": bootstrap_interval(icc_a1, measured, true),
        "concordance": concordance(measured, true), "bland_altman_ml": bland_altman(measured, true),
        "bland_altman_percent": bland_altman(percent, np.zeros_like(percent)),
        "bias_percent_of_total": 100 * (measured.sum() / true.sum() - 1),
        "bias_percent_by_size": {f"{low}-{high} mL": 100 * (measured[part].sum() / true[part].sum() - 1)
                                 for low, high in SIZES_ML if (part := (true >= low) & (true < high)).any()},
        "dice_by_size": {f"{low}-{high} mL": column("dice")[part].mean()
                         for low, high in SIZES_ML if (part := (true >= low) & (true < high)).any()},
        "abc2_icc_a1": icc_a1(column("abc2_ml"), column("true_ich_ml")),
        "lesion_recall_over_1_ml": _mean(lesions[large, 1]), "lesion_recall_0.1_to_1_ml": _mean(lesions[small, 1]),
        "interval_coverage": _mean(np.array(covered, float)),
    }


def _mean(values) -> float | None:
    return float(values.mean()) if len(values) else None


def _median(values) -> float | None:
    return float(np.median(values)) if len(values) else None


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
