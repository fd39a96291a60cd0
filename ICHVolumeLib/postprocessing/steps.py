"""Tidying the network's mask: every step has a name, a limit in mm3, and says what it took away.

Volumes are those of true voxels (area x local slab height), so a limit means the same on thin and thick slices.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ..core.labels import ICH, IVH
from ..segmentation.grid import BLOCK, Head, connected_pieces
from . import boundary_refinement, partial_volume_slices, region_completion
from .boundary_refinement import move_outlines
from .false_positive_filter import drop_doubtful, drop_unlikely, possible_pieces
from .label_smoothing import ask_around
from .local_contrast import SPARE_MM, Evidence
from .partial_volume_slices import grow_ends
from .region_completion import fill_half_marked

LIMITS_MM3 = {
    "outside the skull": 0.0,  # pieces with no more than this inside the skull, whatever their size
    "specks": 30.0,  # pieces smaller than this: under a third of the smallest bleed that is measured, 0.1 mL
    "label islands": 50.0,  # pieces of one label smaller than this that touch the other label take it
    "holes": 30.0,  # gaps inside a bleed, slice by slice, smaller than this are filled
}
GROWTH_MM = (partial_volume_slices.SLICES * partial_volume_slices.REACH_MM + region_completion.REACH_MM
             + boundary_refinement.OUTWARDS_MM)  # at most, by all
GROWTH_SLICES = partial_volume_slices.SLICES
POSSIBLE_PIECES = "possible pieces"
# the steps that need evidence: they ask the scan, or the network once more
LOOKED_AT = ("doubtful pieces", POSSIBLE_PIECES, "slice ends", "half-marked clots", "outlines", "labels")


def clean_mask(mask: np.ndarray, voxel_volumes_mm3: np.ndarray, head: Head | None = None,
               limits_mm3: dict | None = None, evidence: Evidence | None = None) -> tuple[np.ndarray, list[dict]]:
    """(mask, steps): the tidied copy, and per step {"name", "threshold_mm3", "removed_ml"}.

    mask uint8 (slices, rows, columns), 1 ICH, 2 IVH; voxel_volumes_mm3 (slices,) as CTVolume has it. head: from
    find_head on the same grid, or None to leave "outside the skull" out. evidence: on the same grid, or None to leave
    the steps LOOKED_AT out; these have no threshold_mm3 (None) but "slices", the indices of those they changed.
    removed_ml is negative where a step adds (possible pieces, slice ends, half-marked clots, outlines, holes) and 0
    where it only changes labels (then "relabelled_ml" says how much). limits_mm3 overrides LIMITS_MM3.
    """
    limits = {**LIMITS_MM3, **(limits_mm3 or {})}
    spare = (1, 1) if evidence is None else _look_at(evidence.spacing_mm)
    given, mask, steps = mask, mask.copy(), []
    for name, looked_at, action in _actions(given, mask, head, evidence, limits):
        step = {"name": name, "threshold_mm3": float(limits[name]) if name in limits else None, "removed_ml": 0.0}
        step |= {"slices": []} if name in LOOKED_AT else {}
        where = _bounding_box(looked_at, *spare)
        if where is not None:
            before, mm3 = mask[where].copy(), voxel_volumes_mm3[where[0]]
            action(mask[where], mm3, limits.get(name), where)
            step["removed_ml"] = round(_volume_ml(before > 0, mm3) - _volume_ml(mask[where] > 0, mm3), 6)
            if name in LOOKED_AT:
                step["slices"] = [where[0].start + int(k) for k in np.flatnonzero((before != mask[where]).any((1, 2)))]
            if name in ("labels", "label islands"):
                step["relabelled_ml"] = round(_volume_ml(before != mask[where], mm3), 6)
        steps.append(step)
    return mask, steps


def _actions(given: np.ndarray, mask: np.ndarray, head: Head | None, evidence: Evidence | None,
             limits: dict) -> Iterator[tuple]:
    """The steps in their order: (name, what the box is drawn around that it works in, action(part of the mask, mm3 of
    its slices, limit in mm3, where it lies)). given: the mask before the first of them.

    Each step is asked for when the one before is done: only what is near the mask as it is then need be smoothed.
    """
    if head is not None:
        yield "outside the skull", mask, partial(_drop_outside, head)
    yield "specks", mask, _drop_specks
    if evidence is not None:
        yield "doubtful pieces", mask, partial(_drop_doubtful, evidence)
        if evidence.likely is not None and "possible" in evidence.verdict:
            yield POSSIBLE_PIECES, evidence.likely, partial(_add_possible, given, head, evidence, limits)
        near = _bounding_box(mask, *_look_at(evidence.spacing_mm, GROWTH_MM, 1 + GROWTH_SLICES))
        evidence = evidence.smoothed_in(near) if near else evidence
        for name, change in (("slice ends", grow_ends), ("half-marked clots", fill_half_marked),
                             ("outlines", move_outlines)):
            yield name, mask, partial(_look, change, evidence)
        if evidence.ivh_chance is not None:
            yield "labels", mask, partial(_label_anew, evidence)
    yield "label islands", mask, _join_islands
    yield "holes", mask, _fill_holes


def _look_at(spacing_mm: tuple[float, float], more_mm: float = 0.0, more_slices: int = 0) -> tuple[int, int]:
    """(slices, pixels) around a mask that the steps LOOKED_AT look at, and more of both."""
    return 1 + partial_volume_slices.SLICES + more_slices, int(np.ceil((SPARE_MM + more_mm) / min(spacing_mm)))


def _drop_doubtful(evidence: Evidence, part: np.ndarray, mm3: np.ndarray, limit_mm3, where) -> None:
    drop_doubtful(part, mm3, replace(evidence, hu=evidence.hu[where], chance=evidence.chance[where]))


def _add_possible(given, head: Head | None, evidence: Evidence, limits: dict, part: np.ndarray, mm3: np.ndarray, _,
                  where) -> None:
    """What is possible must pass what is marked: inside the skull, no speck, and the verdict at its own cut."""
    near = replace(evidence, hu=evidence.hu[where], chance=evidence.chance[where], likely=evidence.likely[where])
    possible = possible_pieces(given[where], near)
    if head is not None:
        _drop_outside(head, possible, mm3, limits["outside the skull"], where)
    _drop_specks(possible, mm3, limits["specks"], where)
    drop_unlikely(possible, mm3, near)
    part[possible > 0] = possible[possible > 0]


def _look(change, evidence: Evidence, part: np.ndarray, mm3: np.ndarray, limit_mm3, where) -> None:
    change(part, evidence.hu[where], evidence.spacing_mm)


def _label_anew(evidence: Evidence, part: np.ndarray, mm3: np.ndarray, limit_mm3, where) -> None:
    slab_mm = mm3 / (evidence.spacing_mm[0] * evidence.spacing_mm[1])
    ask_around(part, evidence.ivh_chance[where], evidence.chance[where], evidence.spacing_mm, slab_mm)


def _drop_outside(head: Head, part: np.ndarray, mm3: np.ndarray, limit_mm3: float, where) -> None:
    """A piece stays when more than limit_mm3 of it lies inside the skull."""
    pieces, count = connected_pieces(part > 0)
    inside = _piece_volumes_mm3(pieces, count, mm3, _inside_skull(head, where, part.shape))
    outside = inside <= limit_mm3
    outside[0] = False
    part[outside[pieces]] = 0


def _inside_skull(head: Head, where, shape) -> np.ndarray:
    """The blocks of Head.enclosed as voxels of this part of the volume."""
    rows, columns = (np.arange(part.start, part.start + size) // BLOCK
                     for part, size in zip(where[1:], shape[1:], strict=True))
    return head.enclosed[where[0]][:, rows[:, None], columns[None, :]]


def _drop_specks(part: np.ndarray, mm3: np.ndarray, limit_mm3: float, where) -> None:
    pieces, count = connected_pieces(part > 0)
    small = _piece_volumes_mm3(pieces, count, mm3) < limit_mm3
    small[0] = False
    part[small[pieces]] = 0


def _join_islands(part: np.ndarray, mm3: np.ndarray, limit_mm3: float, where) -> None:
    for label, other in ((IVH.value, ICH.value), (ICH.value, IVH.value)):
        pieces, count = connected_pieces(part == label)
        if count == 0:
            continue
        touching = np.zeros(count + 1, bool)
        touching[np.unique(pieces[_dilate(part == other)])] = True
        island = touching & (_piece_volumes_mm3(pieces, count, mm3) < limit_mm3)
        island[0] = False
        part[island[pieces]] = other


def _fill_holes(part: np.ndarray, mm3: np.ndarray, limit_mm3: float, where) -> None:
    for one, voxel_mm3 in zip(part, mm3, strict=True):
        if not one.any():
            continue
        gaps, count = connected_pieces(np.pad(one == 0, 1, constant_values=True), fully_connected=False)
        small = np.bincount(gaps.ravel(), minlength=count + 1) * voxel_mm3 < limit_mm3
        small[[0, gaps[0, 0]]] = False  # the bleed itself and what is around it
        gaps = gaps[1:-1, 1:-1]
        for gap in np.flatnonzero(small):
            hole = gaps == gap
            around = one[_dilate(hole)]
            one[hole] = IVH.value if (around == IVH.value).sum() > (around == ICH.value).sum() else ICH.value


def _piece_volumes_mm3(pieces: np.ndarray, count: int, mm3: np.ndarray, within: np.ndarray | None = None) -> np.ndarray:
    """(count + 1,), of the background and each piece; within: count these voxels only."""
    volumes = np.zeros(count + 1)
    for k, (one, voxel_mm3) in enumerate(zip(pieces, mm3, strict=True)):
        counted = one.ravel() if within is None else one[within[k]]
        volumes += np.bincount(counted, minlength=count + 1) * voxel_mm3
    return volumes


def _dilate(binary: np.ndarray) -> np.ndarray:
    """One voxel in every direction, diagonals included."""
    for axis in range(binary.ndim):
        length = binary.shape[axis]
        grown = binary.copy()
        ahead, behind = [slice(None)] * binary.ndim, [slice(None)] * binary.ndim
        ahead[axis], behind[axis] = slice(1, length), slice(0, length - 1)
        grown[tuple(ahead)] |= binary[tuple(behind)]
        grown[tuple(behind)] |= binary[tuple(ahead)]
        binary = grown
    return binary


def _bounding_box(mask: np.ndarray, slices_more: int, pixels_more: int) -> tuple[slice, slice, slice] | None:
    """Around everything marked, wider by so many slices and pixels where there is room."""
    slices = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1))
    if not len(slices):
        return None
    flat = mask[slices[0]:slices[-1] + 1].any(axis=0)
    ranges = [slices, np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))]
    return tuple(slice(max(int(found[0]) - more, 0), min(int(found[-1]) + 1 + more, size))
                 for found, more, size in zip(ranges, (slices_more, pixels_more, pixels_more), mask.shape, strict=True))


def _volume_ml(binary: np.ndarray, mm3: np.ndarray) -> float:
    return float(np.count_nonzero(binary, axis=(1, 2)) @ mm3) / 1000
