"""Disks and boxes by shifted copies give what the definition gives."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.disks import box_mean, depth_px, narrowed_by_disk, opened_by_disk, widened_by_disk


@pytest.mark.parametrize("radius_px", [0, 1, 2.3, 5])
def test_a_point_becomes_a_disk(radius_px):
    point = np.zeros((2, 21, 17), bool)
    point[1, 9, 8] = True
    away = np.hypot(np.arange(21)[:, None] - 9, np.arange(17) - 8)
    grown = widened_by_disk(point, radius_px)
    assert np.array_equal(grown[1], away <= radius_px)
    assert not grown[0].any()


def test_opening_takes_what_is_narrower_and_keeps_the_rest():
    area = np.zeros((1, 40, 40), bool)
    area[0, 5:25, 5:25] = True
    area[0, 14:16, 25:40] = True
    kept = opened_by_disk(area, 3)
    assert not kept[0, :, 26:].any()
    assert kept[0, 8:22, 8:22].all()
    assert narrowed_by_disk(np.ones((1, 9, 9), bool), 2).all(), "what touches the edge goes on beyond it"


@pytest.mark.parametrize("radius_px", [0, 1, 3, 7])
def test_box_means_are_those_of_the_definition(radius_px):
    values = np.random.default_rng(0).normal(40, 10, (2, 31, 23)).astype(np.float32)
    longer = np.pad(values, ((0, 0), (radius_px,) * 2, (radius_px,) * 2), mode="edge")
    width = 2 * radius_px + 1
    windows = np.lib.stride_tricks.sliding_window_view(longer, (width, width), axis=(1, 2))
    assert np.allclose(box_mean(values, radius_px), windows.mean((-1, -2)), atol=1e-3)


def test_the_deepest_point_of_a_disk_is_its_middle():
    away = np.hypot(np.arange(41)[:, None] - 20, np.arange(41) - 20)
    depth = depth_px((away < 12)[None])
    assert depth[0, 20, 20] == depth.max() and 10 <= depth.max() <= 13
