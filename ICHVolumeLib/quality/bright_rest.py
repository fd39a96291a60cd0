"""How dense what is marked is, and what as dense a thing touches it and is left unmarked."""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.components import connected_components
from ..imaging.gaussian import blurred
from ..imaging.morphology import dilated, opened

_PIXEL_MM = 0.8  # what is looked at is about this coarse, which is enough and quick after every edit
_AROUND_MM = 12.0  # of the mark that is looked at
_SMOOTHING_MM = 1.0  # SD of the Gaussian
_WINDOW_HU = (-20, 130)  # bone must not bleed into what lies beside it
_BRAIN_HU = (10, 55)
_BONE_HU = 150
_OFF_BONE_MM = 2.0  # partial volume; a clot along the skull may be no thicker than 4 mm
_RIM_MM = 1.5  # of the mark's own edge
_NECK_MM = 1.5  # radius: what hangs on by less is a vessel or a fold
_BRIGHT = 0.6  # of the mark's contrast to the brain around it
_BRIGHTER_THAN_GRAY_HU = 12.0  # above brain; gray matter lies up to 10 above
_LEAST_CONTRAST_HU = 17.0  # fainter marks: cortex at the vertex is as bright
_TOO_BRIGHT_HU = 100
_NOTHING = (0.0, np.empty(0, int))


@dataclass(frozen=True, eq=False)
class _Near:
    """The scan around a mark on pixels of about _PIXEL_MM. hu: as stored; smooth: within _WINDOW_HU; first: slice."""

    hu: np.ndarray
    smooth: np.ndarray
    marked: np.ndarray
    spacing_mm: tuple[float, float]
    voxel_ml: np.ndarray
    first: int

    def grown(self, voxels, mm, slices=0):
        return dilated(voxels, (slices, *(int(np.ceil(mm / step)) for step in self.spacing_mm)))

    def opened(self, voxels):
        return np.stack([opened(one, _NECK_MM, self.spacing_mm) if one.any() else one for one in voxels])

    def ml(self, voxels) -> tuple[float, np.ndarray]:
        """mL, and the slices of the scan that hold some."""
        counts = np.count_nonzero(voxels, axis=(1, 2))
        return float(counts @ self.voxel_ml), np.flatnonzero(counts) + self.first


def look_near(ct: CTVolume, marked: np.ndarray) -> "_Near | None":
    """What dense_part_ml and bright_rest_ml look at; marked: bool (slices, rows, columns); None when next to nothing
    is marked."""
    steps = tuple(max(1, round(_PIXEL_MM / mm)) for mm in ct.pixel_spacing_mm)
    hu, marked = (array[:, ::steps[0], ::steps[1]] for array in (ct.hu, marked))
    if not marked.any():
        return None
    spacing_mm = tuple(mm * step for mm, step in zip(ct.pixel_spacing_mm, steps, strict=True))
    box = _box(marked, (1, *(int(np.ceil(_AROUND_MM / mm)) for mm in spacing_mm)))
    smooth = np.stack([blurred(np.clip(one, *_WINDOW_HU).astype(np.float32), _SMOOTHING_MM, spacing_mm)
                       for one in hu[box]])
    voxel_ml = ct.voxel_volumes_mm3[box[0]] * steps[0] * steps[1] / 1000
    return _Near(hu[box], smooth, marked[box], spacing_mm, voxel_ml, box[0].start)


def dense_part_ml(near: _Near, above_hu: float) -> tuple[float, np.ndarray]:
    """mL of the marked voxels that are denser than above_hu after smoothing, thin rims left out, and their slices."""
    return near.ml(near.opened(near.marked & (near.smooth > above_hu)))


def brain_and_contrast_hu(near: _Near) -> tuple[float, float]:
    """Median of the brain around the mark, and by how much that of the mark lies above it; NaN where no brain is."""
    smooth = near.smooth
    brain = smooth[~near.marked & (smooth > _BRAIN_HU[0]) & (smooth < _BRAIN_HU[1])]
    if not brain.size:
        return np.nan, np.nan
    brain_hu = float(np.median(brain))
    return brain_hu, float(np.median(smooth[near.marked])) - brain_hu


def bright_rest_ml(near: _Near) -> tuple[float, np.ndarray]:
    """mL of unmarked tissue about as dense as the mark and connected with it, and its slices.

    Rims, thin strands and what lies at bone are left out: partial volume, vessels and cortex are this bright too.
    """
    own, smooth = near.marked, near.smooth
    brain_hu, contrast = brain_and_contrast_hu(near)
    if not contrast >= _LEAST_CONTRAST_HU:  # NaN too
        return _NOTHING
    above_hu = max(_BRIGHT * contrast, _BRIGHTER_THAN_GRAY_HU)
    bright = (smooth > brain_hu + above_hu) & (smooth < _TOO_BRIGHT_HU)
    bright &= ~near.grown(near.hu > _BONE_HU, _OFF_BONE_MM)
    rest = near.opened(bright & ~near.grown(own, _RIM_MM))
    touching, _ = connected_components(rest | (bright & near.grown(own, _RIM_MM, slices=1)) | own)
    return near.ml(rest & np.isin(touching, np.unique(touching[own])))


def _box(marked, spare):
    box = []
    for axis, more in enumerate(spare):
        held = np.flatnonzero(marked.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(max(held[0] - more, 0), held[-1] + more + 1))
    return tuple(box)
