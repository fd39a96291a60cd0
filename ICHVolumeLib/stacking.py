"""What the second network sees: the first one's verdict on five slices, and three of the slices themselves.

A slice alone does not say whether a faint patch is the end of a bright clot that fills a third of the slab (no blood
by the half-full rule) or a faint clot that fills all of it, nor is a bleed that was missed in one slice and found in
both others hard to see. The first network is the paper's, slice by slice; the second is a small AttFocusNet over its
answers.
"""

import numpy as np

VERDICT_REACH, SLICE_REACH = 2, 1  # neighbours on each side whose verdict, and whose HU, are seen
CHANNELS = 2 * (2 * VERDICT_REACH + 1) + 2 * SLICE_REACH + 1
LOGIT_LIMIT = 8.0  # a chance beyond 0.9997 or below 0.0003 is certain
NEIGHBOUR_MM = 5.0  # how far away a neighbour should be: as in the training patients


def verdict(chances: np.ndarray) -> np.ndarray:
    """Chances 0..1 as float32 0..1 of their logit, -LOGIT_LIMIT to LOGIT_LIMIT; any shape."""
    safe = np.clip(chances, 1e-6, 1 - 1e-6).astype(np.float32)
    logits = np.log(safe) - np.log1p(-safe)
    return (np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT) + LOGIT_LIMIT) / (2 * LOGIT_LIMIT)


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
