"""What the coarse network itself saw, beside what it proposes: pieces on the scan's own grid, as coarse as the pixels
of 1.5 mm that this network sees. Blood outside the brain (outside_brain.py) is shown beside the mask; blood of the
brain that the fine network does not mark (unmarked_blood.py) is told.
"""

import numpy as np

from ..imaging.components import component_volumes_mm3, connected_components
from ..imaging.morphology import dilated
from ..postprocessing.steps import inside_skull
from .grid import Grid
from .scan import TurnedScan

PROBABILITY = 0.5
INSIDE = 0.5  # of a piece lies inside the skull: else it is in the scalp, the face or the neck


class CoarsePieces:
    """Where the network is sure of one thing, gathered slice by slice; of connected pieces those of least_ml and more
    count."""

    def __init__(self, scan: TurnedScan, grid: Grid, least_ml: float):
        self._scan, self._grid, self._least_ml = scan, grid, least_ml
        self._seen: dict[int, tuple[tuple[slice, slice], np.ndarray]] = {}  # slice -> rows and columns, bool

    def take(self, index: int, probability: np.ndarray) -> None:
        """probability: of it in one slice, (*box_shape,)."""
        found = self._grid.around(probability >= PROBABILITY)
        if found is None:
            return
        grid, part = found
        seen = grid.to_native(probability[None][(slice(None), *part)])[0] >= PROBABILITY
        if seen.any():
            self._seen[index] = grid.native_part, seen

    def mask(self, bleed: np.ndarray, near_mm: float = 0.0) -> np.ndarray:
        """uint8 (slices, rows, columns) on the scan's own grid, 1 where it is: pieces of at least least_ml inside the
        skull, less what is marked in bleed, which the fine network decided, and what lies so near to that in its slice.
        """
        mask = np.zeros(bleed.shape, np.uint8)
        turned = self._scan.orientation.view(mask)
        if not self._seen:
            return mask
        where, marked = self._marked()
        near_px = tuple(int(np.ceil(near_mm / step)) for step in self._scan.spacing_mm)
        known = dilated(self._scan.orientation.view(bleed)[where] > 0, (0, *near_px))
        pieces, count = connected_components(marked & ~known)
        mm3, within = self._scan.voxel_mm3[where[0]], inside_skull(self._scan.head, where, pieces.shape)
        volumes_mm3, inside_mm3 = (component_volumes_mm3(pieces, count, mm3, only) for only in (None, within))
        kept = (volumes_mm3 >= 1000 * self._least_ml) & (inside_mm3 > INSIDE * volumes_mm3)
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


def slices_in_words(mask: np.ndarray) -> str:
    """From the first to the last that is marked at all, counted from 1: "slices 9 to 25"."""
    slices = np.flatnonzero([one.any() for one in mask]) + 1
    return f"slice {slices[0]}" if len(slices) == 1 else f"slices {slices[0]} to {slices[-1]}"
