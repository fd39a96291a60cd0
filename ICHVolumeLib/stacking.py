"""What the second network sees: the first one's verdict on five slices, and three of the slices themselves.

A slice alone does not say whether a faint patch is the end of a bright clot that fills a third of the slab (no blood
by the half-full rule) or a faint clot that fills all of it, nor is a bleed that was missed in one slice and found in
both others hard to see. The first network is the paper's, slice by slice. The second is a small AttFocusNet over its
answers, which it corrects: its chances are multiplied with the first one's, so that a second network that says nothing
changes nothing.
"""

import numpy as np

VERDICT_REACH, SLICE_REACH = 2, 1  # neighbours on each side whose verdict, and whose HU, are seen
CHANNELS = 2 * (2 * VERDICT_REACH + 1) + 2 * SLICE_REACH + 1
LOGIT_LIMIT = 8.0  # a chance beyond 0.9997 or below 0.0003 is certain
OWN = 2 * VERDICT_REACH  # the first channel of the slice's own verdict
LEAST_BACKGROUND = 1e-4  # where both networks are certain of blood
NEIGHBOUR_MM = 5.0  # how far away a neighbour should be: as in the training patients


def verdict(chances: np.ndarray) -> np.ndarray:
    """Chances 0..1 as float32 0..1 of their logit, -LOGIT_LIMIT to LOGIT_LIMIT; any shape."""
    safe = np.clip(chances, 1e-6, 1 - 1e-6).astype(np.float32)
    logits = np.log(safe) - np.log1p(-safe)
    return (np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT) + LOGIT_LIMIT) / (2 * LOGIT_LIMIT)


def corrected(own_verdict: np.ndarray, correction: np.ndarray) -> np.ndarray:
    """p(ICH), p(IVH), (2, rows, columns) float32: the first network's of a slice, as its verdict holds them, times the
    second one's, over all three classes."""
    first = _three(1 / (1 + np.exp((1 - 2 * own_verdict.astype(np.float32)) * LOGIT_LIMIT)))
    product = first * _three(correction)
    return product[1:] / product.sum(axis=0)


def _three(lesions: np.ndarray) -> np.ndarray:
    background = np.maximum(1 - lesions.sum(axis=0, keepdims=True), LEAST_BACKGROUND)
    return np.concatenate([background, lesions])


def neighbour_gap(step_mm: float) -> int:
    """How many slices on a neighbour is: about NEIGHBOUR_MM, but never the slice itself."""
    return max(1, round(NEIGHBOUR_MM / step_mm))


def neighbours(index: int, count: int, gap: int, reach: int) -> np.ndarray:
    """(2 reach + 1,) slice indices around index, gap apart; beyond the ends of the scan the end slice."""
    return np.clip(index + gap * np.arange(-reach, reach + 1), 0, count - 1)


def stack_input(verdicts, slices) -> np.ndarray:
    """(CHANNELS, rows, columns) float32 of one slice.

    verdicts: of the slice and VERDICT_REACH neighbours on each side, each (2, rows, columns), see `verdict`; slices:
    of the slice and SLICE_REACH neighbours on each side, each (rows, columns), windowed to 0..1.
    """
    return np.concatenate([*verdicts, *(one[None] for one in slices)]).astype(np.float32, copy=False)
