"""Midline shift: how far the septum pellucidum, or the third ventricle, lies from the ideal midline.

In every slice from the third ventricle to the bodies of the lateral ventricles the bright septum between both dark
frontal horns is followed from front to back (a path of most evidence); the shift is the largest perpendicular distance
of the path from the line between both ends of the falx. The dark slit of the third ventricle is followed in the same
way, as a second witness (midline_checks). Blood marked in a ventricle counts as fluid.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import IVH
from .head_frame import HeadFrame
from .midplane import IdealLine, Midplane, smoothed_slice

REACH_MM = 24.0  # the largest distance from the ideal line that is looked at
THIRD_REACH_MM = 14.0  # likewise; farther out the insula's fissure looks like it
SEPTUM_Y_MM, SEPTUM_Z_MM = (-22.0, 32.0), (-4.0, 28.0)  # MNI-like, generous by some millimetres
ABOVE_THIRD_MM, MONRO_Y_MM = 14.0, 2.0  # lower, the septum ends at the foramina, and the third ventricle begins
THIRD_Y_MM, THIRD_Z_MM = (-28.0, -4.0), (-12.0, 8.0)
LEAST_PATH_MM = 8.0  # of clear septum or third ventricle from front to back
WINDOW_ROWS = 13
CLEAR = 0.35  # evidence of a row from which it counts, 0 to 1
FLUID_BELOW_BRAIN_HU = 12.0  # from here on it is darker than edema
FULL_BELOW_BRAIN_HU = 22.0
_T_MM = np.arange(-REACH_MM - 16, REACH_MM + 16.25, 0.5)
_S_MM = np.arange(-30.0, 70.5, 1.0)
_RIDGE_HU = 10.0
_JUMP_COST = 0.12  # of the path, per half millimetre sideways from one row to the next
_FAR_COST = 0.006  # per mm from the ideal line


@dataclass(frozen=True, eq=False)
class Path:
    """The middle structure in one slice: s_mm, t_mm (rows,) of clear rows, evidence 0 to 1 of each."""

    line: IdealLine
    s_mm: np.ndarray
    t_mm: np.ndarray
    evidence: np.ndarray

    @property
    def largest(self) -> tuple[float, float, float]:
        """(mm from the ideal line, to the patient's right positive, and its place s, t): medians over WINDOW_ROWS rows,
        so that a few noisy ones do not count."""
        rows = min(WINDOW_ROWS, len(self.s_mm))
        windows = np.lib.stride_tricks.sliding_window_view(self.line.distance_mm(self.s_mm, self.t_mm), rows)
        away = np.median(windows, axis=1)
        n = int(np.argmax(np.abs(away)))
        s = float(self.s_mm[n + rows // 2])
        return float(away[n]), s, float(np.median(self.t_mm[n:n + rows]))


def follow_midline(ct: CTVolume, mask: np.ndarray | None, frame: HeadFrame,
                   midplane: Midplane) -> tuple[list[Path], list[Path]]:
    """Paths of the septum pellucidum and of the third ventricle, in the slices that show them clearly."""
    brain_hu = brain_median_hu(ct, midplane)
    layouts = [_Layout(ct, mask, frame, line, brain_hu) for line in midplane.lines.values()]
    septum, third = ([path for layout in layouts if (path := _path(layout, *wanted)) is not None] for wanted in
                     ((_septum, SEPTUM_Y_MM, SEPTUM_Z_MM, REACH_MM), (_third, THIRD_Y_MM, THIRD_Z_MM, THIRD_REACH_MM)))
    return septum, third


def brain_median_hu(ct: CTVolume, midplane: Midplane) -> float:
    """Of what lies within 50 mm of the middle of the head, without fluid and blood."""
    values = []
    for line in midplane.lines.values():
        hu = line.plane.sample(ct, ct.hu[line.plane.k], np.arange(-60.0, 61.0, 3), np.arange(-50.0, 51.0, 3), -1000)
        values.append(hu[(hu > 15) & (hu < 55)])
    return float(np.median(np.concatenate(values)))


class _Layout:
    """One slice around its ideal line: hu (rows s, columns t), t counted from the line, and MNI-like y and z."""

    def __init__(self, ct, mask, frame, line, brain_hu):
        self.line, self.brain_hu = line, brain_hu
        plane = line.plane
        (s1, t1), (s0, t0) = line.front_mm, line.rear_mm
        along = np.array([s1 - s0, t1 - t0]) / np.hypot(s1 - s0, t1 - t0)
        self.s = _S_MM[:, None] * along[0] - _T_MM[None] * along[1]
        start = t0 - s0 * along[1] / along[0]  # t of the line at s = 0
        self.t = start + _S_MM[:, None] * along[1] + _T_MM[None] * along[0]
        values = smoothed_slice(ct, plane.k)
        if mask is not None and (mask[plane.k] == IVH.value).any():
            values = np.where(mask[plane.k] == IVH.value, np.float32(brain_hu - 28), values)
        self.hu = plane.sample_at(ct, values, self.s, self.t, 0)
        self.atlas = frame.to_atlas(plane.ras(self.s, self.t))


def _extreme(values, low_mm, high_mm, function):
    """For every column the extreme of the values low_mm to high_mm to its left, and to its right."""
    low, high = round(low_mm / 0.5), round(high_mm / 0.5)
    padded = np.pad(values, ((0, 0), (high, high)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, high - low + 1, axis=1)
    n = values.shape[1]
    return function(windows[:, :n], axis=-1), function(windows[:, high + low:high + low + n], axis=-1)


def _fluid(hu, brain_hu):
    """0 brain or edema, 1 fluid."""
    span = FULL_BELOW_BRAIN_HU - FLUID_BELOW_BRAIN_HU
    return np.clip((brain_hu - FLUID_BELOW_BRAIN_HU - hu) / span, 0, 1)


def _septum(layout):
    """Bright between two dark horns: evidence 0 to 1, and the level at which its width is taken."""
    hu = np.minimum(layout.hu, layout.brain_hu - 4)
    left, right = _extreme(hu, 2, 13, np.min)
    darker = np.maximum(left, right)
    return _fluid(darker, layout.brain_hu) * np.clip((hu - darker) / _RIDGE_HU, 0, 1), (hu + darker) / 2, 1


def _third(layout):
    """Dark between two bright thalami."""
    hu = np.minimum(layout.hu, layout.brain_hu - 4)
    left, right = _extreme(hu, 1.5, 8, np.max)
    brighter = np.minimum(left, right)
    return (_fluid(hu, layout.brain_hu + 4) * np.clip((brighter - hu) / _RIDGE_HU, 0, 1), (hu + brighter) / 2, -1)


def _path(layout, evidence_of, y_mm, z_mm, reach_mm):
    """The path of most evidence through the rows of the region; None where too little of it is clear."""
    evidence, level, sign = evidence_of(layout)
    middle = layout.atlas[:, len(_T_MM) // 2]
    rows = (middle[:, 1] >= y_mm[0]) & (middle[:, 1] <= y_mm[1]) & (middle[:, 2] >= z_mm[0]) & (middle[:, 2] <= z_mm[1])
    if evidence_of is _septum:
        rows &= (middle[:, 1] >= MONRO_Y_MM) | (middle[:, 2] >= ABOVE_THIRD_MM)
    if np.count_nonzero(rows) < LEAST_PATH_MM:
        return None
    first, last = np.flatnonzero(rows)[[0, -1]]
    within = np.abs(_T_MM) <= reach_mm
    score = evidence[first:last + 1][:, within] - _FAR_COST * np.abs(_T_MM[within])
    columns = _best_path(score) + np.flatnonzero(within)[0]
    numbers = np.arange(first, last + 1)
    clear = evidence[numbers, columns] >= CLEAR
    first, last = longest_run(clear)
    if last - first < LEAST_PATH_MM:
        return None
    numbers, columns = numbers[first:last], columns[first:last]
    hu = np.minimum(layout.hu, layout.brain_hu - 4)
    t = np.array([_center(sign * hu[row], column, sign * level[row, column])
                  for row, column in zip(numbers, columns, strict=True)])
    at = t / 0.5 - _T_MM[0] / 0.5
    low = np.clip(at.astype(int), 0, len(_T_MM) - 2)
    share = at - low
    s = layout.s[numbers, low] * (1 - share) + layout.s[numbers, low + 1] * share
    across = layout.t[numbers, low] * (1 - share) + layout.t[numbers, low + 1] * share
    return Path(layout.line, s, across, evidence[numbers, columns])


def longest_run(good: np.ndarray) -> tuple[int, int]:
    """(first, after the last) of the longest run of good rows; a gap of two rows does not end it."""
    rows = np.flatnonzero(good)
    if not len(rows):
        return 0, 0
    breaks = np.flatnonzero(np.diff(rows) > 3)
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(rows) - 1)
    longest = int(np.argmax(rows[ends] - rows[starts]))
    return int(rows[starts[longest]]), int(rows[ends[longest]]) + 1


def _center(values, column, level):
    """t of the middle of the run above `level` around a column, ends interpolated."""
    left = right = int(column)
    while left > 0 and values[left - 1] > level:
        left -= 1
    while right < len(values) - 1 and values[right + 1] > level:
        right += 1
    return (_T_MM[left] + _T_MM[right]) / 2


def _best_path(score):
    """(rows,) columns of the path of largest sum, at most two columns sideways per row."""
    rows, columns = score.shape
    total, came = score[0].copy(), np.zeros((rows, columns), int)
    for row in range(1, rows):
        options = np.full((5, columns), -np.inf)
        for n, step in enumerate(range(-2, 3)):
            source = slice(max(0, -step), columns - max(0, step))
            options[n, slice(max(0, step), columns + min(0, step))] = total[source] - _JUMP_COST * abs(step)
        came[row] = np.argmax(options, axis=0) - 2
        total = options.max(axis=0) + score[row]
    path = [int(np.argmax(total))]
    for row in range(rows - 1, 0, -1):
        path.append(path[-1] - came[row, path[-1]])
    return np.array(path[::-1])
