"""Which side and which part of the brain a bleed lies in: a suggestion from the places of its voxels inside the skull.

Only blood in brain tissue (ICH) counts: ventricular blood flows far from where it began. The side follows from world
coordinates, so that flipped or turned slices change nothing.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH, IVH
from ..core.result import SiteSuggestion
from ..imaging.boxes import bounding_box
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
MOST_PLACES = 800  # voxels looked at, evenly drawn: enough for a share to 2 %, and quick after every edit
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
    kji, has_ich = _voxels(mask)
    weights = ct.voxel_volumes_mm3[kji[:, 0]]
    atlas_mm = frame.to_atlas(ct.voxel_to_ras(kji))
    judged = _judged(atlas_mm + _SHIFTS_MM[:, None], weights, has_ich)
    side, site = judged[0]
    certainty = sum(one == (side, site) for one in judged) / len(judged)
    shares = _shares(atlas_mm[None], weights)[0] if has_ich else np.eye(len(NAMES) + 1)[VENTRICLE]
    return SiteSuggestion(
        side=side, site=NAMES[site], structure=_structure(site, atlas_mm, weights),
        infratentorial=site in (BRAIN_STEM, CEREBELLUM) if has_ich else None,
        certainty=float(certainty),
        certainty_word="high" if certainty >= HIGH else "moderate" if certainty >= MODERATE else "low",
        shares={name: float(shares[region]) for region, name in NAMES.items()}, fit_mm=frame.fit_mm)


_DIRECTIONS = np.array(np.meshgrid(*[[0, -1, 1]] * 3)).reshape(3, -1).T  # the first is none
_SHIFTS_MM = FRAME_ERROR_MM * _DIRECTIONS / np.maximum(np.linalg.norm(_DIRECTIONS, axis=1), 1)[:, None]


def _voxels(mask):
    """((n, 3) indices of at most MOST_PLACES voxels of ICH, evenly drawn, True); of IVH and False without ICH."""
    box = bounding_box(mask, (0, 0, 0))
    part = mask[box]
    flat = np.flatnonzero(part == ICH.value)
    has_ich = bool(len(flat))
    if not has_ich:
        flat = np.flatnonzero(part == IVH.value)
    flat = flat[:: -(-len(flat) // MOST_PLACES)]
    return np.stack(np.unravel_index(flat, part.shape), axis=1) + [one.start for one in box], has_ich


def _shares(atlas_mm, weights):
    """(m, regions + 1) share of the weight in each region, of m displaced copies (m, n, 3)."""
    found = regions_at(atlas_mm.reshape(-1, 3)).reshape(len(atlas_mm), -1)
    return np.stack([np.bincount(one, weights, len(NAMES) + 1) for one in found]) / weights.sum()


def _judged(copies_mm, weights, has_ich):
    """[(side, region)] of each displaced copy (m, n, 3)."""
    sides = [_side(one[:, 0], weights) for one in copies_mm]
    sites = map(_region, _shares(copies_mm, weights)) if has_ich else [VENTRICLE] * len(sides)
    return list(zip(sides, sites, strict=True))


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
