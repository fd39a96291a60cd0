"""The generator: exact masks, seeded, and each ingredient does what it says."""

from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.synthetic.fields import SliceGrid
from ICHVolumeLib.synthetic.generator import Ingredients, _site, make_block
from ICHVolumeLib.synthetic.lesions import paint_ventricular_blood
from ICHVolumeLib.synthetic.mimics import calcifications

PLAIN = Ingredients(deform=False, wide_ventricles=False, mass_effect=False, edema=False, faint_and_mixed=False,
                    ventricular_blood=False, mimics=False, scanner=False)


def block(head, seed=0, **options):
    settings = {"size": 256, "pixel_mm": 0.9, "slices": None, "bleed": True} | options
    return make_block(np.random.default_rng(seed), head, **settings)


def test_the_same_seed_gives_the_same_block(head):
    first, second = block(head, 7), block(head, 7)
    np.testing.assert_array_equal(first.hu, second.hu)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_the_label_lies_exactly_on_the_bright_clot(head):
    plain = block(head, 3, ingredients=PLAIN, volume_ml=25.0)
    inside = plain.labels == 1
    assert inside.any()
    assert plain.hu[inside].mean() > 55
    brain = (plain.hu > 10) & (plain.hu < 90) & ~inside
    assert (plain.hu[brain] > 55).mean() < 0.01


def test_the_volume_asked_for_is_about_the_volume_labelled(head):
    volumes = []
    for seed in range(12):
        one = block(head, seed, ingredients=PLAIN, volume_ml=12.0)
        volumes.append((one.labels == 1).sum() * one.pixel_mm**2 * one.step_mm / 1000)
    assert np.median(volumes) == pytest.approx(12.0, rel=0.5)


def test_no_bleed_means_no_label(head):
    assert not any(block(head, seed, bleed=False).labels.any() for seed in range(6))


def test_slices_that_hold_blood_outside_the_brain_never_get_a_label(head):
    hard = replace(head, kind="extra_axial")
    assert not any(block(hard, seed, bleed=True).labels.any() for seed in range(6))


def test_ventricular_blood_lies_in_the_ventricles(head):
    with_ivh = replace(PLAIN, ventricular_blood=True)
    marked = [one for seed in range(40) if ((one := block(head, seed, ingredients=with_ivh)).labels == 2).any()]
    assert marked
    clean = block(head, 0, bleed=False, ingredients=PLAIN)
    for one in marked:
        assert one.hu[one.labels == 2].mean() > 38
        assert (one.labels == 2).sum() < 3 * (clean.hu < 12).sum()


def test_a_layer_of_ventricular_blood_has_one_level_in_all_slices():
    axis = np.arange(60) - 29.5
    grid, ventricle = SliceGrid(axis, axis, np.arange(3) * 5.0), np.zeros((3, 60, 60), np.float32)
    ventricle[0, 20:50, 25:35], ventricle[1, 20:40, 25:35], ventricle[2, 15:30, 25:35] = 1, 1, 1
    fronts = set()
    for seed in range(60):
        share = paint_ventricular_blood(np.random.default_rng(seed), np.full(ventricle.shape, 8.0), ventricle, grid)
        rows = [np.flatnonzero((one > 0.5).any(axis=1)) for one in share]
        if len(rows[0]) and rows[0][-1] == 49 and rows[0][0] > 22 and len(rows[1]):  # a layer that reaches two slices
            assert abs(rows[0][0] - rows[1][0]) <= 2
            fronts.add(rows[0][0])
    assert len(fronts) > 2


def test_mass_effect_moves_the_ventricles_away_from_the_clot(head):
    still = block(head, 11, ingredients=PLAIN, volume_ml=40.0)
    pushed = block(head, 11, ingredients=replace(PLAIN, mass_effect=True), volume_ml=40.0)
    assert np.abs(still.hu - pushed.hu).max() > 20


def _ventricle_pixels(one):
    return np.count_nonzero((one.hu > 0) & (one.hu < 12))


def test_widened_ventricles_are_wider(head):
    dark = []
    for wide in (False, True):
        options = replace(PLAIN, wide_ventricles=wide)
        blocks = (block(head, seed, bleed=False, ingredients=options) for seed in range(10))
        dark.append(np.mean([_ventricle_pixels(one) for one in blocks]))
    assert dark[1] > 1.05 * dark[0]


def test_mimics_change_the_picture_but_not_the_label(head):
    changed = [np.abs(block(head, seed, bleed=False, ingredients=replace(PLAIN, mimics=True)).hu
                      - block(head, seed, bleed=False, ingredients=PLAIN).hu).max() for seed in range(12)]
    assert max(changed) > 20


def test_a_crop_shows_the_clot(head):
    shown = [(block(head, seed, size=128, pixel_mm=0.45, slices=4).labels > 0).any() for seed in range(12)]
    assert np.mean(shown) > 0.7


def test_most_calcifications_are_brighter_than_any_clot_so_that_the_two_can_be_told_apart():
    axis = np.arange(80) * 0.45
    grid, everywhere = SliceGrid(axis, axis, np.arange(3) * 5.0), np.ones((3, 80, 80), np.float32)
    brightest = []
    for seed in range(30):
        hu = np.full(everywhere.shape, 30, np.float32)
        calcifications(np.random.default_rng(seed), hu, everywhere, 0 * everywhere, 20 * everywhere, grid, 5.0)
        brightest.append(hu.max())
    assert np.median(brightest) > 90  # a grain thinner than the slab is diluted


def test_bleeds_lie_deep_and_in_the_cortex(head):
    depths = []
    for seed in range(60):
        k, (y, x) = _site(np.random.default_rng(seed), head, True, False)
        depths.append(head.depth_mm[k][round(y / 0.9), round(x / 0.9)])
    assert np.mean(np.array(depths) >= 28) > 0.35
    assert np.mean(np.array(depths) <= 15) > 0.15


def test_the_head_stays_in_the_middle_of_the_image_wherever_the_bleed_is_and_however_it_is_turned(head):
    for seed in range(25):
        shown = np.argwhere(block(head, seed, slices=1).hu[0] > 200)
        middle_mm = ((shown.min(axis=0) + shown.max(axis=0)) / 2 - 127.5) * 0.9
        assert np.abs(middle_mm).max() < 32
