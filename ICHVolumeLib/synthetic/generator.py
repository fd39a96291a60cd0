"""The generator: a bleed-free head in, the same head with a hemorrhage and its exact mask out.

Everything is drawn from one numpy Generator, so a seed is a patient. A block is a run of consecutive slices seen
through one crop; a whole patient is a block with all slices.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from . import lesions, mimics, outside_blood
from .backgrounds import BRAIN, PIXEL_MM, TISSUE_STRIDE, VENTRICLE, Background
from .fields import SliceGrid, random_waves
from .hematoma import Shape, random_shape
from .scanner import blur, simulate_scanner
from .variation import MILD, Variation

SMALLEST_ML, LARGEST_ML = 0.1, 150.0
IVH_SHARE = 0.55  # of bleeding blocks; about 0.4 of real hemorrhages reach the ventricles, and IVH is hard to learn
IVH_ALONE_SHARE = 0.12
LEAST_OF_HEAD_MM = 60.0  # half of a view that shows the head in its place, not a crop anywhere


@dataclass(frozen=True)
class Ingredients:
    """Switches for the ablation: each turns one part of the generator off."""

    deform: bool = True
    wide_ventricles: bool = True
    mass_effect: bool = True
    edema: bool = True
    faint_and_mixed: bool = True
    ventricular_blood: bool = True
    mimics: bool = True
    scanner: bool = True


EVERYTHING = Ingredients()


@dataclass(frozen=True, eq=False)
class Block:
    """hu: float32 (slices, rows, columns); labels: uint8, 0 none, 1 ICH, 2 IVH; spacing in mm.

    brain_hu: how bright the brain of the whole head is, before the scanner; None where that is not known.
    outside: bool like labels, blood inside the skull that is neither; None where that is not known.
    """

    hu: np.ndarray
    labels: np.ndarray
    pixel_mm: float
    step_mm: float
    patient: str
    brain_hu: float | None = None
    outside: np.ndarray | None = None


@dataclass(frozen=True)
class _View:
    """Which slices and which crop: source point (row, column mm) shown at the output point (row, column mm).

    flip: -1.0 where left and right are exchanged around that point.
    """

    first: int
    last: int
    source_mm: np.ndarray
    shown_mm: np.ndarray
    size: int
    pixel_mm: float
    flip: float

    def grid(self, step_mm: float, zero_slice: int) -> SliceGrid:
        axis = (np.arange(self.size) - (self.size - 1) / 2) * self.pixel_mm
        return SliceGrid(axis, axis, (np.arange(self.first, self.last) - zero_slice) * step_mm)


def make_block(rng: np.random.Generator, background: Background, *, size: int, pixel_mm: float, slices: int | None,
               bleed: bool | None = None, volume_ml: float | None = None, outside_brain: bool = False,
               ingredients: Ingredients = EVERYTHING, variation: Variation = MILD) -> Block:
    """A run of `slices` slices (None: all) of size x size pixels of pixel_mm.

    bleed: put a hemorrhage in (None: four times in five). volume_ml: of the largest clot (None: log-uniform).
    outside_brain: put blood of any kind outside the brain in, beside what the mimics hold.
    """
    bleed = (rng.random() < 0.8 if bleed is None else bleed) and background.may_bleed
    with_ivh = bleed and ingredients.ventricular_blood and rng.random() < IVH_SHARE
    kc, center_mm = _site(rng, background, bleed, with_ivh, variation.sites)
    flip = float(rng.choice([-1.0, 1.0])) if ingredients.deform else 1.0
    view = _view(rng, background, kc, center_mm, size, pixel_mm, slices, flip)
    grid = view.grid(background.step_mm, kc)
    alone = with_ivh and volume_ml is None and rng.random() < IVH_ALONE_SHARE
    clots = _clots(rng, view, background, volume_ml, ingredients) if bleed and not alone else []
    hu, brain, ventricle, depth = _sample(rng, background, view, grid, clots, with_ivh, ingredients,
                                          variation.turn_sd_rad)
    labels = np.zeros(hu.shape, np.uint8)
    outside = np.zeros(hu.shape, bool)
    if ingredients.mimics:
        outside |= _add_mimics(rng, hu, brain, ventricle, depth, grid, background)
    if outside_brain:
        outside |= outside_blood.any_kind(rng, hu, brain, ventricle, depth, grid) > 0.5
    if bleed:
        _add_clots(rng, hu, labels, brain, depth, grid, clots, background, ingredients)
    if with_ivh:
        share = lesions.paint_ventricular_blood(rng, hu, ventricle, grid)
        labels[(share > 0.5) & (labels == 0)] = 2
    if ingredients.scanner:
        hu = simulate_scanner(rng, hu, pixel_mm, variation)
    return Block(hu, labels, pixel_mm, background.step_mm, background.patient, background.brain_hu,
                 outside & (labels == 0) if background.may_bleed else None)


def _site(rng, background, bleed, with_ivh, sites=MILD.sites):
    """Slice and source point (y, x mm) where the largest clot sits; any slice when there is none."""
    slices = len(background.hu)
    if not bleed:
        return int(rng.integers(slices)), None
    eligible = np.flatnonzero((background.tissue > 0).any(axis=(1, 2)))
    ventricular = np.flatnonzero((background.tissue == VENTRICLE).any(axis=(1, 2)))
    if with_ivh and len(ventricular):
        eligible = ventricular
    for _ in range(20):
        k = int(rng.choice(eligible))
        depth = background.depth_mm[k]
        deepest = min(30.0, 0.8 * float(depth.max()))
        low, high = [(deepest, 255), (5, 255), (3, 15), (1, 6)][rng.choice(len(sites), p=sites)]
        where = np.argwhere((background.tissue[k] == BRAIN) & (depth >= low) & (depth <= high))
        if len(where):
            return k, where[rng.integers(len(where))] * (TISSUE_STRIDE * PIXEL_MM)
    return int(eligible[len(eligible) // 2]), np.array(background.tissue.shape[1:]) * (TISSUE_STRIDE * PIXEL_MM / 2)


def _view(rng, background, kc, center_mm, size, pixel_mm, slices, flip):
    total = len(background.hu)
    if slices is None or slices >= total:
        first, last = 0, total
    else:
        first = int(np.clip(kc - rng.integers(slices), 0, total - slices))
        last = first + slices
    head = np.argwhere(background.hu[kc, ::8, ::8] > -100)
    middle = (head.min(axis=0) + head.max(axis=0)) / 2 * 8 * PIXEL_MM if len(head) else np.full(2, 256 * PIXEL_MM)
    half_mm = size * pixel_mm / 2
    if half_mm > LEAST_OF_HEAD_MM:  # most of the head is in view, or all of it
        wanted = rng.normal(0, 6 if half_mm > 95 else 12, 2)
        source = middle if center_mm is None else center_mm
        shown = (source - middle) * (1, flip) + wanted
        return _View(first, last, source, np.clip(shown, 12 - half_mm, half_mm - 12), size, pixel_mm, flip)
    if center_mm is None:
        center_mm = middle + rng.uniform(-0.5, 0.5, 2) * (np.ptp(head, axis=0) * 8 * PIXEL_MM if len(head) else 1)
    return _View(first, last, center_mm, rng.uniform(-0.6, 0.6, 2) * half_mm, size, pixel_mm, flip)


def _clots(rng, view, background, volume_ml, ingredients):
    """Shapes in view coordinates (x, y, z mm), each with its mass effect."""
    volume = volume_ml or float(np.exp(rng.uniform(np.log(SMALLEST_ML), np.log(LARGEST_ML))))
    center = np.array([view.shown_mm[1], view.shown_mm[0], rng.uniform(-0.5, 0.5) * background.step_mm])
    clots = [random_shape(rng, center, volume, rng.uniform(0, 1))]
    while rng.random() < 0.15 and len(clots) < 4:
        away = rng.normal(0, 22, 3)
        clots.append(random_shape(rng, center + away, volume * rng.uniform(0.03, 0.4) + 0.05, rng.uniform(0, 1)))
    strength = rng.uniform(0, 0.45) if ingredients.mass_effect else 0.0
    return [(shape, strength) for shape in clots]


def _sample(rng, background, view, grid: SliceGrid, clots: list[tuple[Shape, float]], with_ivh, ingredients,
            turn_sd_rad):
    """HU, brain share, ventricle share and depth (mm) of the head as seen through the view, deformed."""
    x, y, z = grid.axes()
    zeros = np.zeros(grid.shape, np.float32)
    dx, dy = lesions.push_outwards(x, y, z, clots)
    px, py = x - np.float32(view.shown_mm[1]) + dx, y - np.float32(view.shown_mm[0]) + dy
    turn = rng.normal(0, turn_sd_rad) if ingredients.deform else 0.0
    stretch = np.exp(rng.normal(0, 0.06, 2)) if ingredients.deform else np.ones(2)
    source_x = view.source_mm[1] + view.flip * (px * np.cos(turn) - py * np.sin(turn)) * stretch[0] + zeros
    source_y = view.source_mm[0] + (px * np.sin(turn) + py * np.cos(turn)) * stretch[1] + zeros
    if ingredients.deform:
        source_x += rng.uniform(0, 3.5) * random_waves(rng, (35, 130), 12).on(grid)
        source_y += rng.uniform(0, 3.5) * random_waves(rng, (35, 130), 12).on(grid)
    if ingredients.wide_ventricles and rng.random() < (0.85 if with_ivh else 0.4):
        _widen_ventricles(rng, background.ventricle_center_mm, source_x, source_y, 0.6 if with_ivh else 0.45)
    extent_mm = background.hu.shape[1] * PIXEL_MM
    where = torch.from_numpy(np.stack([source_x, source_y], -1).astype(np.float32)) * (2 / extent_mm) - 1
    part = slice(view.first, view.last)
    tissue = background.tissue[part]
    maps = np.stack([tissue > 0, tissue == VENTRICLE, background.depth_mm[part]], 1).astype(np.float32)
    hu = F.grid_sample(torch.from_numpy(background.hu[part, None].astype(np.float32)), where,
                       align_corners=False, padding_mode="border")
    maps = F.grid_sample(torch.from_numpy(maps), where, align_corners=False, padding_mode="border").numpy()
    return hu[:, 0].numpy(), maps[:, 0], maps[:, 1], maps[:, 2]


def _widen_ventricles(rng, center_mm, source_x, source_y, most):
    """Ageing, hydrocephalus: magnify the middle of the brain by 1.1 to 1 / (1 - most), fading outwards; in place."""
    if center_mm is None:
        return
    from_x, from_y = source_x - np.float32(center_mm[1]), source_y - np.float32(center_mm[0])
    reach = np.float32(rng.uniform(25, 45))
    shrink = np.float32(rng.uniform(0.1, most)) * np.exp(-(from_x**2 + from_y**2) / reach**2)
    source_x -= from_x * shrink
    source_y -= from_y * shrink


def _add_mimics(rng, hu, brain, ventricle, depth, grid, background) -> np.ndarray:
    """Where blood outside the brain is among them."""
    outside = np.zeros(hu.shape, bool)
    if rng.random() < 0.25:
        mimics.calcifications(rng, hu, brain, ventricle, depth, grid, background.step_mm)
    if rng.random() < 0.2:
        mimics.bright_sheets(rng, hu, brain, grid)
    if rng.random() < 0.15:
        outside = outside_blood.crescent_or_sulci(rng, hu, brain, ventricle, depth, grid) > 0.5
    if rng.random() < 0.15:
        mimics.old_damage(rng, hu, brain, ventricle, depth, grid, background.step_mm)
    if rng.random() < 0.2:
        halo = blur(torch.from_numpy(ventricle)[:, None], 6 / abs(grid.x_mm[1] - grid.x_mm[0]))[:, 0].numpy()
        mimics.white_matter_disease(rng, hu, halo, brain)
    return outside


def _add_clots(rng, hu, labels, brain, depth, grid, clots, background, ingredients):
    """Edema and clots; writes label 1 where blood fills more than half a voxel."""
    pixel_mm = abs(float(grid.x_mm[1] - grid.x_mm[0]))
    look = lesions.random_look(rng)
    if not ingredients.faint_and_mixed:
        look = lesions.ClotLook(65.0, 2.0, 0.0, 0.0, 0.0)
    soft = rng.uniform(0.2, 0.8) / pixel_mm
    with_edema = ingredients.edema and rng.random() < 0.65
    for shape, _ in clots:
        box = grid.box(shape.center_mm, shape.reach_mm + 25)
        if 0 in hu[box].shape:
            continue
        near = grid.crop(*box)
        distance = shape.signed_distance_mm(near)
        if with_edema:
            paint = hu[box]
            lesions.paint_edema(rng, paint, distance, brain[box], near)
        share = shape.occupancy(near, background.step_mm) * np.clip(brain[box] * 2 - 0.6, 0, 1)
        share *= np.clip(depth[box] / 1.5, 0, 1)
        seen = blur(torch.from_numpy(share)[:, None], soft)[:, 0].numpy()
        lesions.paint_clot(rng, hu[box], seen, -distance, near, look, shape.center_mm)
        labels[box][share > 0.5] = 1
