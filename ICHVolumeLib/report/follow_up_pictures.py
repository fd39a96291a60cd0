"""Both scans of a follow-up on the same slices, with one crop for all."""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import LABELS
from ..imaging.registration import onto_slices
from .slice_view import SliceView, key_slices, largest_slice

MOST_PAIRS = 5
SMALL_PIXELS = 260
_AIR_HU = -1000
_APART_MM = 5.0  # of the slices in the stack that is made for the pictures; any step would do


@dataclass(frozen=True)
class Pair:
    """SVG of slice k of the later scan: the earlier scan brought there with its mask, the later scan with its mask, and
    the earlier mask alone, to be laid over it."""

    k: int
    is_main: bool
    earlier: str
    later: str
    outline: str


def pairs_of_slices(earlier: CTVolume, earlier_mask: np.ndarray, later: CTVolume, later_mask: np.ndarray,
                    later_to_earlier_ras: np.ndarray) -> list[Pair]:
    """The slice with most blood of either scan first, then others through the bleeds from low to high."""
    every = list(range(len(later.hu)))
    before = np.zeros(later.hu.shape, np.uint8)
    for label in LABELS:
        share = onto_slices(later, every, earlier, (earlier_mask == label.value).astype(np.float32),
                            later_to_earlier_ras, 0.0)
        before[share > 0.5] = label.value
    either = np.maximum(before, later_mask)
    main = largest_slice(either)
    chosen = key_slices(later, either, main, MOST_PAIRS)
    main = chosen[len(chosen) // 2] if main is None else main
    hu = onto_slices(later, chosen, earlier, earlier.hu, later_to_earlier_ras, float(_AIR_HU))
    view, count = _view(later, chosen, hu, before, later_mask), len(chosen)
    thin = max(1, max(later.hu.shape[1:]) // SMALL_PIXELS)
    pairs = [Pair(k, k == main, *(view.svg(part * count + place, letters=k == main, thin=1 if k == main else thin,
                                           title=f"{words}, slice {k + 1}")
                                  for part, words in enumerate(("earlier", "later", "earlier outline"))))
             for place, k in enumerate(chosen)]
    return sorted(pairs, key=lambda pair: (not pair.is_main, pair.k))


def _view(later, chosen, earlier_hu, before, later_mask) -> SliceView:
    """A view of three stacks on each other: the earlier scan, the later one, and nothing but the earlier mask. One
    view crops all its slices alike, so the three can be laid side by side and over each other."""
    empty = np.full(earlier_hu.shape, _AIR_HU, np.int16)
    hu = np.concatenate([np.clip(np.round(earlier_hu), -1024, 3071).astype(np.int16), later.hu[chosen], empty])
    mask = np.concatenate([before[chosen], later_mask[chosen], before[chosen]])
    matrix = later.ijk_to_ras.copy()
    matrix[:3, 2] = later.slice_normal_ras * _APART_MM
    return SliceView(CTVolume.regular(hu, matrix, later.info), mask)
