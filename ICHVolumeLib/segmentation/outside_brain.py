"""Blood inside the skull but outside the brain (subdural, epidural, subarachnoid): shown beside the mask, never
counted.

The coarse network has it as a class of its own, which also keeps it from being called ICH. Its outline is as coarse as
the pixels of 1.5 mm that this network sees.
"""

import numpy as np

from ..core.findings import WARNING, Finding
from ..core.labels import LABELS, OUTSIDE_BRAIN
from ..imaging.boxes import bounding_box
from ..imaging.components import component_volumes_mm3, connected_components
from ..imaging.morphology import dilated
from ..imaging.volume import volume_ml
from ..network.weights import Weights
from ..postprocessing.steps import inside_skull
from .grid import Grid
from .scan import TurnedScan

PROBABILITY = 0.5
INSIDE = 0.5  # of a piece lies inside the skull: else it is in the scalp, the face or the neck
TOUCHES = "It touches the marked bleed and may be a part of it. "
LEAST_ML = 3.0  # of a connected piece: up to 2.4 mL were seen in real heads without any


def is_known_to(weights: Weights) -> bool:
    """Whether these weights have the class."""
    return weights.config.classes > len(LABELS) + 1


class OutsideBlood:
    """What the coarse network saw, gathered slice by slice."""

    def __init__(self, scan: TurnedScan, grid: Grid):
        self._scan, self._grid = scan, grid
        self._seen: dict[int, tuple[tuple[slice, slice], np.ndarray]] = {}  # slice -> rows and columns, bool

    def take(self, index: int, probability: np.ndarray) -> None:
        """probability: of blood outside the brain in one slice, (*box_shape,)."""
        found = self._grid.around(probability >= PROBABILITY)
        if found is None:
            return
        grid, part = found
        seen = grid.to_native(probability[None][(slice(None), *part)])[0] >= PROBABILITY
        if seen.any():
            self._seen[index] = grid.native_part, seen

    def mask(self, bleed: np.ndarray) -> np.ndarray:
        """uint8 (slices, rows, columns) on the scan's own grid, 1 where such blood is: pieces of at least LEAST_ML
        inside the skull, less what is marked in bleed, which the fine network decided."""
        mask = np.zeros(bleed.shape, np.uint8)
        turned = self._scan.orientation.view(mask)
        if not self._seen:
            return mask
        where, marked = self._marked()
        pieces, count = connected_components(marked & (self._scan.orientation.view(bleed)[where] == 0))
        mm3, within = self._scan.voxel_mm3[where[0]], inside_skull(self._scan.head, where, pieces.shape)
        volumes_mm3, inside_mm3 = (component_volumes_mm3(pieces, count, mm3, only) for only in (None, within))
        kept = (volumes_mm3 >= 1000 * LEAST_ML) & (inside_mm3 > INSIDE * volumes_mm3)
        kept[0] = False
        turned[where] = kept[pieces]
        return mask

    def _marked(self) -> tuple[tuple[slice, slice, slice], np.ndarray]:
        """The box of the turned scan around all that was seen, and where in it that is, bool."""
        parts = [(slice(index, index + 1), *part) for index, (part, _) in self._seen.items()]
        where = tuple(slice(min(part[axis].start for part in parts), max(part[axis].stop for part in parts))
                      for axis in range(3))
        marked = np.zeros([part.stop - part.start for part in where], bool)
        for index, (part, seen) in self._seen.items():
            rows, columns = (slice(one.start - all_of.start, one.stop - all_of.start)
                             for one, all_of in zip(part, where[1:], strict=True))
            marked[index - where[0].start, rows, columns] = seen
        return where, marked


def outside_volume_ml(mask: np.ndarray, voxel_volumes_mm3: np.ndarray) -> float:
    """Of OutsideBlood's mask; only where it holds something is it copied."""
    where = bounding_box(mask, (0, 0, 0))
    return 0.0 if where is None else volume_ml(mask[where], voxel_volumes_mm3[where[0]])


def outside_finding(mask: np.ndarray, outside_ml: float, bleed: np.ndarray) -> list[Finding]:
    """mask: of OutsideBlood; outside_ml: of it; bleed: the marked mask. Where both touch, the network cannot be trusted
    to tell where one ends."""
    slices = np.flatnonzero(mask.any(axis=(1, 2))) + 1
    if not len(slices):
        return []
    where = f"slice {slices[0]}" if len(slices) == 1 else f"slices {slices[0]} to {slices[-1]}"
    return [Finding("blood-outside-brain", WARNING,
                    f"About {outside_ml:.{0 if outside_ml >= 10 else 1}f} mL in {where} look like blood inside the "
                    "skull but outside the brain (subdural, epidural or subarachnoid). It is a segment of its own, "
                    f"\u201c{OUTSIDE_BRAIN.name}\u201d, and in no volume or score. "
                    f"{TOUCHES if _touch(mask, bleed) else ''}Look there.")]


def _touch(mask: np.ndarray, bleed: np.ndarray) -> bool:
    where = bounding_box(mask, (1, 2, 2))
    return where is not None and bool((dilated(mask[where] > 0, (1, 2, 2)) & (bleed[where] > 0)).any())
