"""Tails and quantiles of F, t and normal distributions, which numpy lacks and for which scipy is no dependency here.

The incomplete beta function by its continued fraction (Lentz's way; DLMF 8.17.22), quantiles by bisection.
"""

from collections.abc import Callable
from functools import cache
from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

_TINY, _PRECISION, _MOST_TERMS = 1e-300, 1e-15, 10_000


def beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), 0 <= x <= 1, a and b above 0."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):  # where the fraction of the mirrored function is the one that converges
        return 1 - beta_share(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x, a, b):
    value, upper, lower = 1.0, 1.0, 0.0
    for n in range(_MOST_TERMS):
        m = n // 2
        if n == 0:
            term = 1.0
        elif n % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        lower = 1 / _off_zero(1 + term * lower)
        upper = _off_zero(1 + term / upper)
        value *= upper * lower
        if abs(upper * lower - 1) < _PRECISION:
            break
    return value - 1


def _off_zero(value):
    return value if abs(value) > _TINY else _TINY


@cache
def f_quantile(share: float, first: float, second: float) -> float:
    """The value that a share of F(first, second degrees of freedom, fractions allowed) lies below; 0 < share < 1."""
    x = _bisect(lambda at: beta_share(at, first / 2, second / 2), share)
    return inf if x == 1 else second * x / (first * (1 - x))


def t_quantile(share: float, freedom: float) -> float:
    """The value that a share of Student's t lies below; 0 < share < 1."""
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    return sqrt(f_quantile(2 * share - 1, 1, freedom)) if share > 0.5 else 0.0


def normal_two_sided(z: float) -> float:
    """The chance of a standard normal value at least as far from 0."""
    return 2 * NormalDist().cdf(-abs(z))


def _bisect(rising: Callable[[float], float], wanted: float) -> float:
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if high - low <= 2 * _PRECISION * high:
            return middle
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
