"""Pairs of masks for tests of their agreement, and scans without a picture to lie on."""

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume

TOLERANCE_MM = 1.0
GRIDS = [(5.0, 0.45, 0.45), (1.0, 1.0, 1.0), (2.5, 0.8, 0.6)]


def scan(shape, spacing_mm=(1.0, 1.0, 1.0), origins=None):
    """An empty scan with these steps along slices, rows and columns."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(spacing_mm[::-1])
    hu = np.zeros(shape, np.int16)
    return CTVolume.regular(hu, matrix) if origins is None else CTVolume(hu, matrix, np.asarray(origins, float))


def ragged_pair(seed, shape=(9, 24, 26)):
    """Two overlapping balls with gnawed outlines and stray voxels."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(shape)
    masks = []
    for shift in (0.0, 2.5):
        far = ((k - 4) / 3.2) ** 2 + ((j - 11 - shift) / 7) ** 2 + ((i - 12) / 7.5) ** 2
        masks.append(far + rng.normal(0, 0.25, shape) < 1)
    masks[1][:2] = False
    return masks
