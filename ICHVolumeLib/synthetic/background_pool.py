"""Backgrounds that need no patient: heads made by code, and a CT template given a skull; the pool of all of them."""

import hashlib
from pathlib import Path

import numpy as np

from ..core.atomic_files import replacing
from ..core.errors import InputError
from .backgrounds import PIXEL_MM, Background, load_ct_ich, make_background
from .fields import SliceGrid
from .head import BONE_HU, FAT_HU, head_hu, random_anatomy

VALIDATION_SHARE = 0.2
TEMPLATE_HU = (-12, -6, 18, 35, 50)  # the template's CSF is -6, its white matter 18, its grey matter 35
CLINICAL_HU = (3, 6, 27, 37, 50)


def procedural(seed: int) -> Background:
    """One person made by code, 4-6 mm slices, sometimes tilted."""
    rng = np.random.default_rng(seed)
    step_mm = float(rng.choice([4.0, 5.0, 6.0]))
    axis = (np.arange(512) - 255.5) * PIXEL_MM
    z = np.arange(-58, 78, step_mm)
    tilt = np.tan(np.radians(rng.choice([0, 0, rng.uniform(-20, 20)])))
    anatomy = random_anatomy(rng, rng.uniform(25, 90))
    hu, ventricle, inside = head_hu(anatomy, SliceGrid(axis, axis, z, z * tilt), slab_mm=step_mm, samples=1)
    return make_background(f"made{seed}", "procedural", np.clip(hu, -1024, 3000).astype(np.int16), step_mm,
                           inside > 0.5, ventricle > 0.5)


def template(folder: Path, seed: int) -> Background:
    """The sharp brain template (C. Rorden, BSD-2) in a made skull, randomly tilted and scaled, 4-6 mm slabs."""
    import SimpleITK as sitk

    rng = np.random.default_rng(seed)
    file = Path(folder) / "scct_unsmooth_SS_0.01.nii.gz"
    if not file.is_file():
        raise InputError(f"{file}: not found; give the folder of the CT templates.")
    brain = sitk.ReadImage(str(file), sitk.sitkFloat32)
    mask = sitk.ReadImage(str(file.with_name("scct_unsmooth_SS_0.01_Mask.nii.gz"))) > 0
    mask = sitk.ConstantPad(mask, (25, 25, 25), (25, 25, 25), 0)
    brain = sitk.ConstantPad(brain, (25, 25, 25), (25, 25, 25), 0)
    outside = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(mask, squaredDistance=False, useImageSpacing=True))
    hu = sitk.GetArrayFromImage(brain)
    hu = np.where(hu < TEMPLATE_HU[-1], np.interp(hu, TEMPLATE_HU, CLINICAL_HU), hu)
    hu = np.select([outside < 0.5, outside < 2.5, outside < 8.5, outside < 12.5, outside < 14.5],
                   [hu, 8, BONE_HU, FAT_HU, 45], -1000).astype(np.float32)
    whole = sitk.GetImageFromArray(hu)
    whole.CopyInformation(brain)
    return _slabs(rng, whole, f"template{seed}")


def _slabs(rng, whole, name: str) -> Background:
    """Axial slabs through a 1 mm head, tilted about the ear axis; rows run front to back, columns right to left."""
    import SimpleITK as sitk

    step_mm = float(rng.choice([4.0, 5.0, 6.0]))
    center = whole.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in whole.GetSize()])
    turn = sitk.AffineTransform(3)
    turn.SetCenter(center)
    turn.Rotate(1, 2, rng.normal(0, 0.15))
    turn.Scale(tuple(1 / rng.normal(1, 0.04, 3)))
    direction = np.diag([1.0, 1.0, 1.0])  # ITK is LPS: +x left, +y back, +z up, which is the order wanted
    count = int(155 / step_mm)
    origin = np.array(center) - direction @ np.array([255.5 * PIXEL_MM, 255.5 * PIXEL_MM, 76.0])
    thin = sitk.Resample(whole, (512, 512, count * 2), turn, sitk.sitkLinear, tuple(origin),
                         (PIXEL_MM, PIXEL_MM, step_mm / 2), direction.ravel().tolist(), -1000.0)
    levels = sitk.GetArrayFromImage(thin).reshape(count, 2, 512, 512).mean(axis=1)
    return make_background(name, "template", levels.astype(np.int16), step_mm)


def is_validation(patient: str) -> bool:
    """Split by patient, not by slice: a stable fifth of all names is kept apart for validation."""
    return int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 1000 < 1000 * VALIDATION_SHARE


def load_pool(data: Path, cache: Path | None = None, made: int = 24, templates: int = 12) -> list[Background]:
    """Every background: both CT-ICH folders under `data`, templates and made heads. cache: an .npz to reuse."""
    if cache is not None and cache.is_file():
        return _read_cache(cache)
    pool = load_ct_ich(data / "ct_ich_v1_normal") + load_ct_ich(data / "ct_ich_v1_extra_axial", "extra_axial")
    pool += [template(data / "anatomy", seed) for seed in range(templates)]
    pool += [procedural(seed) for seed in range(made)]
    if cache is not None:
        _write_cache(cache, pool)
    return pool


def _write_cache(cache: Path, pool: list[Background]):
    arrays = {}
    for index, one in enumerate(pool):
        arrays |= {f"{index}_hu": one.hu, f"{index}_tissue": one.tissue, f"{index}_depth": one.depth_mm,
                   f"{index}_about": np.array([one.patient, one.kind, str(one.step_mm)])}
    cache.parent.mkdir(parents=True, exist_ok=True)
    with replacing(cache) as file:
        np.savez(file, **arrays)


def _read_cache(cache: Path) -> list[Background]:
    with np.load(cache, allow_pickle=False) as file:
        count = sum(name.endswith("_hu") for name in file.files)
        pool = []
        for index in range(count):
            patient, kind, step = file[f"{index}_about"]
            pool.append(Background(str(patient), str(kind), file[f"{index}_hu"], file[f"{index}_tissue"],
                                   file[f"{index}_depth"], float(step)))
    return pool
