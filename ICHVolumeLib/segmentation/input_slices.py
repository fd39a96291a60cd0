"""Which slices the network sees together, and how: the same for training and for a scan."""

import numpy as np

from ..imaging.windowing import window


def neighbours(slices: np.ndarray, count: int, in_slices: int, gap: int = 1) -> np.ndarray:
    """(n, in_slices) indices: each of the slices (n,) of a stack of `count` amid its neighbours `gap` slices apart;
    beyond the ends, the end slice."""
    offsets = (np.arange(in_slices) - in_slices // 2) * gap
    return np.clip(np.asarray(slices)[:, None] + offsets, 0, count - 1)


def moved_hu(brain_hu: float | None, levels_hu: tuple[float, float] | None) -> float:
    """What is added to all HU so that brain is as bright as the network saw it in training, between the two levels; 0
    where either is not known."""
    return 0.0 if brain_hu is None or levels_hu is None else min(max(brain_hu, levels_hu[0]), levels_hu[1]) - brain_hu


def windowed(hu: np.ndarray, window_hu: tuple[float, float], moved_hu: float = 0.0) -> np.ndarray:
    """HU -> float32 in 0..1, after moved_hu was added."""
    return window(hu, window_hu[0] - moved_hu, window_hu[1] - moved_hu)


def windowed_slices(hu: np.ndarray, window_hu: tuple[float, float], in_slices: int, gap: int = 1,
                    moved_hu: float = 0.0) -> np.ndarray:
    """HU (slices, rows, columns) -> float32 (slices, in_slices, rows, columns) in 0..1, each slice amid neighbours."""
    return windowed(hu, window_hu, moved_hu)[neighbours(np.arange(len(hu)), len(hu), in_slices, gap)]
