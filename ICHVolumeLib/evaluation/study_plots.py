"""Plots of a study's numbers: Figures 4, 8 and 9 of the paper, and what it lacks: bias by size, calibration of
intervals. Each returns a matplotlib figure, or None where there is nothing to plot."""

import numpy as np

from .agreement import limits_of_agreement, percent_agreement, regression, volume_agreement
from .figure_style import FAINT, INK, PAGE_INCHES, look, new_figure
from .mask_figures import method_volumes
from .strata import SIZES_ML
from .study_inputs import TestSet

WAYS = {"volume": "volume of the mask", "abc2_coniglobus": "ABC/2, C = bleeding slices", "abc2_kothari":
        "ABC/2, weighted C (Kothari)"}
_DOT = {"s": 14, "linewidths": 0.4, "edgecolors": "white", "alpha": 0.85, "zorder": 3}
_FEWEST = 5  # cases for the shape of a violin


def dice_violins(sets: list[TestSet]):
    """Figure 4: Dice per case by model, a panel a test set; every case is a dot, missed bleeds lie at 0."""
    most = max(len(one.models) for one in sets)
    figure = new_figure(min(PAGE_INCHES, 1.2 + 0.95 * most), 2.8 * len(sets))
    panels = figure.subplots(len(sets), 1, squeeze=False)[:, 0]
    for axes, one in zip(panels, sets, strict=True):
        values = []
        for place, model in enumerate(one.models):
            scores = [row["targets"]["total"] for row in one.of_model(model)]
            values.append(np.array([score["dice"] for score in scores if score["true_ml"] > 0], float))
            _violin(axes, place, values[-1])
        axes.set(title=one.name, ylabel="Dice per case, all blood", ylim=(-0.03, 1.03), xlim=(-0.6, most - 0.4))
        axes.set_xticks(range(len(one.models)), map(_named, one.models, values))
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    return figure


def _violin(axes, place, values):
    color = look(place)["color"]
    if not len(values):
        return
    if len(values) >= _FEWEST and np.ptp(values) > 1e-6:
        body = axes.violinplot([values], [place], widths=0.8, showextrema=False)["bodies"][0]
        body.set(facecolor=color, edgecolor=color, alpha=0.25, linewidth=0.8)
        outline = body.get_paths()[0].vertices
        outline[:, 1] = outline[:, 1].clip(0, 1)  # a Dice cannot be outside
    sideways = np.random.default_rng(place).uniform(-0.09, 0.09, len(values))
    axes.scatter(place + sideways, values, color=color, marker=look(place)["marker"], **{**_DOT, "s": 8})
    low, median, high = np.percentile(values, [25, 50, 75])
    axes.plot([place, place], [low, high], color=INK, linewidth=3, solid_capstyle="butt", zorder=4)
    axes.plot([place - 0.18, place + 0.18], [median, median], color=INK, linewidth=1.4, zorder=5)


def _named(model, values) -> str:
    return f"{model}\nmedian {np.median(values):.3f}\nn = {len(values)}" if len(values) else f"{model}\nn = 0"


def volume_panels(one: TestSet, model: str):
    """Figures 8 and 9: the ways to a volume of one model against the truth with regression and identity, and their
    Bland-Altman plots in mL and in percent of the mean of both."""
    volumes = [method_volumes(row) for row in one.of_model(model)]
    ways = [way for way in WAYS if sum(None not in volume[way] for volume in volumes) > 1]
    if not ways:
        return None
    figure = new_figure(PAGE_INCHES * len(ways) / 3 if len(ways) < 3 else PAGE_INCHES, 6.6)
    panels = figure.subplots(3, len(ways), squeeze=False)
    pairs = {way: np.array([volume[way] for volume in volumes if None not in volume[way]], float) for way in ways}
    top = 1.05 * max(pair.max() for pair in pairs.values()) or 1.0
    for column, way in enumerate(ways):
        measured, true = pairs[way].T
        marker = look(column)
        _scatter(panels[0, column], true, measured, marker, top, WAYS[way])
        _bland_altman(panels[1, column], (measured + true) / 2, limits_of_agreement(measured - true),
                      measured - true, marker, "measured - true, mL")
        both = (measured > 0) & (true > 0)
        percent = 100 * (measured - true)[both] / ((measured + true)[both] / 2)
        _bland_altman(panels[2, column], ((measured + true) / 2)[both], percent_agreement(measured, true), percent,
                      marker, "difference, % of the mean")
    for row in (1, 2):
        _same_height(panels[row])
    figure.suptitle(f"{one.name}, {model}: ICH", fontsize=9)
    return figure


def _scatter(axes, true, measured, marker, top, way):
    axes.plot([0, top], [0, top], color=FAINT, linewidth=1, zorder=1, label="identity")
    line, icc = regression(true, measured), volume_agreement(measured, true)["icc_a1"]
    axes.scatter(true, measured, color=marker["color"], marker=marker["marker"], **_DOT, clip_on=False)
    words = [way]
    if icc:
        words.append(f"ICC(A,1) {icc['value']:.3f} ({icc['low']:.3f} to {icc['high']:.3f})")
    if line:
        ends = np.array([0, true.max()])
        axes.plot(ends, line["intercept"] + line["slope"] * ends, color=INK, linewidth=1, linestyle="--", zorder=4,
                  label="regression")
        sign = "-" if line["intercept"] < 0 else "+"
        words.append(f"y = {line['slope']:.3f} x {sign} {abs(line['intercept']):.2f} mL, n = {len(true)}")
    axes.set_title("\n".join(words), fontsize=7)
    axes.set(xlabel="true volume, mL", ylabel="measured, mL", xlim=(0, top), ylim=(0, top), aspect="equal")
    axes.legend(loc="lower right", handlelength=1.6, borderaxespad=0.1)


def _bland_altman(axes, mean, limits, difference, marker, label):
    axes.axhline(0, color=FAINT, linewidth=1, zorder=1)
    axes.scatter(mean, difference, color=marker["color"], marker=marker["marker"], **_DOT)
    if limits:
        for key, dash in (("bias", "-"), ("low", "--"), ("high", "--")):
            axes.axhline(limits[key], color=INK, linewidth=0.9, linestyle=dash, zorder=2)
            axes.axhspan(*limits[f"{key}_ci95"], color=INK, alpha=0.07, linewidth=0, zorder=0)
            axes.annotate(f"{limits[key]:+.1f}", (1, limits[key]), xycoords=("axes fraction", "data"), fontsize=6.5,
                          ha="right", va="bottom")
    axes.set(xlabel="mean of both, mL", ylabel=label, xlim=(0, 1.22 * max([*mean, 1e-3])))  # room for the numbers


def _same_height(panels):
    low, high = (end(axes.get_ylim()[side] for axes in panels) for side, end in ((0, min), (1, max)))
    for axes in panels:
        axes.set_ylim(low, high)


def bias_by_size(sets: list[TestSet]):
    """Bias of the volume of all blood in groups of true size, with its 95 % interval, by model; a panel a test set."""
    figure = new_figure(PAGE_INCHES, 2.5 * len(sets))
    panels = figure.subplots(len(sets), 1, squeeze=False)[:, 0]
    for axes, one in zip(panels, sets, strict=True):
        axes.axhline(0, color=FAINT, linewidth=1)
        true = np.array([row["targets"]["total"]["true_ml"] for row in one.cases])
        groups = [(low, high) for low, high in SIZES_ML if ((true > 0) & (true >= low) & (true < high)).any()]
        for place, model in enumerate(one.models):
            _biases(axes, groups, one.of_model(model), place, len(one.models), model)
        names = [f"{low:g} to {high:g} mL" if high < np.inf else f"{low:g} mL and more" for low, high in groups]
        counts = [int(((true > 0) & (true >= low) & (true < high)).sum()) for low, high in groups]
        axes.set_xticks(range(len(groups)), [f"{name}\n(n = {count})" for name, count in
                                             zip(names, counts, strict=True)])
        axes.set(title=one.name, ylabel="bias, % of the true volume", xlim=(-0.6, max(len(groups), 1) - 0.4))
        axes.legend(ncols=min(4, len(one.models)), loc="best")
    return figure


def _biases(axes, groups, rows, place, models, model):
    """Mean of the relative errors of the cases of a group, each against its own truth."""
    middles, means, spans = [], [], []
    for number, (low, high) in enumerate(groups):
        scores = [row["targets"]["total"] for row in rows if low <= row["targets"]["total"]["true_ml"] < high
                  and row["targets"]["total"]["true_ml"] > 0]
        percent = np.array([100 * (score["ml"] / score["true_ml"] - 1) for score in scores])
        found = limits_of_agreement(percent)
        middles.append(number + (place - (models - 1) / 2) * min(0.15, 0.7 / models))
        means.append(percent.mean())
        spans.append((percent.mean() - found["bias_ci95"][0]) if found else 0.0)
    style = look(place)
    axes.errorbar(middles, means, yerr=spans, color=style["color"], marker=style["marker"], markersize=4.5,
                  linestyle="none", linewidth=1, capsize=2, label=model)


def interval_calibration(sets: list[TestSet]):
    """Every interval around its true volume, and the share that holds it by size; None where no model gives one."""
    shown = [(one, model) for one in sets for model in one.models
             if any(row.get("interval_ml") for row in one.of_model(model))]
    if not shown:
        return None
    figure = new_figure(PAGE_INCHES, 2.7 * len(shown))
    panels = figure.subplots(len(shown), 2, squeeze=False, width_ratios=(3, 2))
    for (left, right), (one, model) in zip(panels, shown, strict=True):
        rows = [row for row in one.of_model(model) if row.get("interval_ml")]
        true = np.array([row["targets"]["total"]["true_ml"] for row in rows])
        ends = np.array([row["interval_ml"] for row in rows], float)
        held = (ends[:, 0] <= true) & (true <= ends[:, 1])
        _intervals(left, true, ends, held, f"{one.name}, {model}")
        _coverages(right, true, held, rows[0].get("interval_coverage"))
    return figure


def _intervals(axes, true, ends, held, title):
    order = np.argsort(true)
    axes.axhline(0, color=FAINT, linewidth=1)
    for hit, color, words, dash in ((True, look(0)["color"], "holds the true volume", "-"),
                                    (False, look(1)["color"], "does not", "--")):
        places = np.flatnonzero(held[order] == hit)
        if len(places):
            axes.vlines(places, (ends[:, 0] - true)[order][places], (ends[:, 1] - true)[order][places], color=color,
                        linewidth=1.4 if hit else 1.8, linestyle=dash, label=f"{words} ({len(places)})")
    axes.set_title(title, pad=20)
    axes.set(xlabel="cases by true volume", ylabel="interval - true volume, mL")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def _coverages(axes, true, held, nominal):
    groups = [("all", np.ones_like(held))] + [
        (f"{low:g}-{high:g} mL" if high < np.inf else f">= {low:g} mL", (true >= low) & (true < high))
        for low, high in SIZES_ML]
    groups = [(name, part) for name, part in groups if part.any()]
    for place, (_, part) in enumerate(groups):
        share, (low, high) = held[part].mean(), wilson(int(held[part].sum()), int(part.sum()))
        axes.errorbar([share], [place], xerr=[[max(0, share - low)], [max(0, high - share)]], color=INK, marker="o",
                      markersize=4, capsize=2, linewidth=1)
    if nominal:
        axes.axvline(nominal, color=look(1)["color"], linestyle="--", linewidth=1,
                     label=f"should be {100 * nominal:g} %")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1))
    axes.set_yticks(range(len(groups)), [f"{name} (n = {int(part.sum())})" for name, part in groups])
    axes.set(xlabel="share that holds the true volume", xlim=(0, 1.03))
    axes.invert_yaxis()


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share, doi:10.1080/01621459.1927.10502953."""
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
