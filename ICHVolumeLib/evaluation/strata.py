"""Cases in groups: by size, IVH, slab height, contrast, and whatever a table says of them (site, hospital ...).

Groups of few cases scatter; each says how many it has.
"""

from collections.abc import Callable

import numpy as np

from .agreement import FEWEST, limits_of_agreement
from .metrics import icc_a1
from .overlap import spread

SIZES_ML = ((0, 1), (1, 10), (10, 30), (30, 60), (60, np.inf))
SLABS_MM = ((0, 1.5), (1.5, 3.5), (3.5, 6), (6, np.inf))
CONTRASTS_HU = ((-np.inf, 10), (10, 20), (20, 30), (30, np.inf))

Stratum = tuple[str, str, Callable[[dict], bool]]  # by what, which group, whether a row belongs to it


def strata(rows: list[dict], target: str) -> list[dict]:
    """One line a group with a case: by, group, cases, Dice, HD95, bias and limits in mL, bias in % of the summed
    volume, absolute error, ICC(A,1). Cases of which something is not known are in no group of it."""
    found = []
    for by, group, belongs in _groups(rows, target):
        part = [row["targets"][target] for row in rows if belongs(row)]
        if part:
            found.append({"by": by, "group": group, **_line(part)})
    return found


def _line(part: list[dict]) -> dict:
    measured, true = (np.array([one[name] for one in part], float) for name in ("ml", "true_ml"))
    limits = limits_of_agreement(measured - true)
    return {"cases": len(part), "dice": spread(one["dice"] for one in part if one["true_ml"] > 0),
            "hd95_mm": spread(one["hd95_mm"] for one in part if one["true_ml"] > 0 and one["ml"] > 0),
            "bias_ml": float((measured - true).mean()), "low_ml": limits and limits["low"],
            "high_ml": limits and limits["high"],
            "bias_percent_of_total": float(100 * (measured.sum() / true.sum() - 1)) if true.sum() else None,
            "mean_absolute_error_ml": float(np.abs(measured - true).mean()),
            "icc_a1": icc_a1(measured, true) if len(part) >= FEWEST and np.ptp([*measured, *true]) else None}


def _groups(rows, target) -> list[Stratum]:
    def true_ml(row):
        return row["targets"][target]["true_ml"]

    no_blood: Stratum = ("size", "no blood", lambda row: true_ml(row) == 0)
    sizes = [_range("size", low, high, "mL", lambda row: true_ml(row) or None) for low, high in SIZES_ML]
    slabs = [_range("slab height", low, high, "mm", lambda row: row["slab_mm"]) for low, high in SLABS_MM]
    contrasts = [_range("contrast", low, high, "HU", lambda row: row["contrast_hu"]) for low, high in CONTRASTS_HU]
    ivh: list[Stratum] = []
    if any(row["targets"]["ivh"]["true_ml"] > 0 for row in rows):
        ivh = [("IVH", "yes", lambda row: row["targets"]["ivh"]["true_ml"] > 0),
               ("IVH", "no", lambda row: row["targets"]["ivh"]["true_ml"] == 0)]
    return [no_blood, *sizes, *ivh, *slabs, *contrasts, *_said(rows)]


def _said(rows) -> list[Stratum]:
    """Of every column of the table, and of the contrast agent that scans name; a column of many values is none."""
    columns = {name for row in rows for name in row["known"]} | {"contrast_agent"}
    found: list[Stratum] = []
    for name in sorted(columns):
        values = sorted({value for row in rows if (value := _value(row, name))})
        if len(values) <= max(2, len(rows) // 2):
            found += [(name, value, lambda row, name=name, value=value: _value(row, name) == value)
                      for value in values]
    return found


def _value(row, name) -> str | None:
    return row["known"].get(name) or (row["contrast_agent"] if name == "contrast_agent" else None)


def _range(by, low, high, unit, value_of) -> Stratum:
    words = f"under {high:g} {unit}" if low in (0, -np.inf) else \
        f"{low:g} {unit} and more" if high == np.inf else f"{low:g} to {high:g} {unit}"

    def belongs(row):
        value = value_of(row)
        return value is not None and low <= value < high

    return by, words, belongs
