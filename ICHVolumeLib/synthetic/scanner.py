"""What the scanner does to slices: noise, kernel, streaks, motion, offset."""

import numpy as np
import torch
import torch.nn.functional as F

from .variation import MILD, Variation


def blur(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Separable Gaussian blur of (n, 1, rows, columns); unchanged when sigma is under a quarter pixel."""
    if sigma_px < 0.25:
        return images
    reach = max(1, int(np.ceil(2.5 * sigma_px)))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32)
    taps = torch.exp(-0.5 * (offsets / sigma_px) ** 2)
    taps = (taps / taps.sum()).tolist()
    one_by_one = images.split(1) if images.device.type == "cpu" else (images,)  # a slice stays in the cache
    return torch.cat([_blur_along(_blur_along(one, 2, taps), 3, taps) for one in one_by_one])


def _blur_along(image: torch.Tensor, axis: int, taps: list[float]) -> torch.Tensor:
    """Sums of shifted copies: ten times as fast as a convolution of one channel."""
    reach, size = len(taps) // 2, image.shape[axis]
    padded = F.pad(image, (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0), mode="replicate")
    blurred = padded.narrow(axis, reach, size) * taps[reach]
    for away in range(1, reach + 1):
        both = padded.narrow(axis, reach - away, size) + padded.narrow(axis, reach + away, size)
        blurred.add_(both, alpha=taps[reach + away])
    return blurred


def simulate_scanner(rng: np.random.Generator, hu: np.ndarray, pixel_mm: float,
                     variation: Variation = MILD) -> np.ndarray:
    """One scanner's rendering of a block of slices: hu (slices, rows, columns) float32 in and out."""
    images = torch.from_numpy(hu)[:, None]
    if rng.random() < 0.12:
        images = images + torch.from_numpy(_streaks(rng, hu))[:, None]
    images = blur(images, rng.uniform(0, 0.75) / pixel_mm)
    if rng.random() < 0.2:  # sharp kernel: overshoot at edges
        images = images + rng.uniform(0.2, 0.9) * (images - blur(images, rng.uniform(0.6, 1.2) / pixel_mm))
    if rng.random() < 0.03:  # motion: a ghost a few pixels away
        shift = (int(rng.integers(1, 6)), int(rng.integers(-3, 4)))
        images = 0.65 * images + 0.35 * torch.roll(images, shift, (2, 3))
    images = images * rng.uniform(1 - variation.gain, 1 + variation.gain)
    images = images + rng.uniform(-variation.shift_hu, variation.shift_hu)
    return (images + _noise(rng, images.shape, pixel_mm, variation.noise_hu))[:, 0].numpy()


def _noise(rng, shape, pixel_mm: float, most_hu: float) -> torch.Tensor:
    """Correlated noise, SD 0.5 to most_hu HU, grain 0.3-1.1 mm."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    noise = blur(torch.randn(shape, generator=generator), rng.uniform(0.3, 1.1) / pixel_mm)
    level = np.exp(rng.uniform(np.log(0.5), np.log(most_hu)))
    return noise * (level / max(float(noise.std()), 1e-6))


def _streaks(rng, hu: np.ndarray) -> np.ndarray:
    """Beam-hardening bands between dense bones, or a metal star (rare)."""
    slices, rows, columns = hu.shape
    y, x = np.mgrid[-1:1:rows * 1j, -1:1:columns * 1j].astype(np.float32)
    if rng.random() < 0.2:
        cx, cy = rng.uniform(-0.6, 0.6, 2)
        angle = np.arctan2(y - cy, x - cx)
        star = np.sin(angle * rng.integers(5, 15) + rng.uniform(0, 6)) ** 5
        bands = star * rng.uniform(8, 40) * np.exp(-np.hypot(x - cx, y - cy) * rng.uniform(1, 4))
    else:
        bands = np.zeros_like(x)
        for _ in range(rng.integers(1, 5)):
            turn = rng.normal(0, 0.35)
            across = y * np.cos(turn) + x * np.sin(turn) - rng.uniform(-0.6, 0.6)
            bands += rng.normal(0, 8) * np.exp(-(across / rng.uniform(0.01, 0.06)) ** 2)
    strength = rng.uniform(0.3, 1, slices).astype(np.float32)
    return bands.astype(np.float32) * strength[:, None, None]
