"""The files of a mask evaluation: rows and figures as CSV, JSON and a page of Markdown."""

import json
from pathlib import Path

from ..core.text import shown_values
from .mask_figures import METHODS
from .mask_pairs import Problem
from .mask_rows import TARGETS
from .table_files import csv_text, markdown_table, write_text

ROWS_JSONL, ROWS_CSV, FIGURES, SUMMARY = "cases.jsonl", "cases.csv", "figures.json", "summary.md"
COMPARISON, PROBLEMS, RECORD = "comparison.csv", "problems.csv", "record.json"
TARGET_WORDS = {"total": "all blood", "ich": "ICH", "ivh": "IVH"}
SCORES = {"dice": "Dice", "iou": "IoU", "sensitivity": "sensitivity", "ppv": "PPV", "hd95_mm": "HD95, mm",
          "surface_hd95_mm": "HD95 by area, mm", "surface_dice": "surface Dice"}
AVERAGES = {"per_case": "per case", "per_bleeding_slice": "per slice with blood in the truth",
            "per_slice_with_empties": "per slice, both empty counted as 1"}
_PROBLEM_COLUMNS = ("case", "model", "left_out", "what")
_HEAD = """\
# Masks against the truth

Research use only. {cases} cases of {patients} patients; models: {models}. Scores of {targets}.
Surface Dice is within {tolerance:g} mm. Intervals by {repeats} draws of patients, seed {seed}.
Averages of different kinds are not comparable with each other, nor with a paper that does not say which it shows.
"""


def write_tables(out: Path, rows: list[dict], figures: dict, problems: list[Problem], record: dict) -> None:
    """All files; without rows only problems.csv, so that an earlier evaluation's figures are not taken for this one's:
    those are removed."""
    write_text(out / PROBLEMS, csv_text(_problem_rows(problems, rows), _PROBLEM_COLUMNS))
    names = (ROWS_CSV, FIGURES, SUMMARY, COMPARISON, RECORD)
    if not rows:
        for name in names:
            (out / name).unlink(missing_ok=True)
        return
    write_text(out / ROWS_JSONL, "\n".join(json.dumps(row) for row in rows))
    write_text(out / ROWS_CSV, csv_text(flat_rows(rows)))
    write_text(out / FIGURES, _json(figures))
    write_text(out / SUMMARY, summary(rows, figures))
    if figures["comparison"]:
        write_text(out / COMPARISON, csv_text(comparison_rows(figures["comparison"])))
    else:
        (out / COMPARISON).unlink(missing_ok=True)
    write_text(out / RECORD, _json(record))


def _json(values: dict) -> str:
    return json.dumps(shown_values(values), indent=1, ensure_ascii=False, allow_nan=False)


def _problem_rows(problems, rows) -> list[dict]:
    """Cases that were left out first, then what was noticed in the others."""
    notes = {}
    for row in rows:
        for note in row["notes"]:
            notes[row["case"], "" if note.startswith("truth: ") else row["model"], note] = None
    listed = [{"case": one.case, "model": one.model, "left_out": True, "what": one.sentence} for one in problems]
    return listed + [{"case": case, "model": model, "left_out": False, "what": note} for case, model, note in notes]


def flat_rows(rows: list[dict]) -> list[dict]:
    """A line a model, case and target; what concerns the case stands in each of its lines."""
    columns = sorted({name for row in rows for name in row["known"]})
    flat = []
    for row in rows:
        for target in TARGETS:
            score = dict(row["targets"][target])
            bleeding = sum(one[1] + one[3] > 0 for one in score.pop("slices"))
            low, high = row.get("interval_ml") or (None, None)
            flat.append({"model": row["model"], "case": row["case"], "patient": row["patient"], "target": target,
                         **score, "bleeding_slices": bleeding, "slices": row["slice_count"], "slab_mm": row["slab_mm"],
                         "uneven_slices": row["is_uneven"],
                         "abc2_coniglobus_ml": row["abc2"]["coniglobus_ml"],
                         "abc2_kothari_ml": row["abc2"]["kothari_ml"],
                         "true_abc2_coniglobus_ml": row["true_abc2"]["coniglobus_ml"],
                         "true_abc2_kothari_ml": row["true_abc2"]["kothari_ml"],
                         "paper_formula_ml": row["paper_formula_ml"],
                         "true_paper_formula_ml": row["true_paper_formula_ml"], "interval_low_ml": low,
                         "interval_high_ml": high, "contrast_hu": row["contrast_hu"],
                         "contrast_agent": row["contrast_agent"], "marked_outside_ml": row["marked_outside_ml"],
                         **{name: row["known"].get(name) for name in columns if name != "contrast_agent"}})
    return flat


def comparison_rows(comparison: dict) -> list[dict]:
    """The paired tests and the differences of the ICC as lines of one table."""
    tests = [{"score": one["score"], "first": one["first"], "second": one["second"], "cases": one["n"],
              "left_out": one["left_out"], "mean_difference": one["mean_difference"],
              "median_difference": one["median_difference"], **_ends(one["ci95"]), "wilcoxon_w": one["wilcoxon_w"],
              "p": one["p"], "p_holm": one["p_holm"]} for one in comparison["tests"]]
    iccs = [{"score": "icc_a1", "first": one["first"], "second": one["second"], "cases": None, "left_out": None,
             "mean_difference": one["icc"]["difference"], "median_difference": None, **_ends(one["icc"]["ci95"]),
             "wilcoxon_w": None, "p": None, "p_holm": None} for one in comparison["icc_a1"] if one["icc"]]
    return tests + iccs


def _ends(pair) -> dict:
    low, high = pair or (None, None)
    return {"ci95_low": low, "ci95_high": high}


def summary(rows: list[dict], figures: dict) -> str:
    """The page: per target the averages of every kind, the volumes, ABC/2, groups, and the paired tests."""
    settings, models = figures["settings"], figures["models"]
    parts = [_HEAD.format(cases=len({row["case"] for row in rows}), patients=len({row["patient"] for row in rows}),
                          models=", ".join(models), targets=figures["targets"]["why"],
                          tolerance=settings["tolerance_mm"], repeats=settings["repeats"], seed=settings["seed"])]
    if figures["left_out"]:
        parts.append(f"Left out of all models, see {PROBLEMS}: {', '.join(figures['left_out'])}.\n")
    for target in figures["targets"]["names"]:
        parts += [f"## {TARGET_WORDS[target].capitalize() if target == 'total' else TARGET_WORDS[target]}\n",
                  _overlap_table(models, target), "", _empties_table(models, target), "", _volume_table(models, target),
                  ""]
    parts += ["## Ways to a volume\n", _methods_table(models), "", "## Groups\n", _strata_table(models), ""]
    if any(one["intervals"] for one in models.values()):
        parts += ["## Intervals\n", _intervals_table(models), ""]
    if figures["comparison"]:
        parts += ["## Models compared, case by case\n", _comparison_table(figures["comparison"]), ""]
    return "\n".join(parts)


def _overlap_table(models, target) -> str:
    rows = []
    for model, found in models.items():
        for key, words in AVERAGES.items():
            rows.append([model, words, *(_mean_sd(found[target][key].get(name)) for name in SCORES)])
            if key == "per_case":
                rows.append([model, "per case, median (quartiles)",
                             *(_median(found[target][key].get(name)) for name in SCORES)])
                pooled = found[target]["pooled_over_voxels"]
                rows.append([model, "pooled over voxels", *(number(pooled.get(name), 3) for name in SCORES)])
    return markdown_table(["model", "average", *SCORES.values()], rows)


def _empties_table(models, target) -> str:
    head = ["model", "cases", "missed", "false alarms", "empty in both", "slices", "with blood", "missed",
            "false alarms"]
    return markdown_table(head, [[model, *map(str, (
        one["cases"], one["empties"]["missed"], one["empties"]["false_alarms"], one["empties"]["both_empty"],
        one["slices"]["all"], one["slices"]["bleeding"], one["slices"]["missed"], one["slices"]["false_alarms"]))]
        for model, one in ((model, found[target]) for model, found in models.items())])


VOLUME_HEAD = ["ICC(A,1) (95 % CI)", "concordance", "bias and limits, mL", "bias and limits, % of the mean of both",
               "regression", "absolute error, mL", "within 10 % / 20 % / 5 mL", "over and under 30 mL: agreed"]


def volume_cells(one: dict) -> list[str]:
    """volume_agreement in words, in the order of VOLUME_HEAD."""
    icc, line, within, at = one["icc_a1"], one["regression"], one["within"], one["at_30_ml"]
    agreed = at["above_both"] + at["below_both"]
    return [f"{icc['value']:.3f} ({icc['low']:.3f} to {icc['high']:.3f})" if icc else "-",
            number(one["concordance"], 3), limits(one["bland_altman_ml"]), limits(one["bland_altman_percent"]),
            f"{line['slope']:.3f} x {line['intercept']:+.2f}" if line else "-",
            number(one["mean_absolute_error_ml"], 2),
            " / ".join(percent(within[key]) for key in ("10_percent", "20_percent", "5_ml")),
            f"{agreed} of {one['n']} (kappa {number(at['kappa'], 2)})"]


def _volume_table(models, target) -> str:
    return markdown_table(["model", *VOLUME_HEAD],
                          [[model, *volume_cells(found[target]["volume"])] for model, found in models.items()])


def _methods_table(models) -> str:
    rows = [[model, f"{what}, against {against}", *volume_cells(found["volume_methods"][name])]
            for model, found in models.items() for name, (what, against) in METHODS.items()]
    return markdown_table(["model", "way", *VOLUME_HEAD], rows)


def _strata_table(models) -> str:
    rows = [[model, f"{one['by']}: {one['group']}", str(one["cases"]), _mean_sd(one["dice"]), _median(one["hd95_mm"]),
             f"{one['bias_ml']:+.2f}", percent_of_total(one["bias_percent_of_total"]),
             number(one["mean_absolute_error_ml"], 2), number(one["icc_a1"], 3)]
            for model, found in models.items() for one in found["strata"]["total"]]
    return markdown_table(["model", "group", "cases", "Dice per case", "HD95, mm, median", "bias, mL",
                           "bias, % of the summed volume", "absolute error, mL", "ICC(A,1)"], rows)


def _intervals_table(models) -> str:
    rows = [[model, str(one["cases"]), percent(one["coverage"]), percent(one["nominal"]),
             ", ".join(one["calibrated_on"])] for model, found in models.items() if (one := found["intervals"])]
    return markdown_table(["model", "cases with an interval", "hold the true volume", "should", "calibrated on"], rows)


def _comparison_table(comparison) -> str:
    words = {"dice": "Dice", "hd95_mm": "HD95, mm", "absolute_error_ml": "absolute volume error, mL",
             "icc_a1": "ICC(A,1) of the volumes"}
    rows = [[words[one["score"]], f"{one['first']} - {one['second']}", _compared(one),
             f"{number(one['mean_difference'], 4)} ({number(one['ci95_low'], 4)} to {number(one['ci95_high'], 4)})",
             p_value(one["p"]), p_value(one["p_holm"])] for one in comparison_rows(comparison)]
    return markdown_table(["score", "difference of", "cases", "mean difference (95 % CI)", "p (Wilcoxon)",
                           "p (Holm, all rows)"], rows)


def _compared(one) -> str:
    if one["cases"] is None:
        return "all"
    return f"{one['cases']} ({one['left_out']} left out)" if one["left_out"] else str(one["cases"])


def number(value, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def percent(share) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def percent_of_total(value) -> str:
    return "-" if value is None else f"{value:+.1f} %"


def p_value(value) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def limits(one) -> str:
    return "-" if one is None else f"{one['bias']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})"


def _mean_sd(one) -> str:
    if not one:
        return "-"
    return f"{one['mean']:.3f}" + (f" ± {one['sd']:.3f}" if one["sd"] is not None else "")


def _median(one) -> str:
    return f"{one['median']:.3f} ({one['q1']:.3f} to {one['q3']:.3f})" if one else "-"
