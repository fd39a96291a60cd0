"""An endless stream of training batches from the generator, shuffled across patients."""

import numpy as np
import torch

from .backgrounds import Background
from .generator import EVERYTHING, Ingredients, make_block


def to_input(hu: np.ndarray, window_hu: tuple[float, float]) -> np.ndarray:
    """HU to the network's 0..1 input."""
    low, high = window_hu
    return ((np.clip(hu, low, high) - low) / (high - low)).astype(np.float32)


class BatchStream:
    """Iterates (images (n, in_slices, size, size) float32, labels (n, size, size) uint8, origins).

    Blocks of four slices fill a buffer of 12 batches; batches are drawn from it at random. origins are
    (background index, bleed or not) so that false alarms can be mined (`report_false_alarm`).
    """

    def __init__(self, pool: list[Background], plan, seed: int, in_slices: int = 1,
                 ingredients: Ingredients = EVERYTHING, block_slices: int = 4):
        self.pool, self.plan, self.in_slices = pool, plan, in_slices
        self.rng = np.random.default_rng(seed)
        self.ingredients, self.block_slices = ingredients, block_slices
        self.hard: list[tuple[int, float]] = []  # backgrounds that drew false alarms, newest last
        self.buffer: list[tuple[np.ndarray, np.ndarray, int]] = []
        kinds = [one.kind for one in pool]
        weight = {"ct_ich": 0.68, "extra_axial": 0.1, "template": 0.12, "procedural": 0.1}
        shares = np.array([weight[kind] / kinds.count(kind) for kind in kinds])
        self.shares = shares / shares.sum()

    def __iter__(self):
        return self

    def __next__(self):
        while len(self.buffer) < 12 * self.plan.batch:
            self._add_block()
        chosen = sorted(self.rng.choice(len(self.buffer), self.plan.batch, replace=False), reverse=True)
        rows = [self.buffer.pop(index) for index in chosen]
        images = torch.from_numpy(np.stack([row[0] for row in rows]))
        labels = torch.from_numpy(np.stack([row[1] for row in rows]))
        return images, labels, [row[2] for row in rows]

    def report_false_alarm(self, background: int, area_mm2: float):
        """Remember a background whose bleed-free slice was marked; it comes back more often, without a bleed."""
        self.hard = (self.hard + [(background, area_mm2)])[-400:]

    def _add_block(self):
        again = self.hard and self.rng.random() < self.plan.hard_share
        index = self.rng.choice(len(self.pool), p=self.shares)
        if again:
            index = self.hard[self.rng.integers(len(self.hard))][0]
        pixel_mm = float(np.exp(self.rng.uniform(*np.log(self.plan.pixel_mm))))
        block = make_block(self.rng, self.pool[index], size=self.plan.size, pixel_mm=pixel_mm,
                           slices=self.block_slices, bleed=False if again else None, ingredients=self.ingredients)
        images, reach = to_input(block.hu, self.plan.window_hu), self.in_slices // 2
        count = len(images)
        for k in range(count):
            neighbours = np.clip(np.arange(k - reach, k + reach + 1), 0, count - 1)
            self.buffer.append((images[neighbours], block.labels[k], int(index)))
