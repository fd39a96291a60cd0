"""What the coarse pass says of the blocks of training, for a network that is shown it: now and then nothing or
something wrong, as it knows the heads of training and is surer there than anywhere else."""

from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..network.weights import coarse_folder, load_weights
from ..segmentation.coarse_channels import on_fine_grid
from ..segmentation.grid import Grid, make_grid
from ..segmentation.input_slices import moved_hu, windowed_slices
from ..segmentation.network_runner import NetworkRunner
from ..synthetic.fields import SliceGrid, random_waves
from ..synthetic.generator import Block

SILENT, FORGETS, INVENTS = 0.1, 0.15, 0.15  # shares of the blocks


class CoarseAnswers:
    """Of the coarse weights beside the shipped ones (or those of $ICHVOLUME_WEIGHTS). Raises InputError without any."""

    def __init__(self, folder: Path | None = None):
        place = coarse_folder(folder)
        if place is None:
            raise InputError("There are no coarse weights whose answer the network could be shown; set "
                             "ICHVOLUME_WEIGHTS to a folder of weights that holds some in coarse/.")
        self.weights = load_weights(place)
        self._runner = NetworkRunner(self.weights, "cpu", "auto", threads=1)

    def __getstate__(self) -> dict:
        """For another process: without the engine, which it makes itself."""
        return {"weights": self.weights}

    def __setstate__(self, state: dict) -> None:
        self.weights = state["weights"]
        self._runner = NetworkRunner(self.weights, "cpu", "auto", threads=1)

    def of(self, block: Block, gap: int = 1) -> np.ndarray:
        """p of its classes but background, (slices, classes - 1, rows, columns) float32. gap: of the neighbours that it
        sees with each slice."""
        weights, shape = self.weights, block.hu.shape[1:]
        pixels = weights.manifest["pixel_spacing_mm"]
        grid = make_grid(None, shape, (block.pixel_mm, block.pixel_mm), tuple(pixels["native_range"]),
                         pixels["target"], weights.config.size_multiple, crop=False)
        images = windowed_slices(block.hu, weights.window_hu, weights.config.in_slices, gap,
                                 moved_hu(block.brain_hu, weights.brain_hu))
        same = Grid(shape, shape, (0, shape[0], 0, shape[1]))
        answers = (self._runner.predict(np.stack([grid.to_network(one) for one in image])[None])[0] for image in images)
        return np.stack([on_fine_grid(one, grid, same) for one in answers])

    def disturbed(self, rng: np.random.Generator, block: Block, gap: int) -> np.ndarray:
        """`of`, or nothing, or with parts left out or made up."""
        answers, drawn = self.of(block, gap), rng.random()
        if drawn < SILENT:
            return np.zeros_like(answers)
        if drawn < SILENT + FORGETS:
            return answers * (_patches(rng, block) < 0.4)
        if drawn < SILENT + FORGETS + INVENTS:
            what = rng.integers(answers.shape[1])
            invented = np.clip(_patches(rng, block)[:, 0] - rng.uniform(1.0, 1.8), 0, 1)
            answers[:, what] = np.maximum(answers[:, what], invented * (1 - answers.sum(axis=1)))
        return answers


def _patches(rng, block: Block) -> np.ndarray:
    """A smooth random field of mean 0 and SD 1, (slices, 1, rows, columns)."""
    axis = (np.arange(block.hu.shape[1]) * block.pixel_mm).astype(np.float32)
    grid = SliceGrid(axis, axis, np.arange(len(block.hu)) * block.step_mm)
    return random_waves(rng, (20, 90), 16).on(grid)[:, None]
