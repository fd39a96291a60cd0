"""Heads made from the CT template in MNI space: sized, turned, tilted, cut, opened and bent by known amounts.

The template (Rorden et al. 2012) lies with the real scans and is no part of the repository. `anatomy_mm` of a head says
which place of the template every point of the scan shows, so that a bleed can be put where a structure truly is.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume

LOWEST_MM = np.array([-90.0, -126.0, -72.0])  # of the template's voxels, RAS
BEND_MM, BEND_LENGTHS_MM, WAVES = 2.0, (80.0, 200.0), 8


@cache
def template_hu(folder: Path) -> np.ndarray:
    """float32 (x, y, z) HU of 1 mm voxels from LOWEST_MM on: the sharp brain in the blurred head."""
    import SimpleITK as sitk

    like = sitk.Image(181, 217, 181, sitk.sitkFloat32)  # ITK's axes run to the left and to the back
    like.SetOrigin((90.0, 126.0, -72.0))
    like.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))

    def on_grid(name, how):
        image = sitk.ReadImage(str(folder / name), sitk.sitkFloat32)
        return sitk.GetArrayFromImage(sitk.Resample(image, like, sitk.Transform(), how, 0.0)).T

    units = on_grid("scct.nii.gz", sitk.sitkLinear)  # "Cormack units": -100 to 100 HU is stretched elevenfold
    hu = np.where(units < 900, units - 1000, np.where(units < 3100, (units - 2000) / 11, units - 3000))
    brain = on_grid("scct_unsmooth_SS_0.01_Mask.nii.gz", sitk.sitkNearestNeighbor) > 0.5
    return np.where(brain, on_grid("scct_unsmooth_SS_0.01.nii.gz", sitk.sitkLinear), hu).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Pose:
    """anatomy mm = affine @ RAS, then bent by smooth waves of about BEND_MM."""

    affine: np.ndarray  # 4x4
    frequencies: np.ndarray  # (3 axes, waves, 3), radians per mm
    phases: np.ndarray  # (3 axes, waves)
    bend_mm: float

    def anatomy_mm(self, ras: np.ndarray) -> np.ndarray:
        """(n, 3) RAS mm of the scan to (n, 3) mm of the template."""
        straight = ras @ self.affine[:3, :3].T + self.affine[:3, 3]
        bend = [np.sin(straight @ waves.T + phases).sum(axis=1) * np.sqrt(2 / len(phases))
                for waves, phases in zip(self.frequencies, self.phases, strict=True)]
        return straight + self.bend_mm * np.stack(bend, axis=1)

    def ras(self, anatomy_mm: np.ndarray) -> np.ndarray:
        """(3,) the other way, by iteration."""
        back = np.linalg.inv(self.affine)
        target = np.asarray(anatomy_mm, float)
        straight = target.copy()
        for _ in range(30):
            here = back[:3, :3] @ straight + back[:3, 3]
            straight = straight + target - self.anatomy_mm(here[None])[0]
        return back[:3, :3] @ straight + back[:3, 3]


def random_pose(rng: np.random.Generator, turn_deg: float = 20.0, bend_mm: float = BEND_MM) -> Pose:
    """turn_deg: at most so much about each axis, nodding, leaning and turning; sizes of adult heads."""
    nod, lean, turn = np.radians(rng.uniform(-turn_deg, turn_deg, 3))
    rotation = _about(0, nod) @ _about(1, lean) @ _about(2, turn)
    scales = 1.08 * np.exp(rng.normal(0, 0.04) + rng.normal(0, 0.035, 3))
    affine = np.eye(4)
    affine[:3, :3] = np.diag(scales) @ rotation
    affine[:3, 3] = affine[:3, :3] @ rng.uniform(-25, 25, 3)
    directions = rng.normal(size=(3, WAVES, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lengths = np.exp(rng.uniform(*np.log(BEND_LENGTHS_MM), (3, WAVES, 1)))
    return Pose(affine, directions * 2 * np.pi / lengths, rng.uniform(0, 2 * np.pi, (3, WAVES)), bend_mm)


def _about(axis, angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.eye(3)
    one, other = [a for a in range(3) if a != axis]
    rotation[one, one] = rotation[other, other] = cosine
    rotation[one, other], rotation[other, one] = -sine, sine
    return rotation


def scan_of(folder: Path, pose: Pose, *, pixels: int = 160, heights_mm=None, tilt_deg: float = 0.0,
            flipped: bool = False, opened: bool = False) -> CTVolume:
    """A head CT of the posed template, 230 mm field of view.

    heights_mm: of the slices along the gantry's axis, from the middle of the head; every 4 mm from -90 to 90 if None.
    flipped: stored from right to left. opened: a piece of 90 mm of the skull at the left is missing.
    """
    heights_mm = np.arange(-90.0, 90.1, 4.0) if heights_mm is None else np.asarray(heights_mm, float)
    pixel_mm = 230.0 / pixels
    tilt = np.radians(tilt_deg)
    along_j = np.array([0.0, -np.cos(tilt), -np.sin(tilt)])  # the gantry is tilted, the table moves along z
    middle = pose.ras(np.array([0.0, -18.0, 10.0]))
    matrix = np.eye(4)
    matrix[:3, 0] = [pixel_mm if flipped else -pixel_mm, 0, 0]
    matrix[:3, 1] = along_j * pixel_mm
    corner = middle - (matrix[:3, 0] + matrix[:3, 1]) * (pixels - 1) / 2
    origins = corner + heights_mm[:, None] * np.array([0.0, 0.0, 1.0])
    matrix[:3, 2], matrix[:3, 3] = (origins[-1] - origins[0]) / (len(origins) - 1), origins[0]
    empty = CTVolume(np.zeros((len(origins), pixels, pixels), np.int16), matrix, origins)
    hu = np.empty(empty.hu.shape, np.int16)
    j, i = np.mgrid[:pixels, :pixels]
    for k in range(len(origins)):
        places = pose.anatomy_mm(empty.voxel_to_ras(np.stack([np.full(j.size, k), j.ravel(), i.ravel()], 1)))
        values = _trilinear(template_hu(folder), places - LOWEST_MM)
        if opened:
            missing = (values > 100) & (np.linalg.norm(places - (-68, -10, 45), axis=1) < 45)
            values[missing] = 40
        hu[k] = np.round(values).reshape(pixels, pixels)
    return CTVolume(hu, matrix, origins)


def _trilinear(volume, at):
    low = np.floor(at).astype(int)
    part = at - low
    within = ((low >= 0) & (low < np.array(volume.shape) - 1)).all(axis=1)
    low = np.where(within[:, None], low, 0)
    total = np.zeros(len(at))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        total += weight * volume[tuple((low + corner).T)]
    return np.where(within, total, -1000.0)


def bleed_at(ct: CTVolume, pose: Pose, center_mm, volume_ml: float, rng: np.random.Generator) -> np.ndarray:
    """uint8 mask: a lumpy bleed of about this volume (of the scan's mm) around a place of the template."""
    center = pose.ras(np.asarray(center_mm, float))
    radius = (volume_ml * 1000 * 3 / 4 / np.pi) ** (1 / 3)
    stretch = np.exp(rng.normal(0, 0.2, 3))
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0] / (radius * stretch / np.prod(stretch) ** (1 / 3))
    mask = np.zeros(ct.hu.shape, np.uint8)
    j, i = np.mgrid[: ct.hu.shape[1], : ct.hu.shape[2]]
    lumps = random_pose(rng).frequencies[0] * 2.0
    for k in range(len(mask)):
        if abs((ct.slice_origins_ras[k] - center) @ ct.slice_normal_ras) > 3 * radius + 5:
            continue
        ras = ct.voxel_to_ras(np.stack([np.full(j.size, k), j.ravel(), i.ravel()], 1)) - center
        near = np.linalg.norm(ras, axis=1) < 3 * radius + 5
        if near.any():
            distance = np.linalg.norm(ras[near] @ axes.T, axis=1)
            distance += 0.12 * np.sin(ras[near] @ lumps.T).sum(axis=1) / np.sqrt(len(lumps))
            inside = np.zeros(j.size, bool)
            inside[near] = distance < 1
            mask[k] = (inside.reshape(j.shape) & (ct.hu[k] > -20) & (ct.hu[k] < 110))
    if not mask.any():
        k, j, i = np.unravel_index(_nearest(ct, center), ct.hu.shape)
        mask[k, j, i] = 1
    return mask


def _nearest(ct, ras):
    k, j, i = np.indices(ct.hu.shape, sparse=True)
    places = ct.voxel_to_ras(np.stack([a.ravel() for a in np.broadcast_arrays(k, j, i)], 1))
    return int(np.argmin(np.linalg.norm(places - ras, axis=1)))
