"""Which pieces of the network's mask are bleeds: a classifier on every connected piece from four plain facts.

The network marks a bright fold of cortex now and then. Such pieces are one slice high, never quite sure, hardly
brighter than the brain around them varies, and lie where there is little brain. The weights of the four facts are
fitted on synthetic patients when weights are released (calibration/fit_filter.py) and kept in the manifest,
calibration/pieces: {"weights": [...], "offset", "least", "possible", ...}.

The same facts speak for pieces that the network holds possible but not likely, p(bleed) from POSSIBLE to the threshold:
a spot in three slices that stands out from even brain is a bleed that was nearly missed.
"""

from dataclasses import replace

import numpy as np

from ..imaging.components import component_boxes, connected_components
from .local_contrast import Evidence, look_around, smoothed, widened

FEATURES = ("log odds of the highest p(bleed)", "contrast in SDs of the brain around",
         "height in units of 5 mm (at most 3)", "share of brain around")
POSSIBLE = 0.2  # p(bleed); pieces nowhere over the threshold are looked at from here on
NEAR_ONE = 0.001  # so that a p(bleed) that fp16 rounds to 1 has log odds


def component_features(component: np.ndarray, marked: np.ndarray, evidence: Evidence,
                       slab_mm: np.ndarray) -> list[float]:
    """The FACTS of one piece; piece and marked bool on the grid of evidence, or a part of it with SPARE_MM around
    the piece in its slices; slab_mm (slices,). The slice where the piece is largest speaks for its contrast."""
    areas = np.count_nonzero(component, axis=(1, 2))
    k = int(areas.argmax())
    peak = float(evidence.probability[component].max())
    around = look_around(smoothed(evidence.hu[k], evidence.spacing_mm), component[k], marked[k], evidence.spacing_mm)
    contrast = float(np.clip(around.contrast_hu / max(around.spread_hu, 1.0), -1, 6)) if around else 0.0
    return [float(np.log((peak + NEAR_ONE) / (1 + NEAR_ONE - peak))), contrast,
            float(min(slab_mm[areas > 0].sum(), 15.0)) / 5, around.brain_share if around else 0.0]


def probability_real(features, classifier: dict) -> np.ndarray:
    """facts (..., 4) -> the chance that each piece is a bleed, as calibrated."""
    score = np.asarray(features, float) @ np.asarray(classifier["weights"], float) + classifier["offset"]
    return 1 / (1 + np.exp(-score))


def features_of_components(mask: np.ndarray, mm3: np.ndarray,
                           evidence: Evidence) -> tuple[np.ndarray, list[list[float]]]:
    """(pieces, facts): the numbered pieces of mask (slices, rows, columns), background 0, and the facts of each."""
    marked = mask > 0
    components, count = connected_components(marked)
    slab_mm = mm3 / (evidence.spacing_mm[0] * evidence.spacing_mm[1])
    features = []
    for number, box in enumerate(component_boxes(components, count), start=1):
        near = widened(box, evidence.spacing_mm)
        part = replace(evidence, hu=evidence.hu[near], probability=evidence.probability[near])
        features.append(component_features(components[near] == number, marked[near], part, slab_mm[box[0]]))
    return components, features


def drop_doubtful(mask: np.ndarray, mm3: np.ndarray, evidence: Evidence) -> None:
    """Take the pieces out of mask, in place, that are bleeds with a chance under classifier["least"]."""
    _drop_under(evidence.classifier["least"], mask, mm3, evidence)


def possible_components(marked: np.ndarray, evidence: Evidence) -> np.ndarray:
    """evidence.likely without the pieces that hold anything of marked: what the threshold left out altogether."""
    components, count = connected_components(evidence.likely > 0)
    known = np.zeros(count + 1, bool)
    known[np.unique(components[marked > 0])] = True
    return np.where(known[components], np.uint8(0), evidence.likely)


def drop_unlikely(possible: np.ndarray, mm3: np.ndarray, evidence: Evidence) -> None:
    """Take the pieces out of possible, in place, that are bleeds with a chance under classifier["possible"]."""
    _drop_under(evidence.classifier["possible"], possible, mm3, evidence)


def _drop_under(least: float, mask: np.ndarray, mm3: np.ndarray, evidence: Evidence) -> None:
    components, features = features_of_components(mask, mm3, evidence)
    if features:
        doubtful = np.concatenate([[False], probability_real(features, evidence.classifier) < least])
        mask[doubtful[components]] = 0
