"""The tables of the paper (Peng et al. 2022, doi:10.3389/fnins.2022.965680) from one's own results, and what it lacks.

1: the test sets. 2, 3, 4 ...: segmentation, one a test set, every average under its name. Then the volumes, the paired
tests, the groups and the failures.
"""

from dataclasses import dataclass

import numpy as np

from .agreement import volume_agreement
from .mask_figures import METHODS, comparison, intervals, method_volumes, target_figures
from .mask_tables import SCORES, VOLUME_HEAD, comparison_rows, number, p_value, percent, percent_of_total, volume_cells
from .overlap import spread
from .strata import strata
from .study_inputs import TestSet

AVERAGES = (("per_case", "per case, mean ± SD"), ("median", "per case, median (quartiles)"),
            ("pooled_over_voxels", "pooled over voxels (as the paper's Tables 3 and 4)"),
            ("per_bleeding_slice", "per slice with blood in the truth, mean ± SD"),
            ("per_slice_with_empties", "per slice, both empty counted as 1 (as the paper's Table 2), mean ± SD"))
MOST_FAILURES = 10  # of a model and a test set
PLACES = ("site", "location")
_COMPARED = {"dice": "Dice", "hd95_mm": "HD95, mm", "absolute_error_ml": "absolute volume error, mL",
             "icc_a1": "ICC(A,1) of the volumes"}


@dataclass(frozen=True)
class Table:
    """name: of its files; rows: texts, as many as head."""

    name: str
    title: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""


def study_tables(sets: list[TestSet], *, repeats: int, seed: int) -> list[Table]:
    """All tables, in order."""
    tables = [sets_table(sets)]
    tables += [segmentation_table(one, place + 2, repeats, seed) for place, one in enumerate(sets)]
    tables += [volumes_table(sets), groups_table(sets), failures_table(sets)]
    if any(intervals(one.of_model(model)) for one in sets for model in one.models):
        tables.append(intervals_table(sets))
    if any(len(one.models) > 1 for one in sets):
        tables.append(comparison_table(sets, repeats, seed))
    return tables


def sets_table(sets: list[TestSet]) -> Table:
    """Table 1: what each set holds, as far as it is known."""
    rows = [["cases", *(str(len(one.cases)) for one in sets)],
            ["patients", *(str(len({row["patient"] for row in one.cases})) for one in sets)],
            ["volume of all blood, mL, mean ± SD", *(_mean_sd(_true_ml(one), 2) for one in sets)],
            ["volume, mL, median (quartiles)", *(_median(_true_ml(one), 2) for one in sets)],
            ["cases without blood", *(str(sum(ml == 0 for ml in _true_ml(one))) for one in sets)],
            ["with blood in the ventricles (IVH)", *(_count_ivh(one) for one in sets)],
            ["slab height, mm, median (quartiles)", *(_median(_known_numbers(one, "slab_mm"), 1) for one in sets)]]
    rows += _entered(sets, ("age", "age_years"), "age, mean ± SD", _mean_sd)
    rows += _entered(sets, ("gcs",), "Glasgow coma scale, median (min, max)", _median_range)
    rows += _entered(sets, ("ich_score",), "ICH score, median (min, max)", _median_range)
    places = sorted({place for one in sets for row in one.cases if (place := _place(row))})
    rows += [[f"site: {place}", *(str(sum(_place(row) == place for row in one.cases)) for one in sets)]
             for place in places]
    return Table("table1", "Table 1. The test sets", ["item", *(one.name for one in sets)], rows,
                 "Age, scores and site as the table of cases says. No P-value: the sets were not drawn from one "
                 "population by chance.")


def segmentation_table(one: TestSet, number_: int, repeats: int, seed: int) -> Table:
    """Tables 2 to 4: all blood, a block an average, a row a model."""
    found = {model: target_figures(one.of_model(model), "total", repeats=repeats, seed=seed)
             for model in one.models} if one.has_masks else {model: _few_figures(one.of_model(model))
                                                             for model in one.models}
    rows = [[words, model, *_score_cells(figures, key)]
            for key, words in AVERAGES for model, figures in found.items()
            if figures.get("per_case" if key == "median" else key)]
    first = next(iter(found.values()))
    lost = "; ".join(f"{model} {empty['missed']} missed, {empty['false_alarms']} false alarms"
                     for model, figures in found.items() if (empty := figures.get("empties")))
    note = (f"{first['cases']} cases. Averages of different kinds are not comparable. HD95 only where both masks hold "
            f"something; with one empty: {lost}." if lost else
            f"{first['cases']} synthetic patients, which say nothing about real ones; Dice and HD95 only.")
    return Table(f"table{number_}", f"Table {number_}. Segmentation of all blood, {one.name}",
                 ["average", "model", *SCORES.values()], rows, note)


def _few_figures(rows) -> dict:
    scores = [row["targets"]["total"] for row in rows]
    return {"cases": len(rows), "per_case": {name: spread(one[name] for one in scores) for name in ("dice", "hd95_mm")}}


def _score_cells(figures, key) -> list[str]:
    if key == "pooled_over_voxels":
        return [number(figures[key].get(name), 3) for name in SCORES]
    spreads = figures["per_case" if key == "median" else key]
    show = _spread_median if key == "median" else _spread_mean
    return [show(spreads.get(name)) for name in SCORES]


def volumes_table(sets: list[TestSet]) -> Table:
    """Every way to a volume, against the truth."""
    rows = []
    for one in sets:
        for model in one.models:
            volumes = [method_volumes(row) for row in one.of_model(model)]
            for name, (what, against) in METHODS.items():
                pairs = [volume[name] for volume in volumes if None not in volume[name]]
                if pairs and (model == one.models[0] or not name.startswith("true_")):
                    measured, true = zip(*pairs, strict=True)
                    who = "" if name.startswith("true_") else model
                    rows.append([one.name, who, f"{what}, against {against}",
                                 *volume_cells(volume_agreement(measured, true))])
    return Table("volumes", "Volumes against the truth", ["test set", "model", "way", *VOLUME_HEAD], rows,
                 "Limits are 95 % limits of agreement. The paper reads, with other patients: ICC .997, .939 and .956 "
                 "for its network and .776, .805 and .948 for the Coniglobus formula by hand; 5.6 s a case, 47.7 s by "
                 "the formula, 170.1 s by drawing.")


def groups_table(sets: list[TestSet]) -> Table:
    """Bias by size and in other groups."""
    rows = [[one.name, model, f"{line['by']}: {line['group']}", str(line["cases"]), _spread_mean(line["dice"]),
             f"{line['bias_ml']:+.2f}", _limits(line), percent_of_total(line["bias_percent_of_total"]),
             number(line["mean_absolute_error_ml"], 2), number(line["icc_a1"], 3)]
            for one in sets for model in one.models for line in strata(one.of_model(model), "total")]
    return Table("groups", "Groups of cases", ["test set", "model", "group", "cases", "Dice per case, mean ± SD",
                                               "bias, mL", "limits, mL", "bias, % of the summed volume",
                                               "absolute error, mL", "ICC(A,1)"], rows,
                 "All blood. Groups of few cases scatter.")


def failures_table(sets: list[TestSet]) -> Table:
    """The worst cases of every model: missed, then false alarms, then the lowest Dice."""
    rows = []
    for one in sets:
        for model in one.models:
            for row in worst_cases(one.of_model(model))[:MOST_FAILURES]:
                score = row["targets"]["total"]
                rows.append([one.name, model, row["case"], what_failed(row), number(score["dice"], 3),
                             number(score["hd95_mm"], 1), number(score["true_ml"], 2), number(score["ml"], 2)])
    return Table("failures", "Failures", ["test set", "model", "case", "what", "Dice", "HD95, mm", "true, mL",
                                          "measured, mL"], rows, f"At most {MOST_FAILURES} of a model and a set.")


def worst_cases(rows: list[dict]) -> list[dict]:
    """All rows, worst first: missed bleeds by size, false alarms by size, then by Dice."""
    def key(row):
        score = row["targets"]["total"]
        if score["true_ml"] > 0 and score["ml"] == 0:
            return 0, -score["true_ml"]
        if score["true_ml"] == 0 and score["ml"] > 0:
            return 1, -score["ml"]
        return 2, 1.0 if score["dice"] is None else score["dice"]

    return sorted(rows, key=key)


def what_failed(row: dict) -> str:
    score = row["targets"]["total"]
    if score["true_ml"] > 0 and score["ml"] == 0:
        return "missed"
    if score["true_ml"] == 0 and score["ml"] > 0:
        return "false alarm"
    return "low Dice" if score["true_ml"] > 0 else "nothing to find"


def intervals_table(sets: list[TestSet]) -> Table:
    """How often the interval holds the true volume."""
    rows = [[one.name, model, str(found["cases"]), percent(found["coverage"]), percent(found["nominal"]),
             ", ".join(found["calibrated_on"]) or "not stated"]
            for one in sets for model in one.models if (found := intervals(one.of_model(model)))]
    return Table("intervals", "Intervals of the volume", ["test set", "model", "cases", "hold the true volume",
                                                          "should hold", "calibrated on"], rows)


def comparison_table(sets: list[TestSet], repeats: int, seed: int) -> Table:
    """Paired tests of every two models of a set."""
    rows = []
    for one in sets:
        if len(one.models) > 1:
            found = comparison({model: one.of_model(model) for model in one.models}, repeats=repeats, seed=seed)
            rows += [[one.name, _COMPARED[line["score"]], f"{line['first']} - {line['second']}",
                      "all" if line["cases"] is None else str(line["cases"]), number(line["mean_difference"], 4),
                      f"{number(line['ci95_low'], 4)} to {number(line['ci95_high'], 4)}", p_value(line["p"]),
                      p_value(line["p_holm"])] for line in comparison_rows(found)]
    return Table("comparison", "Models compared, case by case", ["test set", "score", "difference of", "cases",
                                                                 "mean difference", "95 % CI", "p (Wilcoxon)",
                                                                 "p (Holm, all of the set)"], rows,
                 f"Intervals by {repeats} draws of patients, seed {seed}.")


def _true_ml(one: TestSet) -> list[float]:
    return [row["targets"]["total"]["true_ml"] for row in one.cases]


def _count_ivh(one: TestSet) -> str:
    count = sum(row["targets"]["ivh"]["true_ml"] > 0 for row in one.cases)
    return str(count) if count else "none marked"


def _known_numbers(one: TestSet, name: str) -> list[float]:
    return [row[name] for row in one.cases if row[name] is not None]


def _entered(sets, columns, words, show) -> list[list[str]]:
    values = [[value for row in one.cases if (value := _number_of(row, columns)) is not None] for one in sets]
    return [[words, *(show(found, 1) for found in values)]] if any(values) else []


def _number_of(row, columns) -> float | None:
    for column in columns:
        try:
            return float(row["known"][column].replace(",", "."))
        except (KeyError, ValueError):
            continue
    return None


def _place(row) -> str:
    return next((row["known"][name] for name in PLACES if row["known"].get(name)), "")


def _mean_sd(values, decimals) -> str:
    if not values:
        return "-"
    sd = f" ± {np.std(values, ddof=1):.{decimals}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{decimals}f}{sd}"


def _median(values, decimals) -> str:
    if not values:
        return "-"
    low, median, high = np.percentile(values, [25, 50, 75])
    return f"{median:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"


def _median_range(values, _decimals) -> str:
    return f"{np.median(values):g} ({min(values):g}, {max(values):g})" if values else "-"


def _spread_mean(one) -> str:
    return "-" if not one else f"{one['mean']:.3f}" + ("" if one["sd"] is None else f" ± {one['sd']:.3f}")


def _spread_median(one) -> str:
    return f"{one['median']:.3f} ({one['q1']:.3f} to {one['q3']:.3f})" if one else "-"


def _limits(line) -> str:
    return "-" if line["low_ml"] is None else f"{line['low_ml']:+.2f} to {line['high_ml']:+.2f}"
