"""Shapes of hematomas: smooth unions of ellipsoids with an uneven surface, sampled with partial volume.

Coordinates in mm: x to the patient's left, y to the back, z up (see fields.Grid).
"""

from dataclasses import dataclass

import numpy as np

from .fields import SliceGrid, Waves, random_waves


@dataclass(frozen=True)
class Shape:
    """centers_mm (lobes, 3); radii_mm (lobes, 3); axes (lobes, 3, 3) rows are each lobe's axes; surface noise."""

    centers_mm: np.ndarray
    radii_mm: np.ndarray
    axes: np.ndarray
    roughness_mm: float
    surface: Waves

    @property
    def center_mm(self) -> np.ndarray:
        return self.centers_mm.mean(axis=0)

    @property
    def reach_mm(self) -> float:
        """Radius of a ball around center_mm that surely holds the shape."""
        offsets = np.linalg.norm(self.centers_mm - self.center_mm, axis=1)
        longest, shortest = self.radii_mm.max(axis=1), self.radii_mm.min(axis=1)
        swell = 1 + 3.5 * self.roughness_mm / shortest + 0.08 * len(longest)  # surface noise, and necks between lobes
        return float((offsets + longest * swell).max() + 1)

    def signed_distance_mm(self, grid: SliceGrid) -> np.ndarray:
        """Approximate distance to the surface, (slices, rows, columns) float32 mm, negative inside."""
        x, y, z = grid.axes()
        union = None
        for center, radii, axes in zip(self.centers_mm, self.radii_mm, self.axes, strict=True):
            squared = 0.0
            for axis, radius in zip(axes, radii, strict=True):
                scaled = (axis / radius).astype(np.float32)
                along = (x - np.float32(center[0])) * scaled[0] + (y - np.float32(center[1])) * scaled[1]
                squared = squared + (along + (z - np.float32(center[2])) * scaled[2]) ** 2
            distance = (np.sqrt(squared) - 1) * np.float32(radii.min())
            union = distance if union is None else _smooth_minimum(union, distance, 0.25 * radii.min())
        if self.roughness_mm > 0:
            union = union + np.float32(self.roughness_mm) * self.surface.on(grid)
        return union

    def occupancy(self, grid: SliceGrid, slab_mm, samples: int = 3) -> np.ndarray:
        """Share of each slab that the shape fills, (slices, rows, columns) float32 0..1 (partial volume).

        slab_mm: height of the slabs, one number or one per slice.
        """
        total = np.zeros(grid.shape, np.float32)
        pixel_mm = abs(float(grid.x_mm[1] - grid.x_mm[0])) if len(grid.x_mm) > 1 else 0.5
        for offset in (np.arange(samples) + 0.5) / samples - 0.5:
            z_mm = np.asarray(grid.z_mm) + offset * np.asarray(slab_mm)
            level = SliceGrid(grid.x_mm, grid.y_mm, z_mm, grid.y_shift_mm)
            total += np.clip(0.5 - self.signed_distance_mm(level) / pixel_mm, 0, 1)
        return total / samples


def _smooth_minimum(a, b, width_mm):
    """Polynomial smooth minimum (Quilez): two lobes meet in a neck, not a crease."""
    blend = np.clip(0.5 + 0.5 * (b - a) / width_mm, 0, 1)
    return b + (a - b) * blend - width_mm * blend * (1 - blend)


def random_shape(rng: np.random.Generator, center_mm, volume_ml: float, irregularity: float) -> Shape:
    """A hematoma of about volume_ml around center_mm; irregularity 0 (one ellipsoid) to 1 (many lobes, ragged)."""
    lobes = 1 + int(rng.binomial(4, 0.65 * irregularity))
    radius_mm = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    shares = rng.dirichlet(np.full(lobes, 3.0)) if lobes > 1 else np.ones(1)
    lobe_radius = radius_mm * shares ** (1 / 3) * (1 + 0.12 * (lobes - 1) / lobes)
    stretch = np.exp(rng.normal(0, 0.22, (lobes, 3)))
    stretch /= np.prod(stretch, axis=1, keepdims=True) ** (1 / 3)
    directions = rng.normal(size=(lobes, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    offsets = directions * (radius_mm * rng.uniform(0.35, 0.8, (lobes, 1))) if lobes > 1 else np.zeros((1, 3))
    axes = np.stack([np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(lobes)])
    roughness = radius_mm * rng.uniform(0.01, 0.03 + 0.09 * irregularity)
    surface = random_waves(rng, (0.4 * radius_mm + 1, 2.5 * radius_mm + 2), 24)
    return Shape(np.asarray(center_mm) + offsets, lobe_radius[:, None] * stretch, axes, roughness, surface)
