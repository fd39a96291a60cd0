"""Hemorrhages with a known mask: their attenuation, surroundings, and blood in the ventricles.

All functions change `hu` (slices, rows, columns; float32 HU) in place and return a share or label array on the
same grid. Attenuation ranges: acute clot 50-90 HU, anticoagulated or anaemic 40-55, subacute 35-50.
"""

from dataclasses import dataclass

import numpy as np

from .fields import SliceGrid, random_waves
from .hematoma import Shape

SMALLEST_IVH_PIXELS = 12


@dataclass(frozen=True)
class ClotLook:
    """How a clot shows: mean HU, texture (SD in HU), hypodense swirl (HU), fluid level (HU), fading rim (HU)."""

    mean_hu: float
    texture_hu: float
    swirl_hu: float
    level_hu: float
    rim_hu: float


def random_look(rng: np.random.Generator) -> ClotLook:
    """Mostly acute clots; a third faint (anticoagulated, anaemic, subacute), because those are missed."""
    mean = rng.choice([rng.uniform(55, 80), rng.uniform(46, 60), rng.uniform(40, 50)], p=[0.62, 0.26, 0.12])
    return ClotLook(float(mean), float(rng.uniform(0.5, 4)),
                    float(rng.uniform(6, 22)) if rng.random() < 0.25 else 0.0,
                    float(rng.uniform(8, 25)) if rng.random() < 0.08 else 0.0,
                    float(rng.uniform(3, 14)) if rng.random() < 0.3 else 0.0)


def paint_clot(rng, hu: np.ndarray, share: np.ndarray, depth_mm: np.ndarray, grid: SliceGrid, look: ClotLook,
               center_mm):
    """Blend a clot into hu. share: 0..1 filled; depth_mm: inside the clot, positive inwards."""
    clot = np.full(hu.shape, look.mean_hu, np.float32)
    clot += look.texture_hu * random_waves(rng, (3, 16), 30).on(grid)
    radius = max(float(depth_mm.max()), 2.0)
    if look.swirl_hu:
        swirl = random_waves(rng, (1.0 * radius, 3.0 * radius), 16).on(grid)
        clot -= look.swirl_hu * np.clip((swirl - 0.3) * 2, 0, 1)
    if look.level_hu:
        _, y, _ = grid.axes()
        level = (y - center_mm[1]) + 0.08 * radius * random_waves(rng, (radius, 4 * radius), 8).on(grid)
        clot += look.level_hu * np.clip(level / 2, -0.6, 0.6)
    if look.rim_hu:
        clot -= look.rim_hu * np.clip(1 - depth_mm / (0.6 * radius), 0, 1)
    hu += (np.maximum(clot, 30) - hu) * share


def paint_edema(rng, hu: np.ndarray, distance_mm: np.ndarray, brain: np.ndarray, grid: SliceGrid):
    """Darken brain around the clot: 3-12 HU, fading over 2-12 mm. distance_mm: to the clot, negative inside."""
    width, drop = rng.uniform(2, 12), rng.uniform(2, 12)
    ragged = 1 + 0.35 * random_waves(rng, (8, 30), 16).on(grid)
    ring = np.exp(-(np.maximum(distance_mm, 0) / (width * np.maximum(ragged, 0.3))) ** 2)
    hu -= drop * ring * brain * (hu > 12)


def paint_ventricular_blood(rng, hu: np.ndarray, ventricle: np.ndarray, grid: SliceGrid, origin_mm=None) -> np.ndarray:
    """Fill ventricles with blood; returns the share of IVH (slices, rows, columns).

    Three patterns: a layer with a level in the dependent (back) part, a cast, a clot around a point.
    """
    share = np.zeros(hu.shape, np.float32)
    if not (ventricle > 0.5).any():
        return share
    x, y, _ = grid.axes()
    pattern = rng.choice(["layer", "cast", "clot"], p=[0.4, 0.35, 0.25])
    wobble = random_waves(rng, (10, 40), 16).on(grid)
    if pattern == "layer":
        back = y[..., int(np.flatnonzero((ventricle > 0.5).any(axis=(0, 2)))[-1]), 0].max()
        share[:] = np.clip(y - (back - rng.uniform(3, 25)) + 0.3 * wobble + 0.5, 0, 1)  # one level in all slices
    elif pattern == "cast":
        share[:] = np.clip(2.0 + 1.5 * wobble, 0, 1)
    else:
        voxels = np.argwhere(ventricle > 0.6)
        if not len(voxels):
            return share
        k, j, i = voxels[rng.integers(len(voxels))]
        center = np.array([x[0, 0, i], y[min(k, len(y) - 1), j, 0], grid.z_mm[k]]) if origin_mm is None else origin_mm
        radius = rng.uniform(5, 28)
        distance = np.sqrt((x - center[0]) ** 2 + (y - center[1]) ** 2 + (grid.axes()[2] - center[2]) ** 2)
        share[:] = np.clip((radius + 2 * wobble - distance) / 1.5 + 0.5, 0, 1)
    share *= np.clip(ventricle * 1.2, 0, 1)
    if np.count_nonzero(share > 0.5) < SMALLEST_IVH_PIXELS:  # not to be told from a calcified plexus
        return np.zeros_like(share)
    blood = rng.uniform(44, 80) + rng.uniform(0.5, 3) * random_waves(rng, (3, 14), 24).on(grid)
    hu += (np.maximum(blood, hu) - hu) * share
    return share


def push_outwards(x: np.ndarray, y: np.ndarray, z_mm: np.ndarray, shapes: list[tuple[Shape, float]]):
    """Mass effect: where tissue seen at (x, y, z) came from before the clot pushed it away, as (dx, dy) mm.

    shapes: each clot with its strength 0..0.5; the push fades with distance (Gaussian, 1.7 radii).
    """
    dx, dy = 0.0, 0.0
    for shape, strength in shapes:
        center = shape.center_mm
        radius = max(shape.reach_mm * 0.6, 3.0)
        from_x, from_y = x - np.float32(center[0]), y - np.float32(center[1])
        squared = from_x**2 + from_y**2 + np.float32(1.0) * (z_mm - np.float32(center[2])) ** 2
        fade = np.float32(strength) * np.exp(-squared / np.float32(1.7 * radius) ** 2)
        dx, dy = dx - from_x * fade, dy - from_y * fade
    return dx, dy
