"""Hounsfield units to what the network sees."""

import numpy as np

from ICHVolumeLib.imaging.windowing import window


def test_the_window_is_linear_between_its_ends_and_flat_beyond():
    np.testing.assert_allclose(window(np.array([-1000, -60, 40, 140, 3000], np.int16), -60, 140), [0, 0, 0.5, 1, 1])
