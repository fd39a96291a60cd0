"""Mistakes of a network in training come back: heads that drew false alarms, and blocks with a bleed that was missed.

Not every miss: blood as dense as the brain around it cannot be seen by anyone. Shown again and again, it would teach
the network to mark plain brain.
"""

import numpy as np
from torch import Tensor

from ..contrast import look_around, smoothed
from .plans import Plan
from .stream import BatchStream

LEAST_PIXELS = 60  # of a mistake that comes back
MISSED = 0.7  # of a slice's blood, at least
SEEN_HU, SEEN_SD = 8.0, 1.5  # contrast to the brain around, and that in SDs of this brain: what can be seen


def report_mistakes(stream: BatchStream, images: Tensor, logits: Tensor, labels: Tensor, origins: list):
    """Tell the stream about one batch that it gave; logits (n, 3, rows, columns)."""
    marked, blood = (logits.argmax(1) > 0).cpu().numpy(), labels.cpu().numpy() > 0
    for index, origin in enumerate(origins):
        if not blood[index].any():
            if np.count_nonzero(marked[index]) > LEAST_PIXELS:
                stream.report_false_alarm(origin)
        elif is_missed(images[index], blood[index], marked[index], stream.plan):
            stream.report_miss(origin)


def is_missed(image: Tensor, blood: np.ndarray, marked: np.ndarray, plan: Plan) -> bool:
    """True for a slice with blood that can be seen and is hardly marked; image (in_slices, rows, columns), 0..1."""
    missed = blood & ~marked
    if np.count_nonzero(missed) < max(LEAST_PIXELS, MISSED * np.count_nonzero(blood)):
        return False
    low, high = plan.window_hu
    hu = low + (high - low) * image[len(image) // 2].float().cpu().numpy()
    spacing_mm = (float(np.sqrt(plan.pixel_mm[0] * plan.pixel_mm[1])),) * 2
    around = look_around(smoothed(hu, spacing_mm), missed, blood, spacing_mm)
    return around is not None and around.contrast_hu > max(SEEN_HU, SEEN_SD * around.spread_hu)
