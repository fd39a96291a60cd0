"""The Dice coefficient, once for all."""

import numpy as np


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|) of two masks of any shape, whatever their labels.

    1 when both are empty: they agree. Who averages over cases that may hold nothing to find asks for that first.
    """
    first, second = np.asarray(first) > 0, np.asarray(second) > 0
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 1.0 if total == 0 else 2 * np.count_nonzero(first & second) / total
