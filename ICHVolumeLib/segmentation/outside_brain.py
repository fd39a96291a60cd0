"""Blood inside the skull but outside the brain (subdural, epidural, subarachnoid): shown beside the mask, never
counted.

The coarse network has it as a class of its own, which also keeps it from being called ICH. Its outline is as coarse as
the pixels of 1.5 mm that this network sees.
"""

import numpy as np

from ..core.findings import WARNING, Finding
from ..core.labels import LABELS, OUTSIDE_BRAIN
from ..imaging.boxes import bounding_box
from ..imaging.morphology import dilated
from ..network.weights import Weights
from .coarse_pieces import slices_in_words

TOUCHES = "It touches the marked bleed and may be a part of it. "
LEAST_ML = 3.0  # of a connected piece: up to 2.4 mL were seen in real heads without any


def is_known_to(weights: Weights) -> bool:
    """Whether these weights have the class."""
    return weights.config.classes > len(LABELS) + 1


def outside_finding(mask: np.ndarray, outside_ml: float, bleed: np.ndarray) -> list[Finding]:
    """mask: of CoarsePieces; outside_ml: of it; bleed: the marked mask. Where both touch, the network cannot be trusted
    to tell where one ends."""
    if not mask.any():
        return []
    amount = f"{outside_ml:.{0 if outside_ml >= 10 else 1}f} mL in {slices_in_words(mask)}"
    return [Finding("blood-outside-brain", WARNING,
                    f"About {amount} look like blood inside the skull but outside the brain (subdural, epidural or "
                    f"subarachnoid). It is a segment of its own, \u201c{OUTSIDE_BRAIN.name}\u201d, and in no volume or "
                    f"score. {TOUCHES if _touch(mask, bleed) else ''}Look there.")]


def _touch(mask: np.ndarray, bleed: np.ndarray) -> bool:
    where = bounding_box(mask, (1, 2, 2))
    return where is not None and bool((dilated(mask[where] > 0, (1, 2, 2)) & (bleed[where] > 0)).any())
