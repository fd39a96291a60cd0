"""What comes back in training: false alarms and visible bleeds that were missed, and nothing that nobody can see."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ICHVolumeLib.training.mining import is_missed, report_mistakes
from ICHVolumeLib.training.plans import PLANS
from ICHVolumeLib.training.stream import MOST_KEPT, BatchStream

PLAN = replace(PLANS["fine"], batch=4, size=96, pixel_mm=(0.6, 0.6), hard_share=0.0, missed_share=0.0)
Y, X = np.mgrid[:96, :96]
BLOOD = np.hypot(Y - 40, X - 50) < 12


def image(contrast_hu, noise_hu=0.0):
    hu = 32 + np.random.default_rng(0).normal(0, noise_hu, BLOOD.shape) + contrast_hu * BLOOD
    return torch.tensor(hu[None] / 100, dtype=torch.float32)


@pytest.mark.parametrize(("contrast_hu", "noise_hu", "expected"), [(20, 0, True), (4, 0, False), (10, 60, False)])
def test_only_blood_that_can_be_seen_counts_as_missed(contrast_hu, noise_hu, expected):
    assert is_missed(image(contrast_hu, noise_hu), BLOOD, np.zeros_like(BLOOD), PLAN) == expected


@pytest.mark.parametrize(("share_marked", "expected"), [(0.2, True), (0.5, False)])
def test_a_bleed_of_which_part_is_marked_is_not_missed(share_marked, expected):
    marked = BLOOD & (X < np.quantile(X[BLOOD], share_marked))
    assert is_missed(image(20), BLOOD, marked, PLAN) == expected


def test_the_slice_in_the_middle_is_the_one_that_is_looked_at():
    three = torch.cat([image(0), image(20), image(0)])
    assert is_missed(three, BLOOD, np.zeros_like(BLOOD), PLAN)
    assert not is_missed(three.roll(1, dims=0), BLOOD, np.zeros_like(BLOOD), PLAN)


def test_a_missed_block_comes_back_once_with_the_same_bleed(pool):
    stream = BatchStream(pool, PLAN, seed=3)
    stream._add_block()
    before = stream.buffer[0]
    stream.report_miss(before[2])
    stream.plan = replace(PLAN, missed_share=1.0)
    stream.buffer.clear()
    stream._add_block()
    again = stream.buffer[0]
    assert again[2] is before[2] and not stream.missed
    assert np.array_equal(again[0], before[0]) and np.array_equal(again[1], before[1])
    stream.buffer.clear()
    stream._add_block()  # nothing is left to come back: a new one
    assert stream.buffer[0][2] is not before[2]


def test_a_head_with_a_false_alarm_comes_back_without_a_bleed(pool):
    stream = BatchStream(pool, PLAN, seed=3)
    images, _, origins = next(stream)
    none, some = torch.zeros(4, 96, 96, dtype=torch.uint8), torch.zeros(4, 3, 96, 96)
    some[0, 1, :20, :20] = 9.0  # of the first slice, 400 pixels are marked
    some[:, 0] = 1.0
    report_mistakes(stream, images, some, none, origins)
    assert stream.hard == [origins[0].background] and not stream.missed
    stream.plan = replace(PLAN, hard_share=1.0)
    stream.buffer.clear()
    for _ in range(6):
        stream._add_block()
    assert {origin.background for _, _, origin in stream.buffer} == {origins[0].background}
    assert not any(labels.any() for _, labels, _ in stream.buffer)


def test_a_missed_bleed_is_told_to_the_stream(pool):
    stream = BatchStream(pool, PLAN, seed=3)
    _, _, origins = next(stream)
    images = torch.stack([image(20), image(2), image(20), image(20)])
    labels = torch.from_numpy(np.repeat(BLOOD[None], 4, axis=0).astype(np.uint8))
    labels[2] = 0
    logits = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).repeat(4, 1, 96, 96)
    logits[3, 1] += 5.0 * torch.from_numpy(BLOOD)
    report_mistakes(stream, images, logits, labels, origins)
    assert list(stream.missed) == [origins[0]]


def test_only_the_newest_misses_are_kept(pool):
    stream = BatchStream(pool[:1], PLAN, seed=3)
    for _ in range(MOST_KEPT + 3):
        newest = stream._next_origin()
        stream.report_miss(newest)
    assert len(stream.missed) == MOST_KEPT and next(reversed(stream.missed)) is newest
