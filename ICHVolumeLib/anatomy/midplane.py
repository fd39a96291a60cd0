"""The ideal midline: the symmetry plane of the inner skull, and in each slice the line between both ends of the falx.

Everything is laid out slice by slice along the middle of the head: s runs to the front, t to the patient's right, both
in mm within the slice as it was scanned, so that a tilt or uneven slices change no length.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..imaging.gaussian import blurred
from .head_frame import HeadFrame

AXIAL_COSINE = 0.8  # slices up to 37 degrees from axial still cut both ends of the falx
VAULT_Z_MM = (-4.0, 50.0)  # MNI-like: above the petrous bones, below the flat top
BONE_HU = 250  # of the inner table, also where slices are thick
S_MM, T_MM = np.arange(-125.0, 125.5, 1.0), np.arange(-90.0, 90.5, 0.5)
SMOOTH_MM = 0.8
MAX_RESIDUAL_MM = 2.5  # robust SD of the middles of the skull around the plane; above, there is no symmetry
_NARROWEST_MM = 70.0  # a row across less of the head meets the rounded front or back
_NEVER_BONE_MM = 25.0  # calcified falx, plexus and pineal lie nearer to the middle
_LEAST_ROWS = 60
_FALX_MM = (4.0, 22.0)  # from the inner table, where the falx is stretched straight
_FALX_REACH_MM = 10.0  # a skull flattened on one side moves the middle so far from the falx
_FALX_SIDES_MM = (1.5, 2.5)  # from its middle: there is fluid, or else brain
_FALX_SMOOTH_MM = 0.5
_CLEAR_FALX_HU = 4.0  # mean height of the falx over both sides from which it is believed
_PRIOR_SD_MM = 5.0
_SLOPES = np.linspace(-0.3, 0.3, 13)


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """One slice around the middle of the head. middle_ras: the point s = t = 0; front_ras, right_ras: unit vectors in
    the slice."""

    k: int
    middle_ras: np.ndarray
    front_ras: np.ndarray
    right_ras: np.ndarray

    def ras(self, s_mm, t_mm) -> np.ndarray:
        """(..., 3) RAS mm of places (s, t) in the slice."""
        s, t = np.broadcast_arrays(np.asarray(s_mm, float), np.asarray(t_mm, float))
        return self.middle_ras + s[..., None] * self.front_ras + t[..., None] * self.right_ras

    def sample(self, ct: CTVolume, values: np.ndarray, s_mm, t_mm, outside: float) -> np.ndarray:
        """(len(s), len(t)) float32: values (rows, columns) of this slice, linear between pixels."""
        return self.sample_at(ct, values, np.asarray(s_mm)[:, None], np.asarray(t_mm)[None], outside)

    def sample_at(self, ct: CTVolume, values: np.ndarray, s_mm, t_mm, outside: float) -> np.ndarray:
        """float32 like s and t, which are of one shape or broadcast."""
        i, j = _pixels(ct, self.k, self.ras(s_mm, t_mm))
        rows, columns = values.shape
        inside = (i >= 0) & (i <= columns - 1) & (j >= 0) & (j <= rows - 1)
        i, j = np.clip(i, 0, columns - 1.001), np.clip(j, 0, rows - 1.001)
        left, top = i.astype(int), j.astype(int)
        across, down = (i - left).astype(np.float32), (j - top).astype(np.float32)
        upper = values[top, left] * (1 - across) + values[top, left + 1] * across
        lower = values[top + 1, left] * (1 - across) + values[top + 1, left + 1] * across
        return np.where(inside, upper * (1 - down) + lower * down, np.float32(outside)).astype(np.float32)


@dataclass(frozen=True)
class IdealLine:
    """From the front end of the falx to its rear end in slice k, each (s, t) mm in `plane`; falx_hu: how far the falx
    was seen above its sides, front and rear."""

    plane: SlicePlane
    front_mm: tuple[float, float]
    rear_mm: tuple[float, float]
    falx_hu: tuple[float, float]

    @property
    def ends_ras(self) -> np.ndarray:
        """(2, 3) front, then rear."""
        return np.stack([self.plane.ras(*self.front_mm), self.plane.ras(*self.rear_mm)])

    def distance_mm(self, s_mm, t_mm) -> np.ndarray:
        """Perpendicular distance of places in the slice from the line, to the patient's right positive."""
        (s1, t1), (s0, t0) = self.front_mm, self.rear_mm
        length = np.hypot(s1 - s0, t1 - t0)
        return ((np.asarray(t_mm) - t0) * (s1 - s0) - (np.asarray(s_mm) - s0) * (t1 - t0)) / length

    def foot_mm(self, s_mm: float, t_mm: float) -> tuple[float, float]:
        """The nearest point (s, t) of the line."""
        (s1, t1), (s0, t0) = self.front_mm, self.rear_mm
        share = ((s_mm - s0) * (s1 - s0) + (t_mm - t0) * (t1 - t0)) / ((s1 - s0) ** 2 + (t1 - t0) ** 2)
        return s0 + share * (s1 - s0), t0 + share * (t1 - t0)


@dataclass(frozen=True, eq=False)
class Midplane:
    """normal_ras (unit, to the patient's right) and offset_mm: the plane normal . p = offset; residual_mm: robust SD of
    the middles of the inner skull around it; lines: slice -> its ideal line."""

    normal_ras: np.ndarray
    offset_mm: float
    residual_mm: float
    lines: dict[int, IdealLine]


def is_axial(ct: CTVolume, frame: HeadFrame) -> bool:
    """Whether the slices cut the head from ear to ear and from front to back."""
    up = np.linalg.inv(frame.ras_to_atlas[:3, :3])[:, 2]
    return bool(abs(ct.slice_normal_ras @ up) >= AXIAL_COSINE * np.linalg.norm(up))


def find_midplane(ct: CTVolume, frame: HeadFrame) -> Midplane | None:
    """None where too little of the vault is in the scan or both halves of the skull do not match."""
    normal = frame.ras_to_atlas[0, :3] / np.linalg.norm(frame.ras_to_atlas[0, :3])
    offset = -frame.ras_to_atlas[0, 3] / np.linalg.norm(frame.ras_to_atlas[0, :3])
    residual = np.inf
    for _ in range(3):
        planes = _vault_planes(ct, frame, normal, offset)
        middles = [_middles(ct, plane) for plane in planes]
        middles = np.concatenate(middles) if middles else np.zeros((0, 3))
        if len(middles) < _LEAST_ROWS:
            return None
        normal, offset, residual = _fitted(middles, normal, offset)
    if residual > MAX_RESIDUAL_MM:
        return None
    return Midplane(normal, offset, residual, _ideal_lines(ct, _vault_planes(ct, frame, normal, offset)))


def slice_plane(ct: CTVolume, k: int, frame: HeadFrame, normal, offset) -> SlicePlane:
    """Slice k laid out along a plane; s = 0 at the middle of the skull (MNI-like y = -18)."""
    right = normal - (normal @ ct.slice_normal_ras) * ct.slice_normal_ras
    right /= np.linalg.norm(right)
    front = np.cross(ct.slice_normal_ras, right)
    ahead = np.linalg.inv(frame.ras_to_atlas[:3, :3])[:, 1]
    front = front if front @ ahead > 0 else -front
    start = ct.slice_origins_ras[k]
    middle = frame.to_ras(np.array([0.0, -18.0, 12.0]))
    middle = middle - ((middle - start) @ ct.slice_normal_ras) * ct.slice_normal_ras
    middle = middle + right * (offset - middle @ normal) / (right @ normal)
    return SlicePlane(k, middle, front, right)


def smoothed_slice(ct: CTVolume, k: int, sd_mm: float = SMOOTH_MM) -> np.ndarray:
    """HU of a slice without noise, and with bone no brighter than it need be, so that it does not reach far."""
    return blurred(np.clip(ct.hu[k], -60, 120).astype(np.float32), sd_mm, ct.pixel_spacing_mm)


def smoothed_part(ct: CTVolume, k: int, area: tuple[slice, slice]) -> np.ndarray:
    """The same of an area of rows and columns alone."""
    reach = [int(np.ceil(3 * SMOOTH_MM / step)) for step in ct.pixel_spacing_mm]
    wide = tuple(slice(max(one.start - most, 0), one.stop + most) for one, most in zip(area, reach, strict=True))
    values = blurred(np.clip(ct.hu[k][wide], -60, 120).astype(np.float32), SMOOTH_MM, ct.pixel_spacing_mm)
    rows, columns = (slice(one.start - far.start, one.stop - far.start) for one, far in zip(area, wide, strict=True))
    return values[rows, columns]


def _pixels(ct, k, points):
    """Columns i and rows j, fractional, of RAS points within slice k."""
    i, j = np.moveaxis((points - ct.slice_origins_ras[k]) @ np.linalg.pinv(ct.ijk_to_ras[:3, :2]).T, -1, 0)
    return i, j


def _vault_planes(ct, frame, normal, offset):
    planes = (slice_plane(ct, k, frame, normal, offset) for k in range(len(ct.hu)))
    return [one for one in planes if VAULT_Z_MM[0] <= frame.to_atlas(one.middle_ras)[2] <= VAULT_Z_MM[1]]


def _middles(ct, plane):
    """(n, 3) RAS: the middle between both inner tables, in rows from ear to ear."""
    s = S_MM[::3]
    bone = plane.sample(ct, ct.hu[plane.k], s, T_MM, -1000) > BONE_HU
    right, left = T_MM >= _NEVER_BONE_MM, T_MM <= -_NEVER_BONE_MM
    to_right, to_left = bone[:, right], bone[:, left][:, ::-1]
    closed = to_right.any(1) & to_left.any(1)
    t_right = T_MM[right][np.argmax(to_right, 1)]
    t_left = T_MM[left][::-1][np.argmax(to_left, 1)]
    closed &= t_right - t_left >= _NARROWEST_MM
    return plane.ras(s[closed], (t_right + t_left)[closed] / 2)


def _fitted(middles, normal, offset):
    """The plane through the middles, turned from the one before; a broken skull's rows lose their weight."""
    center = middles.mean(0)
    axes = np.linalg.svd(np.outer(normal, normal))[0][:, 1:]  # two directions within the plane
    terms = np.column_stack([np.ones(len(middles)), (middles - center) @ axes])
    off, weights = middles @ normal - offset, np.ones(len(middles))
    spread = 1.0
    for _ in range(8):
        found = np.linalg.lstsq(terms * weights[:, None], off * weights, rcond=None)[0]
        rest = off - terms @ found
        spread = max(1.4826 * float(np.median(np.abs(rest))), 0.3)
        weights = 1 / np.sqrt(1 + (rest / (2 * spread)) ** 2)
    turned = normal - axes @ found[1:]
    size = np.linalg.norm(turned)
    return turned / size, float((offset + found[0] - center @ (axes @ found[1:])) / size), spread


def _ideal_lines(ct, planes):
    """Both ends of the falx in every slice, each smoothed over the slices: a falx is attached along one curve."""
    seen, both = [], []
    for plane in planes:
        bone = plane.sample(ct, ct.hu[plane.k], S_MM, np.arange(-3.0, 3.5), -1000) > BONE_HU
        ends = _table(bone, 1), _table(bone, -1)
        if None not in ends:
            values = smoothed_slice(ct, plane.k, _FALX_SMOOTH_MM)
            seen.append(plane)
            both.append([(end, *_falx(ct, plane, values, end, way)) for end, way in zip(ends, (1, -1), strict=True)])
    if not seen:
        return {}
    found = np.array(both)  # (slices, 2 ends, s / t / HU)
    heights = np.array([plane.middle_ras @ ct.slice_normal_ras for plane in seen])
    smooth = [_along_the_slices(heights, found[:, end, 1], found[:, end, 2]) for end in (0, 1)]
    return {plane.k: IdealLine(plane, (found[n, 0, 0], smooth[0][n]), (found[n, 1, 0], smooth[1][n]),
                               (found[n, 0, 2], found[n, 1, 2])) for n, plane in enumerate(seen)}


def _table(bone, way):
    """s of the inner table on the middle line, in front (way 1) or behind; None where there is none."""
    far = S_MM * way > _NEVER_BONE_MM
    there = bone[far] if way > 0 else bone[far][::-1]
    s = S_MM[far] if way > 0 else S_MM[far][::-1]
    hit = there.any(0)
    return float(np.median(s[np.argmax(there, 0)][hit])) if hit.sum() >= 4 else None


def _falx(ct, plane, values, end, way):
    """(t, HU): where the falx meets the skull, and its height over both sides along its first centimetres."""
    away = np.arange(_FALX_MM[0], _FALX_MM[1], 1.0)
    t = np.arange(-_FALX_REACH_MM - 12, _FALX_REACH_MM + 12.25, 0.5)
    hu = np.clip(plane.sample(ct, values, end - way * away, t, 0), 0, 70)
    most = round(max(_FALX_SIDES_MM) / 0.5)
    n = len(t) - 2 * most
    sides = [np.maximum(hu[:, most - side:][:, :n], hu[:, most + side:][:, :n])
             for side in (round(mm / 0.5) for mm in _FALX_SIDES_MM)]
    ridge, t = hu[:, most:-most] - np.minimum(*sides), t[most:-most]
    starts = np.arange(-_FALX_REACH_MM, _FALX_REACH_MM + 0.25, 0.5)
    best = (0.0, 0.0, -np.inf)
    for slope in _SLOPES:
        index = np.round((starts[None] + slope * away[:, None] - t[0]) / 0.5).astype(int)
        height = ridge[np.arange(len(away))[:, None], index].mean(0)
        score = height - _CLEAR_FALX_HU * (starts / _PRIOR_SD_MM) ** 2 / 4
        n = int(np.argmax(score))
        if score[n] > best[2]:
            best = (float(starts[n]), max(float(height[n]), 0.0), float(score[n]))
    return best[:2]


def _along_the_slices(heights, t, hu):
    """t of every slice, drawn towards its neighbours' and, where no falx shows, towards the plane itself (0)."""
    trust = np.clip(hu / _CLEAR_FALX_HU, 0, 1) ** 2
    near = np.exp(-((heights[:, None] - heights) / 10.0) ** 2) * trust
    for _ in range(3):  # a slice whose falx lies elsewhere than its neighbours' is not believed
        smooth = (near @ t) / (near.sum(1) + 0.1)
        near = near / (1 + ((t - smooth) / 2.0) ** 2)[None]
    return smooth
