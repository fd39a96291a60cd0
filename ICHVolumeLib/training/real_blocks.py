"""Blocks of real bleeding slices for training: cropped, turned, mirrored, warped and scanned anew, never repeated."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..datasets.case import OUTSIDE_BRAIN, TRAIN, UNSURE
from ..datasets.ct_ich import STEP_MM
from ..datasets.ct_ich_bleeds import SAME_PERSON, RealStack, load_bleeds
from ..imaging.head_mask import find_head
from ..synthetic.backgrounds import PIXEL_MM
from ..synthetic.case_backgrounds import rescale
from ..synthetic.fields import SliceGrid, random_waves
from ..synthetic.generator import Block
from ..synthetic.scanner import simulate_scanner
from ..synthetic.variation import MILD, Variation

ON_BLOOD = 0.85  # of the blocks are centred near blood


class RealBlocks:
    """Draws blocks of the real stacks; a person's share is the root of how many slices with blood there are."""

    def __init__(self, stacks: list[RealStack]):
        self.patients = [one.patient for one in stacks]
        self.stacks = [_scaled(one) for one in stacks]
        self.brain_hu = [find_head(hu, (PIXEL_MM, PIXEL_MM)).brain_hu for _, hu, _ in self.stacks]
        person = [SAME_PERSON.get(one.patient[1:], one.patient[1:]) for one in stacks]
        bleeding = np.array([sum(kind == "bleeds" for kind in one.kinds) for one in stacks], float)
        total = {name: sum(n for who, n in zip(person, bleeding, strict=True) if who == name) for name in person}
        shares = np.array([n / np.sqrt(max(total[name], 1)) for name, n in zip(person, bleeding, strict=True)])
        self.shares = shares / shares.sum()

    @classmethod
    def of_training(cls, data: Path) -> "RealBlocks":
        """The stacks that may be trained on, of DATA/ct_ich_v1_bleeds. Raises InputError where it lacks."""
        return cls(load_bleeds(data, TRAIN))

    def draw(self, rng: np.random.Generator, *, size: int, pixel_mm: float, slices: int,
             variation: Variation = MILD) -> Block:
        """A block of at most `slices` consecutive slices with a slice with blood among them; labels UNSURE where the
        mask is, and on slices that are neighbours only. Blood outside the brain is in `outside`."""
        chosen = int(rng.choice(len(self.stacks), p=self.shares))
        patient, hu, truth = self.stacks[chosen]
        blood = np.isin(truth, (1, 2))
        kc = int(rng.choice(np.flatnonzero(blood.any(axis=(1, 2)))))
        first = int(np.clip(kc - rng.integers(slices), 0, max(len(hu) - slices, 0)))
        part = slice(first, first + slices)
        where = np.argwhere(blood[kc]) if rng.random() < ON_BLOOD else np.argwhere(hu[kc] > 10)
        center_mm = where[rng.integers(len(where))] * PIXEL_MM
        axis = ((np.arange(size) - (size - 1) / 2) * pixel_mm).astype(np.float32)
        grid = SliceGrid(axis, axis, np.arange(len(hu[part])) * STEP_MM)
        seen, labels = _warped(rng, hu[part], truth[part], grid, center_mm, variation)
        seen = simulate_scanner(rng, seen, pixel_mm, variation)
        outside = labels == OUTSIDE_BRAIN
        return Block(seen, np.where(outside, np.uint8(0), labels), pixel_mm, STEP_MM, patient, self.brain_hu[chosen],
                     outside)


def _scaled(stack: RealStack) -> tuple[str, np.ndarray, np.ndarray]:
    """Patient, HU and labels at PIXEL_MM in frames of 512 x 512."""
    hu = np.stack([rescale(one, stack.spacing_mm) for one in stack.hu])
    return stack.patient, hu, np.stack([rescale(one, stack.spacing_mm, nearest=True) for one in stack.truth])


def _warped(rng, hu, truth, grid: SliceGrid, center_mm, variation):
    """hu and truth as seen around center_mm (y, x): turned, mirrored, stretched, a little bent."""
    size = len(grid.x_mm)
    half_mm = size * abs(float(grid.x_mm[1] - grid.x_mm[0])) / 2
    head = np.argwhere(hu[len(hu) // 2, ::8, ::8] > -100) * 8 * PIXEL_MM
    turn, flip, stretch = rng.normal(0, variation.turn_sd_rad), rng.choice([-1, 1]), np.exp(rng.normal(0, 0.08, 2))
    shown = (center_mm - (head.min(axis=0) + head.max(axis=0)) / 2) * (1, flip) + rng.normal(0, 12, 2)
    shown = np.clip(shown, 12 - half_mm, half_mm - 12)
    x, y, _ = grid.axes()
    px, py = x - np.float32(shown[1]), y - np.float32(shown[0])
    zeros = np.zeros(grid.shape, np.float32)
    source_x = center_mm[1] + flip * (px * np.cos(turn) - py * np.sin(turn)) * stretch[0] + zeros
    source_y = center_mm[0] + (px * np.sin(turn) + py * np.cos(turn)) * stretch[1] + zeros
    source_x += rng.uniform(0, 3) * random_waves(rng, (25, 110), 12).on(grid)
    source_y += rng.uniform(0, 3) * random_waves(rng, (25, 110), 12).on(grid)
    where = np.stack([source_x, source_y], -1).astype(np.float32) * (2 / (hu.shape[1] * PIXEL_MM)) - 1
    where = torch.from_numpy(where.astype(np.float32))
    seen = F.grid_sample(torch.from_numpy(hu[:, None].astype(np.float32)), where, align_corners=False,
                         padding_mode="border")
    labels = F.grid_sample(torch.from_numpy(truth[:, None].astype(np.float32)), where, mode="nearest",
                           align_corners=False, padding_mode="border")
    return seen[:, 0].numpy(), np.round(labels[:, 0].numpy()).astype(np.uint8)


def is_context(labels: np.ndarray) -> bool:
    """Whether a slice of labels is there as a neighbour only."""
    return bool((labels == UNSURE).all())
