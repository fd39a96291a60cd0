"""The classifier of false_positive_filter.py, fitted on the components that a network marks in calibration patients."""

import numpy as np

from ..postprocessing.false_positive_filter import FEATURES

LEAST = 0.125  # a piece that is seven times as likely none as one goes
LEAST_POSSIBLE = 0.15  # the same of a piece nowhere over the threshold, which is marked from there on
OVERLAP = 0.1  # of a piece that is truly blood: then it is real
SHRINK = 0.001  # per piece, on standardised facts: a ridge, so that facts which part all pieces stay finite
FEWEST = 10  # real ones and others each; with fewer nothing is learned


def fit_classifier(features, real, least: float = LEAST) -> dict | None:
    """Logistic regression, by Newton's method with a ridge; facts (pieces, 4), real bool (pieces,).

    Returns what the manifest keeps under calibration/pieces; None where there are too few pieces of a kind.
    """
    features, real = np.asarray(features, float).reshape(-1, len(FEATURES)), np.asarray(real, bool)
    if min(real.sum(), (~real).sum()) < FEWEST:
        return None
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    columns = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    ridge = np.diag([2 * SHRINK * len(features)] * len(FEATURES) + [0.0])
    weights = np.zeros(len(FEATURES) + 1)
    for _ in range(50):
        probability = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (probability - real) + ridge @ weights
        curve = (columns * (probability * (1 - probability))[:, None]).T @ columns + ridge
        change = np.linalg.solve(curve, slope)
        weights -= change
        if np.abs(change).max() < 1e-9:
            break
    scaled = weights[:-1] / spread
    return {"facts": list(FEATURES), "weights": scaled.tolist(), "offset": float(weights[-1] - scaled @ mean),
            "least": least, "possible": LEAST_POSSIBLE, "pieces": len(features)}
