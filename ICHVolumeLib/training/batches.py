"""An endless stream of training batches from the generator, shuffled across patients."""

from collections.abc import Callable

import numpy as np
import torch

from ..datasets.case import OUTSIDE_BRAIN
from ..postprocessing.local_contrast import BRAIN_HU
from ..segmentation.input_slices import moved_hu, windowed_slices
from ..synthetic.backgrounds import Background
from ..synthetic.generator import EVERYTHING, Block, Ingredients, make_block
from ..synthetic.variation import MILD, WIDE, Variation
from .losses import NOT_IN_BRAIN
from .real_blocks import RealBlocks, is_context

GAPS = (0.1, 0.8, 0.1)  # how often a neighbour is 0, 1 or 2 slices away
FAINT_HU = (4.0, 16.0)  # of blood above brain: below it can hardly be seen, above the network finds it
LEAST_FAINT_MM2 = 100.0  # of blood in a slice of a block
LARGE_ML = (5.0, 150.0)  # of the largest clot in half of those blocks: large and faint is rare by chance
LEAST_CAST_MM2 = 500.0  # of blood within the ventricles, in a slice of a block
READY = 12  # batches in the buffer, from which slices are drawn
DRAWS = 15  # of a block until what is wanted is in it
END_SHARE = 0.25  # of the block's outer slices, which lack a neighbour as the first and last of a scan do


def has_faint_blood(block: Block) -> bool:
    """Whether a slice shows LEAST_FAINT_MM2 of blood, and the blood of the block stands out by FAINT_HU."""
    blood = block.labels > 0
    if blood.sum((1, 2)).max() * block.pixel_mm**2 < LEAST_FAINT_MM2:
        return False
    hu = block.hu[blood.any((1, 2))]
    brain = hu[(hu > BRAIN_HU[0]) & (hu < BRAIN_HU[1]) & ~blood[blood.any((1, 2))]]
    if not len(brain):
        return False
    return FAINT_HU[0] < float(np.median(block.hu[blood]) - np.median(brain)) < FAINT_HU[1]


def has_cast(block: Block) -> bool:
    """Whether a slice shows LEAST_CAST_MM2 of blood within the ventricles, as where they are filled with it."""
    return (block.labels == 2).sum((1, 2)).max() * block.pixel_mm**2 >= LEAST_CAST_MM2


def labels_with_outside(block: Block) -> np.ndarray:
    """The block's labels with OUTSIDE_BRAIN where such blood is; NOT_IN_BRAIN for none where nobody knows."""
    rest = NOT_IN_BRAIN if block.outside is None else np.where(block.outside, np.uint8(OUTSIDE_BRAIN), np.uint8(0))
    return np.where(block.labels == 0, rest, block.labels).astype(np.uint8)


class BatchStream:
    """Iterates (images (n, in_slices, size, size) float32, labels (n, size, size) uint8, origins).

    Blocks of four slices (and the slices that are only their neighbours) fill a buffer of READY batches, from which
    batches are drawn at random. Now and then the neighbours are the slice itself, as they nearly are in thin scans, or
    two slices away. origins are the backgrounds' indices, so that false alarms can be mined (`report_false_alarm`); -1
    for slices of real bleeds, whose labels are UNSURE where nobody knows.
    """

    ready = READY

    def __init__(self, pool: list[Background], plan, seed: int | list[int], in_slices: int = 1,
                 ingredients: Ingredients = EVERYTHING, real: RealBlocks | None = None, block_slices: int = 4):
        self.pool, self.plan, self.in_slices = pool, plan, in_slices
        self.rng, self.real = np.random.default_rng(seed), real
        self.ingredients, self.block_slices = ingredients, block_slices
        self.hard: list[tuple[int, float]] = []  # backgrounds that drew false alarms, newest last
        self.buffer: list[tuple[np.ndarray, np.ndarray, int]] = []
        self.shares = plan.shares([one.kind for one in pool])

    def __iter__(self):
        return self

    def __next__(self):
        while len(self.buffer) < self.ready * self.plan.batch:
            self._add_block()
        chosen = sorted(self.rng.choice(len(self.buffer), self.plan.batch, replace=False), reverse=True)
        rows = [self.buffer.pop(index) for index in chosen]
        images = torch.from_numpy(np.stack([row[0] for row in rows]))
        labels = torch.from_numpy(np.stack([row[1] for row in rows]))
        return images, labels, [row[2] for row in rows]

    def report_false_alarm(self, background: int, area_mm2: float):
        """Remember a background whose bleed-free slice was marked; it comes back more often, without a bleed. Slices of
        real bleeds (-1) come back as often as before."""
        if background >= 0:
            self.hard = (self.hard + [(background, area_mm2)])[-400:]

    def _add_block(self):
        variation = WIDE if self.rng.random() < self.plan.wide_share else MILD
        if self.real and self.rng.random() < self.plan.real_share:
            block = self.real.draw(self.rng, size=self.plan.size, pixel_mm=self._log_uniform(self.plan.pixel_mm),
                                   variation=variation, slices=self.block_slices + 2 * (self.in_slices // 2))
            self._keep(block, -1)
        else:
            self._add_made_block(variation)

    def _log_uniform(self, ends: tuple[float, float]) -> float:
        return float(np.exp(self.rng.uniform(*np.log(ends))))

    def _add_made_block(self, variation: Variation):
        again = self.hard and self.rng.random() < self.plan.hard_share
        index = self.rng.choice(len(self.pool), p=self.shares)
        if again:
            index = self.hard[self.rng.integers(len(self.hard))][0]
        is_wanted = None if again or not self.pool[index].may_bleed else self._wanted()
        is_large = is_wanted is has_faint_blood and self.rng.random() < 0.5
        volume_ml = self._log_uniform(LARGE_ML) if is_large else None
        bleed = False if again else True if is_wanted else None
        may = self.plan.outside_share and self.pool[index].may_bleed
        outside = bool(may and self.rng.random() < self.plan.outside_share)
        for _ in range(DRAWS if is_wanted else 1):
            block = make_block(self.rng, self.pool[index], size=self.plan.size,
                               pixel_mm=self._log_uniform(self.plan.pixel_mm), bleed=bleed, volume_ml=volume_ml,
                               outside_brain=outside, slices=self.block_slices + 2 * (self.in_slices // 2),
                               ingredients=self.ingredients, variation=variation)
            if is_wanted and is_wanted(block):
                break
        self._keep(block, int(index))

    def _wanted(self) -> Callable[[Block], bool] | None:
        """What a block is drawn again for, if for anything."""
        drawn = self.rng.random()
        if drawn < self.plan.faint_share:
            return has_faint_blood
        return has_cast if drawn < self.plan.faint_share + self.plan.cast_share else None

    def _keep(self, block: Block, origin: int):
        """Put the block's slices, each amid its neighbours, into the buffer."""
        labels = labels_with_outside(block) if self.plan.outside_share else block.labels
        reach = self.in_slices // 2
        gap = self.rng.choice(3, p=GAPS) if reach else 1
        images = windowed_slices(block.hu, self.plan.window_hu, self.in_slices, gap,
                                 moved_hu(block.brain_hu, self.plan.brain_hu))
        for k in range(len(images)):
            inner = reach <= k < len(images) - reach
            if (inner or self.rng.random() < END_SHARE) and not is_context(block.labels[k]):
                self.buffer.append((images[k], labels[k], origin))
