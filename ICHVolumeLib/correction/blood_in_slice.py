"""The blood of one slice that belongs to a start: a click, or the area of the bleed in the slice next door.

A pixel is blood when it has more than half of the contrast between the clot and the brain right around it, as the
model's outlines have it. Noise is taken out by a guided filter (He et al. 2013, doi:10.1109/TPAMI.2012.213), which
keeps edges as high as the clot's. What is narrower than a vessel or a fold is cut off; what is only just above half of
the contrast throughout is another tissue, not blood.
"""

from dataclasses import dataclass

import numpy as np

from ..imaging.components import connected_components
from ..imaging.disks import box_mean, closed_by_disk, opened_by_disk, widened_by_disk
from .planes import Plane

HALF = 0.5  # of the contrast
BEYOND_MM, BEYOND_SHARE, BEYOND_SHARE_FIRST = 1.5, 0.15, 0.1  # this far outside the start an area must show more
LEAST_CONTRAST_HU = 5.0
LEAST_CONTRAST_SD = 1.0  # in SDs of the brain around: fainter things cannot be told from it
SURE_CONTRAST_SD = 3.0  # from here on nothing bounds how far a bleed reaches
NEAREST_REACH_MM, REACH_PER_SD_MM = 5.0, 12.0  # how far a fainter one reaches from the click
EDGE_SHARE = 0.45  # of the contrast: most of what is right outside is darker by more, or it ran out into brain
EDGE_MM, EDGE_PERCENTILE = (1.2, 4.0), 75
NEXT_EDGE = 0.6  # of that: in the slices above and below, whose edges are less sharp
TYPICAL_SHARE = 0.65  # median of an area's contrast; less is another tissue
RING_MM = (2.0, 9.0)  # the brain around
LOCAL_MM = 6.0  # over which brain and clot are averaged
LEAST_RING_MM2 = 30.0
LARGEST_AREA_MM2 = 6000.0  # a ball of 150 mL has 3400 in its widest slice; more is the brain itself
BRAIN_HU = (5.0, 60.0)
SCALES_MM = (8.0, 16.0, 32.0, 50.0)  # of the first look for the brain around a click
SCALE_SHARE = 0.6  # the nearest ring that shows this much of the highest contrast is the bleed's surroundings
DARKER_QUARTILE = 35.0  # percentile of the whole slice: brain where most of what is near is blood
CONTRAST_RANGE = (0.8, 1.3)  # the clot's own unevenness may change its contrast by this much
FILTER_SHARE = 0.3  # of the contrast: edges higher than this are kept by the filter
NARROW_MM = 1.6  # radius: falx, vessels, folds
GAP_MM = 1.5
LEAST_OVERLAP = 0.1
NOISY_HU, VERY_NOISY_HU = 3.0, 5.0


@dataclass(frozen=True, eq=False)
class Area:
    """region: bool, the whole coarse slice. brain_hu and contrast_hu: arrays of `crop`, what the outline is drawn with;
    clot_hu: median of the region; typical_contrast_hu, contrast_sd: above the brain around, in HU and in its SDs."""

    region: np.ndarray
    crop: tuple[slice, slice]
    brain_hu: np.ndarray
    contrast_hu: np.ndarray
    clot_hu: float
    typical_contrast_hu: float
    contrast_sd: float
    noise_hu: float


@dataclass(frozen=True)
class Known:
    """What the slices so far say: the clot's HU, its contrast, how far (mm) the next slice may go beyond this area."""

    clot_hu: float
    contrast_hu: float
    limit_mm: float


def guided(values: np.ndarray, radius_px: int, edge_hu: float) -> np.ndarray:
    """One slice smoothed where it varies by less than edge_hu."""
    mean, mean_square = box_mean(np.stack([values, values**2]), radius_px)
    variance = np.maximum(mean_square - mean**2, 0)
    kept = variance / (variance + edge_hu**2)
    slope, level = box_mean(np.stack([kept, mean - kept * mean]), radius_px)
    return slope * values + level


def blood_in_slice(plane: Plane, pixel_mm: float, start: np.ndarray, known: Known | None, clot_hu: float,
                   share: float = HALF, least_sides: int = 3) -> Area | None:
    """The area that `start` (bool, not empty) belongs to; known None: the click's own slice, clot_hu read off there.

    share: of the contrast that makes blood; least_sides: sides with bone that a pixel must have. None where there is
    nothing that stands out.
    """
    crop = _crop(start, round((14 if known else 54) / pixel_mm), start.shape)
    hu, smooth, start_here = plane.hu[crop], plane.smooth[crop], start[crop]
    barred = plane.barred[crop] | (plane.sides[crop] < least_sides)
    soft = (smooth > BRAIN_HU[0]) & (smooth < min(BRAIN_HU[1], clot_hu - 3)) & ~barred
    if not _is_enough(soft, pixel_mm):
        return None
    base_hu = clot_hu - known.contrast_hu if known else _first_brain_hu(smooth, soft, start_here, clot_hu, pixel_mm)
    if base_hu is None:
        return None
    brain = soft & (smooth < base_hu + HALF * (clot_hu - base_hu))
    noise_hu = 1.6 * float(np.median(np.abs(hu - smooth)[soft]))
    radius_px = 2 + int(noise_hu > NOISY_HU) + int(noise_hu > VERY_NOISY_HU)
    region = start_here
    for turn in range(2 if known else 3):
        first = turn == 0 and not known
        around = _ring(region, brain, 25 if first else RING_MM[1], pixel_mm)
        around = around if _is_enough(around, pixel_mm) else brain
        if not _is_enough(around, pixel_mm):
            return None
        middle_hu = base_hu if first else float(np.median(smooth[around]))
        typical_hu = clot_hu - middle_hu
        if typical_hu < LEAST_CONTRAST_HU:
            return None
        brain_hu, contrast_hu = _local(smooth, region, around, middle_hu, clot_hu, None if first else pixel_mm)
        wanted = brain_hu + contrast_hu * (share + _caution(start_here if known else region, first, known, pixel_mm))
        bright = (guided(hu, radius_px, FILTER_SHARE * typical_hu) > wanted) & ~barred
        if known:
            bright &= widened_by_disk(start_here[None], known.limit_mm / pixel_mm)[0]
        region = _belonging(bright, start_here, pixel_mm) & ~barred
        contrast_sd = typical_hu / (float(smooth[around].std()) + 0.5)
        if not known and contrast_sd < SURE_CONTRAST_SD:
            reach_mm = NEAREST_REACH_MM + REACH_PER_SD_MM * max(contrast_sd - 1, 0)
            region &= widened_by_disk(start_here[None], reach_mm / pixel_mm)[0]
        if not region.any():
            return None
    region = closed_by_disk(region[None], GAP_MM / pixel_mm)[0] & ~barred
    shown = float(np.median(((smooth - brain_hu) / typical_hu)[region])) if region.any() else 0.0
    if known and shown < TYPICAL_SHARE * min(share / HALF, 1):
        return None
    if not known and contrast_sd < LEAST_CONTRAST_SD:
        return None
    edge_share = share * (NEXT_EDGE if known else 1)
    if not _has_edge(smooth, region, plane.barred[crop], typical_hu, edge_share, pixel_mm):
        return None
    whole = np.zeros(start.shape, bool)
    whole[crop] = region
    return Area(whole, crop, brain_hu, contrast_hu, float(np.median(smooth[region])), typical_hu, contrast_sd, noise_hu)


def _has_edge(smooth, region, barred, typical_hu: float, share: float, pixel_mm: float) -> bool:
    """Whether most of what lies right outside is clearly darker; around noise or grey matter it is not."""
    if not region.any() or np.count_nonzero(region) * pixel_mm**2 > LARGEST_AREA_MM2:
        return False
    outside = widened_by_disk(region[None], EDGE_MM[1] / pixel_mm)[0] & ~barred & (smooth > BRAIN_HU[0])
    outside &= ~widened_by_disk(region[None], EDGE_MM[0] / pixel_mm)[0]
    if not outside.any():
        return True
    step_hu = float(np.median(smooth[region])) - float(np.percentile(smooth[outside], EDGE_PERCENTILE))
    return step_hu >= EDGE_SHARE * typical_hu * min(share / HALF, 1)


def _first_brain_hu(smooth, soft, start, clot_hu: float, pixel_mm: float) -> float | None:
    """Of the nearest ring that shows most of the click's contrast, so that neither a clot's own texture nor a grey
    nucleus around a small one is taken for its surroundings. None where nothing stands out."""
    found = []
    for scale_mm in SCALES_MM:
        ring = soft & widened_by_disk(start[None], scale_mm / pixel_mm)[0]
        ring &= ~widened_by_disk(start[None], scale_mm / 2 / pixel_mm)[0]
        if _is_enough(ring, pixel_mm):
            found.append(float(np.median(smooth[ring])))
    found.append(float(np.percentile(smooth[soft], DARKER_QUARTILE)))
    highest_hu = clot_hu - min(found)
    if highest_hu < LEAST_CONTRAST_HU:
        return None
    return next(one for one in found if clot_hu - one >= SCALE_SHARE * highest_hu)


def _caution(start, first: bool, known: Known | None, pixel_mm: float):
    """How much more of the contrast is asked for away from the start."""
    if first:
        return 0.0
    beyond = ~widened_by_disk(start[None], BEYOND_MM / pixel_mm)[0]
    return beyond * np.float32(BEYOND_SHARE if known else BEYOND_SHARE_FIRST)


def _ring(region, brain, reach_mm: float, pixel_mm: float):
    return (brain & widened_by_disk(region[None], reach_mm / pixel_mm)[0]
            & ~widened_by_disk(region[None], RING_MM[0] / pixel_mm)[0])


def _is_enough(area, pixel_mm: float) -> bool:
    return np.count_nonzero(area) * pixel_mm**2 >= LEAST_RING_MM2


def _local(smooth, region, around, middle_hu: float, clot_hu: float, pixel_mm: float | None):
    """(brain_hu, contrast_hu) around every pixel; the same everywhere for the first look (pixel_mm None)."""
    typical_hu = clot_hu - middle_hu
    if pixel_mm is None:
        return np.full(smooth.shape, middle_hu, np.float32), np.full(smooth.shape, typical_hu, np.float32)
    radius_px = int(LOCAL_MM / pixel_mm)
    brain_hu = _local_mean(smooth, around, middle_hu, radius_px)
    clot = _local_mean(smooth, region & (smooth > middle_hu + HALF * typical_hu), clot_hu, radius_px)
    return brain_hu, np.clip(clot - brain_hu, CONTRAST_RANGE[0] * typical_hu, CONTRAST_RANGE[1] * typical_hu)


def _local_mean(values, where, otherwise: float, radius_px: int):
    """Mean of the true pixels near every pixel, `otherwise` where there are few."""
    weights = where.astype(np.float32)
    both = np.stack([weights * (values - otherwise), weights])
    sums, counts = box_mean(box_mean(both, radius_px), radius_px)
    return otherwise + sums / (counts + np.float32(0.02))


def _belonging(bright, start, pixel_mm: float):
    """The parts of `bright`, without what is narrow, that share enough with the start; holes filled."""
    for radius_px in (NARROW_MM / pixel_mm, 1, 0):  # a small bleed may itself be narrow
        parts, count = connected_components(opened_by_disk(bright[None], radius_px)[0], fully_connected=False)
        shared = np.bincount(parts[start], minlength=count + 1)
        least = LEAST_OVERLAP * np.minimum(np.bincount(parts.ravel(), minlength=count + 1), np.count_nonzero(start))
        kept = shared >= np.maximum(least, 1)
        kept[0] = False
        if kept.any():
            return _filled(kept[parts])
    return np.zeros_like(bright)


def _filled(area):
    near = _crop(area, 1, area.shape)  # with its margin, unless the edge of the array is there
    parts, count = connected_components(~area[near], fully_connected=False)
    outside = np.zeros(count + 1, bool)
    for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        outside[edge] = True
    filled = area.copy()
    filled[near] |= ~outside[parts]
    return filled


def _crop(area, margin: int, shape) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    return tuple(slice(max(int(found[0]) - margin, 0), min(int(found[-1]) + 1 + margin, size))
                 for found, size in zip((rows, columns), shape, strict=True))
