"""Where air and soft tissue lie in every slice of a scan, and what that says of its scale.

By the definition of Hounsfield units air lies at -1000 and water at 0, so brain lies about 1035 above air whatever was
lost on the way. A constant value outside the field of view is padding and says nothing: nothing real is less dense
than air, and everything real has noise.
"""

from dataclasses import dataclass

import numpy as np

AIR, BRAIN = -1000, 35  # HU
BACKGROUND_BELOW = -900  # a constant background from here on may stand for air (a masked or cleaned image)
_LOW, _HIGH = -4096, 4096  # histograms cover this range; what lies beyond counts at its ends
_SAMPLES = 128  # pixels looked at along the shorter side of a slice, at least
_WINDOW = 60  # HU to both sides of a level
_LEAST_RATIO = 0.1  # of the smaller to the larger of the two levels; dense bone to brain is .02 to .05
_WIDEST = 100  # HU, noise of air; fat lies 130 below brain
_LEAST_LOWER = 0.003  # share of voxels less dense than a level that is then not air
_LEAST_SHARE = 0.005  # of a slice, for padding and levels
_SPIKE = 5  # times as many voxels as at the values beside it: not noise but one constant


@dataclass(frozen=True, eq=False)
class Levels:
    """histograms: (slices, values from -4096 to 4096) without padding, shares of the slice.

    padding: (slices,) the constant value that fills most of the background, NaN where there is none.
    padding_share: (slices,) of the slice. background_share: (slices,) of padding at -900 and below.
    """

    histograms: np.ndarray
    padding: np.ndarray
    padding_share: np.ndarray
    background_share: np.ndarray

    @property
    def whole(self) -> np.ndarray:
        """One histogram of all slices."""
        return self.histograms.mean(axis=0)


def find_levels(values: np.ndarray) -> Levels:
    """values: whole numbers (slices, rows, columns), any integer type, or float without NaN."""
    step = max(1, min(values.shape[1:]) // _SAMPLES)
    slices = [_without_padding(one) for one in values[:, ::step, ::step]]
    return Levels(*(np.array(part) for part in zip(*slices, strict=True)))


def _without_padding(one):
    """Histogram of one slice, the padding's value and share, and the share that may stand for air."""
    binned = np.clip(one, _LOW, _HIGH).astype(np.int64) - _LOW
    counts = np.bincount(binned.ravel(), minlength=_HIGH - _LOW + 1)
    corners = {int(binned[j, i]) for j in (0, -1) for i in (0, -1)}
    found = []
    for value in sorted(corners | {int(binned.min())}):
        beside = np.concatenate([counts[max(value - 5, 0):max(value - 1, 0)], counts[value + 2:value + 6]])
        beside = beside[beside > 0]
        if counts[value] >= _LEAST_SHARE * one.size and counts[value] >= _SPIKE * (beside.mean() if beside.size else 0):
            found.append((counts[value] / one.size, value + _LOW))
    for _, value in found:
        counts[value - _LOW] = 0
    share, padding = max(found) if found else (0.0, np.nan)
    return counts / one.size, padding, share, sum(part for part, value in found if value <= BACKGROUND_BELOW)


def share_between(histogram: np.ndarray, low: float, high: float) -> float:
    """Share of the voxels from low to high HU, both included."""
    first, last = (int(np.clip(value, _LOW, _HIGH)) - _LOW for value in (low, high))
    return float(histogram[..., first:last + 1].sum())


def mode_between(histogram: np.ndarray, low: float, high: float) -> float:
    """The commonest value from low to high, smoothed over 9 HU; NaN where next to nothing lies there."""
    first, last = (int(np.clip(value, _LOW + 4, _HIGH - 4)) - _LOW for value in (low, high))
    part = np.convolve(histogram[first - 4:last + 5], np.ones(9), "valid")
    return float(np.argmax(part) + first + _LOW) if part.max() > 1e-4 else float("nan")


def offset_of(histogram: np.ndarray) -> float | None:
    """By how much air and brain lie above their places, or None where these two levels are not seen.

    They are two levels 1035 apart, one of which is the commonest level of all, and nothing lies below air but noise: so
    brain and bone are not taken for air and brain.
    """
    shares = np.convolve(histogram, np.ones(2 * _WINDOW + 1), "same")
    between = BRAIN - AIR
    air, tissue = shares[:-between], shares[between:]
    low, high = np.minimum(air, tissue), np.maximum(air, tissue)
    fits = (high >= 0.95 * shares.max()) & (low >= _LEAST_RATIO * high) & (low >= _LEAST_SHARE)
    if not fits.any():
        return None
    near = int(np.argmax(np.where(fits, low, 0))) + _LOW
    level = mode_between(histogram, near - _WINDOW, near + _WINDOW)
    lower = share_between(histogram, _LOW, level - max(_WIDEST, 3 * _noise_sd(histogram, level)))
    return None if lower > _LEAST_LOWER else level - AIR


def _noise_sd(histogram, level) -> float:
    """SD of a level by the half width of its lower side."""
    smooth = np.convolve(histogram, np.ones(9), "same")
    top = int(level) - _LOW
    below = np.flatnonzero(smooth[:top] < smooth[top] / 2)
    return (top - below[-1]) / 1.18 if below.size else 0.0
