"""Smooth random fields on slice stacks, made of plane waves.

A sum of plane waves on a grid is one small matrix product per slice, so a field costs milliseconds, needs no
interpolation, is the same for every sampling of the same patient (thin, thick, tilted) and is seeded.
"""

from dataclasses import dataclass

import numpy as np

# Products of a matrix product that BLAS does not share out among threads: they take longer to wake than to compute, and
# with them a sum, and a rounded HU, would depend on how many there are.
ONE_THREAD = 200_000


@dataclass(frozen=True)
class SliceGrid:
    """Points of a slice stack in mm: x to the patient's left, y to the back, z up.

    x_mm: (columns,); y_mm: (rows,); z_mm: (slices,); y_shift_mm: (slices,), how far each slice is displaced
    along y (a tilted gantry shears the stack), 0 when not tilted.
    """

    x_mm: np.ndarray
    y_mm: np.ndarray
    z_mm: np.ndarray
    y_shift_mm: np.ndarray | float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.z_mm), len(self.y_mm), len(self.x_mm)

    def axes(self):
        """x, y, z broadcastable to (slices, rows, columns), float32, mm."""
        shift = np.broadcast_to(np.asarray(self.y_shift_mm, np.float32), (len(self.z_mm),))
        x = np.asarray(self.x_mm, np.float32)[None, None, :]
        y = np.asarray(self.y_mm, np.float32)[None, :, None] + shift[:, None, None]
        z = np.asarray(self.z_mm, np.float32)[:, None, None]
        return x, y, z

    def crop(self, slices: slice, rows: slice, columns: slice) -> "SliceGrid":
        shift = np.broadcast_to(np.asarray(self.y_shift_mm, np.float32), (len(self.z_mm),))
        return SliceGrid(self.x_mm[columns], self.y_mm[rows], self.z_mm[slices], shift[slices])

    def box(self, center_mm, radius_mm) -> tuple[slice, slice, slice]:
        """Index slices of the points within radius_mm (scalar) of center_mm (x, y, z), possibly empty."""
        shift = np.broadcast_to(np.asarray(self.y_shift_mm, float), (len(self.z_mm),))
        near_z = np.flatnonzero(np.abs(np.asarray(self.z_mm) - center_mm[2]) <= radius_mm)
        if not len(near_z):
            return slice(0, 0), slice(0, 0), slice(0, 0)
        low, high = shift[near_z].min(), shift[near_z].max()
        y = np.asarray(self.y_mm)
        near_y = np.flatnonzero((y + high >= center_mm[1] - radius_mm) & (y + low <= center_mm[1] + radius_mm))
        near_x = np.flatnonzero(np.abs(np.asarray(self.x_mm) - center_mm[0]) <= radius_mm)
        return tuple(slice(n[0], n[-1] + 1) if len(n) else slice(0, 0) for n in (near_z, near_y, near_x))


@dataclass(frozen=True)
class Waves:
    """A random field: frequencies (waves, 3) in radians per mm along x, y, z, and phases (waves,)."""

    frequencies: np.ndarray
    phases: np.ndarray

    def on(self, grid: SliceGrid) -> np.ndarray:
        """Field on the grid, (slices, rows, columns) float32, zero mean and unit variance."""
        fx, fy, fz = self.frequencies.T
        shift = np.broadcast_to(np.asarray(grid.y_shift_mm, float), (len(grid.z_mm),))
        along_x = np.exp(1j * np.outer(fx, grid.x_mm)).astype(np.complex64)
        along_y = np.exp(1j * np.outer(grid.y_mm, fy)).astype(np.complex64)
        along_z = np.exp(1j * (np.outer(grid.z_mm, fz) + np.outer(shift, fy) + self.phases)).astype(np.complex64)
        along_x = np.ascontiguousarray(along_x.real), np.ascontiguousarray(along_x.imag)
        field = np.empty(grid.shape, np.float32)
        step = max(ONE_THREAD // max(along_x[0].size, 1), 1)
        for k in range(len(grid.z_mm)):
            rows = along_y * along_z[k]
            rows = np.ascontiguousarray(rows.real), np.ascontiguousarray(rows.imag)
            for first in range(0, len(along_y), step):
                part = slice(first, first + step)
                field[k, part] = rows[0][part] @ along_x[0] - rows[1][part] @ along_x[1]
        return field * np.float32(np.sqrt(2 / len(self.phases)))


def random_waves(rng: np.random.Generator, wavelength_mm: tuple[float, float], waves: int = 40) -> Waves:
    """Waves of random direction whose wavelengths are log-uniform between the two lengths (mm)."""
    directions = rng.normal(size=(waves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.exp(rng.uniform(np.log(wavelength_mm[0]), np.log(wavelength_mm[1]), waves))
    return Waves(directions * (2 * np.pi / lengths)[:, None], rng.uniform(0, 2 * np.pi, waves))
