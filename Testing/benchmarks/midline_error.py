"""How far the measured midline shift and ventricle volume lie from the truth, over made heads of known shift.

    python Testing/benchmarks/midline_error.py [--patients 72] [--first 0] [--size 256] [--provoking]

One line a head and the medians at the end, as Markdown. Heads 0 to 12 mm pushed, both sides, tilted, turned and uneven
ones among them, every third with blood in the ventricles. "straight": the falx is straight where nothing pushes, so
that the ideal line is beyond doubt; "bent": the falx bends by some millimetres while the skull does not show where it
ends, so that part of the difference is the truth's own. --provoking: heads in which a horn's wall is easily taken for
the septum (Testing/provoking_heads.py), as they are without the rule about shifts towards the bleed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from provoking_heads import provoking_head  # noqa: E402
from shifted_patients import shifted_patient  # noqa: E402

from ICHVolumeLib.anatomy.head_frame import fit_head_frame  # noqa: E402
from ICHVolumeLib.anatomy.mass_effect import measure_mass_effect  # noqa: E402


def plan(number: int) -> dict:
    """The settings of head `number`."""
    push_mm = float(number % 13) * (-1) ** number
    return {"seed": number, "push_mm": push_mm, "tilt_deg": (0, 0, 15, -12)[number % 4],
            "turn_deg": (0.0, 9.0, 0.0, 0.0)[number % 4] * (-1) ** (number % 3), "uneven": number % 5 == 0,
            "ivh": number % 3 == 0, "straight": push_mm == 0 or number % 4 < 2,
            "bleed": push_mm != 0 or number % 2 == 0}


def measured(number: int, size: int = 256, provoking: bool = False) -> dict:
    if provoking:
        kind, push_mm, patient = provoking_head(number, size)
        settings = {"straight": True, "push_mm": push_mm}
    else:
        kind, settings = "", plan(number)
        patient = shifted_patient(**settings, size=size)
    shift, ventricles = measure_mass_effect(patient.ct, patient.mask, fit_head_frame(patient.ct))
    signed = None if shift.shift_mm is None else shift.shift_mm * (-1 if shift.direction == "right" else 1)
    return {"kind": kind, "straight": settings["straight"], "push_mm": settings["push_mm"],
            "true_mm": patient.true_shift_mm, "found_mm": signed, "true_ml": sum(patient.lateral_ml),
            "found_ml": ventricles.total_ml, "reason": shift.reason}


def summary(rows: list[dict]) -> str:
    lines = []
    for name, chosen in (("all", rows), ("straight", [row for row in rows if row["straight"]]),
                         ("bent", [row for row in rows if not row["straight"]])):
        seen = [row for row in chosen if row["found_mm"] is not None]
        errors = np.array([abs(row["found_mm"] - row["true_mm"]) for row in seen])
        ml = np.array([100 * (row["found_ml"] / row["true_ml"] - 1) for row in chosen if row["found_ml"] is not None])
        wrong = sum(abs(row["true_mm"]) >= 3 and row["found_mm"] * row["true_mm"] < 0 for row in seen)
        if len(errors):
            lines.append(f"| {name} | {len(chosen)} | {len(chosen) - len(seen)} | {np.median(errors):.2f} | "
                         f"{np.percentile(errors, 90):.2f} | {errors.max():.2f} | {wrong} | {np.median(ml):+.0f} | "
                         f"{np.median(np.abs(ml - np.median(ml))):.0f} |")
    none = [abs(row["found_mm"]) for row in rows if row["push_mm"] == 0 and row["found_mm"] is not None]
    lines.append(f"\nLargest shift said of {len(none)} heads without any: {max(none, default=0):.1f} mm")
    return ("| heads | n | not measured | median error mm | 90 % mm | largest mm | wrong side (3 mm or more) | "
            "ventricles % | spread % |\n|---|---|---|---|---|---|---|---|---|\n" + "\n".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=72)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=256, help="pixels of 230 mm")
    parser.add_argument("--provoking", action="store_true")
    chosen = parser.parse_args()
    results = []
    for index in range(chosen.first, chosen.first + chosen.patients):
        results.append(measured(index, chosen.size, chosen.provoking))
        print(index, results[-1], flush=True)
    print(summary(results))
