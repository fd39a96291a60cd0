"""What is measured around an area is what was put there."""

import numpy as np
import pytest

from ICHVolumeLib.postprocessing.local_contrast import (
    AROUND_MM,
    SMOOTHING_MM,
    WINDOW_HU,
    Evidence,
    look_around,
    smoothed,
)

SPACING_MM = (0.5, 0.5)


def disk(radius_mm, shape=(160, 160), spacing_mm=SPACING_MM, center_mm=(40.0, 40.0)):
    y, x = np.ogrid[:shape[0], :shape[1]]
    return np.hypot(y * spacing_mm[0] - center_mm[0], x * spacing_mm[1] - center_mm[1]) <= radius_mm


def brain(shape=(160, 160), spread_hu=0.0):
    return (30 + np.random.default_rng(0).normal(0, spread_hu, shape)).astype(np.int16) if spread_hu else \
        np.full(shape, 30, np.int16)


def look(hu, area, marked, spacing_mm):
    return look_around(smoothed(hu, spacing_mm), area, marked, spacing_mm)


@pytest.mark.parametrize("spacing_mm", [(0.5, 0.5), (0.45, 0.9)])
def test_smoothing_is_a_gaussian_in_mm_within_the_window(spacing_mm):
    import SimpleITK as sitk

    hu = np.random.default_rng(1).normal(40, 60, (4, 90, 70)).astype(np.int16)
    image = sitk.GetImageFromArray(np.clip(hu, *WINDOW_HU).astype(float))
    image.SetSpacing((spacing_mm[1], spacing_mm[0], 1000.0))  # slices too far apart to reach each other
    gaussian = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, SMOOTHING_MM))
    inner = (slice(None), slice(8, -8), slice(8, -8))
    assert np.abs(smoothed(hu, spacing_mm) - gaussian)[inner].max() < 1.0
    assert np.array_equal(smoothed(hu, spacing_mm)[1], smoothed(hu[1], spacing_mm))


def test_smoothing_leaves_even_tissue_alone_up_to_the_edge():
    assert smoothed(brain((20, 30)), SPACING_MM) == pytest.approx(30)


def test_evidence_is_smoothed_in_a_box_and_is_neither_brain_nor_blood_elsewhere():
    hu = np.random.default_rng(2).normal(40, 5, (4, 60, 60)).astype(np.int16)
    box = (slice(1, 3), slice(10, 50), slice(0, 40))
    near = Evidence(hu, np.zeros(hu.shape), SPACING_MM).smoothed_in(box).hu
    assert np.array_equal(near[box], smoothed(hu[box], SPACING_MM))
    near[box] = 0
    assert not near.any()


def test_the_contrast_of_a_disk_in_even_brain_is_what_was_painted():
    area = disk(8)
    hu = np.where(area, 62, brain()).astype(np.int16)
    around = look(hu, area, area, SPACING_MM)
    assert around.contrast_hu == pytest.approx(32, abs=0.5)
    assert around.brain_hu == pytest.approx(30, abs=0.1)
    assert around.spread_hu < 1
    assert around.brain_share == 1


def test_the_spread_is_that_of_the_brain_after_smoothing():
    area = disk(8)
    rough = look(brain(spread_hu=8), area, area, SPACING_MM)
    rougher = look(brain(spread_hu=16), area, area, SPACING_MM)
    sigma_px = 0.8 / 0.5
    expected = 8 / (2 * np.sqrt(np.pi) * sigma_px)  # SD of white noise after a Gaussian
    assert rough.spread_hu == pytest.approx(expected, rel=0.15)
    assert rougher.spread_hu > 1.7 * rough.spread_hu


def test_other_blood_in_the_ring_is_not_brain():
    area, other = disk(5), disk(4, center_mm=(40.0, 51.0))
    hu = np.where(area | other, 50, brain()).astype(np.int16)
    assert look(hu, area, area | other, SPACING_MM).spread_hu < \
        look(hu, area, area, SPACING_MM).spread_hu / 3


def test_half_a_ring_of_bone_is_half_a_ring_of_brain():
    area = disk(5)
    hu = brain()
    hu[80:] = 900
    hu[area] = 60
    assert look(hu, area, area, SPACING_MM).brain_share == pytest.approx(0.5, abs=0.06)


def test_distances_are_in_mm_whatever_the_pixels():
    spacing_mm = (0.5, 1.0)
    area = disk(6, (160, 80), spacing_mm)
    around = look(brain((160, 80)), area, area, spacing_mm)
    y, x = np.ogrid[around.box[0], around.box[1]]
    from_edge = np.hypot(y * 0.5 - 40, x - 40) - 6
    ring = (from_edge > AROUND_MM[0]) & (from_edge < AROUND_MM[1])
    assert np.abs(around.away_mm - from_edge)[ring].max() < 1.0


@pytest.mark.parametrize("hu", [1000, -5])
def test_nothing_is_said_without_brain_around(hu):
    area = disk(5)
    assert look(np.where(area, 60, hu).astype(np.int16), area, area, SPACING_MM) is None


def test_nothing_is_said_of_an_empty_area():
    nothing = np.zeros((160, 160), bool)
    assert look(brain(), nothing, nothing, SPACING_MM) is None


def test_an_area_at_the_edge_of_the_image_is_looked_at_as_far_as_it_goes():
    area = disk(5, center_mm=(2.0, 2.0))
    hu = np.where(area, 60, brain()).astype(np.int16)
    assert look(hu, area, area, SPACING_MM).contrast_hu == pytest.approx(30, abs=1)
