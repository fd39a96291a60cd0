"""A sample patient made by code: a head CT with a hematoma whose mask and volume are known.

Needs numpy only, takes a few seconds, and gives the same patient for the same seed on every machine.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume, ScanInfo
from ..core.errors import InputError
from ..core.findings import INFO, Finding
from . import lesions
from .fields import SliceGrid
from .head import SITES_MM, head_hu, random_anatomy
from .hematoma import random_shape

Progress = Callable[[str, int, int], None]
PIXEL_MM, SIZE = 0.45, 512
BOTTOM_MM, TOP_MM = -70.0, 86.0
STEP_MM = 4.0  # with 40 slices, the paper's scan
NOISE_HU = 3.5
LOCATIONS = {"putamen": "deep", "thalamus": "deep", "lobe": "lobar", "pons": "infratentorial",
             "cerebellum": "infratentorial"}  # of SITES_MM, as the scores name them


@dataclass(frozen=True, eq=False)
class Sample:
    """ct: the scan; mask: uint8 (slices, rows, columns), 0 none, 1 ICH, 2 IVH.

    true_volume_ml: {"ich", "ivh", "total"} of the shapes themselves (partial voxels counted by their share).
    location: "deep", "lobar" or "infratentorial"; None without a bleed.
    """

    ct: CTVolume
    mask: np.ndarray
    true_volume_ml: dict[str, float]
    location: str | None


def make_sample(seed: int = 0, *, tilt_deg: float = 0.0, uneven: bool = False, overlapping: bool = False,
                ivh: bool = False, bleed: bool = True, size: int = SIZE, progress: Progress | None = None) -> Sample:
    """One made patient, size x size pixels, 230 mm field of view.

    tilt_deg: gantry tilt; uneven: 2.5 mm slices at the base, 5 mm above, one 1.1 mm step between (as old scanners
    do); overlapping: 4 mm slices every 2 mm; progress(stage, done, total): called on the way.
    Raises InputError when the tilt is beyond 30 degrees.
    """
    if not abs(tilt_deg) <= 30:
        raise InputError(f"tilt {tilt_deg} degrees: gantries tilt by at most 30 degrees; give -30 to 30.")
    if size < 64:
        raise InputError(f"{size} pixels: too few for a head; give at least 64.")
    rng = np.random.default_rng(seed)
    z_mm, slab_mm = _slice_positions(uneven, overlapping)
    axis = (np.arange(size) - (size - 1) / 2) * (PIXEL_MM * SIZE / size)
    grid = SliceGrid(axis, axis, z_mm, z_mm * np.tan(np.radians(tilt_deg)))
    anatomy = random_anatomy(rng, age := float(rng.integers(45, 88)))
    site, *plan = _plan_bleed(rng)  # drawn always, so that the head is the same with and without a bleed
    progress = progress or (lambda *_: None)
    progress("head", 0, 1)
    hu, ventricle, brain = head_hu(anatomy, grid, slab_mm=slab_mm, threads=min(os.cpu_count() or 1, 4))
    shares = {"ich": np.zeros(hu.shape, np.float32), "ivh": np.zeros(hu.shape, np.float32)}
    progress("head", 1, 1)
    if bleed:
        shares["ich"] = _bleed_into_brain(rng, hu, brain, grid, slab_mm, *plan)
    if bleed and ivh:
        shares["ivh"] = _bleed_into_ventricles(rng, hu, ventricle, grid, plan[0]) * (1 - shares["ich"])
    mask = np.where(shares["ich"] > 0.5, 1, np.where(shares["ivh"] > 0.5, 2, 0)).astype(np.uint8)
    ct = _scan(rng, hu, grid, tilt_deg, age, float(np.median(slab_mm)), progress)
    true = {name: float((share.sum(axis=(1, 2), dtype=float) * ct.voxel_volumes_mm3).sum() / 1000)
            for name, share in shares.items()}
    return Sample(ct, mask, {**true, "total": true["ich"] + true["ivh"]}, LOCATIONS[site] if bleed else None)


def _slice_positions(uneven: bool, overlapping: bool):
    """Slice centres along the normal and slab heights, mm."""
    if overlapping:
        z_mm = np.arange(BOTTOM_MM, TOP_MM + 0.1, STEP_MM / 2)
        return z_mm, np.full(len(z_mm), STEP_MM)
    if not uneven:
        z_mm = np.arange(BOTTOM_MM, TOP_MM + 0.1, STEP_MM)
        return z_mm, np.full(len(z_mm), STEP_MM)
    base = BOTTOM_MM + 2.5 * np.arange(20)
    vertex = base[-1] + 1.1 + 5.0 * np.arange(22)
    return np.concatenate([base, vertex]), np.concatenate([np.full(20, 2.5), np.full(22, 5.0)])


def _plan_bleed(rng):
    """(name of the site, centre mm, volume mL, irregularity, look)."""
    name = str(rng.choice(list(SITES_MM), p=[0.5, 0.2, 0.2, 0.03, 0.07]))
    site = np.array(SITES_MM[name], float)
    center = site * (rng.choice([-1, 1]), 1, 1) + rng.normal(0, 2, 3)
    room_ml = {True: 8.0, False: 60.0}[bool(site[2] < -20)]
    volume_ml = float(np.exp(rng.uniform(np.log(0.2 * room_ml), np.log(room_ml))))
    look = lesions.ClotLook(float(rng.uniform(58, 72)), 2.5, float(rng.choice([0, 8])), 0.0, 6.0)
    return name, center, volume_ml, rng.uniform(0.2, 0.7), look


def _bleed_into_brain(rng, hu, brain, grid, slab_mm, center, volume_ml, irregularity, look):
    """Edema and clot into hu (in place); returns the share of every voxel that is clot."""
    shape = random_shape(rng, center, volume_ml, irregularity)
    box = grid.box(shape.center_mm, shape.reach_mm + 20)
    near = grid.crop(*box)
    distance = shape.signed_distance_mm(near)
    lesions.paint_edema(rng, hu[box], distance, brain[box], near)
    share = np.zeros(hu.shape, np.float32)
    share[box] = shape.occupancy(near, np.asarray(slab_mm)[box[0]]) * brain[box]
    lesions.paint_clot(rng, hu[box], share[box], -distance, near, look, shape.center_mm)
    return share


def _bleed_into_ventricles(rng, hu, ventricle, grid, center):
    """A cast of the ventricles near the bleed and a level in the horns behind; returns the share of IVH."""
    x, y, z = grid.axes()
    near = np.sqrt((x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2) < 32
    share = np.clip(ventricle * (near | (y > 40)), 0, 1).astype(np.float32)
    hu += (rng.uniform(58, 68) - hu) * share
    return share


def _scan(rng, hu, grid, tilt_deg, age, thickness_mm, progress) -> CTVolume:
    """Blur, noise, rounding, and the patient's place in the world (RAS mm)."""
    for k in range(len(hu)):
        noise = _blur(rng.standard_normal(hu[k].shape, dtype=np.float32))
        hu[k] = _blur(_blur(hu[k])) + noise * np.float32(NOISE_HU / 0.6)  # 0.6: what one blur leaves of the SD
        progress("scan", k + 1, len(hu))
    tilt = np.radians(tilt_deg)
    in_lps = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    to_ras = np.diag([-1.0, -1.0, 1.0])
    frame = np.stack([np.full(len(hu), grid.x_mm[0]), grid.y_mm[0] + grid.y_shift_mm, grid.z_mm], axis=1)
    origins = frame @ in_lps @ to_ras
    matrix = np.eye(4)
    pixel_mm = grid.x_mm[1] - grid.x_mm[0]
    matrix[:3, 0], matrix[:3, 1] = to_ras @ in_lps[0] * pixel_mm, to_ras @ in_lps[1] * pixel_mm
    matrix[:3, 2], matrix[:3, 3] = (origins[-1] - origins[0]) / (len(hu) - 1), origins[0]
    info = ScanInfo(source="ICHVolume sample", series_description="ICHVolume sample head CT",
                    manufacturer="ICHVolume (made by code)", slice_thickness_mm=thickness_mm, patient_age_years=age)
    note = Finding("synthetic-scan", INFO, "This head was made by code; it is not a patient.")
    return CTVolume(np.clip(np.round(hu), -1024, 3071).astype(np.int16), matrix, origins, info, (note,))


def _blur(image: np.ndarray) -> np.ndarray:
    """Three-tap smoothing in both directions (sigma about 0.6 pixel)."""
    for axis in (0, 1):
        image = 0.2 * np.roll(image, 1, axis) + 0.6 * image + 0.2 * np.roll(image, -1, axis)
    return image
