"""The wrong masks that clicks.py mends: made patients and real slices whose true masks are damaged in five ways."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.labels import ICH, IVH
from ICHVolumeLib.imaging.components import connected_components
from ICHVolumeLib.synthetic.backgrounds import load_ct_ich, window_to_hu
from ICHVolumeLib.synthetic.patients import PIXEL_MM, as_ct, make_patients, orders

HEAD_AREA_MM2 = 21800.0  # filled, in the widest slices: gives a scan without a pixel size its scale
PIXEL_RANGE_MM = (0.30, 0.48)
REAL_STEP_MM = 5.0
UNSURE, OUTSIDE = 255, 3
FALSE_RADIUS_MM = 7.0


@dataclass(frozen=True, eq=False)
class Case:
    """truth, start: uint8 (0, 1 ICH, 2 IVH); counted: bool, where the truth is known."""

    name: str
    damage: str
    ct: CTVolume
    truth: np.ndarray
    start: np.ndarray
    counted: np.ndarray


def synthetic_cases(data: Path, part: str, patients: int, kept: Path | None, network: int) -> Iterator[Case]:
    """One wrong mask of each patient, its damage by its number; the first `network` ones also as the model has them."""
    for number, (name, ct, truth) in enumerate(_patients(data, part, patients, kept)):
        everywhere = np.ones(truth.shape, bool)
        kind = list(DAMAGES)[number % len(DAMAGES)]
        yield Case(name, kind, ct, truth, DAMAGES[kind](truth, ct), everywhere)
        if number < network:
            from ICHVolumeLib.segmentation.segmenter import segment_ct

            yield Case(name, "the model's mask", ct, truth, segment_ct(ct).mask, everywhere)


def _patients(data, part, patients, kept):
    """(name, ct, truth) of patients 0..patients - 1."""
    pool = None
    for number in range(patients):
        file = next(iter(sorted(kept.glob(f"{part}{number:03d}-*.npz"))), None) if kept else None
        if file is None:
            pool = pool or load_ct_ich(data / "ct_ich_v1_normal")
            patient = next(iter(make_patients(orders(pool, part, [number]))))
            if kept:
                kept.mkdir(parents=True, exist_ok=True)
                np.savez(kept / f"{patient.name}.npz", hu=patient.ct.hu, truth=patient.truth,
                         step=patient.ct.slice_steps_mm[0])
            yield patient.name, patient.ct, patient.truth
        else:
            with np.load(file) as arrays:
                yield file.stem, as_ct(arrays["hu"], float(arrays["step"]), PIXEL_MM), arrays["truth"]


def real_cases(folder: Path) -> list[Case]:
    """Every damage of every patient with ICH or IVH; runs of consecutive slices are one scan."""
    if not folder.is_dir():
        return []
    with open(folder / "labels.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] != "outside_only"]
    cases = []
    for patient in dict.fromkeys(row["patient"] for row in rows):
        numbers = sorted(int(row["slice"]) for row in rows if row["patient"] == patient)
        run_of = [number - place for number, place in zip(numbers, count(), strict=False)]
        for run in dict.fromkeys(run_of):
            wanted = [number for number, one in zip(numbers, run_of, strict=True) if one == run]
            if len(wanted) > 1:
                cases += _real(folder, f"p{int(patient):03d}", wanted)
    return cases


def _real(folder, name, numbers):
    import SimpleITK as sitk

    pixels = np.stack([sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}_s{one:02d}.jpg"))).reshape(650, 650)
                       for one in numbers])
    marks = np.stack([sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}_s{one:02d}_mask.png")))
                      .reshape(650, 650) for one in numbers])
    truth = np.where((marks == ICH.value) | (marks == IVH.value), marks, 0).astype(np.uint8)
    if not truth.any():
        return []
    ct = as_ct(window_to_hu(pixels), REAL_STEP_MM, _pixel_mm(pixels))
    return [Case(name, kind, ct, truth, damage(truth, ct), marks != UNSURE) for kind, damage in DAMAGES.items()]


def _pixel_mm(pixels) -> float:
    """From the filled area of the largest piece of bone in the widest slices."""
    import SimpleITK as sitk

    areas = []
    for one in pixels:
        parts = sitk.ConnectedComponent(sitk.GetImageFromArray((one >= 253).astype(np.uint8)))
        filled = sitk.BinaryFillhole(sitk.RelabelComponent(parts) == 1)
        areas.append(np.count_nonzero(sitk.GetArrayFromImage(filled)))
    return float(np.clip(np.sqrt(HEAD_AREA_MM2 / max(areas)), *PIXEL_RANGE_MM))


def _largest(truth):
    """bool, the largest component of blood."""
    parts, number = connected_components(truth > 0)
    sizes = np.bincount(parts.ravel(), minlength=number + 1)
    sizes[0] = 0
    return parts == int(np.argmax(sizes))


def missed(truth, _ct):
    """The largest bleed is not marked at all."""
    return np.where(_largest(truth), 0, truth).astype(np.uint8)


def cut(truth, _ct):
    """Of the largest bleed, the patient's one side is not marked."""
    largest = _largest(truth)
    columns = np.nonzero(largest)[2]
    beyond = np.arange(truth.shape[2]) > np.median(columns)
    return np.where(largest & beyond, 0, truth).astype(np.uint8)


def slice_missing(truth, _ct):
    """The largest slice of the largest bleed is not marked, though its neighbours are."""
    largest = _largest(truth)
    areas = largest.sum(axis=(1, 2))
    start = truth.copy()
    start[int(np.argmax(areas))][largest[int(np.argmax(areas))]] = 0
    return start


def wrong_label(truth, _ct):
    """The largest bleed has the other label; where ICH and IVH touch, all of it has one."""
    largest = _largest(truth)
    held = set(np.unique(truth[largest]).tolist())
    label = ICH.value if len(held) == 2 else ICH.value + IVH.value - held.pop()
    return np.where(largest, label, truth).astype(np.uint8)


def false_piece(truth, ct):
    """A ball in the brain on the other side of the head is marked."""
    k, j, i = (int(np.median(one)) for one in np.nonzero(_largest(truth)))
    soft = np.nonzero((ct.hu[k] > 15) & (ct.hu[k] < 60))
    middle = float(np.median(soft[1])) if len(soft[1]) else truth.shape[2] / 2
    aside = middle + np.where(i > middle, -1, 1) * max(abs(i - middle), 25 / ct.pixel_spacing_mm[1])
    row, column = np.indices(truth.shape[1:])
    away_mm = np.hypot((row - j) * ct.pixel_spacing_mm[0], (column - aside) * ct.pixel_spacing_mm[1])
    start = truth.copy()
    for at in range(max(k - 1, 0), min(k + 2, len(truth))):
        start[at][(away_mm < FALSE_RADIUS_MM) & (start[at] == 0)] = ICH.value
    return start


DAMAGES = {"missed": missed, "cut": cut, "slice missing": slice_missing, "wrong label": wrong_label,
           "false piece": false_piece}
