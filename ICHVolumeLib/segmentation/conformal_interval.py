"""Intervals for the volumes: split conformal prediction with a width that follows what the network doubts.

Vovk et al. 2005; Lei et al. 2018, doi:10.1080/01621459.2017.1307116. Of patients kept apart for calibration, the
error |predicted - true| is divided by a width made from the volume and the volume that the network is not sure of; the
quantile of these ratios times the width of a new case covers its true volume with the probability asked for.

Errors in one head resemble each other, and a new patient is a new head. So every head counts once, however many
calibration patients have it (Lee et al. 2023, arXiv:2306.06342).

The total, the ICH and the IVH have an interval each. That of a label is calibrated on the patients in whom it was
marked, and given where it is marked: what it promises then holds for those who read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.labels import LABELS

SYNTHETIC_PATIENTS = "synthetic patients"
TOTAL = "total"
KEYS = {TOTAL: "interval", **{label.name: f"interval_{label.name.lower()}" for label in LABELS}}  # of the manifest
IN_TRAINED_HEADS = "in_trained_heads"  # of the manifest: how many of the patients had heads of training
LEAST_PATIENTS = 30  # with a label marked, for an interval of its own


@dataclass(frozen=True)
class Amounts:
    """Of the total and of each label by name, mL: what is marked, and what the network is not sure of."""

    marked_ml: dict[str, float]
    doubtful_ml: dict[str, float]


def amounts_of(marked_ml: dict[str, float], ambiguous_ml: dict[str, float], mixed_ml: float) -> Amounts:
    """From mL by label. ambiguous_ml: of voxels with p(bleed) between 0.2 and 0.8, by the label they would get.
    mixed_ml: the smaller of p(ICH) and p(IVH), as shares of p(bleed), summed over the marked voxels: so much is
    expected to bear the wrong label, which the total does not mind."""
    doubtful_ml = {name: ml + mixed_ml for name, ml in ambiguous_ml.items()}
    return Amounts({**marked_ml, TOTAL: sum(marked_ml.values())}, {**doubtful_ml, TOTAL: sum(ambiguous_ml.values())})


def interval_width_ml(volume_ml, doubtful_ml, floor_ml: float, relative: float):
    """floor_ml + relative x volume + the volume that is doubted; arrays allowed."""
    return floor_ml + relative * np.asarray(volume_ml, float) + np.asarray(doubtful_ml, float)


def calibrate_interval(true_ml, volume_ml, doubtful_ml, coverage: float = 0.9, floor_ml: float = 0.2,
                       relative: float = 0.02, calibrated_on: str = SYNTHETIC_PATIENTS, heads=None) -> dict:
    """What the manifest keeps under calibration/interval, from calibration patients (equal-length arrays, mL).

    floor_ml: a lower one makes the interval of small bleeds narrower and, because the quantile grows, that of large
    ones wider: with 0.1 by a fifth, on 300 calibration patients. calibrated_on: what the patients are, in two words; it
    is said beside every interval. heads: whose head each patient has, any names; None: each its own.

    Raises InputError when there are too few heads for the coverage.
    """
    true_ml, volume_ml = np.asarray(true_ml, float), np.asarray(volume_ml, float)
    ratios = np.abs(volume_ml - true_ml) / interval_width_ml(volume_ml, doubtful_ml, floor_ml, relative)
    count, quantile = _quantile_by_head(ratios, range(len(ratios)) if heads is None else heads, coverage)
    if quantile is None:
        raise InputError(f"{count} heads are too few to calibrate {coverage:.0%} coverage; use more patients.")
    return {"coverage": coverage, "quantile": quantile, "floor_ml": floor_ml, "relative": relative,
            "patients": len(ratios), "heads": count, "calibrated_on": calibrated_on}


def _quantile_by_head(ratios: np.ndarray, heads, coverage: float) -> tuple[int, float | None]:
    """(heads, the ratio up to which their patients hold the share asked for); None where a new head, which may be
    worse than all of them, could alone be more than the rest."""
    _, head, sizes = np.unique(list(heads), return_inverse=True, return_counts=True)
    order = np.argsort(ratios)
    reached = np.cumsum(1 / sizes[head][order])
    enough = np.flatnonzero(reached >= coverage * (len(sizes) + 1) - 1e-9)  # 1: the new head
    return len(sizes), float(ratios[order][enough[0]]) if len(enough) else None


def calibrate_intervals(true_ml: list[dict[str, float]], found: list[Amounts],
                        heads: Sequence | None = None) -> dict[str, dict]:
    """KEYS of the manifest -> its interval, from the true mL by label, what was found, and whose head it is (None: each
    its own), of each patient. A label that was marked in fewer than LEAST_PATIENTS, or in too few heads, gets none.
    Raises InputError when there are too few heads at all."""
    intervals = {}
    for name, key in KEYS.items():
        those = [({**true, TOTAL: sum(true.values())}[name], one, head)
                 for true, one, head in zip(true_ml, found, heads or range(len(found)), strict=True)
                 if name == TOTAL or one.marked_ml[name] > 0]
        if name != TOTAL and len(those) < LEAST_PATIENTS:
            continue
        try:
            intervals[key] = calibrate_interval(
                [true for true, _, _ in those], [one.marked_ml[name] for _, one, _ in those],
                [one.doubtful_ml[name] for _, one, _ in those], heads=[head for _, _, head in those])
        except InputError:
            if name == TOTAL:
                raise
    return intervals


def volume_interval_ml(volume_ml: float, doubtful_ml: float, calibration: dict,
                       name: str = TOTAL) -> tuple[float, float] | None:
    """(lowest, highest) mL for one case; None where the manifest has no calibrated interval of that name."""
    values = calibration.get(KEYS[name])
    if not values:
        return None
    half = values["quantile"] * interval_width_ml(volume_ml, doubtful_ml, values["floor_ml"], values["relative"])
    return max(float(volume_ml - half), 0.0), float(volume_ml + half)


def label_intervals_ml(amounts: Amounts, calibration: dict) -> dict[str, tuple[float, float]]:
    """Label name -> interval of one case, of the labels that are marked and calibrated."""
    intervals = {label.name: volume_interval_ml(amounts.marked_ml[label.name], amounts.doubtful_ml[label.name],
                                                calibration, label.name)
                 for label in LABELS if amounts.marked_ml[label.name] > 0}
    return {name: interval for name, interval in intervals.items() if interval}


def raised(interval_ml: tuple[float, float] | None, more_ml: float) -> tuple[float, float] | None:
    """An interval that holds so much more: of what is not marked and may be blood all the same (unmarked_blood.py)."""
    return interval_ml and (interval_ml[0], interval_ml[1] + more_ml)


def calibrated_on(calibration: dict) -> str:
    """What the calibration patients were; empty without an interval. Manifests of before named none: theirs were
    synthetic, all of them."""
    values = calibration.get(KEYS[TOTAL])
    return str(values.get("calibrated_on", SYNTHETIC_PATIENTS)) if values else ""
