"""The threshold of the coarse pass: so low that nothing that the fine network finds on calibration patients is missed.

The fine network looks only around the true bleeds here, which is an eighth of the work: what it would mark elsewhere is
no bleed, and the coarse pass may miss it.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..imaging.components import component_boxes, connected_components
from ..segmentation.coarse_pass import LESIONS, NEAR_PX, REACH, on_grid
from ..segmentation.crops import crops_around, predict_crops
from ..segmentation.network_runner import NetworkRunner
from ..segmentation.scan import NetworkSlices, ScanResult, TurnedScan
from ..synthetic.patients import Patient

log = logging.getLogger(__name__)
LEAST_ML = 0.1  # a smaller bleed may be missed
LEAST_MM2 = 15.0  # of a bleed in a slice; thinner ends lie next to a slice that is looked at
OVERLAP = 0.1  # of a bleed that the fine network marks, for it to be found
SAFETY = 0.5  # of the odds of the lowest probability that a found bleed has in one of its slices
HIGHEST = 0.95


@dataclass(frozen=True)
class FoundBleed:
    """volume_ml of a true bleed that the fine network finds; least: the highest coarse probability in or next to the
    slice of it where that is lowest."""

    patient: str
    volume_ml: float
    least: float


def found_bleeds(patient: Patient, fine: NetworkRunner, coarse: NetworkRunner) -> list[FoundBleed]:
    """Every connected true bleed of at least LEAST_ML that the fine network marks a tenth of."""
    scan = TurnedScan(patient.ct)
    truth = scan.orientation.view(patient.truth) > 0
    marked = _marked_near(patient, scan, truth, fine)
    components, count = connected_components(truth)
    boxes = component_boxes(components, count)
    wanted = {k for box in boxes for k in range(box[0].start - REACH, box[0].stop + REACH)}
    slices = NetworkSlices(scan, coarse.weights)
    maps = {k: coarse.predict(slices.of(np.array([k])))[0][LESIONS].sum(axis=0) for k in scan.slices_to_run.tolist()
            if k in wanted}
    found = []
    for number, box in enumerate(boxes, 1):
        blood = components[box] == number
        volume_ml = float(blood.sum((1, 2)) @ scan.voxel_mm3[box[0]]) / 1000
        seen = blood & marked[box]
        if volume_ml >= LEAST_ML and seen.sum() >= OVERLAP * blood.sum():
            found.append(FoundBleed(patient.name, volume_ml, _least(seen, box, maps, slices, scan)))
    return found


def choose(found: Iterable[FoundBleed]) -> float:
    """The probability with SAFETY times the odds of the lowest of all; at most HIGHEST."""
    odds = [SAFETY * one.least / max(1 - one.least, 1e-6) for one in found]
    return float(min([HIGHEST, *(one / (1 + one) for one in odds)]))


def _marked_near(patient: Patient, scan: TurnedScan, truth: np.ndarray, fine: NetworkRunner) -> np.ndarray:
    """bool like truth: what the fine network marks when it looks at crops around the true bleeds."""
    slices = NetworkSlices(scan, fine.weights)
    shape = slices.grid.box_shape
    result = ScanResult(patient.ct, scan, fine.weights, slices.grid)
    for k in np.flatnonzero(truth.any(axis=(1, 2))).tolist():
        areas = component_boxes(*connected_components(truth[k]))
        boxes = [box for box in (on_grid(_shares(one, truth.shape[1:]), slices.grid) for one in areas) if box]
        crops = crops_around(boxes, shape, slices.pixel_mm, fine.weights.config.size_multiple)
        result.take(k, predict_crops(fine.predict, slices.of(np.array([k])), crops)[0])
    return scan.orientation.view(result.mask) > 0


def _least(blood: np.ndarray, box: tuple[slice, ...], maps: dict[int, np.ndarray], slices: NetworkSlices,
           scan: TurnedScan) -> float:
    areas_mm2 = blood.sum((1, 2)) * scan.pixel_area_mm2
    where = on_grid(_shares(box[1:], scan.hu.shape[1:]), slices.grid)
    if where is None:
        return 0.0
    rows = slice(max(where[0] - NEAR_PX, 0), where[1] + NEAR_PX)
    columns = slice(max(where[2] - NEAR_PX, 0), where[3] + NEAR_PX)
    highest = {k: float(one[rows, columns].max(initial=0.0)) for k, one in maps.items()}
    counted = [k for k, area in enumerate(areas_mm2, box[0].start) if area >= min(LEAST_MM2, areas_mm2.max())]
    return min(max(highest.get(near, 0.0) for near in range(k - REACH, k + REACH + 1)) for k in counted)


def _shares(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    (rows, columns), (height, width) = box, shape
    return rows.start / height, rows.stop / height, columns.start / width, columns.stop / width
