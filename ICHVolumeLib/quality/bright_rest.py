"""How dense what is marked is, and what as dense a thing touches it and is left unmarked."""

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.components import connected_components
from ..imaging.gaussian import blurred
from ..imaging.morphology import dilated, opened

_AROUND_MM = 12.0  # of the mark that is looked at
_SMOOTHING_MM = 1.0  # SD of the Gaussian
_WINDOW_HU = (-20, 150)
_BRAIN_HU = (10, 55)
_BONE_HU = 150
_OFF_BONE_MM = 4.0  # partial volume
_RIM_MM = 1.5  # of the mark's own edge
_NECK_MM = 1.5  # radius: what hangs on by less is a vessel or a fold
_BRIGHT = 0.6  # of the mark's contrast to the brain around it
_LEAST_CONTRAST_HU = 12.0
_TOO_BRIGHT_HU = 100


def dense_part_ml(ct: CTVolume, marked: np.ndarray, above_hu: float) -> tuple[float, np.ndarray]:
    """mL of the marked voxels that are denser than above_hu after smoothing, and the slices that hold them."""
    box = _box(ct, marked, 3 * _SMOOTHING_MM)
    own = marked[box]
    dense = np.zeros(own.shape, bool)
    for k in np.flatnonzero((ct.hu[box] > above_hu).any(axis=(1, 2))):
        dense[k] = own[k] & (_smoothed(ct, ct.hu[box][k], 1000) > above_hu)
    return _ml(ct, dense, box)


def bright_rest_ml(ct: CTVolume, marked: np.ndarray) -> tuple[float, np.ndarray]:
    """mL of unmarked tissue about as dense as the mark and connected with it, and its slices.

    Rims, thin strands and what lies at bone are left out: partial volume, vessels and cortex are this bright too.
    """
    box = _box(ct, marked, _AROUND_MM)
    own, hu = marked[box], ct.hu[box]
    smooth = np.stack([_smoothed(ct, one, _WINDOW_HU[1]) for one in hu])
    brain = smooth[~own & (smooth > _BRAIN_HU[0]) & (smooth < _BRAIN_HU[1])]
    if not brain.size:
        return 0.0, np.empty(0, int)
    brain_hu, own_hu = float(np.median(brain)), float(np.median(smooth[own]))
    if own_hu - brain_hu < _LEAST_CONTRAST_HU:
        return 0.0, np.empty(0, int)
    bright = (smooth > brain_hu + _BRIGHT * (own_hu - brain_hu)) & (smooth < _TOO_BRIGHT_HU)
    bright &= ~dilated(hu > _BONE_HU, (0, *_pixels(ct, _OFF_BONE_MM)))
    rest = bright & ~dilated(own, (0, *_pixels(ct, _RIM_MM)))
    rest = np.stack([opened(one, _NECK_MM, ct.pixel_spacing_mm) if one.any() else one for one in rest])
    touching, _ = connected_components(rest | (bright & dilated(own, (1, *_pixels(ct, _RIM_MM)))) | own)
    rest &= np.isin(touching, np.unique(touching[own]))
    return _ml(ct, rest, box)


def _box(ct, marked, around_mm):
    box = []
    for axis, spare in zip((0, 1, 2), (1, *_pixels(ct, around_mm)), strict=True):
        held = np.flatnonzero(marked.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(max(held[0] - spare, 0), held[-1] + spare + 1))
    return tuple(box)


def _pixels(ct, mm):
    return tuple(int(np.ceil(mm / step)) for step in ct.pixel_spacing_mm)


def _smoothed(ct, one, most_hu):
    return blurred(np.clip(one, _WINDOW_HU[0], most_hu).astype(np.float32), _SMOOTHING_MM, ct.pixel_spacing_mm)


def _ml(ct, voxels, box):
    counts = np.count_nonzero(voxels, axis=(1, 2))
    return float(counts @ ct.voxel_volumes_mm3[box[0]]) / 1000, np.flatnonzero(counts) + box[0].start
