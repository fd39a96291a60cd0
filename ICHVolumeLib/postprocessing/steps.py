"""Tidying the network's mask: every step has a name, a limit in mm3, and says what it took away.

Volumes are those of true voxels (area x local slab height), so a limit means the same on thin and thick slices.
"""

from collections.abc import Container, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ..imaging.boxes import bounding_box
from ..imaging.components import component_volumes_mm3, connected_components
from ..imaging.head_mask import BLOCK, HeadMask
from ..imaging.volume import volume_ml
from . import boundary_refinement, partial_volume_slices, region_completion
from .boundary_refinement import refine_boundaries
from .false_positive_filter import drop_doubtful, drop_unlikely, possible_components
from .label_smoothing import smooth_labels
from .local_contrast import SPARE_MM, Evidence
from .partial_volume_slices import grow_end_slices
from .region_completion import complete_regions

LIMITS_MM3 = {
    "outside the skull": 0.0,  # pieces with no more than this inside the skull, whatever their size
    "specks": 30.0,  # pieces smaller than this: under a third of the smallest bleed that is measured, 0.1 mL
}
GROWTH_MM = (partial_volume_slices.SLICES * partial_volume_slices.REACH_MM + region_completion.REACH_MM
             + boundary_refinement.OUTWARDS_MM)  # at most, by all
GROWTH_SLICES = partial_volume_slices.SLICES
DOUBTFUL_COMPONENTS, POSSIBLE_COMPONENTS, LABELS_ANEW = "doubtful pieces", "possible pieces", "labels"
# the steps that need evidence: they ask the scan, or the network once more
LOOKED_AT = (DOUBTFUL_COMPONENTS, POSSIBLE_COMPONENTS, "slice ends", "half-marked clots", "outlines", LABELS_ANEW)


def clean_mask(mask: np.ndarray, voxel_volumes_mm3: np.ndarray, head: HeadMask | None = None,
               limits_mm3: dict | None = None, evidence: Evidence | None = None,
               leave_out: Container[str] = ()) -> tuple[np.ndarray, list[dict]]:
    """(mask, steps): the tidied copy, and per step {"name", "threshold_mm3", "removed_ml", "added_ml"}.

    mask uint8 (slices, rows, columns), 1 ICH, 2 IVH; voxel_volumes_mm3 (slices,) as CTVolume has it. head: from
    find_head on the same grid, or None to leave "outside the skull" out. evidence: on the same grid, or None to leave
    the steps LOOKED_AT out; these have no threshold_mm3 (None) but "slices", the indices of those they changed.
    removed_ml and added_ml are never negative; outlines does both. A step that changes labels says how much in
    "relabelled_ml". limits_mm3 overrides LIMITS_MM3. leave_out: names of steps that are not done, to see what each
    brings (Testing/benchmarks/clean_up_steps.py).
    """
    limits = {**LIMITS_MM3, **(limits_mm3 or {})}
    spare = (1, 1, 1) if evidence is None else _look_at(evidence.spacing_mm)
    given, mask, steps = mask, _copied(mask), []
    for name, looked_at, action in _actions(given, mask, head, evidence, limits):
        if name in leave_out:
            continue
        step = {"name": name, "threshold_mm3": float(limits[name]) if name in limits else None, "removed_ml": 0.0,
                "added_ml": 0.0}
        step |= {"slices": []} if name in LOOKED_AT else {}
        where = bounding_box(looked_at, spare)
        if where is not None:
            before, mm3 = mask[where].copy(), voxel_volumes_mm3[where[0]]
            action(mask[where], mm3, limits.get(name), where)
            was, now = before > 0, mask[where] > 0
            step |= {"removed_ml": round(volume_ml(was & ~now, mm3), 6),
                     "added_ml": round(volume_ml(now & ~was, mm3), 6)}
            if name in LOOKED_AT:
                step["slices"] = [where[0].start + int(k) for k in np.flatnonzero((before != mask[where]).any((1, 2)))]
            if name == LABELS_ANEW:
                step["relabelled_ml"] = round(volume_ml(before != mask[where], mm3), 6)
        steps.append(step)
    return mask, steps


def _copied(mask: np.ndarray) -> np.ndarray:
    """The same, written only where something is marked: memory that is never written to is not taken."""
    copy, marked = np.zeros(mask.shape, np.uint8), bounding_box(mask, (0, 0, 0))
    if marked is not None:
        copy[marked] = mask[marked]
    return copy


def _actions(given: np.ndarray, mask: np.ndarray, head: HeadMask | None, evidence: Evidence | None,
             limits: dict) -> Iterator[tuple]:
    """The steps in their order: (name, what the box is drawn around that it works in, action(part of the mask, mm3 of
    its slices, limit in mm3, where it lies)). given: the mask before the first of them.

    Each step is asked for when the one before is done: only what is near the mask as it is then need be smoothed.
    """
    if head is not None:
        yield "outside the skull", mask, partial(_drop_outside, head)
    yield "specks", mask, _drop_specks
    if evidence is not None:
        yield DOUBTFUL_COMPONENTS, mask, partial(_drop_doubtful, evidence)
        if evidence.likely is not None and "possible" in evidence.classifier:
            yield POSSIBLE_COMPONENTS, evidence.likely, partial(_add_possible, given, head, evidence, limits)
        near = bounding_box(mask, _look_at(evidence.spacing_mm, GROWTH_MM, 1 + GROWTH_SLICES))
        smoothed = evidence.smoothed_in(near) if near else evidence
        for name, change in (("slice ends", grow_end_slices), ("half-marked clots", complete_regions),
                             ("outlines", refine_boundaries)):
            yield name, mask, partial(_look, change, smoothed)
        del smoothed  # a tenth of a gigabyte in 300 slices, which the last step does not need
        if evidence.ivh_probability is not None:
            yield LABELS_ANEW, mask, partial(_label_anew, evidence)


def _look_at(spacing_mm: tuple[float, float], more_mm: float = 0.0, more_slices: int = 0) -> tuple[int, int, int]:
    """(slices, rows, columns) around a mask that the steps LOOKED_AT look at, and more of them."""
    pixels = int(np.ceil((SPARE_MM + more_mm) / min(spacing_mm)))
    return 1 + partial_volume_slices.SLICES + more_slices, pixels, pixels


def _drop_doubtful(evidence: Evidence, part: np.ndarray, mm3: np.ndarray, limit_mm3, where) -> None:
    drop_doubtful(part, mm3, replace(evidence, hu=evidence.hu[where], probability=evidence.probability[where]))


def _add_possible(given, head: HeadMask | None, evidence: Evidence, limits: dict, part: np.ndarray, mm3: np.ndarray, _,
                  where) -> None:
    """What is possible must pass what is marked: inside the skull, no speck, and the classifier at its own cut."""
    near = replace(evidence, hu=evidence.hu[where], probability=evidence.probability[where],
                   likely=evidence.likely[where])
    possible = possible_components(given[where], near)
    if head is not None:
        _drop_outside(head, possible, mm3, limits["outside the skull"], where)
    _drop_specks(possible, mm3, limits["specks"], where)
    drop_unlikely(possible, mm3, near)
    part[possible > 0] = possible[possible > 0]


def _look(change, evidence: Evidence, part: np.ndarray, mm3: np.ndarray, limit_mm3, where) -> None:
    change(part, evidence.hu[where], evidence.spacing_mm)


def _label_anew(evidence: Evidence, part: np.ndarray, mm3: np.ndarray, limit_mm3, where) -> None:
    slab_mm = mm3 / (evidence.spacing_mm[0] * evidence.spacing_mm[1])
    smooth_labels(part, evidence.ivh_probability[where], evidence.probability[where], evidence.spacing_mm, slab_mm)


def _drop_outside(head: HeadMask, part: np.ndarray, mm3: np.ndarray, limit_mm3: float, where) -> None:
    """A piece stays when more than limit_mm3 of it lies inside the skull."""
    components, count = connected_components(part > 0)
    inside = component_volumes_mm3(components, count, mm3, inside_skull(head, where, part.shape))
    outside = inside <= limit_mm3
    outside[0] = False
    part[outside[components]] = 0


def inside_skull(head: HeadMask, where, shape) -> np.ndarray:
    """The blocks of HeadMask.enclosed as voxels of this part (slices of k, rows, columns) of the volume, bool."""
    rows, columns = (np.arange(part.start, part.start + size) // BLOCK
                     for part, size in zip(where[1:], shape[1:], strict=True))
    return head.enclosed[where[0]][:, rows[:, None], columns[None, :]]


def _drop_specks(part: np.ndarray, mm3: np.ndarray, limit_mm3: float, where) -> None:
    components, count = connected_components(part > 0)
    small = component_volumes_mm3(components, count, mm3) < limit_mm3
    small[0] = False
    part[small[components]] = 0
