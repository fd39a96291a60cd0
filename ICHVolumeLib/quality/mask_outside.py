"""What of a mask lies where no bleed of the brain can: in air, outside the skull, or below its floor."""

import numpy as np

from ..anatomy.head_frame import HeadFrame
from ..anatomy.skull_base import below_floor_mm
from ..core.ct_volume import CTVolume
from ..core.findings import WARNING, Finding
from ..core.text import number_words
from ..imaging.head_mask import sides_with_bone
from ..imaging.morphology import dilated
from ..io.hounsfield import slice_words
from .skull import SkullView

_AIR_BELOW_HU = -200
_SPARE_PIXELS = 2  # of the coarse look, about 2 mm each, around what lies inside the skull
_GAP_MM = 35.0  # beside an open skull inside cannot be told from outside
_LEAST_ML, _LEAST_SHARE = 0.1, 0.005
_BELOW_MM = 10.0  # of the head frame's errors and of what heads differ by


def check_outside(ct: CTVolume, marked: np.ndarray, view: SkullView | None, total_ml: float) -> list[Finding]:
    """ "mask-outside-head"; marked: bool (slices, rows, columns)."""
    step_j, step_i = view.steps if view else (max(1, round(2 / mm)) for mm in ct.pixel_spacing_mm)
    hu, marked = ct.hu[:, ::step_j, ::step_i], marked[:, ::step_j, ::step_i]
    outside = marked & (hu < _AIR_BELOW_HU)
    if view is not None and view.gap_mm <= _GAP_MM:
        slices = np.flatnonzero(marked.any(axis=(1, 2)))
        inside = sides_with_bone(view.bone[slices]) == 4  # dense things inside, too, which view.inside leaves out
        outside[slices] |= marked[slices] & ~dilated(inside, (0, _SPARE_PIXELS, _SPARE_PIXELS))
    counts = np.count_nonzero(outside, axis=(1, 2))
    ml = float(counts @ ct.voxel_volumes_mm3) * step_j * step_i / 1000
    if ml < max(_LEAST_ML, _LEAST_SHARE * total_ml):
        return []
    where = slice_words(np.flatnonzero(counts))
    return [Finding("mask-outside-head", WARNING, f"{number_words(ml)} mL of what is marked in {where} lie in air or "
                                                  "outside the skull, and are counted all the same. Take them out, or "
                                                  "look whether the mask belongs to this scan.")]


def check_below_floor(ct: CTVolume, marked: np.ndarray, frame: HeadFrame | None) -> list[Finding]:
    """ "mask-below-skull"; marked: bool (slices, rows, columns). Nothing where the head's frame is no good."""
    if frame is None or not frame.good:
        return []
    kji = np.argwhere(marked[:, ::2, ::2]) * (1, 2, 2)
    below = below_floor_mm(frame.to_atlas(ct.voxel_to_ras(kji))) > _BELOW_MM
    slices = kji[below, 0]
    ml = 4 * float(ct.voxel_volumes_mm3[slices].sum()) / 1000
    if ml < _LEAST_ML:
        return []
    return [Finding("mask-below-skull", WARNING, f"{number_words(ml)} mL of what is marked in "
                                                 f"{slice_words(np.unique(slices))} seem to lie below the floor of the "
                                                 "skull, in the face, the neck or the spinal canal, and are counted "
                                                 "all the same. Look there, and remove what is no blood of the brain.")]
