"""How bright the brain of a scan is, whatever else is in the head."""

import numpy as np
import pytest
from phantoms import BRAIN_HU, ellipsoid_ct

from ICHVolumeLib.imaging.head_mask import find_head
from ICHVolumeLib.synthetic.sample import make_sample


@pytest.fixture(scope="module")
def made_head():
    """A made head without a bleed, in pixels of 0.9 mm."""
    return make_sample(3, bleed=False, size=256).ct


def level(ct, hu):
    return find_head(hu.astype(np.int16), ct.pixel_spacing_mm).brain_hu


def ball(ct, radius_mm, center_mm=(30.0, 0.0, 10.0)):
    """bool, the scan's shape: a ball around a point of the brain, RAS mm."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in ct.hu.shape[::-1]), indexing="ij"), -1).reshape(-1, 3)
    ras = index @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
    inside = np.linalg.norm(ras - center_mm, axis=1) < radius_mm
    return inside.reshape(ct.hu.shape[::-1]).transpose(2, 1, 0)


def test_it_is_the_level_of_a_phantom_of_one_brain():
    ct = ellipsoid_ct("regular", pixel_mm=1.0, step_mm=5.0).ct
    assert level(ct, ct.hu) == pytest.approx(BRAIN_HU, abs=0.5)


@pytest.mark.parametrize("moved_hu", [-9, 7, 12])
def test_a_brighter_scan_of_the_same_head_has_a_level_brighter_by_just_that(made_head, moved_hu):
    moved = level(made_head, made_head.hu + moved_hu) - level(made_head, made_head.hu)
    assert moved == pytest.approx(moved_hu, abs=0.6)


@pytest.mark.parametrize(("radius_mm", "contrast_hu"), [(20, 30), (31, 30), (31, 8), (31, -14)])
def test_neither_a_large_clot_nor_a_faint_one_nor_an_infarct_moves_it(made_head, radius_mm, contrast_hu):
    there = ball(made_head, radius_mm)
    assert there.sum() * made_head.voxel_volumes_mm3[0] / 1000 > 0.9 * 4.19 * radius_mm**3 / 1000
    bled = np.where(there & (made_head.hu < 100), made_head.hu + contrast_hu, made_head.hu)
    assert level(made_head, bled) == pytest.approx(level(made_head, made_head.hu), abs=2)


def test_noise_does_not_move_it(made_head):
    noisy = made_head.hu + np.random.default_rng(0).normal(0, 15, made_head.hu.shape)
    assert level(made_head, noisy) == pytest.approx(level(made_head, made_head.hu), abs=1)


def test_it_is_not_told_without_a_skull_or_with_next_to_no_brain(made_head):
    assert level(made_head, np.full(made_head.hu.shape, 30)) is None
    assert level(made_head, np.where((made_head.hu > 0) & (made_head.hu < 90), -500, made_head.hu)) is None
