"""Add bleed here: from one click inside a missed clot to its own edge, slice by slice.

The click's slice comes first; from there upwards and downwards every slice is asked for what belongs to the area next
door, measured against the contrast found so far, as the model's own end slices are. Bone and its rim, what has no bone
around it and what is marked already are walls; dark fluid and brain are left out by their contrast. How far the next
slice may go beyond the area next door follows from the distance of the slices and from how well the clot stands out.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import ICH, IVH
from ..imaging.components import connected_components
from ..imaging.disks import box_mean, narrowed_by_disk, opened_by_disk, widened_by_disk
from ..postprocessing.local_contrast import WINDOW_HU
from .blood_in_slice import (
    FILTER_SHARE,
    HALF,
    NOISY_HU,
    SURE_CONTRAST_SD,
    VERY_NOISY_HU,
    Area,
    Known,
    blood_in_slice,
    guided,
)
from .component_tools import component_at
from .edit import Click, Edit, checked_click, edit_where, require_in_head, slice_heights_mm
from .planes import Planes

FARTHEST_MM = 60.0  # along z, either way
SEED_MM = 1.6
LIMIT_MM, LIMIT_PER_MM = 3.0, 0.6  # beyond the area next door: always, and per mm between the slices
LEAST_AREA_MM2 = 6.0
BESIDE_MM, MARKED_MM = 2.0, 8.0  # marked blood this near is the same bleed; how much of it tells its HU
PART_SHARE = 0.5  # of the marked area beside it: less completes that area, it is no bleed of its own
DONE_SHARE = 0.25
LIKE_THE_LAST = 0.6  # of its area: then a slice's HU counts for the next
REACH_RANGE = (0.6, 2.0)
TOUCHING_MM = 2.0
TOUCHING_SHARE = 0.1  # of the new area: then its label is that of what it touches
FLUID_HU = (-5.0, 18.0)
FLUID_SHARE = 0.2  # of what is around blood in a ventricle
FLUID_MM = (1.5, 6.0)
EDGE_PX = 1.5  # coarse pixels between which the fine edge is looked for


def grow(ct: CTVolume, mask: np.ndarray, click: Click, reach: float = 1.0, label: int | None = None) -> Edit:
    """Add the bleed at the click (k, j, i) to the mask (uint8, 0 none, 1 ICH, 2 IVH).

    reach: 1 stops at half of the contrast; more goes on to fainter blood, less stops earlier (0.6 to 2). A click on
    marked blood looks for its edge anew. label: of the new voxels; None: of the blood that it touches, else IVH where
    the fluid of a ventricle is around it, else ICH. What is marked keeps its label.
    Raises InputError when the click is outside the head or nothing brighter than brain is there.
    """
    steps = grow_in_steps(ct, mask, click, reach, label)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def grow_in_steps(ct: CTVolume, mask: np.ndarray, click: Click, reach: float = 1.0, label: int | None = None):
    """What grow does, as a generator that rests after every slice and returns the Edit, for an event loop."""
    click = checked_click(ct, mask, click)
    require_in_head(ct, click)
    if not REACH_RANGE[0] <= reach <= REACH_RANGE[1]:
        raise InputError(f"reach is {reach:g}; give {REACH_RANGE[0]:g} to {REACH_RANGE[1]:g}.")
    marked = mask > 0
    if marked[click]:
        own, box = component_at(ct, mask, click)
        marked[box] &= ~own
    planes = Planes(ct.hu, marked, ct.pixel_spacing_mm)
    yield
    areas, least_sides = yield from _areas(ct, planes, click, HALF / reach)
    yield
    box, new = yield from _fine(ct, planes, areas, HALF / reach, least_sides)
    new &= mask[box] == 0
    yield
    if label is None:
        label = _label(ct, mask, box, new) if new.any() else ICH.value
    return edit_where(mask, new, label, box)


def _areas(ct, planes, click, share):
    """Generator; returns ({slice: Area}, sides with bone asked for). Raises InputError where nothing stands out."""
    k, j, i = click
    plane, pixel_mm = planes[k], planes.pixel_mm
    yield
    row, column = (min(one // planes.stride, size - 1) for one, size in zip((j, i), plane.hu.shape, strict=True))
    seed = np.zeros(plane.hu.shape, bool)
    seed[row, column] = True
    seed = widened_by_disk(seed[None], SEED_MM / pixel_mm)[0] & ~plane.barred
    least_sides = 3 if plane.sides[row, column] >= 3 else 1  # an open skull
    first = None
    if seed.any():
        first = _first_area(plane, pixel_mm, seed, share, least_sides, k)
    if first is None or np.count_nonzero(first.region) * pixel_mm**2 < LEAST_AREA_MM2:
        raise InputError(f"Nothing at the click in slice {k + 1} is clearly brighter than the brain around it; click "
                         "in the middle of the bleed, or paint it.")
    yield
    sure = float(np.clip((first.contrast_sd - 0.5) / (SURE_CONTRAST_SD - 0.5), 0.15, 1))
    areas, heights_mm = {k: first}, slice_heights_mm(ct)
    if _is_a_part(first.region, plane.marked, pixel_mm):
        return areas, least_sides
    brighter_hu = max(_marked_hu(planes, k, first.region) - first.clot_hu, 0.0)
    for step in (1, -1):
        last, clot_hu = first, first.clot_hu + brighter_hu
        for at in range(k + step, len(ct.hu) if step > 0 else -1, step):
            if abs(heights_mm[at] - heights_mm[k]) > FARTHEST_MM:
                break
            if _is_done(last.region, planes[at].marked):
                break
            limit_mm = (LIMIT_MM + LIMIT_PER_MM * abs(heights_mm[at] - heights_mm[at - step])) * sure
            contrast_hu = last.typical_contrast_hu + (brighter_hu if last is first else 0.0)
            known = Known(clot_hu, contrast_hu, limit_mm)
            area = blood_in_slice(planes[at], pixel_mm, last.region, known, clot_hu, share, least_sides)
            if area is None or np.count_nonzero(area.region) * pixel_mm**2 < LEAST_AREA_MM2:
                break
            if np.count_nonzero(area.region) > LIKE_THE_LAST * np.count_nonzero(last.region):
                clot_hu = (clot_hu + max(area.clot_hu, clot_hu - 0.2 * area.typical_contrast_hu)) / 2
            areas[at] = last = area
            yield
    return areas, least_sides


def _first_area(plane, pixel_mm: float, seed, share: float, least_sides: int, k: int) -> Area | None:
    """The area of the click's slice. Where it touches marked blood it is a part of that bleed: its edge is where that
    bleed's contrast has fallen by as much, and what has less of it throughout is not taken.

    Raises InputError in that case.
    """
    clot_hu = float(np.median(plane.smooth[seed]))
    first = blood_in_slice(plane, pixel_mm, seed, None, clot_hu, share, least_sides)
    if first is None or not plane.marked.any():
        return first
    near = widened_by_disk(first.region[None], BESIDE_MM / pixel_mm)[0] & plane.marked
    if np.count_nonzero(near) * pixel_mm**2 < LEAST_AREA_MM2:
        return first
    near = widened_by_disk(near[None], MARKED_MM / pixel_mm)[0] & narrowed_by_disk(plane.marked[None], 1)[0]
    if not near.any():
        return first
    marked_hu = float(np.median(plane.smooth[near]))
    brain_hu = first.clot_hu - first.typical_contrast_hu
    if marked_hu <= clot_hu:
        return first
    if clot_hu - brain_hu < share * (marked_hu - brain_hu):
        raise InputError(f"What lies at the click in slice {k + 1} is less than half as bright as the blood that is "
                         "marked beside it; click with more reach, or paint it.")
    return blood_in_slice(plane, pixel_mm, seed, None, marked_hu, share, least_sides)


def _marked_hu(planes, k: int, area) -> float:
    """Median HU of what is marked at the area in its slice and in the two next to it; -inf where nothing is.

    An end slice is a mixture with brain: what goes on from it is measured against the bleed, not against the mixture.
    """
    near = widened_by_disk(area[None], BESIDE_MM / planes.pixel_mm)[0]
    found = []
    for at in range(max(k - 1, 0), min(k + 2, len(planes))):
        marked = planes[at].marked
        if (near & marked).any():
            inner = narrowed_by_disk(marked[None], 1)[0]
            inner &= widened_by_disk(near[None], MARKED_MM / planes.pixel_mm)[0]
            found.append(planes[at].smooth[inner])
    values = np.concatenate(found) if found else np.empty(0)
    return float(np.median(values)) if len(values) else -np.inf


def _is_a_part(area, marked, pixel_mm: float) -> bool:
    """Whether the area completes a larger marked one of its slice: then the other slices have their outline already."""
    if not marked.any():
        return False
    pieces, _count = connected_components(marked)
    touched = np.unique(pieces[widened_by_disk(area[None], BESIDE_MM / pixel_mm)[0]])
    beside = np.isin(pieces, touched[touched > 0])
    return np.count_nonzero(area) < PART_SHARE * np.count_nonzero(beside)


def _is_done(area, marked) -> bool:
    """Whether so much of the area lies over what is marked in the next slice that the bleed is marked there."""
    return bool(marked.any()) and np.count_nonzero(area & marked) > DONE_SHARE * np.count_nonzero(area)


def _fine(ct, planes, areas: dict[int, Area], share, least_sides: int):
    """Generator; returns (index box, bool array of it): the outlines at the CT's own pixels."""
    stride, shape = planes.stride, next(iter(areas.values())).region.shape
    everywhere = np.any([area.region for area in areas.values()], axis=0)
    margin = int(3 / planes.pixel_mm) + 1
    rows, columns = np.flatnonzero(everywhere.any(axis=1)), np.flatnonzero(everywhere.any(axis=0))
    first = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    last = min(rows[-1] + 1 + margin, shape[0]), min(columns[-1] + 1 + margin, shape[1])
    box = (slice(min(areas), max(areas) + 1), *(slice(a * stride, b * stride)
                                                for a, b in zip(first, last, strict=True)))
    new = np.zeros([part.stop - part.start for part in box], bool)
    for k, area in areas.items():
        crop = tuple(slice(max(a, part.start), min(b, part.stop))
                     for a, b, part in zip(first, last, area.crop, strict=True))
        into = tuple(slice((part.start - a) * stride, (part.stop - a) * stride)
                     for part, a in zip(crop, first, strict=True))
        new[k - box[0].start][into] = _fine_slice(ct, planes[k], stride, k, area, crop, share, least_sides)
        yield
    return box, new


def _fine_slice(ct, plane, stride: int, k: int, area: Area, crop, share, least_sides: int):
    """bool, the fine pixels of `crop`: within EDGE_PX of the coarse outline the edge is where the contrast is."""
    inside = tuple(slice(one.start - part.start, one.stop - part.start)
                   for one, part in zip(crop, area.crop, strict=True))
    fine = tuple(slice(one.start * stride, one.stop * stride) for one in crop)
    region, pixel_mm = area.region[crop], float(np.sqrt(ct.pixel_area_mm2))
    noise = int(area.noise_hu > NOISY_HU), int(area.noise_hu > VERY_NOISY_HU)
    hu = np.clip(ct.hu[k][fine], *WINDOW_HU).astype(np.float32)
    filter_px = max(1, round((0.8 + 0.3 * noise[0] + 0.4 * noise[1]) / pixel_mm))
    shown = guided(hu, filter_px, FILTER_SHARE * area.typical_contrast_hu) - _repeated(area.brain_hu[inside], stride)
    shown = np.clip(shown / _repeated(area.contrast_hu[inside], stride) - share, -0.5, 0.5)
    shown = box_mean(shown[None], max(1, round((0.5 + 0.4 * noise[0]) / pixel_mm)))[0]
    may = _repeated(widened_by_disk(region[None], EDGE_PX)[0], stride)
    must = _repeated(narrowed_by_disk(region[None], EDGE_PX)[0], stride)
    outline = opened_by_disk(((shown > 0) & may | must)[None], 0.6 / pixel_mm)[0] | must
    return outline & ~_repeated((plane.barred | (plane.sides < least_sides))[crop], stride)


def _repeated(values, stride: int):
    return values.repeat(stride, 0).repeat(stride, 1)


def _label(ct, mask, box, new) -> int:
    """Of the blood that the new voxels touch, else what is around them tells."""
    pixel_mm = float(np.sqrt(ct.pixel_area_mm2))
    spare = int(np.ceil(FLUID_MM[1] / pixel_mm)) + 1
    near = tuple(slice(max(part.start - more, 0), part.stop + more)
                 for part, more in zip(box, (1, spare, spare), strict=True))
    there = mask[near]
    wide = np.zeros(there.shape, bool)
    wide[tuple(slice(part.start - whole.start, part.stop - whole.start)
               for part, whole in zip(box, near, strict=True))] = new
    reached = widened_by_disk(wide, TOUCHING_MM / pixel_mm)
    reached[1:] |= wide[:-1]
    reached[:-1] |= wide[1:]
    touching = np.bincount(there[reached], minlength=3)[1:3]
    if touching.sum() > TOUCHING_SHARE * np.count_nonzero(new):
        return IVH.value if touching[1] > touching[0] else ICH.value
    ring = widened_by_disk(wide, FLUID_MM[1] / pixel_mm) & ~widened_by_disk(wide, FLUID_MM[0] / pixel_mm)
    ring &= there == 0
    hu = box_mean(np.clip(ct.hu[near], *WINDOW_HU).astype(np.float32), 1)[ring]
    is_fluid = (hu > FLUID_HU[0]) & (hu < FLUID_HU[1])
    return IVH.value if len(hu) and is_fluid.mean() > FLUID_SHARE else ICH.value
