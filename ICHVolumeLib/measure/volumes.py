"""Volume of a mask in mL: every slice with its own slab height, and the paper's formula beside it."""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH, IVH
from ..core.result import VolumeMl
from .components import Runs


def volume_of_mask(runs: Runs, ct: CTVolume) -> VolumeMl:
    """Volumes of the ICH and IVH labels.

    V = sum over slices of voxels x pixel area x slab height, the slab reaching half-way to both neighbours
    along the slice normal: tilt does not change it, and overlapping slices do not count twice.
    paper_formula: V = sum of X Y T W_i (Peng et al. 2022, 10.3389/fnins.2022.965680, eq. 1) over both labels, T the
    SliceThickness of the file, or the median distance between slices where the file does not say.
    """
    ich_ml, ivh_ml = (float(_voxels_per_slice(runs, label, ct) @ ct.voxel_volumes_mm3) / 1000 for label in (ICH, IVH))
    paper_voxel_mm3 = ct.pixel_spacing_mm[0] * ct.pixel_spacing_mm[1] * paper_slice_thickness_mm(ct)
    return VolumeMl(total=ich_ml + ivh_ml, ich=ich_ml, ivh=ivh_ml,
                    paper_formula=float(runs.length.sum() * paper_voxel_mm3 / 1000))


def paper_slice_thickness_mm(ct: CTVolume) -> float:
    """The one T of the paper's formula."""
    return float(ct.info.slice_thickness_mm or np.median(np.abs(ct.slice_steps_mm)))


def _voxels_per_slice(runs, label, ct):
    chosen = runs.value == label.value
    return np.bincount(runs.k[chosen], weights=runs.length[chosen], minlength=ct.hu.shape[0])
