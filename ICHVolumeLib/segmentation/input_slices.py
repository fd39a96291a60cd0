"""Which slices the network sees together, and how: the same for training and for a scan."""

import numpy as np

from ..imaging.windowing import window


def neighbours(slices: np.ndarray, count: int, in_slices: int, gap: int = 1) -> np.ndarray:
    """(n, in_slices) indices: each of the slices (n,) of a stack of `count` amid its neighbours `gap` slices apart;
    beyond the ends, the end slice."""
    offsets = (np.arange(in_slices) - in_slices // 2) * gap
    return np.clip(np.asarray(slices)[:, None] + offsets, 0, count - 1)


def windowed_slices(hu: np.ndarray, window_hu: tuple[float, float], in_slices: int, gap: int = 1) -> np.ndarray:
    """HU (slices, rows, columns) -> float32 (slices, in_slices, rows, columns) in 0..1, each slice amid neighbours."""
    return window(hu, *window_hu)[neighbours(np.arange(len(hu)), len(hu), in_slices, gap)]
