"""In the brain or in a ventricle? Asked of the slices above and below, too.

A network that sees a slice and its neighbours tells ICH from IVH voxel by voxel, and changes its mind within a clot and
from slice to slice. Blood does not: what it says of the blood around a voxel, near in the slice and a little farther
across the slices, decides. On 80 synthetic calibration patients that raised the Dice of IVH from 0.90 to 0.93 and that
of ICH from 0.75 to 0.76; from 2 to 5 mm in the slice and 1.2 to 1.6 slices of 5 mm across it made no difference.
"""

import numpy as np

from ..core.labels import ICH, IVH
from ..imaging.gaussian import blurred

IN_SLICE_MM, ACROSS_MM = 3.0, 6.0  # SD of the Gaussians


def smooth_labels(mask: np.ndarray, ivh_probability: np.ndarray, bleed_probability: np.ndarray,
                  spacing_mm: tuple[float, float], slab_mm: np.ndarray) -> None:
    """Label every marked voxel anew, in place.

    mask: uint8 (slices, rows, columns), 1 ICH, 2 IVH; ivh_chance, bleed_chance: p(IVH) and p(ICH) + p(IVH) on the same
    grid; spacing_mm along rows, then columns; slab_mm (slices,): their heights, by which the slices count. Where the
    network says nothing of the blood around, the label stays.
    """
    more_ivh = 2 * ivh_probability.astype(np.float32) - bleed_probability  # p(IVH) - p(ICH)
    more_ivh = np.stack([blurred(one, IN_SLICE_MM, spacing_mm) for one in more_ivh])
    middle_mm = np.cumsum(slab_mm) - slab_mm / 2
    near = np.exp(-0.5 * ((middle_mm[:, None] - middle_mm) / ACROSS_MM) ** 2) * slab_mm
    more_ivh = np.tensordot(near.astype(np.float32), more_ivh, axes=1)
    mask[(mask > 0) & (more_ivh > 0)] = IVH.value
    mask[(mask > 0) & (more_ivh < 0)] = ICH.value
