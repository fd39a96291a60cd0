"""Backgrounds that need no patient: heads made by code, and a CT template given a skull; the pool of all of them."""

import hashlib
import logging
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..core.atomic_files import replacing
from ..core.errors import InputError
from ..datasets.ct_ich import load_ct_ich
from .backgrounds import PIXEL_MM, Background, make_background
from .case_backgrounds import backgrounds_of
from .code_version import generator_mark
from .fields import SliceGrid
from .head import BONE_HU, FAT_HU, head_hu, random_anatomy

log = logging.getLogger(__name__)
NORMAL, EXTRA_AXIAL, TEMPLATES = "ct_ich_v1_normal", "ct_ich_v1_extra_axial", "anatomy"  # folders of the data
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
    """Every background: both CT-ICH folders under `data`, templates and made heads.

    cache: an .npz to be used again where it holds just these heads, of these files and made by this code; otherwise it
    is written anew. Raises InputError when `data` lacks the slices or the templates.
    """
    data = Path(data)
    key = _key(data, made, templates)
    pool = _read_cache(cache, key) if cache is not None and cache.is_file() else None
    if pool is not None:
        return pool
    pool = list(backgrounds_of(load_ct_ich(data / NORMAL)))
    pool += backgrounds_of(load_ct_ich(data / EXTRA_AXIAL, "extra_axial"))
    pool += [template(data / TEMPLATES, seed) for seed in range(templates)]
    pool += [procedural(seed) for seed in range(made)]
    if cache is not None:
        _write_cache(cache, pool, key)
    return pool


def _key(data: Path, made: int, templates: int) -> str:
    """What a pool depends on: the contents of the files under `data`, the numbers of heads, the code.

    A patient's slices in any CT-ICH folder tell its pixel size. Contents and not times: a copy is the same data.
    """
    files = [*data.glob("ct_ich_*/*.jpg"), *(data / TEMPLATES).glob("scct_unsmooth_SS_0.01*")]
    known = hashlib.sha256()
    for file in sorted(files):
        known.update(f"{file.relative_to(data).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return f"data {known.hexdigest()}, {made} made, {templates} templates, code {generator_mark()}"


def _write_cache(cache: Path, pool: list[Background], key: str):
    arrays = {"key": np.array(key)}
    for index, one in enumerate(pool):
        arrays |= {f"{index}_hu": one.hu, f"{index}_tissue": one.tissue, f"{index}_depth": one.depth_mm,
                   f"{index}_about": np.array([one.patient, one.kind, str(one.step_mm)])}
    cache.parent.mkdir(parents=True, exist_ok=True)
    with replacing(cache) as file:
        np.savez(file, **arrays)


def _read_cache(cache: Path, key: str) -> list[Background] | None:
    """The pool of a cache; None where it is another one, or damaged."""
    try:
        with np.load(cache, allow_pickle=False) as file:
            if "key" not in file or str(file["key"]) != key:
                log.info("%s holds other heads than are asked for; they are made anew.", cache)
                return None
            count = sum(name.endswith("_hu") for name in file.files)
            pool = []
            for index in range(count):
                patient, kind, step = file[f"{index}_about"]
                pool.append(Background(str(patient), str(kind), file[f"{index}_hu"], file[f"{index}_tissue"],
                                       file[f"{index}_depth"], float(step)))
            return pool
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        log.info("%s cannot be read (%s); the heads are made anew.", cache, error)
        return None
