"""Whether what was followed as the middle of the brain is the middle: a wrong shift is worse than none.

A horn's wall beside an old infarct, or the bright gap between a horn and the third ventricle, looks like the septum
within one slice. So the septum of all slices must lie on one smooth surface, rows beside it do not count, it must have
fluid of both ventricles at its sides, and the third ventricle, seen on its own in lower slices, must lie about where
the septum does.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .midline import LEAST_PATH_MM, Path, longest_run

ON_SURFACE_MM = 2.0  # from the surface through the rows of all slices
LEAST_ON_SURFACE = 0.6  # share of all rows
LEAST_SLICES = 2
SMALL_MM = 3.0  # a smaller shift is believed of one slice
APART_MM, APART_SHARE = 3.0, 0.3  # septum and third ventricle may differ by so much and so much of the larger shift
_ROUNDS, _TOLERANCE_MM = 15, 1.0

NO_MIDDLE = "neither septum pellucidum nor third ventricle is clearly visible"
BY_HAND = "measure it by hand"
NO_SEPTUM = f"no septum pellucidum is clearly visible; the third ventricle lies {{third}}; {BY_HAND}"
SCATTERED = f"what may be the septum pellucidum lies elsewhere from slice to slice; {BY_HAND}"
ONE_SLICE = f"the septum pellucidum is clear in one slice only, and no third ventricle confirms it; {BY_HAND}"
APART = ("what may be the septum pellucidum lies {septum}, the third ventricle {third}: they do not belong together; "
         f"{BY_HAND}")


@dataclass(frozen=True, eq=False)
class Middle:
    """paths: of the septum, the rows that are believed; none: reason says why. third: of the third ventricle."""

    paths: list[Path] = field(default_factory=list)
    third: list[Path] = field(default_factory=list)
    reason: str = ""


def believed(septum: list[Path], third: list[Path]) -> Middle:
    """septum, third: as followed, each in its slices."""
    kept, share = on_one_surface(septum)
    third, third_share = on_one_surface(third)
    if third_share < LEAST_ON_SURFACE:
        third = []
    reason = _why_not(septum, kept, share, third)
    return Middle([] if reason else kept, third, reason)


def _why_not(septum, kept, share, third):
    if not septum:
        return NO_SEPTUM.format(third=_said(_largest(third))) if third else NO_MIDDLE
    if not kept or share < LEAST_ON_SURFACE:
        return SCATTERED
    at, other = _largest(kept), _largest(third) if third else None
    if other is None:
        return ONE_SLICE if abs(at) >= SMALL_MM and len(kept) < LEAST_SLICES else ""
    if abs(at - other) > APART_MM + APART_SHARE * max(abs(at), abs(other)):
        return APART.format(septum=_said(at), third=_said(other))
    return ""


def on_one_surface(paths: list[Path]) -> tuple[list[Path], float]:
    """The paths without the rows that lie off the smooth surface through all of them, and the share that stays."""
    if not paths:
        return [], 0.0
    off = _off_surface(paths)
    kept = []
    for path, away in zip(paths, off, strict=True):
        first, last = longest_run(away <= ON_SURFACE_MM)
        if last - first >= LEAST_PATH_MM:
            kept.append(replace(path, s_mm=path.s_mm[first:last], t_mm=path.t_mm[first:last],
                                evidence=path.evidence[first:last]))
    rows = sum(len(path.s_mm) for path in paths)
    return kept, sum(len(path.s_mm) for path in kept) / rows


def _off_surface(paths):
    """Per path (rows,) mm from the smooth surface: of second degree along the head and upwards, few rows cannot bend
    it."""
    away = np.concatenate([path.line.distance_mm(path.s_mm, path.t_mm) for path in paths])
    s = np.concatenate([path.s_mm for path in paths]) / 20.0
    normal = np.cross(paths[0].line.plane.front_ras, paths[0].line.plane.right_ras)
    z = np.concatenate([np.full(len(path.s_mm), path.line.plane.middle_ras @ normal) for path in paths])
    z = (z - z.mean()) / 10.0
    terms = np.stack([np.ones(len(s)), s, s**2, z, s * z, z**2], axis=1)
    held = np.diag([0.0, 0.1, 0.3, 0.1, 0.3, 0.3]) * np.sqrt(len(s) / 20)  # what few rows do not show stays flat
    weights, off = np.ones(len(s)), np.zeros(len(s))
    for _ in range(_ROUNDS):
        found = np.linalg.lstsq(np.vstack([terms * weights[:, None], held]), np.r_[away * weights, np.zeros(6)],
                                rcond=None)[0]
        off = np.abs(away - terms @ found)
        weights = 1 / np.sqrt(1 + (off / _TOLERANCE_MM) ** 2)
    return np.split(off, np.cumsum([len(path.s_mm) for path in paths])[:-1])


def _largest(paths):
    return max((path.largest[0] for path in paths), key=abs)


def _said(away_mm):
    if abs(away_mm) < 0.5:
        return "in the middle"
    return f"{abs(away_mm):.0f} mm to the {'right' if away_mm > 0 else 'left'}"
