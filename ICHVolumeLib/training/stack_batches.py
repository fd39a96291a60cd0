"""An endless stream of patches of consecutive slices, for networks of stacks: from the same blocks as single slices."""

from dataclasses import replace

import numpy as np

from ..datasets.case import UNSURE
from ..segmentation.input_slices import moved_hu, windowed
from ..synthetic.backgrounds import Background
from ..synthetic.generator import EVERYTHING, Block, Ingredients
from .batches import BatchStream, labels_with_outside
from .real_blocks import RealBlocks

PATCHES = 2  # of a block
ON_BLOOD = 0.5  # of the patches of a block with blood are laid around some of it
READY = 4  # batches in the buffer, from which patches are drawn


def stacks_per_batch(batch: int, depth: int) -> int:
    """How many stacks have about as many slices as a batch of single ones."""
    return max(1, round(batch / depth))


class StackStream(BatchStream):
    """Iterates (images (n, slices, rows, columns) float32, labels of the same shape uint8, origins), n from
    `stacks_per_batch`.

    patch: slices, rows and columns; the rows and columns are cut from the plan's crop, half of them around blood where
    there is any. A head with fewer slices ends with its last one again, labelled UNSURE.
    """

    ready = READY

    def __init__(self, pool: list[Background], plan, seed: int | list[int], patch: tuple[int, int, int],
                 ingredients: Ingredients = EVERYTHING, real: RealBlocks | None = None):
        super().__init__(pool, replace(plan, batch=stacks_per_batch(plan.batch, patch[0])), seed, 1, ingredients, real,
                         block_slices=patch[0])
        self.patch = patch

    def _keep(self, block: Block, origin: int):
        moved = moved_hu(block.brain_hu, self.plan.brain_hu)
        labels = labels_with_outside(block) if self.plan.outside_share else block.labels
        images, labels = filled(windowed(block.hu, self.plan.window_hu, moved), labels, self.patch[0])
        blood = np.argwhere((labels == 1) | (labels == 2))[:, 1:]
        for _ in range(PATCHES):
            inside = [self.rng.integers(size - length + 1)
                      for size, length in zip(labels.shape[1:], self.patch[1:], strict=True)]
            if len(blood) and self.rng.random() < ON_BLOOD:
                around = blood[self.rng.integers(len(blood))]
                inside = [int(np.clip(place - self.rng.integers(length), 0, size - length)) for place, length, size
                          in zip(around, self.patch[1:], labels.shape[1:], strict=True)]
            part = (slice(None), *(slice(first, first + length)
                                   for first, length in zip(inside, self.patch[1:], strict=True)))
            self.buffer.append((images[part].copy(), labels[part].copy(), origin))


def filled(images: np.ndarray, labels: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """(slices, rows, columns) each -> (depth, ...): the last slice again, as at the end of a scan, labelled UNSURE."""
    lacking = depth - len(images)
    if lacking <= 0:
        return images[:depth], labels[:depth]
    again = np.full((lacking, *labels.shape[1:]), UNSURE, labels.dtype)
    return np.concatenate([images, np.repeat(images[-1:], lacking, axis=0)]), np.concatenate([labels, again])
