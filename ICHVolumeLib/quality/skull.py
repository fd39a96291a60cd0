"""A coarse look inside the skull, for checks only: brain per slice, air, metal and brightness.

A pixel counts as inside when the skull lies to its left, right, front and back in its own slice. That holds for the
vault and for broken or thin skulls; below the skull base it also takes in the face, which the checks allow for. The
skull is the largest piece of bone, so a head holder is none of it.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.components import largest_component
from ..imaging.head_mask import sides_with_bone
from ..imaging.morphology import dilated

_COARSE_MM = 2.0
BONE_HU = 450  # above contrast-filled vessels
_AIR_BELOW_HU = -200
_METAL_HU = 2500
_SOFT_HU = (-20, 130)  # brain, fluid and blood
_BRIGHT_HU = (130, 450)  # brighter than a clot, darker than bone
_DEEP_MM = 10.0
_OFF_BONE_MM = 5.0  # air cells and sinuses lie within bone
_ABOVE_WIDEST_MM = 20.0  # frontal sinuses reach about this high
_SECTORS = 90
_RING_MM = (25.0, 70.0)
_HEAD_CM2 = (30.0, 300.0)  # the largest brain area in one slice; less is no head, more is a trunk


@dataclass(frozen=True)
class SkullView:
    """top and bottom are the patient's upper and lower end slice; shares are of the largest brain area.

    air and metal are counted in the vault, from 20 mm above the slice with most brain, air also 5 mm off the bone;
    bright_share is the share of deep (10 mm from bone) inside voxels with 130 to 450 HU, noise_hu the SD of
    neighbouring brain (2 mm apart, anatomy included), both in slices with much brain. gap_mm: the widest stretch of
    the vault without bone that three slices or more show.
    bone, inside: bool (slices, every steps[0]-th row, every steps[1]-th column).
    """

    brain_cm2: np.ndarray
    top_cm2: float
    bottom_cm2: float
    top_share: float
    bottom_share: float
    air_ml: float
    air_slices: np.ndarray
    metal_inside_ml: float
    bright_share: float
    noise_hu: float
    gap_mm: float
    bone: np.ndarray
    inside: np.ndarray
    steps: tuple[int, int]


_seen: WeakKeyDictionary = WeakKeyDictionary()  # a scan is looked at once, however often its mask is edited


def look_at_skull(ct: CTVolume) -> SkullView | None:
    """None when no closed skull is found."""
    if ct not in _seen:
        _seen[ct] = _look(ct)
    return _seen[ct]


def _look(ct):
    step_j, step_i = (max(1, round(_COARSE_MM / mm)) for mm in ct.pixel_spacing_mm)
    hu = ct.hu[:, ::step_j, ::step_i]
    bone = (hu > BONE_HU) & (hu <= _METAL_HU)  # metal in the brain must not enclose itself
    skull = largest_component(bone)
    inside = (sides_with_bone(skull) == 4) & ~bone
    area_cm2 = ct.pixel_area_mm2 * step_j * step_i / 100
    brain_cm2 = (inside & (hu > _SOFT_HU[0]) & (hu < _SOFT_HU[1])).sum(axis=(1, 2)) * area_cm2
    most = float(brain_cm2.max())
    if not _HEAD_CM2[0] <= most <= _HEAD_CM2[1]:
        return None
    top, bottom = (-1, 0) if _runs_upwards(ct) else (0, -1)
    ml = area_cm2 * ct.slab_heights_mm / 10 * _vault(ct, brain_cm2)  # of one coarse voxel of each slice
    pixel_mm = step_j * ct.pixel_spacing_mm[0]
    air = inside & (hu < _AIR_BELOW_HU) & ~_near(bone, _OFF_BONE_MM / pixel_mm)
    return SkullView(brain_cm2, float(brain_cm2[top]), float(brain_cm2[bottom]), float(brain_cm2[top]) / most,
                     float(brain_cm2[bottom]) / most, _sum(air, ml), np.flatnonzero((air.sum(axis=(1, 2)) * ml) > 0),
                     _sum(inside & (hu > _METAL_HU), ml),
                     _bright_share(hu, bone, inside, brain_cm2, pixel_mm), _noise_hu(hu, inside, brain_cm2),
                     _gap_mm(skull[_below_vertex(ct, skull)], pixel_mm), skull, inside, (step_j, step_i))


def _runs_upwards(ct) -> bool:
    return bool(ct.slice_origins_ras[-1, 2] >= ct.slice_origins_ras[0, 2])


def heights_mm(ct: CTVolume) -> np.ndarray:
    """(slices,) along the slice normal, towards the patient's head, from the first slice."""
    return np.concatenate([[0], np.cumsum(ct.slice_steps_mm)]) * (1 if _runs_upwards(ct) else -1)


def _vault(ct, brain_cm2):
    """(slices,) True from 20 mm above the slice with most brain."""
    heights = heights_mm(ct)
    return heights > heights[int(np.argmax(brain_cm2))] + _ABOVE_WIDEST_MM


def _below_vertex(ct, skull):
    """(slices,) True where the vault is a ring, whatever is missing of it: some way below the highest bone."""
    heights = heights_mm(ct)
    below = heights[skull.any(axis=(1, 2))].max() - heights
    return (below >= _RING_MM[0]) & (below <= _RING_MM[1])


def _sum(voxels, ml_per_slice) -> float:
    return float(voxels.sum(axis=(1, 2)) @ ml_per_slice)


def _bright_share(hu, bone, inside, brain_cm2, pixel_mm) -> float:
    slices = brain_cm2 > 0.8 * brain_cm2.max()  # above the bony base, whose edges are this bright too
    deep = inside[slices] & ~_near(bone[slices], _DEEP_MM / pixel_mm)
    bright = deep & (hu[slices] > _BRIGHT_HU[0]) & (hu[slices] < _BRIGHT_HU[1])
    return float(bright.sum() / max(deep.sum(), 1))


def _noise_hu(hu, inside, brain_cm2) -> float:
    slices = brain_cm2 > 0.5 * brain_cm2.max()
    soft = inside[slices] & (hu[slices] > _SOFT_HU[0]) & (hu[slices] < _SOFT_HU[1])
    both = soft[..., 1:] & soft[..., :-1]
    steps = np.diff(hu[slices].astype(np.int32), axis=-1)[both]
    return float(np.median(np.abs(steps)) / 0.6745 / np.sqrt(2)) if steps.size else 0.0


def _gap_mm(skull, pixel_mm) -> float:
    """Of (slices, rows, columns) of the vault: the arc without bone, seen from the middle of the slice's bone, that
    the third-widest slice shows."""
    gaps = sorted((_arc_without_bone_mm(one, pixel_mm) for one in skull if one.any()), reverse=True)
    return gaps[2] if len(gaps) > 2 else 0.0


def _arc_without_bone_mm(bone, pixel_mm) -> float:
    places = np.argwhere(bone) - (np.array(bone.shape) - 1) / 2
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    rows, columns = (places - middle).T
    seen = np.zeros(_SECTORS, bool)
    seen[(np.arctan2(rows, columns) / (2 * np.pi) * _SECTORS).astype(int) % _SECTORS] = True
    if seen.all():
        return 0.0
    bony = np.flatnonzero(seen)
    widest = int(np.diff(np.append(bony, bony[0] + _SECTORS)).max()) - 1
    return float(widest * 2 * np.pi / _SECTORS * np.median(np.hypot(rows, columns)) * pixel_mm)


def _near(bone, pixels: float):
    """Bone grown by a square of +- pixels within the slice."""
    return dilated(bone, (0, round(pixels), round(pixels)))
