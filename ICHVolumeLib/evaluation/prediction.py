"""What evaluation asks of a model: a function from a scan to its prediction, and an id. Ours and anybody else's."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..core.ct_volume import CTVolume
from ..segmentation.segmenter import Segmenter


@dataclass(frozen=True, eq=False)
class Prediction:
    """mask: uint8 (slices, rows, columns) on the scan's own grid, 0 none, 1 ICH, 2 IVH.

    interval_ml: where the model says that the true volume lies; label_intervals_ml: the same of each label that it
    marked and knows an interval for, "ICH" and "IVH"; ambiguous_ml: volume of which it is not sure; findings: codes of
    what it noticed. None or empty where it says nothing.
    """

    mask: np.ndarray
    interval_ml: tuple[float, float] | None = None
    ambiguous_ml: float | None = None
    label_intervals_ml: dict[str, tuple[float, float]] = field(default_factory=dict)
    findings: tuple[str, ...] = ()


Predict = Callable[[CTVolume], Prediction]


def predict_with(segmenter: Segmenter) -> Predict:
    """The segmenter as evaluation asks for it."""
    def predict(ct: CTVolume) -> Prediction:
        found = segmenter.apply(ct)
        return Prediction(found.mask, found.interval_ml, found.ambiguous_ml, found.label_intervals_ml,
                          tuple(finding.code for finding in found.findings))

    return predict


def model_id(segmenter: Segmenter) -> str:
    """Which weights at which threshold and levels of brain, with which classifier on pieces and which interval."""
    weights = segmenter.weights
    fields = {name: weights.manifest[name] for name in ("calibration", "brain_hu")}
    calibration = json.dumps(fields, sort_keys=True).encode()
    coarse = segmenter.coarse_weights
    first = f"{coarse.sha256[:16]} at {coarse.threshold:g}, then " if coarse else ""
    return (f"{first}{weights.sha256[:16]} at {weights.threshold:g}, calibration "
            f"{hashlib.sha256(calibration).hexdigest()[:8]}")
