"""The table of the six networks in Markdown, and what it shows about the paper's claim. Counts and means, no torch."""

from math import sqrt

import numpy as np

from ..network.registry import find_network

OURS = "attfocusnet"
CONIGLOBUS_SECONDS, MANUAL_SECONDS = 47.7, 170.1  # a case by hand, Peng et al. 2022
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}  # Student's t, two-sided, by number of runs
COLUMNS = ("network", "seeds", "parameters", "GFLOP a slice", "slices trained on", "Dice", "HD95, mm", "nothing found",
           "volume ICC", "bias, mL")


def table(rows: list[dict]) -> str:
    """Markdown of rows of one setting (rival_networks.run_all): mean and standard deviation over the seeds; at the end
    what stands beside the networks. Empty without rows."""
    if not rows:
        return ""
    columns = (*COLUMNS, f"{_clock(rows)}s a case")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for name in dict.fromkeys(row["network"] for row in rows):
        lines.append(_line([row for row in rows if row["network"] == name]))
    rest = len(columns) - 4
    coniglobus = spread([row["coniglobus_icc"] for row in rows[:1]], 3)
    lines.append(f"| Coniglobus formula, A, B, C measured in the true masks {'| - ' * rest}| {coniglobus} | - | "
                 f"{CONIGLOBUS_SECONDS} by hand (paper) |")
    lines.append(f"| manual, in Mimics {'| - ' * rest}| - | - | {MANUAL_SECONDS} (paper) |")
    return "\n".join(lines) + "\n"


def _line(runs: list[dict]) -> str:
    first = runs[0]
    cells = [find_network(first["network"]).title, str(len(runs)), f"{first['parameters'] / 1e6:.1f} M",
             f"{first['gflop_per_slice']:.0f}", spread([row["slices"] for row in runs], 0)]
    seconds = "processor_seconds" if _clock(runs) else "seconds"
    cells += [spread([row[name] for row in runs], digits) for name, digits in
              (("dice", 3), ("hd95_mm", 1), ("nothing_found", 1), ("icc", 3), ("bias_ml", 1), (seconds, 1))]
    return f"| {' | '.join(cells)} |"


def _clock(rows: list[dict]) -> str:
    """Time is counted by the processor's clock where there is no card (rival_networks.clock_of)."""
    return "processor " if rows[0]["device"] == "cpu" else ""


def spread(values: list, digits: int) -> str:
    """Mean and, of several, the standard deviation; "-" where there is none."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    mean = f"{np.mean(values):.{digits}f}"
    return f"{mean} ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else mean


def conditions(rows: list[dict]) -> str:
    """What was equal for all, and what was not, in sentences."""
    first = rows[0]
    rates = ", ".join(f"{find_network(name).title} {rate:g}" for name, rate in
                      dict.fromkeys((row["network"], row["learning_rate"]) for row in rows))
    return (f"{first['minutes']:g} {_clock(rows)}minutes of training each on {first['device']} ({first['threads']} "
            f"thread{'s' * (first['threads'] != 1)}), crops "
            f"of {first['size']} pixels of {first['pixel_mm']:g} mm, the same heads, bleeds, loss and seeds; "
            f"{first['patients']} synthetic patients in heads not trained on, threshold 0.5 for all, no calibration. "
            f"Learning rates: {rates}. Dice: mean of the cases; HD95: median of the cases with both masks; seconds: "
            "median case, the whole way from scan to mask with torch.")


def claim(rows: list[dict]) -> str:
    """The paper's claim in a sentence: Dice of AttFocusNet minus that of each rival, run by run with the same seed."""
    of = {name: {row["seed"]: row["dice"] for row in rows if row["network"] == name}
          for name in dict.fromkeys(row["network"] for row in rows)}
    sentences = [_against(name, [of[OURS][seed] - dice for seed, dice in runs.items() if seed in of[OURS]])
                 for name, runs in of.items() if name != OURS] if OURS in of else []
    return " ".join(sentences) + ("\n" if sentences else "")


def _against(name: str, gains: list[float]) -> str:
    rival = find_network(name).title
    if len(gains) < 2:
        return f"AttFocusNet against {rival}: too few runs to say."
    mean = float(np.mean(gains))
    error = T_95.get(len(gains), 2.3) * float(np.std(gains, ddof=1)) / sqrt(len(gains))
    verdict = "these runs do not decide" if abs(mean) <= error else \
        f"the paper's order {'holds' if mean > 0 else 'does not hold'} at this budget"
    return (f"AttFocusNet against {rival}: Dice {mean:+.3f} on average over {len(gains)} seeds (95 % interval +- "
            f"{error:.3f}): {verdict}.")
