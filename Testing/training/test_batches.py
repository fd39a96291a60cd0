"""The slices that a run sees: neighbours, and how often faint blood is among them."""

from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN
from ICHVolumeLib.segmentation.input_slices import neighbours
from ICHVolumeLib.synthetic.generator import Block
from ICHVolumeLib.training.batches import BatchStream, has_cast, has_faint_blood
from ICHVolumeLib.training.losses import NOT_IN_BRAIN
from ICHVolumeLib.training.plans import PLANS

TINY = replace(PLANS["small"], size=64, pixel_mm=(1.8, 2.4), hard_share=0.0)


def disc(contrast_hu, radius_mm, noise_hu=8.0):
    """Two slices of noisy brain of 32 HU in 0.6 mm pixels, the second with a disc of blood."""
    y, x = np.mgrid[:128, :128] * 0.6 - 38.4
    labels = np.zeros((2, 128, 128), np.uint8)
    labels[1] = np.hypot(x, y) < radius_mm
    hu = np.random.default_rng(0).normal(32.0, noise_hu, labels.shape) + contrast_hu * labels
    return Block(hu.astype(np.float32), labels, 0.6, 5.0, "disc")


@pytest.mark.parametrize(("contrast_hu", "radius_mm", "expected"), [(10, 15, True), (30, 15, False), (1, 15, False),
                                                                    (10, 4, False), (10, 0, False)])
def test_faint_blood_stands_out_a_little_and_is_not_tiny(contrast_hu, radius_mm, expected):
    assert has_faint_blood(disc(contrast_hu, radius_mm)) == expected


@pytest.mark.filterwarnings("error")
def test_blood_without_brain_around_it_is_not_called_faint():
    full = disc(10, 15)
    full.labels[:] = 1
    assert not has_faint_blood(full)


def test_faint_blood_is_as_frequent_as_the_plan_says(pool, monkeypatch):
    blocks = []
    monkeypatch.setattr("ICHVolumeLib.training.batches.make_block",
                        lambda rng, *given, **wanted: blocks.append(wanted["bleed"]) or disc(rng.choice([10, 40]), 15))
    stream = BatchStream(pool, replace(TINY, faint_share=0.3), seed=1)
    while len(stream.buffer) < 4000:
        stream._add_block()
    images = np.stack([one for one, _, _ in stream.buffer[1::2]])[:, 0]
    blood = np.median(images[:, 60:68, 60:68], axis=(1, 2))
    assert np.mean(blood < 0.6) == pytest.approx(0.3 + 0.7 * 0.5, abs=0.03)  # half of the others are faint by chance
    assert True in blocks and None in blocks


def test_half_of_the_faint_blocks_are_given_a_large_bleed(pool, monkeypatch):
    volumes = []
    monkeypatch.setattr("ICHVolumeLib.training.batches.make_block",
                        lambda rng, *given, **wanted: volumes.append(wanted["volume_ml"]) or disc(10, 15))
    stream = BatchStream(pool, replace(TINY, faint_share=1.0), seed=2)
    for _ in range(400):
        stream._add_block()
    large = [one for one in volumes if one is not None]
    assert len(volumes) == 400 and len(large) == pytest.approx(200, abs=40)
    assert min(large) >= 5 and max(large) <= 150 and np.median(large) == pytest.approx(27, rel=0.25)  # log-uniform


@pytest.mark.parametrize(("label", "radius_mm", "expected"), [(2, 15, True), (2, 10, False), (1, 15, False)])
def test_a_filled_ventricle_has_much_blood_of_the_ventricles_in_a_slice(label, radius_mm, expected):
    block = disc(30, radius_mm)
    block.labels[block.labels > 0] = label
    assert has_cast(block) == expected


def test_filled_ventricles_are_as_frequent_as_the_plan_says(pool, monkeypatch):
    def block(rng, *given, **wanted):
        made = disc(30, 15)
        made.labels[made.labels > 0] = rng.choice([1, 2], p=[0.8, 0.2])
        return made

    monkeypatch.setattr("ICHVolumeLib.training.batches.make_block", block)
    stream = BatchStream(pool, replace(TINY, cast_share=0.3), seed=3)
    while len(stream.buffer) < 4000:
        stream._add_block()
    filled = np.mean([(labels == 2).any() for _, labels, _ in stream.buffer[1::2]])
    assert filled == pytest.approx(0.3 + 0.7 * 0.2, abs=0.04)


def test_a_head_that_may_not_bleed_is_drawn_once_whatever_is_wanted(pool, monkeypatch):
    drawn = []
    monkeypatch.setattr("ICHVolumeLib.training.batches.make_block",
                        lambda rng, *given, **wanted: drawn.append(wanted["bleed"]) or disc(10, 0))
    stream = BatchStream([replace(one, kind="extra_axial") for one in pool], replace(TINY, faint_share=1.0), seed=4)
    for _ in range(20):
        stream._add_block()
    assert drawn == [None] * 20


def test_the_stream_puts_each_slice_amid_its_neighbours(pool):
    stream = BatchStream(pool, TINY, seed=1, in_slices=3)
    images, labels, _ = next(stream)
    assert images.shape == (4, 3, 64, 64) and labels.shape == (4, 64, 64)
    kept = len(stream.buffer)
    while len(stream.buffer) < kept + 300:
        stream._add_block()
    triples = [one for one, _, _ in stream.buffer[kept:]]
    same = np.array([[(one[0] == one[1]).all(), (one[2] == one[1]).all()] for one in triples])
    assert 0.05 < same.all(1).mean() < 0.2  # thin scans
    assert 0.03 < (same.sum(1) == 1).mean() < 0.25  # first and last slices
    following = [(a[1:] == b[:2]).all() for a, b in zip(triples, triples[1:], strict=False)]
    assert np.mean(following) > 0.4  # the next slice sees this one below itself


def test_the_brain_of_every_head_has_the_level_that_the_plan_says_made_and_real(pool, monkeypatch):
    def brain(rng, background, *, size, slices, **wanted):
        level = background.brain_hu
        return Block(np.full((slices, size, size), level, np.float32), np.zeros((slices, size, size), np.uint8), 1.0,
                     5.0, "made", level)

    monkeypatch.setattr("ICHVolumeLib.training.batches.make_block", brain)
    pool = [replace(one, hu=one.hu + 3 * number) for number, one in enumerate(pool)]

    class Real:
        def draw(self, rng, *, size, pixel_mm, slices, variation):
            labels = np.ones((slices, size, size), np.uint8)
            return Block(np.full(labels.shape, 44, np.float32), labels, pixel_mm, 5.0, "real", 44.0)

    for wanted_hu in (35.0, 20.0):
        stream = BatchStream(pool, replace(TINY, real_share=0.3, brain_hu=(wanted_hu, wanted_hu)), seed=1, real=Real())
        images = np.concatenate([next(stream)[0].numpy() for _ in range(5)])
        assert images == pytest.approx(wanted_hu / 100, abs=1e-6)
    stream = BatchStream(pool, replace(TINY, real_share=0.3, brain_hu=None), seed=1, real=Real())
    assert len({round(float(one[0].mean()), 2) for one, *_ in (next(stream) for _ in range(20))}) > 1


def test_neighbours_of_the_end_slices_are_the_end_slices():
    assert neighbours(range(4), 4, 3).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]
    assert neighbours(range(4), 4, 3, gap=2).tolist() == [[0, 0, 2], [0, 1, 3], [0, 2, 3], [1, 3, 3]]
    assert neighbours(range(3), 3, 1).tolist() == [[0], [1], [2]]


def test_real_bleeds_are_as_frequent_as_the_plan_says_and_never_hard_negatives(pool):
    class Real:
        def draw(self, rng, *, size, pixel_mm, slices, variation):
            labels = np.zeros((slices, size, size), np.uint8)
            labels[0], labels[1, :4] = 255, 1  # the first slice is a neighbour only
            return Block(np.full(labels.shape, 90, np.float32), labels, pixel_mm, 5.0, "real")

    stream = BatchStream(pool, replace(TINY, real_share=0.3), seed=1, real=Real())
    while len(stream.buffer) < 1000:
        stream._add_block()
    real = np.array([origin == -1 for _, _, origin in stream.buffer])
    assert real.mean() == pytest.approx(0.3 * 3 / (0.3 * 3 + 0.7 * 4), abs=0.05)
    assert not any((labels == 255).all() for _, labels, _ in stream.buffer)
    stream.report_false_alarm(-1, 100.0)
    assert not stream.hard


def test_blood_outside_the_brain_is_a_label_of_its_own_where_the_plan_shows_it(pool):
    shown = BatchStream(pool, replace(TINY, outside_share=1.0, real_share=0.0), seed=4)
    plain = BatchStream(pool, TINY, seed=4)
    for stream in (shown, plain):
        while len(stream.buffer) < 120:
            stream._add_block()
    assert np.mean([(labels == OUTSIDE_BRAIN).any() for _, labels, _ in shown.buffer]) > 0.4
    assert {value for _, labels, _ in plain.buffer for value in np.unique(labels)} <= {0, 1, 2}


def test_where_real_blood_outside_the_brain_may_be_the_label_leaves_it_open(pool):
    heads = [replace(one, kind="extra_axial") for one in pool]
    stream = BatchStream(heads, replace(TINY, outside_share=0.5), seed=5)
    stream._add_block()
    assert {int(value) for _, labels, _ in stream.buffer for value in np.unique(labels)} == {NOT_IN_BRAIN}
