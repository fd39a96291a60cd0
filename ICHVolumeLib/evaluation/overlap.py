"""Overlap of a mask with the truth: Dice, IoU, sensitivity and PPV of counts of voxels; four ways to average them.

Per case: over the cases with blood in the truth (a missed bleed counts as 0). Pooled: of the summed counts, as in the
paper's Tables 3 and 4. Per bleeding slice: over the slices with blood in the truth. Per slice with empties: over all
slices, 1 where both are empty and 0 where one is, as the paper's Table 2 most likely is. The four are not comparable:
a table says which one it shows. Masks that are empty on one side only are counted apart.
Peng et al. 2022, doi:10.3389/fnins.2022.965680, eq. 2 to 5.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

NAMES = ("dice", "iou", "sensitivity", "ppv")


@dataclass(frozen=True)
class Overlap:
    """Counts (voxels, or mL): in both masks, in the model's alone, in the truth alone."""

    both: float
    extra: float
    missed: float

    @classmethod
    def of(cls, mask: np.ndarray, truth: np.ndarray) -> "Overlap":
        """Voxels of two masks of any shape, whatever their labels."""
        mask, truth = np.asarray(mask) > 0, np.asarray(truth) > 0
        both = np.count_nonzero(mask & truth)
        return cls(both, np.count_nonzero(mask) - both, np.count_nonzero(truth) - both)

    def __add__(self, other: "Overlap") -> "Overlap":
        return Overlap(self.both + other.both, self.extra + other.extra, self.missed + other.missed)

    @property
    def marked(self) -> float:
        return self.both + self.extra

    @property
    def true(self) -> float:
        return self.both + self.missed

    @property
    def dice(self) -> float | None:
        """None where both masks are empty."""
        return _share(2 * self.both, 2 * self.both + self.extra + self.missed)

    @property
    def iou(self) -> float | None:
        """None where both masks are empty."""
        return _share(self.both, self.both + self.extra + self.missed)

    @property
    def sensitivity(self) -> float | None:
        """None where the truth is empty."""
        return _share(self.both, self.true)

    @property
    def ppv(self) -> float | None:
        """None where the model marked nothing."""
        return _share(self.both, self.marked)

    def scores(self) -> dict[str, float | None]:
        return {name: getattr(self, name) for name in NAMES}

    def scores_with_empties(self) -> dict[str, float]:
        """1 where both masks are empty, 0 where one is: how a slice without blood enters the paper's Table 2."""
        if not self.true and not self.marked:
            return dict.fromkeys(NAMES, 1.0)
        return {name: value or 0.0 for name, value in self.scores().items()}


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def slice_overlaps(mask: np.ndarray, truth: np.ndarray) -> dict[int, Overlap]:
    """Slice index -> counts, of the slices (axis 0) where either mask holds something."""
    used = np.flatnonzero((mask > 0).any(axis=(1, 2)) | (truth > 0).any(axis=(1, 2)))
    return {int(k): Overlap.of(mask[k], truth[k]) for k in used}


def spread(values: Iterable[float | None]) -> dict | None:
    """n, mean, SD, median and quartiles of the values that are known; None when none is."""
    known = np.array([value for value in values if value is not None], float)
    if not len(known):
        return None
    low, median, high = np.percentile(known, [25, 50, 75])
    return {"n": len(known), "mean": float(known.mean()), "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
            "median": float(median), "q1": float(low), "q3": float(high)}


def per_case(cases: list[Overlap]) -> dict[str, dict | None]:
    """Spread of each score over the cases with blood in the truth; PPV over those of them with a mark."""
    bleeding = [case for case in cases if case.true]
    return {name: spread(getattr(case, name) for case in bleeding) for name in NAMES}


def pooled(cases: list[Overlap]) -> dict[str, float | None]:
    """The scores of all cases as one."""
    return sum(cases, Overlap(0, 0, 0)).scores()


def per_bleeding_slice(slices: list[Overlap]) -> dict[str, dict | None]:
    """Spread of each score over the slices with blood in the truth; PPV over those of them with a mark."""
    return per_case(slices)


def per_slice_with_empties(slices: list[Overlap], slice_count: int) -> dict[str, dict | None]:
    """Spread over all slice_count slices; those not among `slices` are empty in both masks."""
    scores = [one.scores_with_empties() for one in slices]
    empty = [1.0] * (slice_count - len(slices))
    return {name: spread([*(one[name] for one in scores), *empty]) for name in NAMES}


def empties(cases: list[Overlap]) -> dict[str, int]:
    """How many cases (or slices) are empty in both masks, in the model's alone (missed), in the truth's alone."""
    return {"both_empty": sum(not case.true and not case.marked for case in cases),
            "missed": sum(bool(case.true) and not case.marked for case in cases),
            "false_alarms": sum(not case.true and bool(case.marked) for case in cases)}
