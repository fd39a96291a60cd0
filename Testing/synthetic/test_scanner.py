"""The scanner: its blur is a Gaussian convolution, its noise has the drawn strength, and the seed decides all."""

import numpy as np
import pytest
import torch

from ICHVolumeLib.synthetic.scanner import blur, simulate_scanner
from ICHVolumeLib.synthetic.variation import MILD, WIDE


def gaussian_by_definition(image, sigma_px):
    """Direct sums over a neighbourhood, edges repeated: slow, and surely right."""
    reach = int(np.ceil(2.5 * sigma_px))
    offsets = np.arange(-reach, reach + 1)
    taps = np.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    padded = np.pad(image, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


@pytest.mark.parametrize("sigma_px", [0.3, 0.8, 2.3])
def test_blur_is_a_gaussian_convolution_with_repeated_edges(sigma_px):
    images = np.random.default_rng(0).normal(40, 20, (3, 18, 23)).astype(np.float32)
    blurred = blur(torch.from_numpy(images)[:, None], sigma_px)[:, 0].numpy()
    for image, seen in zip(images, blurred, strict=True):
        np.testing.assert_allclose(seen, gaussian_by_definition(image, sigma_px), atol=1e-3)


def test_a_blur_under_a_quarter_pixel_changes_nothing():
    images = torch.rand(2, 1, 8, 8)
    assert blur(images, 0.2) is images


def test_the_same_seed_scans_the_same_way_and_noise_is_moderate():
    hu = np.full((3, 64, 64), 35, np.float32)
    first, second = (simulate_scanner(np.random.default_rng(5), hu, 0.9) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    spreads = [simulate_scanner(np.random.default_rng(seed), hu, 0.9).std() for seed in range(20)]
    assert 0.4 < min(spreads) < 2 and max(spreads) < 60
    assert np.median(spreads) < 8


def test_training_sees_noisier_scans_than_held_out_patients_and_a_little_brighter_and_darker_ones():
    hu = np.full((1, 96, 96), 35, np.float32)
    mild, wide = ([simulate_scanner(np.random.default_rng(seed), hu, 0.9, kind) for seed in range(60)]
                  for kind in (MILD, WIDE))
    spread = [np.ptp([np.median(one) for one in images]) for images in (mild, wide)]
    assert 1.3 * spread[0] < spread[1] < 15  # HU; how bright the brain is, the network is not left to find
    assert max(np.std(one) for one in wide) > 7
