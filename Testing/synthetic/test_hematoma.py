"""Shapes of hematomas against analytic volumes."""

import numpy as np
import pytest

from ICHVolumeLib.synthetic.fields import SliceGrid, random_waves
from ICHVolumeLib.synthetic.hematoma import Shape, random_shape


def ellipsoid(radii, roughness=0.0):
    waves = random_waves(np.random.default_rng(0), (10, 30), 8)
    return Shape(np.zeros((1, 3)), np.array([radii], float), np.eye(3)[None], roughness, waves)


@pytest.mark.parametrize("step_mm", [1.0, 5.0])
def test_the_filled_share_of_an_ellipsoid_adds_up_to_its_volume(step_mm):
    radii = (20.0, 15.0, 12.0)
    axis = np.arange(-30, 30, 0.5)
    grid = SliceGrid(axis, axis, np.arange(-25, 25.1, step_mm))
    ml = ellipsoid(radii).occupancy(grid, step_mm, samples=5).sum() * 0.25 * step_mm / 1000
    assert ml == pytest.approx(4 / 3 * np.pi * np.prod(radii) / 1000, rel=0.01)


def test_a_shear_of_the_grid_keeps_the_volume():
    axis = np.arange(-40, 40, 0.5)
    z = np.arange(-25, 25.1, 2.0)
    straight = ellipsoid((15, 15, 15)).occupancy(SliceGrid(axis, axis, z), 2.0).sum()
    sheared = ellipsoid((15, 15, 15)).occupancy(SliceGrid(axis, axis, z, z * np.tan(np.radians(20))), 2.0).sum()
    assert sheared == pytest.approx(straight, rel=0.002)


@pytest.mark.parametrize("volume_ml", [1, 10, 60])
def test_random_shapes_come_near_the_volume_asked_for_and_stay_within_their_reach(volume_ml):
    axis = np.arange(-70, 70, 1.0)
    grid = SliceGrid(axis, axis, axis)
    x, y, z = grid.axes()
    volumes = []
    for seed in range(8):
        shape = random_shape(np.random.default_rng(seed), (0, 0, 0), volume_ml, seed / 8)
        share = shape.occupancy(grid, 1.0, samples=1)
        cx, cy, cz = shape.center_mm
        far = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 > shape.reach_mm**2
        assert share[far].max(initial=0) == 0
        volumes.append(share.sum() / 1000)
    assert np.median(volumes) == pytest.approx(volume_ml, rel=0.4)


def test_the_same_seed_gives_the_same_shape():
    first, second = (random_shape(np.random.default_rng(5), (1, 2, 3), 20, 0.7) for _ in range(2))
    np.testing.assert_array_equal(first.radii_mm, second.radii_mm)
    np.testing.assert_array_equal(first.surface.phases, second.surface.phases)
