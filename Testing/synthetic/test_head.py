"""A head made by code: deep nuclei stand between white matter and cortex, as in a CT template, and fade into it."""

import numpy as np
import pytest

from ICHVolumeLib.synthetic.fields import SliceGrid
from ICHVolumeLib.synthetic.head import GREY_HU, WHITE_HU, head_hu, random_anatomy

TEMPLATE_SHARE = {"putamen": (31 - 16.5) / (35 - 16.5), "thalamus": (28.5 - 16.5) / (35 - 16.5)}  # C. Rorden's
PLACES_MM = {"putamen": (25, -6, 2), "thalamus": (11, 11, 4)}  # |x|, y, z


def share_of_grey(name, seed):
    """Median of a cube of 5 mm on both sides: 0 white matter, 1 cortex."""
    x, y, z = PLACES_MM[name]
    anatomy = random_anatomy(np.random.default_rng(seed), 40)
    hu = np.concatenate([head_hu(anatomy, SliceGrid(side * x + np.arange(-2, 3.0), y + np.arange(-2, 3.0),
                                                    z + np.arange(-2, 3.0)), slab_mm=1.0)[0] for side in (-1, 1)])
    return (np.median(hu) - WHITE_HU) / (GREY_HU - WHITE_HU)


@pytest.mark.parametrize("name", PLACES_MM)
def test_the_nuclei_of_many_people_are_on_average_as_bright_as_those_of_the_template(name):
    shares = [share_of_grey(name, seed) for seed in range(12)]
    assert np.mean(shares) == pytest.approx(TEMPLATE_SHARE[name], abs=0.1)
    assert np.std(shares) > 0.04  # people and scanners differ


def test_the_same_seed_is_the_same_person_and_leaves_what_the_generator_gives_next_alone():
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    assert random_anatomy(first, 60).nuclei_grey == random_anatomy(second, 60).nuclei_grey
    assert first.random() == second.random()

