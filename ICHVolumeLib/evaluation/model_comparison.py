"""Two or more models on the same cases: paired differences, never two separate means.

Wilcoxon's signed-rank test (exact up to 50 untied pairs, else normal with the correction for ties), the mean difference
with a bootstrap interval that draws PATIENTS, so that several scans of one count together, and Holm's correction over
all tests of a table (Holm 1979, Scand J Stat 6:65).
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from ..core.errors import InputError
from .agreement import FEWEST
from .distributions import normal_two_sided
from .metrics import icc_a1

MOST_EXACT = 50  # pairs
SHOWN = 5  # cases in a sentence


def wilcoxon(difference) -> tuple[float, float | None]:
    """(W, the smaller of the two rank sums; two-sided p) of paired differences (n,); zeros are dropped.

    p is None when no difference is left.
    """
    difference = np.asarray(difference, float)
    difference = difference[difference != 0]
    if not len(difference):
        return 0.0, None
    ranks, ties = _ranks(np.abs(difference))
    positive = float(ranks[difference > 0].sum())
    smaller = min(positive, float(ranks.sum()) - positive)
    exact = len(difference) <= MOST_EXACT and (ties == 1).all()
    return smaller, _exact_p(smaller, len(difference)) if exact else _normal_p(positive, len(difference), ties)


def _ranks(values) -> tuple[np.ndarray, np.ndarray]:
    """Ranks from 1, equal values sharing their mean; how many of each value there are."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which], counts


def _exact_p(smaller: float, n: int) -> float:
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] += ways[:-rank].copy()
    return float(min(1.0, 2 * ways[:int(smaller) + 1].sum() / 2.0**n))


def _normal_p(positive: float, n: int, ties) -> float:
    variance = n * (n + 1) * (2 * n + 1) / 24 - (ties.astype(float)**3 - ties).sum() / 48
    return normal_two_sided((positive - n * (n + 1) / 4) / variance**0.5)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p, in the same order; None stays None and is no test."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for done, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - done)))
        adjusted[place] = highest
    return adjusted


def patient_draws(patients: Sequence[str], repeats: int, seed: int) -> list[np.ndarray]:
    """`repeats` index arrays: patients drawn again with replacement, each with all of its cases."""
    _, which, counts = np.unique(np.asarray(patients, str), return_inverse=True, return_counts=True)
    draws = np.random.default_rng(seed).integers(len(counts), size=(repeats, len(counts)))
    if counts.max() == 1:
        return list(np.argsort(which)[draws])
    cases_of = np.split(np.argsort(which, kind="stable"), np.cumsum(counts)[:-1])
    return [np.concatenate([cases_of[one] for one in draw]) for draw in draws]


def bootstrap_by_patient(statistic: Callable[..., float], columns: Sequence, patients: Sequence[str], *, repeats: int,
                         seed: int) -> list[float] | None:
    """95 % percentile interval of statistic(*columns); None without a case."""
    if not len(patients):
        return None
    arrays = [np.asarray(column, float) for column in columns]
    with np.errstate(all="ignore"):
        drawn = np.array([statistic(*(one[rows] for one in arrays)) for rows in patient_draws(patients, repeats, seed)])
    drawn = drawn[np.isfinite(drawn)]
    return [float(end) for end in np.percentile(drawn, [2.5, 97.5])] if len(drawn) else None


def same_cases(cases_of: dict[str, Sequence[str]]) -> list[str]:
    """The cases, sorted, that every model has. Raises InputError when one lacks some or has one twice."""
    everyone = sorted(set().union(*cases_of.values()))
    for model, cases in cases_of.items():
        twice = sorted({case for case in cases if list(cases).count(case) > 1}) if len(set(cases)) < len(cases) else []
        if twice:
            raise InputError(f"{model} has {_listed(twice)} twice; give every case once.")
        lacking = [case for case in everyone if case not in set(cases)]
        if lacking:
            raise InputError(f"{model} has no mask of {_listed(lacking)}, which another model has: models are compared "
                             "on the same patients only. Add what is missing, or leave it out of all.")
    return everyone


def compare_models(values_of: dict[str, dict[str, Sequence]], patients: Sequence[str], *, repeats: int = 2000,
                   seed: int = 0) -> list[dict]:
    """One row a pair of models and a score, with Holm's p over all rows.

    values_of: score -> model -> a value of each case (n,), None where it is not defined; those cases are left out of
    that pair and counted. patients: of the cases (n,).
    """
    rows = [_row(score, pair, [models[name] for name in pair], patients, repeats, seed)
            for score, models in values_of.items() for pair in combinations(models, 2)]
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
    return rows


def _row(score, pair, values, patients, repeats, seed) -> dict:
    first, second = (np.array(one, float) for one in values)  # None becomes NaN
    known = np.isfinite(first) & np.isfinite(second)
    difference = (first - second)[known]
    whose = np.asarray(patients, str)[known]
    statistic, p = wilcoxon(difference)
    return {"score": score, "first": pair[0], "second": pair[1], "n": int(known.sum()),
            "left_out": int((~known).sum()), "mean_difference": float(difference.mean()) if len(difference) else None,
            "median_difference": float(np.median(difference)) if len(difference) else None,
            "ci95": bootstrap_by_patient(np.mean, [difference], whose, repeats=repeats, seed=seed),
            "wilcoxon_w": statistic, "p": p}


def icc_difference(first_ml, second_ml, true_ml, patients, *, repeats: int = 2000, seed: int = 0) -> dict | None:
    """ICC(A,1) of two models against the same truth: the difference and its bootstrap interval by patient."""
    if len(true_ml) < FEWEST or not np.ptp(np.asarray(true_ml, float)):
        return None

    def difference(first, second, true):
        return icc_a1(first, true) - icc_a1(second, true)

    columns = [np.asarray(one, float) for one in (first_ml, second_ml, true_ml)]
    return {"difference": difference(*columns),
            "ci95": bootstrap_by_patient(difference, columns, patients, repeats=repeats, seed=seed)}


def _listed(names) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
