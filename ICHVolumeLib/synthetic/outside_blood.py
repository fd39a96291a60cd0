"""Blood inside the skull and outside the brain: subdural, epidural, subarachnoid. It is neither ICH nor IVH.

Every function changes hu (slices, rows, columns; float32) in place and returns the share 0..1 of every voxel that is
such blood. brain: share 0..1 inside the skull; ventricle: share 0..1; depth_mm: distance to the inside of the skull.
"""

import numpy as np

from .fields import SliceGrid, random_waves

KINDS = ("crescent", "lens", "sulci")
HOW_OFTEN = (0.4, 0.25, 0.35)


def crescent_or_sulci(rng, hu, brain, ventricle, depth_mm, grid: SliceGrid) -> np.ndarray:
    """A crescent along the skull, or blood in the sulci (45-80 HU): one of the mimics of every patient."""
    blood = rng.uniform(48, 78) + rng.uniform(1, 3) * random_waves(rng, (4, 20), 24).on(grid)
    if rng.random() < 0.6:
        x, y, _ = grid.axes()
        towards = rng.uniform(0, 2 * np.pi)
        side = (x * np.cos(towards) + y * np.sin(towards)) / max(float(np.ptp(grid.x_mm)) / 2, 30)
        thickness = rng.uniform(3, 18) * np.clip(side * 2 + 0.3 * random_waves(rng, (20, 60), 12).on(grid), 0, 1)
        share = np.clip(thickness - depth_mm + 0.5, 0, 1) * (brain > 0.5) * np.clip(thickness / 2, 0, 1)
    else:
        patch = np.clip(random_waves(rng, (25, 80), 16).on(grid) * 2 + rng.uniform(-1, 1), 0, 1)
        share = np.clip((24 - hu) / 8, 0, 1) * (depth_mm < 20) * (depth_mm > 0) * brain * patch
        share *= ventricle < 0.1
    hu += (np.maximum(blood, hu) - hu) * share * rng.uniform(0.6, 1)
    return share


def any_kind(rng, hu, brain, ventricle, depth_mm, grid: SliceGrid) -> np.ndarray:
    """A crescent, a lens, or blood in sulci and cisterns, up to 30 mm thick (42-82 HU, uneven): to learn the class."""
    kind = rng.choice(KINDS, p=HOW_OFTEN)
    if kind == "sulci":
        share = _in_dark_spaces(rng, hu, brain, ventricle, depth_mm, grid)
    else:
        thickness = _crescent_mm(rng, grid) if kind == "crescent" else _lens_mm(rng, brain, depth_mm, grid)
        share = np.clip(thickness - depth_mm + 0.5, 0, 1) * (brain > 0.5) * np.clip(thickness / 2, 0, 1)
    blood = rng.uniform(46, 80) + rng.uniform(1, 5) * random_waves(rng, (4, 25), 24).on(grid)
    share *= rng.uniform(0.75, 1)
    hu += (np.maximum(blood, hu) - hu) * share
    return share


def _crescent_mm(rng, grid: SliceGrid) -> np.ndarray:
    x, y, z = grid.axes()
    towards, rise = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.4)
    along = x * np.cos(towards) + y * np.sin(towards) + z * rise
    side = along / max(float(np.ptp(grid.x_mm)) / 2, 30) + rng.uniform(-0.2, 0.3)
    return rng.uniform(3, 25) * np.clip(side * 2 + 0.4 * random_waves(rng, (20, 60), 12).on(grid), 0, 1)


def _lens_mm(rng, brain, depth_mm, grid: SliceGrid) -> np.ndarray:
    at_skull = np.flatnonzero((brain > 0.5) & (depth_mm < 3))
    if not len(at_skull):
        return np.zeros(grid.shape, np.float32)
    k, j, i = np.unravel_index(at_skull[rng.integers(len(at_skull))], brain.shape)
    x, y, z = grid.axes()
    apart = (x - grid.x_mm[i]) ** 2 + (y - grid.y_mm[j]) ** 2 + (z - grid.z_mm[k]) ** 2
    return rng.uniform(6, 30) * np.clip(1 - apart / rng.uniform(15, 45) ** 2, 0, 1)


def _in_dark_spaces(rng, hu, brain, ventricle, depth_mm, grid: SliceGrid) -> np.ndarray:
    """Sulci of the convexity, or all dark spaces outside the ventricles: fissures and cisterns, too."""
    patch = np.clip(random_waves(rng, (25, 80), 16).on(grid) * 2 + rng.uniform(-0.5, 1.5), 0, 1)
    deepest = 20 if rng.random() < 0.5 else np.inf
    dark = np.clip((rng.uniform(22, 27) - hu) / 8, 0, 1) * (hu > -30)
    return dark * (depth_mm < deepest) * (depth_mm > 0) * brain * patch * (ventricle < 0.1)
