"""The scans that are timed: a made patient of 40 slices, the same head in thin slices, and heads with tiny bleeds."""

from dataclasses import replace

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.head_mask import BLOCK, find_head
from ..imaging.windowing import window
from ..synthetic.sample import make_sample

FIXED_SLICES = 6
THIN_SLICES = 300
CLOT_HU, CLOT_EDGE_MM, BRAIN_HU = 66.0, 0.5, 32.0
DEEP_MM = 18.0


def fixed_slices(ct: CTVolume, mask: np.ndarray, count: int = FIXED_SLICES) -> np.ndarray:
    """Slice numbers spread evenly over the bleed and a little beyond, so that every mask has something to agree on."""
    bleeding = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(bleeding):
        bleeding = np.array([len(ct.hu) // 3, 2 * len(ct.hu) // 3])
    first, last = max(bleeding[0] - 1, 0), min(bleeding[-1] + 1, len(ct.hu) - 1)
    return np.round(np.linspace(first, last, count)).astype(int)


def whole_slices(ct: CTVolume, indices: np.ndarray, window_hu: tuple[float, float], in_slices: int) -> np.ndarray:
    """(n, 1, in_slices, rows, columns) float32 as scanned, windowed, not resampled or cropped; the slice repeated."""
    one = np.stack([window(ct.hu[k], *window_hu) for k in indices])[:, None, None]
    return np.repeat(one, in_slices, axis=2)


def thin_scan(ct: CTVolume, slices: int = THIN_SLICES) -> CTVolume:
    """The same head in this many slices over the same height, each a copy of the nearest one."""
    nearest = np.round(np.linspace(0, len(ct.hu) - 1, slices)).astype(int)
    along = np.linspace(0, 1, slices)[:, None]
    origins = ct.slice_origins_ras[0] + along * (ct.slice_origins_ras[-1] - ct.slice_origins_ras[0])
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 2] = (origins[-1] - origins[0]) / (slices - 1)
    step_mm = float(np.linalg.norm(matrix[:3, 2]))
    return CTVolume(ct.hu[nearest], matrix, origins, replace(ct.info, slice_thickness_mm=step_mm))


def tiny_bleed_patient(seed: int, volume_ml: float) -> tuple[CTVolume, np.ndarray]:
    """(ct, truth uint8): a made head whose only blood is one ball of this volume somewhere in the brain."""
    ct = make_sample(seed, bleed=False).ct
    return with_ball(ct, place_in_brain(ct, seed), volume_ml)


def place_in_brain(ct: CTVolume, seed: int) -> tuple[int, int, int]:
    """A voxel (slice, row, column) in the middle half of the stack with DEEP_MM of brain around it in its slice."""
    brain = find_head(ct.hu, ct.pixel_spacing_mm).enclosed
    deep = brain & (np.abs(np.linspace(-1, 1, len(brain)))[:, None, None] < 0.5)
    for axis, spacing_mm in zip((1, 2), ct.pixel_spacing_mm, strict=True):
        blocks = round(DEEP_MM / (BLOCK * spacing_mm))
        for shift in (-blocks, blocks):
            deep &= np.roll(brain, shift, axis)
    k, j, i = np.random.default_rng([seed, 7]).choice(np.argwhere(deep))
    return int(k), int(j) * BLOCK, int(i) * BLOCK


def with_ball(ct: CTVolume, center_kji: tuple[int, int, int], volume_ml: float) -> tuple[CTVolume, np.ndarray]:
    """(ct, truth): the scan with a ball of clotted blood at this voxel."""
    radius_mm = (3000 * volume_ml / (4 * np.pi)) ** (1 / 3)
    k, j, i = np.ogrid[tuple(slice(0, size) for size in ct.hu.shape)]
    step_mm, (row_mm, column_mm) = float(np.mean(ct.slice_steps_mm)), ct.pixel_spacing_mm
    distance_mm = np.sqrt(((k - center_kji[0]) * step_mm) ** 2 + ((j - center_kji[1]) * row_mm) ** 2
                          + ((i - center_kji[2]) * column_mm) ** 2)
    share = np.clip((radius_mm - distance_mm) / CLOT_EDGE_MM + 0.5, 0, 1)
    hu = np.round(ct.hu + share * (CLOT_HU - BRAIN_HU)).astype(np.int16)
    return replace(ct, hu=hu), (share >= 0.5).astype(np.uint8)

