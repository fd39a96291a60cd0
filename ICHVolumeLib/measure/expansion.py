"""Did the hematoma grow between two scans? The exact differences, and the two usual definitions.

The revised definition is that of Yogendrakumar et al. 2020 (Stroke, PREDICT), who count a growth of exactly 6 mL
or 33 % too; here it must be more.
"""

from dataclasses import dataclass

from ..core.result import VolumeMl

GROWTH_ML = 6.0
GROWTH_PERCENT = 33.0
IVH_GROWTH_ML = 1.0


@dataclass(frozen=True)
class Expansion:
    """Differences are second scan minus first; negative when blood was cleared. Percent is None from zero.

    expanded: ICH grew by more than 6 mL or more than 33 %.
    expanded_revised: that, or new intraventricular blood, or IVH growth of at least 1 mL.
    """

    ich_ml: float
    ich_percent: float | None
    ivh_ml: float
    new_ivh: bool
    expanded: bool
    expanded_revised: bool


def compare_volumes(first: VolumeMl, second: VolumeMl) -> Expansion:
    """Compare the first scan's volumes with a later scan's."""
    ich_ml, ivh_ml = second.ich - first.ich, second.ivh - first.ivh
    ich_percent = 100 * ich_ml / first.ich if first.ich > 0 else None
    new_ivh = first.ivh == 0 and second.ivh > 0
    expanded = ich_ml > GROWTH_ML or (ich_percent is not None and ich_percent > GROWTH_PERCENT)
    return Expansion(ich_ml, ich_percent, ivh_ml, new_ivh, expanded,
                     expanded_revised=expanded or new_ivh or ivh_ml >= IVH_GROWTH_ML)
