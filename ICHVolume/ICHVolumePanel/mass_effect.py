"""Midline shift and ventricles of one case as its mask stands now: blood marked as IVH counts as ventricle.

Measuring them takes a second, so the child process does it, and until it has answered nothing is said.
"""

import numpy as np

from ICHVolumeLib.anatomy.mass_effect import measure_mass_effect
from ICHVolumeLib.core.labels import IVH
from ICHVolumeLib.core.result import MidlineShift, Ventricles

from .translation import tr as _

NOTHING = (None, None)


class MassEffect:
    """of_scan: measure_mass_effect without a mask, once the image was looked at; at_once: for scripts, which wait."""

    def __init__(self, of_scan=NOTHING, at_once=False):
        self.of_scan, self._at_once = of_scan, at_once
        self._mask, self._of_mask = None, NOTHING

    def of(self, case):
        """(MidlineShift, Ventricles) of the case's present mask."""
        if not case.mask.any():
            return NOTHING
        if self.is_missing(case):
            if not self._at_once:
                return MidlineShift(reason=_("being measured \u2026")), Ventricles(reason=_("being measured \u2026"))
            self.take(case.mask, measure_mass_effect(case.ct, case.mask, case.head_frame))
        return self._of_mask if self._counts(case.mask) else self.of_scan

    def is_missing(self, case) -> bool:
        """The present mask has marked IVH with which it was not measured yet."""
        mask = case.mask
        if mask is None or self.of_scan[0] is None or not self._counts(mask):
            return False
        return self._mask is None or not (mask is self._mask or np.array_equal(mask, self._mask))

    def take(self, mask, measured) -> None:
        self._mask, self._of_mask = mask, measured

    def failed(self, mask, sentence) -> None:
        self.take(mask, (MidlineShift(reason=sentence), Ventricles(reason=sentence)))

    @staticmethod
    def _counts(mask):
        return bool((mask == IVH.value).any())
