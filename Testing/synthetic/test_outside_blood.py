"""Made blood outside the brain: where it lies, and that the generator says where."""

from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.synthetic import outside_blood
from ICHVolumeLib.synthetic.fields import SliceGrid
from ICHVolumeLib.synthetic.generator import make_block

SIZE, PIXEL_MM = 96, 1.8


@pytest.fixture(scope="module")
def plain_head():
    """hu, brain, ventricle, depth_mm and grid of a round head of 70 mm: brain of 32 HU, sulci of 8 HU in its outer 6 mm
    on the left, a ventricle in the middle."""
    axis = ((np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL_MM).astype(np.float32)
    grid = SliceGrid(axis, axis, np.arange(4) * 5.0)
    x, y, _ = grid.axes()
    radius = np.hypot(x, y) + np.zeros(grid.shape, np.float32)
    brain, depth_mm = np.clip(70.5 - radius, 0, 1), np.maximum(70 - radius, 0)
    ventricle = (radius < 12).astype(np.float32)
    hu = np.where(radius < 70, 32.0, 80.0)
    hu[(ventricle > 0) | ((depth_mm > 0) & (depth_mm < 6) & (x > 0))] = 8.0
    return hu.astype(np.float32), brain.astype(np.float32), ventricle, depth_mm.astype(np.float32), grid


@pytest.mark.parametrize("kind", outside_blood.KINDS)
def test_every_kind_lies_between_skull_and_brain(plain_head, monkeypatch, kind):
    monkeypatch.setattr(outside_blood, "HOW_OFTEN", tuple(float(one == kind) for one in outside_blood.KINDS))
    hu, brain, ventricle, depth_mm, grid = plain_head
    touched, largest_mm = 0, 0.0
    for seed in range(12):
        painted = hu.copy()
        share = outside_blood.any_kind(np.random.default_rng(seed), painted, brain, ventricle, depth_mm, grid)
        blood = share > 0.5
        assert (painted[share == 0] == hu[share == 0]).all() and 0 <= share.min() and share.max() <= 1
        assert not (blood & (brain < 0.5)).any() and not (blood & (ventricle > 0.5)).any()
        if blood.any():
            touched += 1
            largest_mm = max(largest_mm, float(depth_mm[blood].max()))
            assert np.median(painted[blood]) > 37
            if kind == "sulci":
                assert (hu[blood] < 27).all()  # nothing but dark spaces is filled
            else:
                assert depth_mm[blood].min() < 2.5  # it reaches the skull
    assert touched >= 8 and largest_mm < 31


def test_a_block_knows_where_its_blood_outside_the_brain_is(head):
    told = 0
    for seed in range(10):
        block = make_block(np.random.default_rng(seed), head, size=96, pixel_mm=1.8, slices=3, bleed=True,
                           outside_brain=True)
        assert block.outside.shape == block.labels.shape and not (block.outside & (block.labels > 0)).any()
        if block.outside.sum() > 60:
            told += 1
            tissue = block.hu[(block.hu > 15) & (block.hu < 42)]
            assert np.median(block.hu[block.outside]) > np.median(tissue) + 8
    assert told >= 5


def test_of_a_head_with_real_blood_outside_the_brain_nobody_knows_where(make_head):
    head = replace(make_head(), kind="extra_axial")
    block = make_block(np.random.default_rng(0), head, size=64, pixel_mm=2.7, slices=2)
    assert block.outside is None and not block.labels.any()
