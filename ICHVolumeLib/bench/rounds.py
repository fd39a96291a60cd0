"""The protocol: what is compared runs turn by turn on the same slice, so that a busy moment hits all alike.

One process, one stream, batch 1. Everything is warmed first. In every round each runner does the same slice once; the
score is the median over the rounds of (baseline's time / runner's time). Milliseconds depend on the moment, ratios
hardly.
"""

import statistics
import time
from collections.abc import Callable, Sequence

ROUNDS = 11  # at least


def interleave(runners: dict[str, Callable], slices: Sequence, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of every runner in every round; the order turns with the rounds, so none always follows another."""
    names = list(runners)
    for run in runners.values():
        for _ in range(2):
            run(slices[0])
    times = {name: [] for name in names}
    for turn in range(rounds):
        one = slices[turn % len(slices)]
        first = turn % max(len(names), 1)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            runners[name](one)
            times[name].append(1000 * (time.perf_counter() - start))
    return times


def median_ratio(baseline_ms: Sequence[float], ms: Sequence[float]) -> float:
    """How many times faster than the baseline: the median of the ratios within the rounds."""
    return statistics.median(base / own for base, own in zip(baseline_ms, ms, strict=True))


def alternate(functions: dict[str, Callable], repeats: int) -> dict[str, list[float]]:
    """interleave for functions without an argument."""
    return interleave({name: lambda _, function=function: function() for name, function in functions.items()},
                      [None], repeats)
