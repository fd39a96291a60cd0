"""Whether brain is as bright in every slice: a slope that changes from slice to slice leaves air where it was.

Looked at is the median inside the skull. Of a real tilted head it changes by at most 9 HU from slice to slice where
much brain is seen; towards the vertex bone makes it brighter, never darker.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import WARNING, Finding
from .skull import SkullView, heights_mm, look_at_skull

_JUMP_HU = 12.0
_MUCH, _LEAST_CM2 = 0.5, 8.0  # of the largest area inside the skull; of one slice
_AIR_BELOW_HU = -250


def check_brain_levels(ct: CTVolume) -> list[Finding]:
    """ "slice-levels" where brain jumps between two neighboring slices."""
    view = look_at_skull(ct)
    if view is None:
        return []
    level, area_cm2 = _levels(ct, view)
    order = np.argsort(heights_mm(ct))
    level, area_cm2 = level[order], area_cm2[order]
    widest, jumps = int(np.argmax(area_cm2)), []
    for n, step in enumerate(np.diff(level).tolist()):
        least_cm2, (low, high) = min(area_cm2[n:n + 2]), order[n:n + 2]
        darker = n >= widest and step <= -_JUMP_HU and least_cm2 >= _LEAST_CM2
        if darker or abs(step) >= _JUMP_HU and least_cm2 >= _MUCH * area_cm2[widest]:
            jumps.append(f"between slice {min(low, high) + 1} and {max(low, high) + 1} by {abs(step):.0f} HU")
    if not jumps:
        return []
    return [Finding("slice-levels", WARNING,
                    f"Brain is not equally bright in all slices: it jumps {', '.join(jumps[:4])}. Their rescale slope "
                    "or intercept may be wrong, and blood there is measured wrongly; export the series again.")]


def _levels(ct, view: SkullView) -> tuple[np.ndarray, np.ndarray]:
    """(slices,) median HU inside the skull (NaN for none), and the area that it was taken from, cm2."""
    hu = ct.hu[:, ::view.steps[0], ::view.steps[1]]
    inside = view.inside & (hu > _AIR_BELOW_HU)
    area_cm2 = inside.sum(axis=(1, 2)) * ct.pixel_area_mm2 * view.steps[0] * view.steps[1] / 100
    return np.array([np.median(one[own]) if own.any() else np.nan
                     for one, own in zip(hu, inside, strict=True)]), area_cm2

