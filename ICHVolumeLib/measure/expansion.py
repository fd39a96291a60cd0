"""Did the hematoma grow between two scans? The exact differences, and the two usual definitions.

The revised definition is that of Yogendrakumar et al. 2020 (Stroke, PREDICT), who count a growth of exactly 6 mL
or 33 % too; here it must be more.
"""

from ..core.comparison import Expansion
from ..core.result import VolumeMl

GROWTH_ML = 6.0
GROWTH_PERCENT = 33.0
IVH_GROWTH_ML = 1.0
_DIGITS = 6  # of a difference: 4.1 - 3.1 must be 1, or a growth exactly on a limit falls on the wrong side


def compare_volumes(first: VolumeMl, second: VolumeMl) -> Expansion:
    """Compare the first scan's volumes with a later scan's."""
    ich_ml, ivh_ml = (round(after - before, _DIGITS) for before, after in
                      ((first.ich, second.ich), (first.ivh, second.ivh)))
    ich_percent = round(100 * ich_ml / first.ich, _DIGITS) if first.ich > 0 else None
    new_ivh = first.ivh == 0 and second.ivh > 0
    expanded = ich_ml > GROWTH_ML or (ich_percent is not None and ich_percent > GROWTH_PERCENT)
    return Expansion(ich_ml, ich_percent, ivh_ml, new_ivh, expanded,
                     expanded_revised=expanded or new_ivh or ivh_ml >= IVH_GROWTH_ML)
