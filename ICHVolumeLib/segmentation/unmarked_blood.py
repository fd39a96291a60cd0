"""Blood that only the coarse pass sees: told, never marked.

The fine network, which decides, loses some large bleeds that are hardly brighter than the brain (of 118 mL at 7 HU
above it 7 mL are marked). The coarse network sees some of these in part. Where it does so over a large region, a person
has to look: a wrong volume without a word is worse than a word too many. The upper ends of the intervals of the total
and of the ICH are raised by it, which no calibration asks for.
"""

import numpy as np

from ..core.findings import WARNING, Finding
from .coarse_pieces import slices_in_words

LEAST_ML = 12.0  # of a connected piece: up to 8.2 mL were seen in calibration patients with all of their blood marked
NEAR_MM = 2.0  # of what is marked: there both networks only draw the edge differently


def unmarked_finding(mask: np.ndarray, unmarked_ml: float) -> list[Finding]:
    """mask: of CoarsePieces; unmarked_ml: of it."""
    if not unmarked_ml:
        return []
    return [Finding("unmarked-blood", WARNING,
                    f"About {unmarked_ml:.0f} mL in {slices_in_words(mask)} may be faint blood: the first, coarse look "
                    "saw it, the network that decides did not, so it is not marked and in no volume or score; only the "
                    "upper ends of the intervals hold it. Faint bleeds can be larger than what is seen of them. Look "
                    "there, and mark what is blood.")]
