"""What looks like a bleed and must not be marked, or hides one: calcification, dense sheets, old infarcts.

Every function changes hu (slices, rows, columns; float32) in place. brain: share 0..1 inside the skull;
ventricle: share 0..1; depth_mm: distance to the inside of the skull.
"""

import numpy as np

from .fields import SliceGrid, random_waves
from .hematoma import random_shape


def _random_point(rng, where: np.ndarray, grid: SliceGrid):
    """mm coordinates (x, y, z) of a random true voxel, or None."""
    flat = np.flatnonzero(where)
    if not len(flat):
        return None
    k, j, i = np.unravel_index(flat[rng.integers(len(flat))], where.shape)
    return np.array([grid.x_mm[i], grid.y_mm[j], grid.z_mm[k]])


def calcifications(rng, hu, brain, ventricle, depth_mm, grid, slab_mm):
    """One to four small bright grains (110-400 HU), half of them in or at the ventricles (plexus, pineal).

    Mostly brighter and smaller than a bleed, so that the two can be told apart.
    """
    for _ in range(rng.integers(1, 5)):
        where = (ventricle > 0.5) if rng.random() < 0.5 else (brain > 0.9) & (depth_mm > 4)
        center = _random_point(rng, where, grid)
        if center is None:
            continue
        shape = random_shape(rng, center, float(np.exp(rng.uniform(np.log(0.005), np.log(0.2)))), 0.5)
        box = grid.box(center, shape.reach_mm + 3)
        share = shape.occupancy(grid.crop(*box), slab_mm)
        hu[box] += (rng.uniform(110, 400) - hu[box]) * share * rng.uniform(0.8, 1)


def bright_sheets(rng, hu, brain, grid):
    """Thin bright sheets: dense falx, tentorium, sinus, vessels (45-80 HU, 1-3 mm)."""
    x, y, z = grid.axes()
    for _ in range(rng.integers(1, 3)):
        normal = rng.normal(size=3) * (1, 1, 0.5)
        normal /= np.linalg.norm(normal)
        center = _random_point(rng, brain > 0.9, grid)
        if center is None:
            return
        bend = rng.uniform(1, 5) * random_waves(rng, (30, 90), 8).on(grid)
        offset = (x - center[0]) * normal[0] + (y - center[1]) * normal[1] + (z - center[2]) * normal[2] + bend
        span = np.sqrt((x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2)
        sheet = np.clip(rng.uniform(0.5, 1.4) - np.abs(offset) + 0.5, 0, 1) * (span < rng.uniform(8, 40))
        hu += np.maximum(rng.uniform(42, 75) - hu, 0) * sheet * brain * rng.uniform(0.5, 1)


def old_damage(rng, hu, brain, ventricle, depth_mm, grid, slab_mm):
    """A hypodense area (old or fresh infarct, tumour-like edema): 5-20 HU darker, soft edge."""
    center = _random_point(rng, (brain > 0.9) & (depth_mm > 3), grid)
    if center is None:
        return
    shape = random_shape(rng, center, float(np.exp(rng.uniform(np.log(1), np.log(60)))), 0.8)
    box = grid.box(center, shape.reach_mm + 6)
    distance = shape.signed_distance_mm(grid.crop(*box))
    hu[box] -= rng.uniform(5, 20) * np.clip(0.5 - distance / rng.uniform(1, 6), 0, 1) * brain[box] * (hu[box] > 8)


def white_matter_disease(rng, hu, ventricle_blurred, brain):
    """Leukoaraiosis: a dark halo around the ventricles."""
    hu -= rng.uniform(3, 10) * np.clip(ventricle_blurred * 3, 0, 1) * brain * (hu > 14)
