"""Random fields and grids of the sample patient."""

import numpy as np

from ICHVolumeLib.synthetic.fields import SliceGrid, random_waves


def small_grid(shift=0.0, z=(0.0, 5.0, 10.0)):
    axis = np.arange(-40, 40, 1.0)
    return SliceGrid(axis, axis, np.array(z), shift)


def test_a_field_equals_the_sum_of_its_plane_waves():
    waves = random_waves(np.random.default_rng(1), (10, 40), 7)
    grid = small_grid()
    x, y, z = grid.axes()
    expected = sum(np.cos(fx * x + fy * y + fz * z + phase)
                   for (fx, fy, fz), phase in zip(waves.frequencies, waves.phases, strict=True))
    np.testing.assert_allclose(waves.on(grid), expected * np.sqrt(2 / 7), atol=1e-3)


def test_a_field_has_zero_mean_and_unit_spread():
    axis = np.arange(-300, 300, 2.0)
    field = random_waves(np.random.default_rng(2), (5, 30), 60).on(SliceGrid(axis, axis, np.arange(0, 100, 25.0)))
    assert abs(field.mean()) < 0.05
    assert abs(field.std() - 1) < 0.1


def test_a_sheared_grid_shows_the_field_where_its_slices_really_are():
    waves = random_waves(np.random.default_rng(3), (20, 60), 9)
    moved = waves.on(small_grid(shift=np.array([0.0, 3.0, 6.0])))
    straight = waves.on(small_grid())
    np.testing.assert_allclose(moved[1][:-3], straight[1][3:], atol=1e-3)
    np.testing.assert_allclose(moved[2][:-6], straight[2][6:], atol=1e-3)


def test_a_box_holds_every_point_within_its_radius():
    grid = small_grid()
    box = grid.box((5, -7, 5), 12)
    x, y, z = grid.axes()
    near = (np.abs(x - 5) <= 12) & (np.abs(y + 7) <= 12) & (np.abs(z - 5) <= 12)
    assert near[box].sum() == near.sum()
    assert near[box].all()
