"""From case rows to the figures of the model card, each beside what it should be."""

from dataclasses import dataclass, replace

import numpy as np

from .metrics import bland_altman, bootstrap_interval, concordance, icc_a1

SIZES_ML = ((0.1, 1), (1, 10), (10, 30), (30, 150))
CONTRASTS_HU = ((-50, 10), (10, 20), (20, 100))
LARGE_ML, UNMARKED = 10.0, "unmarked-blood"  # a code of findings
SMALL_MM2 = 50.0  # of blood in a slice


def summarise(rows: list[dict]) -> dict:
    """The figures of the model card from case rows."""
    def column(name):
        return np.array([row[name] for row in rows if row[name] is not None], float)

    true, measured = column("true_ml"), column("ml")
    lesions = np.array([lesion for row in rows for lesion in row["lesions"]], float).reshape(-1, 2)
    large, small = lesions[:, 0] >= 1, (lesions[:, 0] >= 0.1) & (lesions[:, 0] < 1)
    percent = 100 * (measured - true) / true
    with_both = [row for row in rows if row["true_ich_ml"] > 0 and row["true_ivh_ml"] > 0]
    in_real = [row["case"].split("-")[-1] for row in rows if not row.get("made_head", True)]
    return {
        "cases": len(rows), "cases_in_real_heads": len(in_real), "real_heads": len(set(in_real)),
        "dice_mean": column("dice").mean(), "dice_sd": column("dice").std(ddof=1),
        "dice_median": np.median(column("dice")), "ivh_dice_mean": _mean(column("ivh_dice")),
        "ivh_dice_median": _median(column("ivh_dice")), "ivh_cases": len(column("ivh_dice")),
        "hd95_median_mm": _median(column("hd95_mm")), "missed_cases": int((measured == 0).sum()),
        "icc_a1": icc_a1(measured, true), "icc_a1_ci95": bootstrap_interval(icc_a1, measured, true),
        "concordance": concordance(measured, true), "bland_altman_ml": bland_altman(measured, true),
        "bland_altman_percent": _limits(percent), "bland_altman_percent_over_1_ml": _limits(percent[true >= 1]),
        "bland_altman_percent_over_10_ml": _limits(percent[true >= 10]),
        "bias_percent_of_total": 100 * (measured.sum() / true.sum() - 1),
        "by_size": _groups(rows, "true_ml", SIZES_ML, "mL"),
        "by_contrast": _groups(rows, "contrast_hu", CONTRASTS_HU, "HU"),
        "by_slice": _slices(rows),
        "abc2_icc_a1": icc_a1(column("abc2_ml"), column("true_ich_ml")),
        "abc2_of_truth_icc_a1": icc_a1(column("true_abc2_ml"), column("true_ich_ml")),
        "lesions_over_1_ml": int(large.sum()), "lesion_recall_over_1_ml": _mean(lesions[large, 1]),
        "lesions_0.1_to_1_ml": int(small.sum()), "lesion_recall_0.1_to_1_ml": _mean(lesions[small, 1]),
        "ich_dice_with_ivh_mean": _mean(np.array([row["ich_dice"] for row in with_both if "ich_dice" in row], float)),
        "cases_with_both": len(with_both),
        "bias_percent_se": _standard_error_percent(measured, true),
        "interval_coverage": _coverage_of([(row["interval_ml"], row["true_ml"]) for row in rows]),
        **{f"interval_{name}_coverage": _coverage_of([(row.get("label_intervals_ml", {}).get(name.upper()),
                                                       row[f"true_{name}_ml"]) for row in rows])
           for name in ("ich", "ivh")},
        "unmarked_told": _unmarked_told([row for row in rows if "findings" in row]),
    }


def _unmarked_told(rows: list[dict]) -> dict:
    """How often the finding UNMARKED is there: of the cases of LARGE_ML and more of which less than half is marked, and
    of the others."""
    lost = [row for row in rows if row["true_ml"] >= LARGE_ML and row["ml"] < row["true_ml"] / 2]
    told = [row for row in rows if UNMARKED in row["findings"]]
    both = sum(row in lost for row in told)
    return {"large_and_lost": len(lost), "of_these_told": both, "others": len(rows) - len(lost),
            "others_told": len(told) - both}


def _coverage_of(pairs: list[tuple]) -> float | None:
    """Share of the intervals that hold their true volume; pairs (interval or None, true mL)."""
    return _mean(np.array([low <= true <= high for (low, high), true in ((one, true) for one, true in pairs if one)],
                          float))


def _standard_error_percent(measured: np.ndarray, true: np.ndarray) -> float:
    """Of the bias of the summed volume in percent, by drawing the cases again."""
    draws = np.random.default_rng(0).integers(len(true), size=(1000, len(true)))
    return float(np.std(100 * (measured[draws].sum(1) / true[draws].sum(1) - 1)))


def _groups(rows: list[dict], name: str, ranges, unit: str) -> dict:
    """Cases, mean Dice and bias of the summed volume in ranges of a column."""
    groups = {}
    for low, high in ranges:
        part = [row for row in rows if row.get(name) is not None and low <= row[name] < high]
        if part:
            true_ml = sum(row["true_ml"] for row in part)
            groups[f"{low:g} to {high:g} {unit}"] = {
                "cases": len(part), "dice_mean": float(np.mean([row["dice"] for row in part])),
                "bias_percent": 100 * (sum(row["ml"] for row in part) / true_ml - 1)}
    return groups


def _slices(rows: list[dict]) -> dict:
    """Slices with blood by what they show: how many, mean Dice, and the share of all Dice lost in such slices."""
    slices = np.array([one for row in rows for one in row.get("slices", [])], float).reshape(-1, 3)
    small, contrast, lost = slices[:, 0] < SMALL_MM2, slices[:, 1], 1 - slices[:, 2]
    parts = {f"less than {SMALL_MM2:g} mm2": small}
    parts |= {f"{low:g} to {high:g} HU": ~small & (contrast >= low) & (contrast < high) for low, high in CONTRASTS_HU}
    return {name: {"slices": int(part.sum()), "dice_mean": float(1 - lost[part].mean()),
                   "share_of_lost": float(lost[part].sum() / max(lost.sum(), 1e-9))}
            for name, part in parts.items() if part.any()}


def _limits(percent) -> dict | None:
    return bland_altman(percent, np.zeros_like(percent)) if len(percent) > 1 else None


def _mean(values) -> float | None:
    return float(values.mean()) if len(values) else None


def _median(values) -> float | None:
    return float(np.median(values)) if len(values) else None


@dataclass(frozen=True)
class Line:
    """One figure in words: what it is, what it should be, what it is here; met None: nothing was measured."""

    what: str
    target: str
    found: str
    met: bool | None


def lines(figures: dict) -> list[Line]:
    """Every figure that has a target, in the order of the card."""
    get = figures.get
    table = [
        _at_least("Dice per case, mean", get("dice_mean"), 0.93, f" (SD {_number(get('dice_sd'))})"),
        _at_least("Dice per case, median", get("dice_median"), 0.95),
        _at_least(f"IVH Dice, mean ({get('ivh_cases', 0)} cases with IVH)", get("ivh_dice_mean"), 0.85),
        _at_least(f"ICH Dice of the {get('cases_with_both', 0)} cases with ICH and IVH, mean",
                  get("ich_dice_with_ivh_mean"), 0.88),
        _at_most("HD95, median of the cases with both masks", get("hd95_median_mm"), 3.0, "{:.1f} mm"),
        _at_least("volume, ICC(A,1) (95 % bootstrap interval)", get("icc_a1"), 0.997, _range(get("icc_a1_ci95")),
                  "{:.3f}"),
        _within("bias of the summed volume (two standard errors)", get("bias_percent_of_total"), 2.0,
                get("bias_percent_se")),
        _agreement("95 % limits of agreement per case", get("bland_altman_percent")),
        replace(_agreement("the same, cases of 10 mL and more", get("bland_altman_percent_over_10_ml")), target="",
                met=None),
        _at_least(f"bleeds of 1 mL and more found ({get('lesions_over_1_ml', 0)})", get("lesion_recall_over_1_ml"),
                  0.98, form="{:.1f} %"),
        _at_least(f"bleeds of 0.1 to 1 mL found ({get('lesions_0.1_to_1_ml', 0)})", get("lesion_recall_0.1_to_1_ml"),
                  0.85, form="{:.1f} %"),
        *(_coverage(what, get(f"interval_{name}coverage"))
          for what, name in (("volume", ""), ("ICH volume", "ich_"), ("IVH volume", "ivh_"))),
    ]
    table += _alarm_lines(figures)
    return table


def _alarm_lines(figures: dict) -> list[Line]:
    table = []
    for kind, what, most in (("ct_ich", "real bleed-free slices of unseen patients", 0.02),
                             ("extra_axial", "real slices with blood outside the brain only", 0.10)):
        alarm = figures.get(f"false_alarms_{kind}")
        if alarm:
            words = f" ({alarm['with_more_than_20_mm2']} of {alarm['slices']})"
            what = f"{what}: share with more than 20 mm2 marked"
            table.append(_at_most(what, alarm["share"], most, "{:.1f} %", words))
    for name, ml in figures.get("bleed_free_scans_ml", {}).items():
        table.append(_at_most(f"marked in the bleed-free scan `{name}`", ml, 0.3, "{:.2f} mL"))
    return table


def _at_least(what, value, least, more="", form="{:.2f}") -> Line:
    found = "not measured" if value is None else _formatted(form, value) + more
    return Line(what, "at least " + _short(form, least), found, None if value is None else bool(value >= least))


def _at_most(what, value, most, form, more="") -> Line:
    found = "not measured" if value is None else _formatted(form, value) + more
    return Line(what, "at most " + _short(form, most), found, None if value is None else bool(value <= most))


def _within(what, percent, most, error_percent=None) -> Line:
    if percent is None:
        return Line(what, f"within {most:g} %", "not measured", None)
    doubt = "" if error_percent is None else f" (+- {2 * error_percent:.1f} %)"
    return Line(what, f"within {most:g} %", f"{percent:+.1f} %{doubt}", bool(abs(percent) <= most))


def _agreement(what, limits) -> Line:
    if limits is None:
        return Line(what, "within 10 %", "not measured", None)
    return Line(what, "within 10 %", f"{limits['low']:+.0f} to {limits['high']:+.0f} %",
                bool(max(abs(limits["low"]), abs(limits["high"])) <= 10))


def _coverage(what: str, share) -> Line:
    found = "not measured" if share is None else _formatted("{:.1f} %", share)
    return Line(f"90 % interval covers the true {what}", "88 to 92 %", found,
                None if share is None else 0.88 <= share <= 0.92)


def _formatted(form: str, value: float) -> str:
    return form.format(100 * value if "%" in form else value)


def _short(form: str, value: float) -> str:
    if "%" in form:
        return f"{100 * value:g} %"
    return f"{value:g}" + (" mm" if "mm" in form else " mL" if "mL" in form else "")


def _range(pair) -> str:
    return "" if pair is None else f" ({pair[0]:.3f} to {pair[1]:.3f})"


def _number(value) -> str:
    return "none" if value is None else f"{value:.2f}"
