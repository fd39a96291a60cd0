"""Real head CT slices with masks, for training on some patients and measuring on others.

DATA/ct_ich_v1_bleeds: slices of CT-ICH v1.0.0 (Hssayeni et al., Data 2020;5:14, PhysioNet, CC BY 4.0) whose masks were
made for this project, not by radiologists: 0 none, 1 ICH, 2 IVH, 3 blood outside the brain, 255 unsure. labels.csv
holds the split by patient. A mask that is all 255 belongs to a slice that is only a neighbour.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .case import OUTSIDE_BRAIN, UNSURE, VALIDATE, DatasetCase
from .ct_ich import LICENCE, slices_as_ct, window_to_hu
from .head_scale import head_spacing_mm, patient_spacing_mm, read_slices

BLEEDS, NORMAL, EXTRA_AXIAL = "ct_ich_v1_bleeds", "ct_ich_v1_normal", "ct_ich_v1_extra_axial"
OUTSIDE_ONLY = "outside_only"  # a split beside TRAIN and VALIDATE
SAME_PERSON = {"072": "069"}  # looks like an earlier or later scan: weighed as one, never in two folds


@dataclass(frozen=True, eq=False)
class RealStack:
    """Consecutive slices of a patient as stored: slice 0 lowest, row 0 front, column 0 the patient's right.

    hu: int16 (slices, rows, columns), saturated outside -20..100; truth: uint8, same shape, 0 none, 1 ICH, 2 IVH,
    OUTSIDE_BRAIN, UNSURE. kinds: of every slice, what it is counted as: "bleeds", "no_blood", "normal", "extra_axial",
    "context". numbers: of every slice within the patient's scan.
    """

    patient: str
    split: str
    hu: np.ndarray
    truth: np.ndarray
    kinds: tuple[str, ...]
    numbers: tuple[int, ...]
    spacing_mm: float


def load_bleeds(data: Path, *splits: str) -> list[RealStack]:
    """The stacks of these splits (none named: all) of DATA/ct_ich_v1_bleeds. Raises InputError where it lacks."""
    return list(load_stacks(Path(data) / BLEEDS, *splits))


def load_stacks(folder: Path, *splits: str) -> Iterator[RealStack]:
    """The same of the folder ct_ich_v1_bleeds itself, one after the other as they are asked for."""
    folder, labels = Path(folder), Path(folder) / "labels.csv"
    if not labels.is_file():
        raise InputError(f"{labels}: not found; it belongs to the folder {BLEEDS}.")
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    patients: dict[str, list[dict]] = {}
    for row in rows:
        if not splits or row["split"] in splits:
            patients.setdefault(f"p{int(row['patient']):03d}", []).append(row)
    return map(lambda item: _bleeding_stack(folder, item[0], sorted(item[1], key=lambda row: int(row["slice"]))),
               patients.items())


def load_ct_ich_bleeds(folder: Path) -> Iterator[DatasetCase]:
    """The patients of ct_ich_v1_bleeds itself, all splits. Raises InputError at once where labels.csv lacks."""
    return map(lambda stack: _case(stack, folder), load_stacks(folder))


def _case(stack: RealStack, folder: Path) -> DatasetCase:
    ct = slices_as_ct(stack.hu, list(stack.numbers), stack.spacing_mm, f"{Path(folder) / stack.patient}_s*.jpg")
    return DatasetCase(stack.patient, ct, stack.truth, LICENCE, stack.split, "ct_ich_bleeds")


def _bleeding_stack(folder: Path, patient: str, rows: list[dict]) -> RealStack:
    numbers = tuple(int(row["slice"]) for row in rows)
    stems = [f"{patient}_s{number:02d}" for number in numbers]
    truth = read_slices([folder / f"{stem}_mask.png" for stem in stems])
    kinds = tuple("context" if (one == UNSURE).all() else _kind(one) for one in truth)
    hu = window_to_hu(read_slices([folder / f"{stem}.jpg" for stem in stems]))
    return RealStack(patient, rows[0]["split"], hu, truth, kinds, numbers, patient_spacing_mm(folder, patient))


def _kind(truth: np.ndarray) -> str:
    """What a slice is counted as, by its mask."""
    if np.isin(truth, (1, 2)).any():
        return "bleeds"
    if (truth == OUTSIDE_BRAIN).any():
        return EXTRA_AXIAL[len("ct_ich_v1_"):]
    return "no_blood" if not (truth == UNSURE).any() else "context"


def load_without_bleed(data: Path, wanted: Callable[[str], bool]) -> list[RealStack]:
    """Patients (those whose name is wanted) without blood in the brain: their slices without any blood and those with
    blood outside the brain only, in the order of the scan."""
    patients: dict[str, dict[int, tuple[str, Path]]] = {}
    for folder in (NORMAL, EXTRA_AXIAL):
        for file in sorted((Path(data) / folder).glob("p[0-9][0-9][0-9]_s[0-9][0-9].jpg")):
            patient, number = file.stem.split("_s")
            if wanted(patient):
                patients.setdefault(patient, {})[int(number)] = folder[len("ct_ich_v1_"):], file
    return [_empty_stack(patient, dict(sorted(slices.items()))) for patient, slices in patients.items()]


def _empty_stack(patient: str, slices: dict[int, tuple[str, Path]]) -> RealStack:
    pixels = read_slices([file for _, file in slices.values()])
    kinds = tuple(kind for kind, _ in slices.values())
    return RealStack(patient, VALIDATE, window_to_hu(pixels), np.zeros(pixels.shape, np.uint8), kinds, tuple(slices),
                     head_spacing_mm(pixels))
