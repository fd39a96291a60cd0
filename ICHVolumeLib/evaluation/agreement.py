"""Agreement of measured volumes with true ones, by case.

ICC(A,1) with the interval of McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30; Lin's concordance,
doi:10.2307/2532051; Bland-Altman in mL and in percent of the MEAN OF BOTH, with the intervals of the bias and of the
limits, doi:10.1177/096228029900800204; least-squares regression; errors; the 30 mL of the ICH score
(doi:10.1161/01.str.32.4.891). An ICC says nothing without limits of agreement: it grows with the spread of the cases.
A figure that too few cases or no spread leave undefined is None.
"""

import numpy as np

from .distributions import f_quantile, t_quantile
from .metrics import concordance, icc_a1

LIMIT_ML = 30.0  # from here on the ICH score counts a point
WITHIN_PERCENT, WITHIN_ML = (10.0, 20.0), 5.0
NORMAL_95 = 1.96
FEWEST = 3  # cases


def volume_agreement(measured_ml, true_ml) -> dict:
    """All figures of paired volumes (n,), mL. A bleed that was missed and a false alarm count with their mL.

    Percentages leave out the cases in which one of the two is 0, and say how many those are.
    """
    measured, true = np.asarray(measured_ml, float), np.asarray(true_ml, float)
    difference = measured - true
    return {"n": len(true), "true_ml_mean": _mean(true), "true_ml_sd": _sd(true), "icc_a1": _icc(measured, true),
            "concordance": _concordance(measured, true), "bland_altman_ml": limits_of_agreement(difference),
            "bland_altman_percent": percent_agreement(measured, true), "regression": regression(true, measured),
            "mean_absolute_error_ml": _mean(np.abs(difference)),
            "median_absolute_error_ml": float(np.median(np.abs(difference))) if len(difference) else None,
            "bias_percent_of_total": 100 * difference.sum() / true.sum() if true.sum() else None,
            "within": within(measured, true), "at_30_ml": confusion(measured, true)}


def _icc(measured, true) -> dict | None:
    if len(true) < FEWEST or not np.ptp(np.concatenate([measured, true])):
        return None
    low, high = icc_a1_interval(np.stack([measured, true], axis=1))
    return {"value": icc_a1(measured, true), "low": low, "high": high}


def icc_a1_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of ICC(A,1) of a table (subjects, raters) with some spread."""
    n, k = values.shape
    subjects, raters, error = mean_squares(values)
    if error <= 1e-12 * subjects and raters <= 1e-12 * subjects:
        return 1.0, 1.0
    share = (subjects - error) / (subjects + (k - 1) * error + k / n * (raters - error))
    a = k * share / (n * (1 - share))
    b = 1 + k * share * (n - 1) / (n * (1 - share))
    freedom = (a * raters + b * error) ** 2 / ((a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1)))
    tail = 1 - (1 - confidence) / 2
    low_f, high_f = f_quantile(tail, n - 1, freedom), f_quantile(tail, freedom, n - 1)
    rest = k * raters + (k * n - k - n) * error
    return (float(n * (subjects - low_f * error) / (low_f * rest + n * subjects)),
            float(n * (high_f * subjects - error) / (rest + n * high_f * subjects)))


def mean_squares(values: np.ndarray) -> tuple[float, float, float]:
    """Of subjects, raters and what is left, of a table (subjects, raters)."""
    n, k = values.shape
    rows, columns, grand = values.mean(axis=1), values.mean(axis=0), values.mean()
    residual = values - rows[:, None] - columns + grand
    return (float(k * ((rows - grand) ** 2).sum() / (n - 1)), float(n * ((columns - grand) ** 2).sum() / (k - 1)),
            float((residual**2).sum() / ((n - 1) * (k - 1))))


def _concordance(measured, true) -> float | None:
    spread = np.ptp(np.concatenate([measured, true])) if len(true) > 1 else 0
    return concordance(measured, true) if spread else None


def limits_of_agreement(difference) -> dict | None:
    """Bias and 95 % limits (1.96 SD) of differences (n,), each with its 95 % interval; None below two cases."""
    difference = np.asarray(difference, float)
    n = len(difference)
    if n < 2:
        return None
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = t_quantile(0.975, n - 1)
    of_bias = t * sd / n**0.5
    of_limit = t * sd * (1 / n + NORMAL_95**2 / (2 * (n - 1))) ** 0.5
    low, high = bias - NORMAL_95 * sd, bias + NORMAL_95 * sd
    return {"n": n, "bias": bias, "bias_ci95": [bias - of_bias, bias + of_bias], "sd": sd, "low": low,
            "low_ci95": [low - of_limit, low + of_limit], "high": high,
            "high_ci95": [high - of_limit, high + of_limit]}


def percent_agreement(measured, true) -> dict | None:
    """limits_of_agreement in percent of the mean of both, over the cases where both are above 0; left_out: the others
    that are not 0 in both."""
    measured, true = np.asarray(measured, float), np.asarray(true, float)
    both = (measured > 0) & (true > 0)
    found = limits_of_agreement(100 * (measured - true)[both] / ((measured + true)[both] / 2))
    return found and {**found, "left_out": int(((measured > 0) ^ (true > 0)).sum())}


def regression(x, y) -> dict | None:
    """Least squares y = intercept + slope x, with 95 % intervals, r squared and the SD of what is left."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    n = len(x)
    if n < FEWEST or not np.ptp(x):
        return None
    squares = ((x - x.mean()) ** 2).sum()
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / squares)
    intercept = float(y.mean() - slope * x.mean())
    rest = y - intercept - slope * x
    sd = float(((rest**2).sum() / (n - 2)) ** 0.5)
    t = t_quantile(0.975, n - 2)
    of_slope = float(t * sd / squares**0.5)
    of_intercept = float(t * sd * (1 / n + x.mean() ** 2 / squares) ** 0.5)
    total = ((y - y.mean()) ** 2).sum()
    return {"slope": slope, "slope_ci95": [slope - of_slope, slope + of_slope], "intercept": intercept,
            "intercept_ci95": [intercept - of_intercept, intercept + of_intercept],
            "r_squared": float(1 - (rest**2).sum() / total) if total else None, "sd": sd}


def within(measured, true) -> dict:
    """Share of the cases within 10 and 20 % of the truth (cases with blood) and within 5 mL (all cases)."""
    measured, true = np.asarray(measured, float), np.asarray(true, float)
    error, bleeding = np.abs(measured - true), true > 0
    shares = {f"{percent:g}_percent": _mean((error <= percent / 100 * true)[bleeding]) for percent in WITHIN_PERCENT}
    return {**shares, f"{WITHIN_ML:g}_ml": _mean(error <= WITHIN_ML), "bleeding_cases": int(bleeding.sum())}


def confusion(measured, true, limit_ml: float = LIMIT_ML) -> dict:
    """Cases on each side of the limit (at least limit_ml is above), sensitivity, specificity and Cohen's kappa."""
    above, truly = np.asarray(measured, float) >= limit_ml, np.asarray(true, float) >= limit_ml
    hit, alarm, miss, clear = (int(np.count_nonzero(one)) for one in
                               (above & truly, above & ~truly, ~above & truly, ~above & ~truly))
    n = hit + alarm + miss + clear
    agreed = (hit + clear) / n if n else 0.0
    by_chance = ((hit + alarm) * (hit + miss) + (clear + alarm) * (clear + miss)) / n**2 if n else 1.0
    return {"above_both": hit, "above_measured_only": alarm, "above_true_only": miss, "below_both": clear,
            "sensitivity": hit / (hit + miss) if hit + miss else None,
            "specificity": clear / (clear + alarm) if clear + alarm else None,
            "kappa": (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else None}


def _mean(values) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _sd(values) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
