"""Which side and which part of the brain a bleed lies in: a suggestion from the places of its voxels inside the skull.

Only blood in brain tissue (ICH) counts: ventricular blood flows far from where it began. The side follows from world
coordinates, so that flipped or turned slices change nothing.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH, IVH
from ..core.result import SiteSuggestion
from .head_frame import HeadFrame
from .regions import (
    BRAIN_STEM,
    BRAIN_STEM_MM,
    CEREBELLUM,
    DEEP,
    LOBAR,
    NAMES,
    PARTS_OF_DEEP_MM,
    VENTRICLE,
    regions_at,
)

LEFT, RIGHT, MIDLINE, BOTH = "left", "right", "midline", "both"
MOST_PLACES = 4000  # voxels looked at, evenly drawn: enough for a share to 1 %
ONE_SIDE_SHARE, OFF_MIDLINE_MM = 0.6, 3.0  # a side needs so much of the blood, and its middle so far from the midline
MIDLINE_MM = 10.0
DEEP_SHARE = 0.2  # a deep bleed grows into the white matter around: this much of it in the nuclei makes it deep
FRAME_ERROR_MM = 4.0
HIGH, MODERATE = 0.9, 0.65


def suggest_site(mask: np.ndarray, ct: CTVolume, frame: HeadFrame | None) -> SiteSuggestion | None:
    """mask: uint8 (slices, rows, columns) on the scan's grid, values of core.labels; frame: fit_head_frame(ct).

    None where nothing is marked or the frame is no good.
    """
    if frame is None or not frame.good or not mask.any():
        return None
    has_ich = bool((mask == ICH.value).any())
    places, weights = _places(mask == (ICH.value if has_ich else IVH.value), ct)
    atlas_mm = frame.to_atlas(places)
    side, site = _judged(atlas_mm, weights, has_ich)
    moved = [_judged(atlas_mm + shift, weights, has_ich) for shift in _SHIFTS_MM]
    certainty = (1 + sum(one == (side, site) for one in moved)) / (1 + len(moved))
    shares = _shares(atlas_mm, weights) if has_ich else np.eye(len(NAMES) + 1)[VENTRICLE]
    return SiteSuggestion(
        side=side, site=NAMES[site], structure=_structure(site, atlas_mm, weights),
        infratentorial=site in (BRAIN_STEM, CEREBELLUM) if has_ich else None,
        certainty=float(certainty),
        certainty_word="high" if certainty >= HIGH else "moderate" if certainty >= MODERATE else "low",
        shares={name: float(shares[region]) for region, name in NAMES.items()}, fit_mm=frame.fit_mm)


_SHIFTS_MM = FRAME_ERROR_MM * np.array(
    [shift / np.linalg.norm(shift) for shift in np.array(np.meshgrid(*[[-1, 0, 1]] * 3)).reshape(3, -1).T
     if shift.any()])


def _places(marked, ct):
    """(RAS mm (n, 3), weights (n,)) of marked voxels, evenly drawn; a weight is a voxel's volume."""
    kji = np.argwhere(marked)
    kji = kji[:: max(1, len(kji) // MOST_PLACES)]
    return ct.voxel_to_ras(kji), ct.voxel_volumes_mm3[kji[:, 0]]


def _shares(atlas_mm, weights):
    """(regions + 1,) share of the weight in each region."""
    return np.bincount(regions_at(atlas_mm), weights, len(NAMES) + 1) / weights.sum()


def _judged(atlas_mm, weights, has_ich):
    """(side, region)"""
    return _side(atlas_mm[:, 0], weights), _region(_shares(atlas_mm, weights)) if has_ich else VENTRICLE


def _region(shares):
    if shares[BRAIN_STEM] + shares[CEREBELLUM] >= 0.5:
        return BRAIN_STEM if shares[BRAIN_STEM] >= shares[CEREBELLUM] else CEREBELLUM
    return DEEP if shares[DEEP] >= DEEP_SHARE * (1 - shares[VENTRICLE]) else LOBAR


def _side(across_mm, weights):
    left_share = weights[across_mm < 0].sum() / weights.sum()
    middle_mm = across_mm @ weights / weights.sum()
    if left_share >= ONE_SIDE_SHARE and middle_mm <= -OFF_MIDLINE_MM:
        return LEFT
    if left_share <= 1 - ONE_SIDE_SHARE and middle_mm >= OFF_MIDLINE_MM:
        return RIGHT
    near = weights[np.abs(across_mm) <= MIDLINE_MM].sum() / weights.sum()
    return MIDLINE if near >= 0.5 else BOTH


def _structure(site, atlas_mm, weights):
    """The part whose middle lies nearest to the blood, in radii of that part."""
    parts = {DEEP: PARTS_OF_DEEP_MM, BRAIN_STEM: BRAIN_STEM_MM}.get(site)
    if parts is None:
        return ""
    middle = (np.abs(atlas_mm) * (1, 0, 0) + atlas_mm * (0, 1, 1)).T @ weights / weights.sum()
    middle = middle * (0 if site == BRAIN_STEM else 1, 1, 1)
    return min(parts, key=lambda name: np.linalg.norm((middle - parts[name][0]) / parts[name][1]))
