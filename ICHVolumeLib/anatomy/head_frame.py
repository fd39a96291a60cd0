"""The head of a scan in MNI-like millimetres: its inner skull surface fitted to a skull of our own.

MNI-like: x to the patient's right, y to the front, z up (RAS), origin near the anterior commissure, the size of the
MNI152 brain. A turn, a shift and three scales are fitted, nothing more; single brains differ from it by some
millimetres. Robust Gauss-Newton steps (Geman-McClure weights) from several turns of the head; what is missing of the
skull (cut off, opened, not scanned) is not felt and does not count.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..core.ct_volume import CTVolume
from .inner_table import SkullImage
from .skull_model import CENTER_MM, even_directions, is_trusted, outside_mm, radius_mm, surface_mm

GOOD_FIT_MM = 2.5  # see HeadFrame.good
GOOD_SEEN_SHARE = 0.45
GOOD_SCALES = (0.85, 1.4)
USUAL_SCALE, SCALE_SD = 1.08, 0.07  # the MNI152 brain is larger than most
TURN_SD_DEG, SHIFT_SD_MM = 20.0, 30.0
RAYS, STARTS_DEG = 300, (-30.0, 0.0, 30.0)
FINE_RAYS = 900
COARSE_STEPS, ROUNDS, FINE_STEPS = 5, 4, 2
COARSE_TOLERANCE_MM, TOLERANCE_MM, WINDOW_MM = 8.0, 3.0, 15.0
INDEPENDENT = 80.0  # so many places of the surface err independently of each other; weighs it against what is usual
CLIPPED_MM = 10.0
TINY_MM = 0.05


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """ras_to_atlas: 4x4, RAS mm of the scan to MNI-like mm.

    fit_mm: mean distance of the scan's inner skull surface (vault and posterior wall) from the fitted model, MNI-like
        mm; what is farther than CLIPPED_MM counts as that.
    seen_share: of the model's surface there, how much was felt in the scan.
    good: fit_mm is at most GOOD_FIT_MM, seen_share at least GOOD_SEEN_SHARE, and the scales are those of a human head;
        from any other nothing may be suggested.
    """

    ras_to_atlas: np.ndarray
    fit_mm: float
    good: bool
    seen_share: float = 1.0

    def to_plain(self) -> dict:
        """For JSON; from_plain reads it."""
        return {"ras_to_atlas": self.ras_to_atlas.tolist(), "fit_mm": self.fit_mm, "good": self.good,
                "seen_share": self.seen_share}

    @classmethod
    def from_plain(cls, values: dict) -> "HeadFrame":
        return cls(np.array(values["ras_to_atlas"], float), float(values["fit_mm"]), bool(values["good"]),
                   float(values["seen_share"]))

    def to_atlas(self, ras: np.ndarray) -> np.ndarray:
        """(..., 3) RAS mm to (..., 3) MNI-like mm."""
        return np.asarray(ras, float) @ self.ras_to_atlas[:3, :3].T + self.ras_to_atlas[:3, 3]

    def to_ras(self, atlas_mm: np.ndarray) -> np.ndarray:
        """(..., 3) MNI-like mm to (..., 3) RAS mm of the scan."""
        return (np.asarray(atlas_mm, float) - self.ras_to_atlas[:3, 3]) @ np.linalg.inv(self.ras_to_atlas[:3, :3]).T


_fitted: WeakKeyDictionary = WeakKeyDictionary()  # a scan is fitted once, however often its mask is edited


def fit_head_frame(ct: CTVolume) -> HeadFrame | None:
    """The frame of the head in a scan; None where no skull is found. Kept with the scan: asking again is free."""
    if ct not in _fitted:
        _fitted[ct] = _fit(ct)
    return _fitted[ct]


@dataclass(frozen=True, eq=False)
class _Pose:
    """atlas mm = CENTER_MM + diag(exp(log_scales)) @ rotation @ (ras - middle_ras)."""

    rotation: np.ndarray
    middle_ras: np.ndarray
    log_scales: np.ndarray

    def to_atlas(self, ras):
        return CENTER_MM + ((ras - self.middle_ras) @ self.rotation.T) * np.exp(self.log_scales)

    def stepped(self, step):
        return _Pose(_turn(step[:3]) @ self.rotation, self.middle_ras + self.rotation.T @ step[3:6],
                     self.log_scales + step[6:])

    @property
    def matrix(self):
        matrix = np.eye(4)
        matrix[:3, :3] = np.exp(self.log_scales)[:, None] * self.rotation
        matrix[:3, 3] = CENTER_MM - matrix[:3, :3] @ self.middle_ras
        return matrix


def _fit(ct):
    skull = SkullImage.of(ct)
    if skull is None:
        return None
    directions = even_directions(RAYS)
    reach = skull.first_bone_mm(skull.middle_ras, directions, 15.0, 130.0)
    felt = np.isfinite(reach)
    if felt.sum() < RAYS / 10:
        return None
    points = skull.middle_ras + directions[felt] * reach[felt][:, None]
    poses = list(_starts(skull.middle_ras))
    for keep, used, tolerance in ((4, points[::2], 2 * COARSE_TOLERANCE_MM), (2, points, COARSE_TOLERANCE_MM)):
        for _ in range(COARSE_STEPS):
            poses = [_improved(pose, used, tolerance, skull.middle_ras) for pose in poses]
        poses = sorted(poses, key=lambda one: _misfit(one, points, COARSE_TOLERANCE_MM))[:keep]
    return min((_refined(skull, pose) for pose in poses), key=lambda refined: refined[0])[1]


def _refined(skull, pose):
    """(misfit, HeadFrame or None) after the last steps, each with the surface felt anew."""
    for _ in range(ROUNDS):
        points = _felt_around(skull, pose)[0]
        for _ in range(FINE_STEPS):
            pose = _improved(pose, points, TOLERANCE_MM, skull.middle_ras)
    points, seen_share = _felt_around(skull, pose)
    if not len(points):
        return 1.0, None
    return _misfit(pose, points, TOLERANCE_MM), _frame(pose, points, seen_share)


def _starts(middle_ras):
    for nod in STARTS_DEG:
        for lean in STARTS_DEG:
            for turn in STARTS_DEG:
                rotation = _turn(np.radians([nod, 0, 0])) @ _turn(np.radians([0, lean, 0]))
                yield _Pose(rotation @ _turn(np.radians([0, 0, turn])), middle_ras, np.full(3, np.log(USUAL_SCALE)))


def _felt_around(skull, pose):
    """(points RAS mm, share of the model's trusted surface that was felt): bone near the model as it lies now."""
    directions = even_directions(FINE_RAYS)
    surface = surface_mm(directions)
    trusted = is_trusted(surface)
    directions, radius = directions[trusted], radius_mm(directions[trusted])
    in_ras = (directions * np.exp(-pose.log_scales)) @ pose.rotation
    shrink = np.linalg.norm(in_ras, axis=1)
    in_ras = in_ras / shrink[:, None]
    reach = skull.first_bone_mm(pose.middle_ras, in_ras, (radius - WINDOW_MM) * shrink, (radius + WINDOW_MM) * shrink)
    felt = np.isfinite(reach)
    return pose.middle_ras + in_ras[felt] * reach[felt][:, None], float(felt.mean())


def _residuals(pose, points):
    """(mm from the model's surface, whether the model can be trusted there)."""
    atlas = pose.to_atlas(points)
    outside = outside_mm(atlas)
    return outside, _trusted_feet(atlas, outside)


def _trusted_feet(atlas, outside):
    """(n,) whether the model can be trusted where each point would meet its surface."""
    away = atlas - CENTER_MM
    distance = np.sqrt(np.einsum("ij,ij->i", away, away))
    return is_trusted(CENTER_MM + away * (1 - outside / np.maximum(distance, 1e-6))[:, None])


def _misfit(pose, points, tolerance_mm):
    """0 (all on the surface) to 1, each point counting at most as an outlier, plus how unusual the pose is."""
    outside, trusted = _residuals(pose, points)
    squared = (outside / tolerance_mm) ** 2
    unusual, spread = _unusual(pose)
    return float(np.where(trusted, squared / (1 + squared), 1.0).mean()
                 + ((unusual / spread) ** 2).sum() / INDEPENDENT / 2)


def _unusual(pose):
    """Turn (radians) and logarithms of the scales against what is usual, and their spread."""
    return (np.concatenate([_turn_vector(pose.rotation), pose.log_scales - np.log(USUAL_SCALE)]),
            np.r_[np.full(3, np.radians(TURN_SD_DEG)), np.full(3, SCALE_SD)])


def _improved(pose, points, tolerance_mm, middle_ras):
    """One Gauss-Newton step."""
    atlas = pose.to_atlas(points)
    outside, gradient = _outside_and_gradient(atlas)
    weights = _trusted_feet(atlas, outside) / (1 + (outside / tolerance_mm) ** 2) ** 2
    if weights.sum() < 10:
        return pose
    turned, scales = (points - pose.middle_ras) @ pose.rotation.T, np.exp(pose.log_scales)
    slopes = np.concatenate([np.cross(turned, gradient * scales), -gradient * scales, gradient * turned * scales], 1)
    weights *= INDEPENDENT / len(points) / (tolerance_mm / 2) ** 2
    normal, right = slopes.T @ (slopes * weights[:, None]), -slopes.T @ (outside * weights)
    unusual, spread = _unusual(pose)
    strayed = pose.rotation @ (pose.middle_ras - middle_ras)
    for entry, value, sd in zip((0, 1, 2, 6, 7, 8, 3, 4, 5), (*unusual, *strayed),
                                (*spread, *np.full(3, SHIFT_SD_MM)), strict=True):
        normal[entry, entry] += 1 / sd**2
        right[entry] -= value / sd**2
    step = np.linalg.solve(normal, right)
    longest = max(np.abs(step[:3]).max() / 0.2, np.abs(step[3:6]).max() / 15, np.abs(step[6:]).max() / 0.1, 1.0)
    return pose.stepped(step / longest)


def _outside_and_gradient(atlas_mm):
    """(n,) outside_mm, and its gradient (n, 3), mm per mm; all in one call."""
    shifts = np.concatenate([np.zeros((1, 3)), np.eye(3) * TINY_MM])
    values = outside_mm((atlas_mm + shifts[:, None]).reshape(-1, 3)).reshape(4, -1)
    return values[0], (values[1:] - values[0]).T / TINY_MM


def _frame(pose, points, seen_share):
    outside, _ = _residuals(pose, points)
    fit_mm = float(np.minimum(np.abs(outside), CLIPPED_MM).mean())
    scales = np.exp(pose.log_scales)
    good = (fit_mm <= GOOD_FIT_MM and seen_share >= GOOD_SEEN_SHARE
            and bool((scales >= GOOD_SCALES[0]).all() and (scales <= GOOD_SCALES[1]).all()))
    return HeadFrame(pose.matrix, fit_mm, good, seen_share)


def _turn(vector):
    """3x3 rotation by a vector (radians)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = np.asarray(vector, float) / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _turn_vector(rotation):
    """The vector (radians) of a 3x3 rotation of less than 180 degrees."""
    angle = float(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    return axis * (0.5 if angle < 1e-6 else angle / (2 * np.sin(angle)))
