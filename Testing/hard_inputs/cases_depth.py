"""Scans and marks out of the model's depth: each is measured as it is given, with a finding beside the number."""

from dataclasses import replace
from functools import cache

import numpy as np
from dicom_files import change_all
from hard_inputs.hard_input import HardInput, sample

from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.quality.skull import look_at_skull
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


def volume_ml(ct, mask):
    return float(np.count_nonzero(mask, axis=(1, 2)) @ ct.voxel_volumes_mm3) / 1000


def at(ct, center_ras, radius_mm):
    """bool (slices, rows, columns): a ball by position."""
    k, j, i = np.meshgrid(*(np.arange(size) for size in ct.hu.shape), indexing="ij")
    return ((ct.voxel_to_ras(np.stack([k, j, i], -1)) - np.asarray(center_ras, float)) ** 2).sum(-1) <= radius_mm**2


def case(name, code, draw, words="", **tags):
    """draw(hu int32, ct) changes the voxels of a bleed-free head and returns the mask."""
    @cache
    def drawn():
        ct = sample(bleed=False).ct
        hu = ct.hu.astype(np.int32)
        mask = draw(hu, ct).astype(np.uint8)
        return replace(ct, hu=hu.astype(np.int16)), mask

    def build(folder):
        ct, mask = drawn()
        write_mask_seg_nrrd(folder / "mask.seg.nrrd", mask, ct)
        if not tags:
            write_nrrd(folder / "ct.nrrd", ct.hu, ct.ijk_to_ras)
            return folder / "ct.nrrd", folder / "mask.seg.nrrd"
        write_dicom_series(ct, folder / "ct")
        change_all(folder / "ct", **tags)
        return folder / "ct", folder / "mask.seg.nrrd"
    return HardInput(name, build, f"warned:{code}" if code else "right", words, volume_ml(*drawn()))


def clot(center_ras, radius_mm, hu_inside=65):
    def draw(hu, ct):
        ball = at(ct, center_ras, radius_mm)
        hu[ball] = hu_inside + np.random.default_rng(0).normal(0, 3, ball.sum()).astype(int)
        return ball
    return draw


def calcified(hu, ct):
    ball = clot((25, 0, 20), 15)(hu, ct)
    hu[at(ct, (25, 0, 20), 7)] = 140
    return ball


def crescent(hu, ct):
    """8 mm of blood along the left inner table."""
    inside = look_at_skull(ct).inside.astype(bool)
    full = np.kron(inside, np.ones((1, *look_at_skull(ct).steps), bool))[:, :ct.hu.shape[1], :ct.hu.shape[2]]
    k, j, i = np.meshgrid(*(np.arange(size) for size in ct.hu.shape), indexing="ij")
    place = ct.voxel_to_ras(np.stack([k, j, i], -1))
    deep = full.copy()
    for axis, step in ((1, 5), (2, 5)):
        deep &= np.roll(full, step, axis) & np.roll(full, -step, axis)
    blood = full & ~deep & (place[..., 0] < -25) & (np.abs(place[..., 1]) < 55) & (np.abs(place[..., 2] - 35) < 12)
    hu[blood] = 65
    return blood


def noise_marked(noise_hu, contrast_hu, air=False):
    """Twelve slices whose one half is marked; it differs by next to nothing from the other."""
    def draw(hu, ct):
        half = np.zeros(hu.shape, bool)
        view = look_at_skull(ct)
        full = np.kron(view.inside, np.ones((1, *view.steps), bool))[:, :hu.shape[1], :hu.shape[2]].astype(bool)
        half[20:32, :, :hu.shape[2] // 2] = True
        half &= full & (hu > 0) & (hu < 80)
        hu[half] += contrast_hu
        hu += np.random.default_rng(0).normal(0, noise_hu, hu.shape).astype(int)
        if air:
            hu[at(ct, (0, 45, 50), 9)] = -950
        return half
    return draw


def one_slice_island(hu, ct):
    mask = clot((25, 0, 20), 14)(hu, ct)
    mask[30] |= at(ct, (-25, 0, ct.slice_origins_ras[30, 2]), 13)[30]
    return mask


def jumping(hu, ct):
    mask = clot((25, 0, 20), 20)(hu, ct)
    k = int(np.argmax(mask.sum(axis=(1, 2))))
    mask[k] = False
    return mask


def half_marked(hu, ct):
    ball = clot((25, 0, 20), 20)(hu, ct)
    ball[:, :, :np.flatnonzero(ball.any(axis=(0, 1))).mean().astype(int)] = False
    return ball


def two_clots(hu, ct):
    """The second one is unmarked, but does not touch the first."""
    first = clot((30, 0, 20), 12)(hu, ct)
    clot((-30, 0, 20), 12)(hu, ct)
    return first


def craniectomy(hu, ct):
    """Bone taken out over 6 cm on the left."""
    k, j, i = np.meshgrid(*(np.arange(size) for size in ct.hu.shape), indexing="ij")
    place = ct.voxel_to_ras(np.stack([k, j, i], -1))
    flap = (place[..., 0] < -40) & (np.abs(place[..., 1]) < 32) & (place[..., 2] > 5) & (place[..., 2] < 60)
    hu[flap & (hu > 150)] = 45
    return clot((25, 0, 20), 15)(hu, ct)


def noisy(hu, ct):
    ball = clot((25, 0, 20), 15)(hu, ct)
    hu += np.random.default_rng(0).normal(0, 20, hu.shape).astype(int)
    return ball


def with_air(hu, ct):
    hu[at(ct, (-10, 40, 50), 9)] = -950
    return clot((25, 0, 20), 15)(hu, ct)


def with_metal(hu, ct):
    hu[at(ct, (-10, 10, 45), 5)] = 3000
    return clot((25, 0, 20), 15)(hu, ct)


CASES = [
    case("a plain deep clot of 14 mL", "", clot((25, 0, 20), 15)),
    case("a clot of 0.5 mL", "small-bleed", clot((25, 0, 20), 5)),
    case("a mark of 180 mL", "large-bleed", clot((0, 0, 20), 35)),
    case("a clot with a calcified core", "calcification", calcified, "100 HU"),
    case("a clot in the cerebellum", "posterior-fossa", clot((20, -48, -38), 12), "cerebellum"),
    case("blood along the inner table", "along-the-skull", crescent, "inner table"),
    case("half of a clot is marked", "unmarked-bright", half_marked),
    case("an island in a single slice", "slice-disagreement", one_slice_island, "neighbors do not show"),
    case("the largest slice of a clot is unmarked", "slice-disagreement", jumping, "jumps"),
    case("a clot in a noisy head (20 HU)", "noisy", noisy),
    case("air inside the skull after surgery", "intracranial-air", with_air),
    case("metal inside the skull", "metal", with_metal),
    case("a craniectomy", "skull-gap", craniectomy),
    case("a child of 7", "child", clot((25, 0, 20), 15), "7 years", PatientAge="007Y"),
    case("half the brain of 12 slices marked in a noisy head", "probably-noise", noise_marked(18, 9),
         "Probably not a hemorrhage: noise"),
    case("half the brain marked in a head after surgery", "probably-noise", noise_marked(2, 10, air=True),
         "air inside the skull"),
    case("half the brain marked without contrast", "probably-noise", noise_marked(2, 4), "only"),
]
