"""Blood that only the coarse pass sees: told, never marked.

The fine network, which decides, loses some large bleeds that are hardly brighter than the brain (of 118 mL at 7 HU
above it 7 mL are marked). The coarse network sees some of these in part. Where it does so over a large region, a person
has to look: a wrong volume without a word is worse than a word too many.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import WARNING, Finding
from ..imaging.volume import volume_ml
from .coarse_pieces import slices_in_words

LEAST_ML = 12.0  # of a connected piece: up to 8.2 mL were seen in calibration patients with all of their blood marked
NEAR_MM = 2.0  # of what is marked: there both networks only draw the edge differently


def unmarked_finding(mask: np.ndarray, ct: CTVolume) -> list[Finding]:
    """mask: of CoarsePieces, on the grid of the CT; less than LEAST_ML says nothing."""
    unmarked_ml = volume_ml(mask, ct.voxel_volumes_mm3)
    if unmarked_ml < LEAST_ML:
        return []
    return [Finding("unmarked-blood", WARNING,
                    f"About {unmarked_ml:.0f} mL in {slices_in_words(mask)} may be faint blood: the first, "
                    "coarse look saw it, the network that decides did not, so it is not marked and in no volume or "
                    "score. Faint bleeds can be larger than what is seen of them. Look there, and mark what is blood.")]
