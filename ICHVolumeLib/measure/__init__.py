"""Measure a mask: volume, ABC/2 and the list of pieces. Fast enough to run after every edit."""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import ICH, LABELS
from ..core.result import Abc2, Component, VolumeMl
from .abc2 import CALIPER, SEGMENT, abc2_from_lines, abc2_with_axes, measure_component, sum_components
from .components import LabelComponent, find_components, find_runs
from .expansion import Expansion, compare_volumes
from .volumes import paper_slice_thickness_mm, volume_of_mask

__all__ = ["CALIPER", "SEGMENT", "Expansion", "Measurement", "abc2_from_lines", "abc2_with_axes", "compare_volumes",
           "measure_mask", "paper_slice_thickness_mm"]

MIN_COMPONENT_ML = 0.1
_NAME = {label.value: label.name for label in LABELS}


@dataclass(frozen=True)
class Measurement:
    """abc2 is None when the mask has no ICH; components are sorted by volume, largest first."""

    volume_ml: VolumeMl
    abc2: Abc2 | None
    components: list[Component]

    @property
    def found(self) -> bool:
        return bool(self.components)


def measure_mask(ct: CTVolume, mask: np.ndarray, *, b_definition: str = SEGMENT,
                 min_component_ml: float = MIN_COMPONENT_ML) -> Measurement:
    """Measure a mask (slices, rows, columns), uint8 with the values of labels.py, on the grid of the CT.

    Volumes use every slice's own slab height. ABC/2 is taken per 26-connected piece of the ICH label (IVH left out)
    and summed; pieces under min_component_ml are listed but not summed, unless there is none larger: the largest
    piece always counts. Lengths, lines and shape class are the largest piece's.
    Raises InputError when the mask has another shape, a fractional type or an unknown value.
    """
    runs = find_runs(_checked(ct, mask))
    measured = [_described(piece, ct, b_definition) for piece in find_components(runs, ct.hu)]
    measured.sort(key=lambda pair: -pair[0].volume_ml)  # stable: of equal pieces the first in the scan comes first
    components: list[Component] = []
    summed: list[Abc2] = []
    for component, abc2 in measured:
        counted = abc2 is not None and (component.volume_ml >= min_component_ml or not summed)
        if counted:
            summed.append(abc2)
        components.append(Component(**{**vars(component), "counted_in_abc2": counted}))
    return Measurement(volume_of_mask(runs, ct), sum_components(summed), components)


def _checked(ct, mask):
    mask = np.asarray(mask)
    if mask.shape != ct.hu.shape:
        raise InputError(f"The mask has {mask.shape} voxels (slices, rows, columns) but the scan has {ct.hu.shape}; "
                         "resample the mask to the scan, or choose the scan it was drawn on.")
    if mask.dtype == np.uint8:
        return mask
    if mask.dtype.kind not in "bui":
        raise InputError(f"The mask holds {mask.dtype} numbers; labels are whole numbers. Export it as a label map.")
    if mask.size and (mask.min() < 0 or mask.max() > 255):
        raise InputError(f"The mask holds values from {mask.min()} to {mask.max()}, which are no labels.")
    return mask.astype(np.uint8)


def _described(piece: LabelComponent, ct, b_definition):
    """One line of the component list, and its ABC/2 (None for IVH)."""
    abc2 = measure_component(piece, ct, b_definition) if piece.value == ICH.value else None
    runs = piece.runs
    first, last = piece.slice_range
    row_mm, column_mm = ct.pixel_spacing_mm
    volumes_mm3 = runs.length * ct.voxel_volumes_mm3[runs.k]
    volume_mm3 = volumes_mm3.sum()
    mean_i = volumes_mm3 @ (runs.i0 + runs.i1 - 1) / 2 / volume_mm3
    mean_j = volumes_mm3 @ runs.j / volume_mm3
    origin_ras = volumes_mm3 @ ct.slice_origins_ras[runs.k] / volume_mm3
    centroid_ras = origin_ras + mean_i * ct.ijk_to_ras[:3, 0] + mean_j * ct.ijk_to_ras[:3, 1]
    return Component(
        label=_NAME[piece.value],
        volume_ml=float(volume_mm3 / 1000),
        mean_hu=piece.mean_hu,
        extent_mm=(float((runs.i1.max() - runs.i0.min()) * column_mm),
                   float((runs.j.max() - runs.j.min() + 1) * row_mm), float(ct.slab_heights_mm[first:last + 1].sum())),
        centroid_ras=tuple(centroid_ras.tolist()),
        slice_range=(first, last),
        abc2_ml=None if abc2 is None else abc2.coniglobus_ml,
        counted_in_abc2=False,
    ), abc2
