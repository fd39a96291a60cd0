"""The wrong masks that clicks.py mends: made patients and real slices whose true masks are damaged in five ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ICHVolumeLib.core.atomic_files import replacing
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.labels import ICH, IVH
from ICHVolumeLib.datasets.case import TRAIN, UNSURE, VALIDATE
from ICHVolumeLib.datasets.ct_ich import STEP_MM, load_ct_ich
from ICHVolumeLib.datasets.ct_ich_bleeds import NORMAL, load_stacks
from ICHVolumeLib.imaging.components import connected_components
from ICHVolumeLib.synthetic.case_backgrounds import backgrounds_of
from ICHVolumeLib.synthetic.patients import PIXEL_MM, as_ct, make_patients, orders

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
    """One wrong mask of each patient, its damage by its number; the first `network` ones also as the model has them.

    As many heads take turns as there are damages: after each round the damages move on by one, so that all meet all.
    """
    for number, (name, ct, truth) in enumerate(_patients(data, part, patients, kept)):
        everywhere = np.ones(truth.shape, bool)
        kind = list(DAMAGES)[(number + number // len(DAMAGES)) % len(DAMAGES)]
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
            pool = pool or list(backgrounds_of(load_ct_ich(data / NORMAL)))
            patient = next(iter(make_patients(orders(pool, part, [number]))))
            if kept:
                kept.mkdir(parents=True, exist_ok=True)
                with replacing(kept / f"{patient.name}.npz") as file:
                    np.savez(file, hu=patient.ct.hu, truth=patient.truth, step=patient.ct.slice_steps_mm[0])
            yield patient.name, patient.ct, patient.truth
        else:
            with np.load(file) as arrays:
                yield file.stem, as_ct(arrays["hu"], float(arrays["step"]), PIXEL_MM), arrays["truth"]


def real_cases(folder: Path) -> Iterator[Case]:
    """Every damage of every patient with ICH or IVH; runs of consecutive slices are one scan."""
    if not folder.is_dir():
        return
    for stack in load_stacks(folder, TRAIN, VALIDATE):
        breaks = 1 + np.flatnonzero(np.diff(stack.numbers) > 1)
        for run in np.split(np.arange(len(stack.numbers)), breaks):
            marks = stack.truth[run]
            truth = np.where(np.isin(marks, (ICH.value, IVH.value)), marks, 0).astype(np.uint8)
            if len(run) < 2 or not truth.any():
                continue
            ct = as_ct(stack.hu[run], STEP_MM, stack.spacing_mm)
            for kind, damage in DAMAGES.items():
                name = f"{stack.patient}_s{stack.numbers[run[0]]:02d}"
                yield Case(name, kind, ct, truth, damage(truth, ct), marks != UNSURE)


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
