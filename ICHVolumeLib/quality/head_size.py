"""Whether the head has the size and the proportions of a head: a voxel size that was lost on the way shows here only.

Measured: the largest soft area inside the skull in one slice (adults about 130 to 210 cm2, newborns about 80), and the
height of the cap, from the highest slice with 80 % of that area to the vertex, over the square root of the area. Four
made heads with tilts of -12 to 18 degrees and one real head gave 0.27 to 0.33; slices four times too thin or too thick
give 0.08 or 1.2.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import WARNING, Finding
from .skull import SkullView, heights_mm, look_at_skull

_AREA_CM2 = (90.0, 260.0)
_CAP = (0.17, 0.55)
_WIDE = 0.8  # of the largest area: the lower edge of the cap
_VERTEX_SHARE = 0.05  # of the largest area in the top slice; with more the vertex is missing
_WHOLE_SHARE = 0.7  # with more in the lowest slice, wider ones may be missing
_GAP_MM = 35.0  # an open skull spoils both measures
_CHILD_YEARS = 18
_FEWEST_SLICES = 8


def check_head_size(ct: CTVolume) -> list[Finding]:
    view = look_at_skull(ct)
    if view is None or view.gap_mm > _GAP_MM:
        return []
    words = [*_area_words(ct, view), *_cap_words(ct, view)]
    if not words:
        return []
    return [Finding("head-size", WARNING,
                    f"The head has an unusual size or shape: {' and '.join(words)}. The voxel size in the file is "
                    "probably wrong, and with it every volume. Compare it with the original series, or look whether "
                    "this is a child.")]


def _area_words(ct, view: SkullView) -> list[str]:
    most = float(view.brain_cm2.max())
    age = ct.info.patient_age_years
    small = most < _AREA_CM2[0] and view.bottom_share <= _WHOLE_SHARE and (age is None or age >= _CHILD_YEARS)
    if not small and most <= _AREA_CM2[1]:
        return []
    return [f"the inside of the skull measures {most:.0f} cm2 in its largest slice (adults: 130 to 210)"]


def _cap_words(ct, view: SkullView) -> list[str]:
    if view.top_share > _VERTEX_SHARE or len(ct.hu) < _FEWEST_SLICES:
        return []
    heights = heights_mm(ct)
    order = np.argsort(heights)
    area, heights, most = view.brain_cm2[order], heights[order], float(view.brain_cm2.max())
    edge = int(np.flatnonzero(area >= _WIDE * most)[-1])
    vertex = int(np.flatnonzero(area > 0.02 * most)[-1])
    cap_mm = float(heights[vertex] - heights[edge])
    if _CAP[0] <= cap_mm / np.sqrt(100 * most) <= _CAP[1]:
        return []
    return [f"the skull rises {cap_mm:.0f} mm above its widest slice of {most:.0f} cm2 (adults: about "
            f"{0.3 * np.sqrt(100 * most):.0f} mm)"]
