"""The skull model is a smooth head-sized surface, the same on both sides."""

import numpy as np

from ICHVolumeLib.anatomy.skull_model import (
    CENTER_MM,
    even_directions,
    harmonics,
    is_trusted,
    outside_mm,
    surface_mm,
)


def test_the_harmonics_are_orthogonal_on_the_sphere():
    values = harmonics(even_directions(20000), 4)
    products = values.T @ values / len(values)
    scale = np.sqrt(np.diag(products))
    assert np.abs(products / scale / scale[:, None] - np.eye(len(scale))).max() < 0.01


def test_the_harmonics_of_the_first_degree_are_the_direction_itself():
    directions = even_directions(50)
    values = harmonics(directions, 1)
    assert np.allclose(values[:, 0], 1) and np.allclose(values[:, 1], directions[:, 2])
    assert np.allclose(values[:, 2], directions[:, 1])


def test_left_and_right_are_mirror_images():
    directions = even_directions(500)
    assert np.allclose(surface_mm(directions) * (-1, 1, 1), surface_mm(directions * (-1, 1, 1)))


def test_the_cavity_has_the_size_of_the_mni_brain():
    """Width 140 +- 6, from the front to the back 180 +- 8, vertex 80 +- 5 mm above the commissures: MNI152's."""
    surface = surface_mm(even_directions(4000))
    vault = surface[is_trusted(surface)]
    width, length, _ = np.ptp(vault, axis=0)
    assert abs(width - 140) < 6 and abs(length - 180) < 8 and abs(vault[:, 2].max() - 80) < 5


def test_distances_are_negative_inside_and_zero_on_the_surface():
    directions = even_directions(300)
    surface = surface_mm(directions)
    assert np.abs(outside_mm(surface)).max() < 1e-9
    assert np.allclose(outside_mm(surface + 3 * directions), 3)
    assert np.allclose(outside_mm(surface - 3 * directions), -3)
    assert outside_mm(CENTER_MM[None]) < -40
