"""What the coarse pass says of a slice, as channels of the fine network's input: the one has seen the whole head at
once, the other decides. The same for training and for a scan."""

from collections.abc import Iterable

import numpy as np

from ..core.errors import InputError
from ..network.weights import COARSE_FOLDER, Weights
from .grid import Grid
from .network_runner import NetworkRunner
from .scan import NetworkSlices


def on_fine_grid(probabilities: np.ndarray, coarse: Grid, fine: Grid) -> np.ndarray:
    """p of the classes but background, (n, *coarse.box_shape) -> (n, *fine.box_shape) float32; both grids are of one
    scan. 0 where the coarse network did not look."""
    seen = np.zeros((len(probabilities), *coarse.shape), np.float32)
    seen[(slice(None), *coarse.inside)] = probabilities[(slice(None), *coarse.inside_box)]
    between = Grid(coarse.shape, fine.shape, fine.box)
    return np.stack([between.to_network(one) for one in seen])


def check_told(fine: Weights, coarse: Weights | None) -> None:
    """Raises InputError where the fine network wants to be shown other classes than the coarse one knows."""
    known = coarse.config.classes - 1 if coarse else 0
    if fine.config.coarse_channels not in (0, known):
        raise InputError(f"The weights {fine.version} are shown {fine.config.coarse_channels} classes of a coarse pass "
                         f"and {f'the one beside them knows {known}' if coarse else 'there is none beside them'}; copy "
                         f"the weights folder again, with {COARSE_FOLDER}/.")


class CoarseChannels:
    """The coarse network's answers for the slices of one scan; kept, where the fine network is shown them, so that each
    slice is looked at once."""

    def __init__(self, slices: NetworkSlices, runner: NetworkRunner, kept: bool):
        self._slices, self._runner, self._kept = slices, runner, kept
        self._answers: dict[int, np.ndarray] = {}

    @property
    def grid(self) -> Grid:
        return self._slices.grid

    @property
    def threshold(self) -> float:
        return self._runner.weights.threshold

    def of(self, index: int) -> np.ndarray:
        """p of the classes but background in one slice, (classes - 1, *grid.box_shape)."""
        probabilities = self._runner.predict(self._slices.of(np.array([index])))[0]
        if self._kept:
            self._answers[index] = probabilities.astype(np.float16)
        return probabilities

    def on(self, fine: Grid, indices: np.ndarray) -> np.ndarray:
        """The same of these slices on the fine network's grid, (n, classes - 1, *fine.box_shape) float32."""
        return np.stack([on_fine_grid(self._answer(index), self.grid, fine) for index in indices.tolist()])

    def forget_all_but(self, indices: Iterable[int]) -> None:
        """What the fine network will not ask for needs no memory."""
        self._answers = {index: self._answers[index] for index in indices if index in self._answers}

    def _answer(self, index: int) -> np.ndarray:
        if index not in self._answers:
            return self.of(index).astype(np.float16)
        return self._answers[index]
