"""The verdict on pieces (doubt.py), fitted on the pieces that a network marks in calibration patients."""

import numpy as np

from ..postprocessing.false_positive_filter import FACTS

LEAST = 0.125  # a piece that is seven times as likely none as one goes
LEAST_POSSIBLE = 0.15  # the same of a piece nowhere over the threshold, which is marked from there on
OVERLAP = 0.1  # of a piece that is truly blood: then it is real
SHRINK = 0.001  # per piece, on standardised facts: a ridge, so that facts which part all pieces stay finite
FEWEST = 10  # real ones and others each; with fewer nothing is learned


def fit_verdict(facts, real, least: float = LEAST) -> dict | None:
    """Logistic regression, by Newton's method with a ridge; facts (pieces, 4), real bool (pieces,).

    Returns what the manifest keeps under calibration/pieces; None where there are too few pieces of a kind.
    """
    facts, real = np.asarray(facts, float).reshape(-1, len(FACTS)), np.asarray(real, bool)
    if min(real.sum(), (~real).sum()) < FEWEST:
        return None
    mean, spread = facts.mean(axis=0), np.maximum(facts.std(axis=0), 1e-6)
    columns = np.column_stack([(facts - mean) / spread, np.ones(len(facts))])
    ridge = np.diag([2 * SHRINK * len(facts)] * len(FACTS) + [0.0])
    weights = np.zeros(len(FACTS) + 1)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (chance - real) + ridge @ weights
        curve = (columns * (chance * (1 - chance))[:, None]).T @ columns + ridge
        change = np.linalg.solve(curve, slope)
        weights -= change
        if np.abs(change).max() < 1e-9:
            break
    scaled = weights[:-1] / spread
    return {"facts": list(FACTS), "weights": scaled.tolist(), "offset": float(weights[-1] - scaled @ mean),
            "least": least, "possible": LEAST_POSSIBLE, "pieces": len(facts)}
