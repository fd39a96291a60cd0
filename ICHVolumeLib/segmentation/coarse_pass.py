"""The coarse pass: a small network looks at the whole head in pixels of about 1.5 mm and says where there is certainly
nothing, so that the fine network, which decides, looks only at the rest. What is blood outside the brain it says itself
(outside_brain.py).

Its threshold (the manifest of its weights) is far below what a bleed needs: on calibration patients nothing over 0.1 mL
that the fine network marks was missed. Where no skull is found, and on a GPU, which needs no such help, everything is
looked at.
"""

from collections.abc import Callable

import numpy as np

from ..imaging.components import component_boxes, connected_components
from ..imaging.morphology import dilated
from ..network.weights import Weights
from .coarse_view import LESIONS, CoarseView
from .crops import Box
from .grid import Grid
from .network_runner import NetworkRunner
from .scan import NetworkSlices, TurnedScan

# slice -> boxes (first row, end row, first column, end column) as shares of the scan's rows and columns, around
# everything that may be a bleed; slices with none are left out
Proposals = dict[int, list[tuple[float, ...]]]

NEAR_PX = 4  # coarse pixels around a proposal that are looked at with it; closer ones become one
REACH = 1  # slices: what is proposed in one is looked at in its neighbours, too


def look(scan: TurnedScan, slices: NetworkSlices, runner: NetworkRunner, view: CoarseView | None,
         each: Callable[[int], None]) -> Proposals:
    """What the coarse network proposes, see `Proposals`; what it sees goes into `view`, where that is asked for.
    each(done) is called after every slice."""
    found: dict[int, np.ndarray] = {}
    for done, index in enumerate(scan.slices_to_run.tolist()):
        probabilities = runner.predict(slices.of(np.array([index])))[0]
        proposed = probabilities[LESIONS].sum(axis=0) >= runner.weights.threshold
        if proposed.any():
            found[index] = proposed
        if view is not None:
            view.take(index, probabilities)
        each(done + 1)
    proposals = {}
    for index in scan.slices_to_run.tolist():
        near = [found[k] for k in range(index - REACH, index + REACH + 1) if k in found]
        if near:
            proposals[index] = _boxes(np.any(near, axis=0), slices.grid)
    return proposals


def _boxes(proposed: np.ndarray, grid: Grid) -> list[tuple[float, ...]]:
    boxes = component_boxes(*connected_components(dilated(proposed, (NEAR_PX, NEAR_PX))))
    (row, column), (rows, columns) = grid.box[::2], grid.shape
    return [((box[0].start + row) / rows, (box[0].stop + row) / rows,
             (box[1].start + column) / columns, (box[1].stop + column) / columns) for box in boxes]


def on_grid(shares: tuple[float, ...], grid: Grid) -> Box | None:
    """A box of `look` in the pixels of another network's box; None where it lies beyond it."""
    edges = []
    for axis, size in enumerate(grid.shape):
        first, length = grid.box[2 * axis], grid.box_shape[axis]
        start = int(np.clip(np.floor(shares[2 * axis] * size) - first, 0, length))
        end = int(np.clip(np.ceil(shares[2 * axis + 1] * size) - first, 0, length))
        if start >= end:
            return None
        edges += [start, end]
    return edges[0], edges[1], edges[2], edges[3]


def is_wanted(scan: TurnedScan, coarse: Weights | None) -> bool:
    return coarse is not None and scan.crop and scan.head.skull_found
