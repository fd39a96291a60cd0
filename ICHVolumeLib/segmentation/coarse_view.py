"""What is kept of the coarse network's own view, and what is said of it beside the mask of the fine one."""

from dataclasses import dataclass, field

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import Finding
from ..imaging.volume import volume_ml
from ..network.weights import Weights
from . import outside_brain, unmarked_blood
from .below_skull import drop_below_skull
from .coarse_pieces import CoarsePieces
from .scan import NetworkSlices, TurnedScan

LESIONS, OUTSIDE = slice(0, 2), 2  # of the probabilities: ICH and IVH; blood outside the brain


@dataclass(frozen=True, eq=False)
class SeenBeside:
    """outside: uint8 mask of blood outside the brain on the scan's own grid, outside_ml of it; None where that was not
    looked for. unmarked_ml: of what may be blood of the brain that is not marked; 0 where nothing is told of any."""

    outside: np.ndarray | None = None
    outside_ml: float | None = None
    findings: list[Finding] = field(default_factory=list)
    unmarked_ml: float = 0.0


class CoarseView:
    """Gathered slice by slice; weights: of the coarse network, which need not know blood outside the brain."""

    def __init__(self, scan: TurnedScan, weights: Weights):
        grid = NetworkSlices(scan, weights).grid
        self._lesions = CoarsePieces(scan, grid, unmarked_blood.LEAST_ML)
        self._outside = CoarsePieces(scan, grid, outside_brain.LEAST_ML) if outside_brain.is_known_to(weights) else None

    @property
    def knows_outside(self) -> bool:
        return self._outside is not None

    def take(self, index: int, probabilities: np.ndarray) -> None:
        """probabilities: of the classes but background in one slice, (classes, *box_shape)."""
        self._lesions.take(index, probabilities[LESIONS].sum(axis=0))
        if self._outside is not None:
            self._outside.take(index, probabilities[OUTSIDE])

    def beside(self, ct: CTVolume, bleed: np.ndarray, has_brain: np.ndarray) -> SeenBeside:
        """bleed: the mask that the fine network decided, on the scan's own grid; has_brain: of its slices, bool."""
        unmarked = self._lesions.mask(bleed, unmarked_blood.NEAR_MM)
        drop_below_skull(ct, unmarked, has_brain)
        unmarked_ml = volume_ml(unmarked, ct.voxel_volumes_mm3)
        found = unmarked_blood.unmarked_finding(unmarked, unmarked_ml)
        if self._outside is None:
            return SeenBeside(findings=found, unmarked_ml=unmarked_ml)
        outside = self._outside.mask(bleed)
        drop_below_skull(ct, outside, has_brain)
        outside_ml = volume_ml(outside, ct.voxel_volumes_mm3)
        found = [*outside_brain.outside_finding(outside, outside_ml, bleed), *found]
        return SeenBeside(outside, outside_ml, found, unmarked_ml)
