"""Midline shift and lateral ventricles of one case, or why they were not measured."""

from weakref import WeakKeyDictionary

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.plain import from_plain
from ..core.result import MidlineShift, Ventricles
from .head_frame import HeadFrame
from .midline import follow_midline
from .midline_checks import NO_MIDDLE, Middle, believed
from .midplane import Midplane, find_midplane, is_axial
from .ventricles import LEFT, RIGHT, lateral_ventricles

NO_FRAME = "the skull could not be fitted well"
NOT_AXIAL = "the slices are not axial"
NO_MIDPLANE = "too little of the skull is in the scan, or its halves do not match"
NOT_COVERED = "the scan does not cover the ventricles"
NO_VENTRICLES = "no lateral ventricles are visible, as when they are compressed"
COVERED_MIDLINE_Z_MM = (4.0, 20.0)  # MNI-like, of the slices at the middle of the head
COVERED_VENTRICLES_Z_MM = (-8.0, 30.0)
SEPTUM, DRAWN = "septum pellucidum", "drawn by hand"
SMALLEST_VENTRICLES_ML = 2.0
DOUBTED_MM = 3.0  # of a shift towards the bleed: its mass pushes away
FULL_PATH_MM = 20.0
LEAST_QUALITY = 0.25

_midplanes: WeakKeyDictionary = WeakKeyDictionary()  # of a scan and its frame; edits of the mask do not change it


def measure_mass_effect(ct: CTVolume, mask: np.ndarray | None,
                        frame: HeadFrame | None) -> tuple[MidlineShift, Ventricles]:
    """mask: uint8 (slices, rows, columns), values of labels.py; blood marked as IVH counts as ventricle."""
    reason = _unusable(ct, frame)
    midplane = None if reason else _midplane(ct, frame)
    if midplane is None:
        reason = reason or NO_MIDPLANE
        return MidlineShift(reason=reason), Ventricles(reason=reason)
    middle = believed(*follow_midline(ct, mask, frame, midplane))
    return _shift(ct, frame, middle), _ventricles(ct, mask, frame, midplane, middle.paths or middle.third)


def doubted_towards(side: str, shift: MidlineShift | None) -> MidlineShift | None:
    """The shift, not measured where it is DOUBTED_MM and more towards the bleed's side ("left" or "right"): then most
    likely not the middle was seen, but the wall of a horn. A shift that a person drew stands."""
    if shift is None or shift.shift_mm is None or shift.landmark == DRAWN or shift.direction != side \
            or shift.shift_mm < DOUBTED_MM:
        return shift
    return MidlineShift(reason=f"what was taken for the middle of the brain lies {shift.shift_mm:.0f} mm towards the "
                               "bleed, which its mass does not explain; measure it by hand")


def _unusable(ct, frame):
    if frame is None or not frame.good:
        return NO_FRAME
    return "" if is_axial(ct, frame) else NOT_AXIAL


def _midplane(ct, frame) -> Midplane | None:
    if ct not in _midplanes or _midplanes[ct][0] is not frame:
        _midplanes[ct] = frame, find_midplane(ct, frame)
    return _midplanes[ct][1]


def _covers(ct, frame, z_mm):
    middle = frame.to_ras(np.array([0.0, -18.0, 12.0]))
    off = (ct.slice_origins_ras - middle) @ ct.slice_normal_ras
    z = frame.to_atlas(middle + off[:, None] * ct.slice_normal_ras)[:, 2]
    return z.min() <= z_mm[0] and z.max() >= z_mm[1]


def _shift(ct, frame, middle: Middle) -> MidlineShift:
    if not _covers(ct, frame, COVERED_MIDLINE_Z_MM):
        return MidlineShift(reason=NOT_COVERED)
    if not middle.paths:
        return MidlineShift(reason=middle.reason)
    path = max(middle.paths, key=lambda one: abs(one.largest[0]))
    quality = float(path.evidence.mean() * min(1.0, len(path.s_mm) / FULL_PATH_MM))
    quality *= 1.0 if len(middle.paths) > 1 else 0.5
    if quality < LEAST_QUALITY:
        return MidlineShift(reason=NO_MIDDLE, quality=quality)
    away, s, t = path.largest
    plane = path.line.plane
    return MidlineShift(
        shift_mm=abs(away), direction="" if round(abs(away), 1) == 0 else "right" if away > 0 else "left",
        slice_index=plane.k, ideal_line_ras=tuple(_point(end) for end in path.line.ends_ras),
        point_ras=_point(plane.ras(s, t)), foot_ras=_point(plane.ras(*path.line.foot_mm(s, t))), landmark=SEPTUM,
        quality=quality)


def _point(ras):
    return tuple(float(value) for value in ras)


def _ventricles(ct, mask, frame, midplane, paths) -> Ventricles:
    if not _covers(ct, frame, COVERED_VENTRICLES_Z_MM):
        return Ventricles(reason=NOT_COVERED)
    found, on_course = lateral_ventricles(ct, mask, frame, midplane, paths)
    right, left = (float((found == side).sum(axis=(1, 2)) @ ct.voxel_volumes_mm3) / 1000 for side in (RIGHT, LEFT))
    if right + left < SMALLEST_VENTRICLES_ML:
        return Ventricles(reason=NO_VENTRICLES, quality=on_course)
    return Ventricles(right + left, left, right, quality=on_course)


def read_mass_effect(values: list | None) -> tuple[MidlineShift, Ventricles] | tuple[None, None]:
    """What to_plain made of measure_mass_effect's answer; (None, None) of nothing."""
    if not values:
        return None, None
    return from_plain(MidlineShift, values[0]), from_plain(Ventricles, values[1])


def with_dragged_line(shift: MidlineShift, ideal_line_ras, point_ras) -> MidlineShift:
    """A shift whose ideal line or point a person has moved, all within the same slice: measured again.

    The patient's right is where the old measure says; without one it is +R of the scan.
    """
    (first, last), point = np.asarray(ideal_line_ras, float), np.asarray(point_ras, float)
    along = last - first
    length = float(np.linalg.norm(along))
    if length < 1.0:
        return MidlineShift(reason="the ideal midline is too short")
    foot = first + ((point - first) @ along) / length**2 * along
    away = point - foot
    mm = float(np.linalg.norm(away))
    direction = "" if round(mm, 1) == 0 else "right" if away[0] > 0 else "left"
    return MidlineShift(mm, direction, shift.slice_index, (_point(first), _point(last)), _point(point), _point(foot),
                        DRAWN, 1.0)
