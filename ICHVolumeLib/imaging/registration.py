"""Two scans of one head brought together by a rigid motion: skull and scalp, coarse to fine.

Least squares of clipped Hounsfield units by Gauss-Newton steps (inverse compositional: Baker and Matthews 2004,
10.1023/B:VISI.0000011205.11775.fd); both scans are CT, so equal tissue has equal values. The blood changes between the
scans; the skull, which weighs most, does not. All voxels count, so the same scans give the same motion.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from .components import largest_component
from .head_mask import sides_with_bone
from .isotropic import axes_ras, isotropic_image
from .morphology import dilated

AIR_HU, DENSE_HU = -200.0, 1000.0  # clipped: metal and air around the head must not lead
BONE_HU = 250.0  # mean of a voxel of COARSE_MM or FINE_MM
COARSE_MM, FINE_MM = 8.0, 4.0
MARGIN_MM = 8.0  # of scalp and air around the bone
VERTEX_MM = 100.0  # of the head below its top, which every head CT shows
NOD_DEG, TURN_DEG = (-24.0, 0.0, 24.0), (-20.0, 0.0, 20.0)  # where to begin
MOST_STEPS, LAST_STEP_MM, RADIUS_MM = 40, 0.01, 80.0
LEAST_OVERLAP = 0.5
PICTURE_MM = 0.8
NOWHERE = 2 * AIR_HU  # no value of a scan here
GOOD_CORRELATION, GOOD_SKULL_DICE = 0.92, 0.80  # one head 0.93 (half of its slices) to 0.99, two up to 0.86


@dataclass(frozen=True, eq=False)
class Registration:
    """to_moving_ras: 4x4, a point of the fixed scan (RAS mm) to the same place of the head in the moving scan.

    correlation: Pearson's, of clipped HU inside the head where both scans are; skull_dice: of bone there; overlap: the
    share of the fixed scan's head that the moving scan covers. All three are 0 where no head was found.
    """

    to_moving_ras: np.ndarray
    correlation: float
    skull_dice: float
    overlap: float

    @property
    def is_good(self) -> bool:
        return (self.correlation >= GOOD_CORRELATION and self.skull_dice >= GOOD_SKULL_DICE
                and self.overlap >= LEAST_OVERLAP)

    @property
    def rotation_deg(self) -> float:
        return float(np.degrees(np.arccos(np.clip((np.trace(self.to_moving_ras[:3, :3]) - 1) / 2, -1, 1))))


def register_heads(fixed: CTVolume, moving: CTVolume) -> Registration:
    """The rigid motion that brings the head of `fixed` onto the head of `moving`; takes one to three seconds."""
    coarse, fine = ((_Head.of(fixed, spacing_mm), _Head.of(moving, spacing_mm)) for spacing_mm in (COARSE_MM, FINE_MM))
    if not all(head.bone.any() for head in (*coarse, *fine)):
        return Registration(np.eye(4), 0.0, 0.0, 0.0)
    tried = [_refined(*coarse, start, blur_mm=COARSE_MM) for start in _starts(*coarse)]
    scores = [_compared(*coarse, motion) for motion in tried]
    best = tried[int(np.argmax([score[0] - (score[2] < LEAST_OVERLAP) for score in scores]))]
    best = _refined(*fine, _refined(*fine, best, blur_mm=FINE_MM), blur_mm=FINE_MM / 2)
    return Registration(best, *_compared(*fine, best))


@dataclass(frozen=True, eq=False)
class _Head:
    """image: SimpleITK, clipped HU with air around the head; mask: bool (z, y, x) of the image, the head and a margin;
    bone: bool, its skull; middle_ras: of what lies less than VERTEX_MM below its top."""

    image: object
    mask: np.ndarray
    bone: np.ndarray
    middle_ras: np.ndarray

    @classmethod
    def of(cls, ct: CTVolume, spacing_mm: float):
        import SimpleITK as sitk

        clipped = np.clip(ct.hu, AIR_HU, DENSE_HU)
        image = isotropic_image(ct, clipped, (spacing_mm,) * 3, AIR_HU)
        values = sitk.GetArrayFromImage(image)
        bone = largest_component(values > BONE_HU)
        inside = bone | (sides_with_bone(bone) >= 3) & (values > AIR_HU / 2)
        mask = dilated(inside, (round(MARGIN_MM / spacing_mm),) * 3)
        headed = sitk.GetImageFromArray(np.where(mask, values, np.float32(AIR_HU)))
        headed.CopyInformation(image)
        return cls(headed, mask, bone, _middle_ras(image, inside))


def _places_ras(image, where) -> np.ndarray:
    """(voxels, 3) RAS mm of the voxels of a bool array (z, y, x)."""
    axes = np.reshape(image.GetDirection(), (3, 3)).T  # rows: along x, y, z
    return np.argwhere(where)[:, ::-1] * np.array(image.GetSpacing()) @ axes + np.array(image.GetOrigin())


def _middle_ras(image, inside):
    places = _places_ras(image, inside)
    if not len(places):
        return np.zeros(3)
    return places[places[:, 2] >= places[:, 2].max() - VERTEX_MM].mean(axis=0)


def _starts(fixed, moving):
    """4x4 motions: the heads' upper parts on each other; straight, nodded and turned."""
    import SimpleITK as sitk

    for nod in NOD_DEG:
        for turn in TURN_DEG:
            rotation = sitk.Euler3DTransform()
            rotation.SetRotation(np.radians(nod), 0.0, np.radians(turn))
            start = np.eye(4)
            start[:3, :3] = np.reshape(rotation.GetMatrix(), (3, 3))
            start[:3, 3] = moving.middle_ras - start[:3, :3] @ fixed.middle_ras
            yield start


def _refined(fixed, moving, motion, blur_mm):
    """Gauss-Newton steps from a 4x4 motion on blurred images."""
    import SimpleITK as sitk

    here, there = (sitk.SmoothingRecursiveGaussian(head.image, blur_mm) for head in (fixed, moving))
    gradient = sitk.GetArrayFromImage(sitk.Gradient(here, useImageSpacing=True, useImageDirection=True))[fixed.mask]
    values = sitk.GetArrayFromImage(here)[fixed.mask]
    places = _places_ras(fixed.image, fixed.mask) - fixed.middle_ras
    slopes = np.concatenate([np.cross(places, gradient), gradient], axis=1)  # by a turn about the middle, by a shift
    for _ in range(MOST_STEPS):
        moved = _resampled(there, here, motion)[fixed.mask]
        both = moved > NOWHERE + 1
        if both.sum() < 100:
            break
        weighed = slopes[both]
        normal = weighed.T @ weighed
        normal[np.diag_indices(6)] *= 1.001
        step = np.linalg.solve(normal, weighed.T @ (moved[both] - values[both]))
        motion = motion @ np.linalg.inv(_motion(step, fixed.middle_ras))
        if np.linalg.norm(step[:3]) * RADIUS_MM + np.linalg.norm(step[3:]) < LAST_STEP_MM:
            break
    return motion


def _motion(step, middle_ras) -> np.ndarray:
    """4x4: a turn by the vector step[:3] (radians) about the middle, and a shift by step[3:] (mm)."""
    import SimpleITK as sitk

    turn = sitk.VersorRigid3DTransform()
    angle = float(np.linalg.norm(step[:3]))
    turn.SetRotation((step[:3] / angle if angle else np.array([1.0, 0, 0])).tolist(), angle)
    motion = np.eye(4)
    motion[:3, :3] = np.reshape(turn.GetMatrix(), (3, 3))
    motion[:3, 3] = middle_ras + step[3:] - motion[:3, :3] @ middle_ras
    return motion


def _resampled(image, onto, motion) -> np.ndarray:
    """(z, y, x) of `onto`: the image at the moved places, NOWHERE outside of it."""
    import SimpleITK as sitk

    transform = sitk.AffineTransform(motion[:3, :3].ravel().tolist(), motion[:3, 3].tolist())
    return sitk.GetArrayFromImage(sitk.Resample(image, onto, transform, sitk.sitkLinear, NOWHERE))


def _compared(fixed, moving, motion) -> tuple[float, float, float]:
    """(correlation, skull Dice, overlap) of a motion."""
    import SimpleITK as sitk

    there, here = _resampled(moving.image, fixed.image, motion), sitk.GetArrayFromImage(fixed.image)
    both = fixed.mask & (there > NOWHERE + 1)
    overlap = float(both.sum() / fixed.mask.sum())
    if both.sum() < 100 or not here[both].std() or not there[both].std():
        return 0.0, 0.0, overlap
    bones = here[both] > BONE_HU, there[both] > BONE_HU
    dice = 2 * (bones[0] & bones[1]).sum() / max(bones[0].sum() + bones[1].sum(), 1)
    return float(np.corrcoef(here[both], there[both])[0, 1]), float(dice), overlap


def onto_slices(fixed: CTVolume, slices: list[int], moving: CTVolume, values: np.ndarray, to_moving_ras: np.ndarray,
                outside: float) -> np.ndarray:
    """float32 (len(slices), rows, columns): `values` on the moving scan's grid, seen on slices of the fixed scan."""
    import SimpleITK as sitk

    row_mm, column_mm = moving.pixel_spacing_mm
    step_mm = max(PICTURE_MM, float(np.abs(moving.slice_steps_mm).min()))
    image = isotropic_image(moving, values, (max(PICTURE_MM, column_mm), max(PICTURE_MM, row_mm), step_mm), outside)
    transform = sitk.AffineTransform(to_moving_ras[:3, :3].ravel().tolist(), to_moving_ras[:3, 3].tolist())
    rows, columns = fixed.hu.shape[1:]
    spacing = (*reversed(fixed.pixel_spacing_mm), 1.0)
    direction = axes_ras(fixed).T.ravel().tolist()
    seen = [sitk.GetArrayFromImage(sitk.Resample(image, (columns, rows, 1), transform, sitk.sitkLinear,
                                                 fixed.slice_origins_ras[k].tolist(), spacing, direction, outside,
                                                 sitk.sitkFloat32))[0] for k in slices]
    return np.stack(seen)
