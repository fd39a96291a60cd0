"""Hounsfield units to what a network or an eye sees."""

import numpy as np


def window(hu: np.ndarray, low_hu: float, high_hu: float) -> np.ndarray:
    """Hounsfield units to 0..1 float32: low_hu and below become 0, high_hu and above 1."""
    return (np.clip(hu, low_hu, high_hu).astype(np.float32) - np.float32(low_hu)) / np.float32(high_hu - low_hu)
