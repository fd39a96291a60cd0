"""Which figures a study has, which cases they show, and what is said under each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..core.errors import ICHVolumeError
from .figure_style import save, style
from .paper_tables import what_failed, worst_cases
from .study_inputs import TestSet
from .study_masks import read_case
from .study_pictures import abc2_disagreement, failures, slice_rows, view_3d
from .study_plots import bias_by_size, dice_violins, interval_calibration, volume_panels

MOST_FAILURES = 8
_OUTLINES = "Dashed: the truth; solid: the model. The patient's right is on the left."


@dataclass(frozen=True)
class Drawn:
    """files: none where it could not be drawn; words then say why, else what is to be seen."""

    name: str
    title: str
    words: str
    files: list[Path] = field(default_factory=list)


def draw_figures(sets: list[TestSet], out: Path, progress=None) -> list[Drawn]:
    """All figures into the folder. One that cannot be drawn costs no other."""
    plans = _plans(sets)
    drawn = []
    for done, (name, title, words, make) in enumerate(plans):
        if progress:
            progress("Drawing figures", done, len(plans))
        try:
            with style():
                figure = make()
                if figure is not None:
                    drawn.append(Drawn(name, title, words, save(figure, out, name)))
        except ICHVolumeError as error:
            drawn.append(Drawn(name, title, str(error)))
    if progress:
        progress("Drawing figures", len(plans), len(plans))
    return drawn


Plan = tuple[str, str, str, Callable]


def _plans(sets: list[TestSet]) -> list[Plan]:
    """(name, title, words, what makes it) of every figure, in the order of the paper, then what it lacks."""
    plans: list[Plan] = [("figure4_dice", "Figure 4. Dice per case by model",
                          "Every dot is a case with blood in the truth; bar: quartiles, line: median; missed bleeds "
                          "lie at 0.", lambda: dice_violins(sets))]
    with_masks = [one for one in sets if one.has_masks]
    if with_masks:
        first = with_masks[0]
        model = first.models[0]
        plans += [("figure5_slices", f"Figure 5. Slices with each model's outline, {first.name}",
                   f"Cases by the Dice of {model}: best, quartiles, worst. {_OUTLINES}", lambda: _slices(first)),
                  ("figure6_abc2", f"Figure 6. ABC/2 against the volume, {first.name}",
                   f"The cases of least (A) and most (B) disagreement of {model}'s volume and ABC/2 of the same mask "
                   f"(C = bleeding slices), with its lines A and B. {_OUTLINES}", lambda: _abc2(first)),
                  ("figure7_3d", f"Figure 7. 3D view, {first.name}",
                   "Closed surfaces of the masks, slightly smoothed, from front, left and above; the volumes are the "
                   "voxels'. The axes point 10 mm to the left (L), to the front (A) and up (S).",
                   lambda: _view(first))]
    for place, one in enumerate(sets):
        number = 8 if place == 0 else 9
        for which, model in enumerate(one.models):
            plans.append((f"figure{number}_volume_set{place + 1}_model{which + 1}",
                          f"Figure {number}. Volume against the truth, {one.name}, {model}",
                          "Above: with regression and identity; below: Bland-Altman in mL and in percent of the mean "
                          "of both, with 95 % limits and their intervals. ICH only.",
                          lambda one=one, model=model: volume_panels(one, model)))
    plans += [("bias_by_size", "Bias of the volume by true size", "Mean of the cases' errors in percent of their own "
               "true volume, all blood, with its 95 % interval.", lambda: bias_by_size(sets)),
              ("intervals", "Calibration of the intervals", "Left: every interval less the true volume; right: the "
               "share that holds it, with its 95 % interval.", lambda: interval_calibration(sets))]
    for one in with_masks:
        plans.append((f"failures_set{sets.index(one) + 1}", f"Failures, {one.name}",
                      f"The worst cases of {one.models[0]}. {_OUTLINES}", lambda one=one: _failures(one)))
    return plans


def _bleeding(one: TestSet, target: str = "total") -> list[dict]:
    return [row for row in one.cases if row["targets"][target]["true_ml"] > 0]


def _slices(one: TestSet):
    ordered = sorted(_bleeding(one), key=lambda row: -row["targets"]["total"]["dice"])
    if not ordered:
        return None
    places = sorted({round(share * (len(ordered) - 1)) for share in (0, 0.25, 0.5, 0.75, 1)})
    return slice_rows([(read_case(one, ordered[place]["case"]),
                        f"{ordered[place]['case']}\n{ordered[place]['targets']['total']['true_ml']:.1f} mL, "
                        f"Dice {ordered[place]['targets']['total']['dice']:.2f}") for place in places])


def _abc2(one: TestSet):
    rows = [row for row in one.cases if row["targets"]["ich"]["ml"] > 0]
    if not rows:
        return None
    apart = np.array([abs(row["abc2"]["coniglobus_ml"] - row["targets"]["ich"]["ml"]) for row in rows])
    pairs = []
    for letter, place in (("A", int(apart.argmin())), ("B", int(apart.argmax()))):
        row = rows[place]
        ich = row["targets"]["ich"]
        pairs.append((read_case(one, row["case"]),
                      f"{row['case']}: mask {ich['ml']:.1f} mL, ABC/2 {row['abc2']['coniglobus_ml']:.1f} mL "
                      f"(difference {apart[place]:.2f} mL), truth {ich['true_ml']:.1f} mL", letter))
    return abc2_disagreement(pairs, one.models[0])


def _view(one: TestSet):
    ordered = sorted(_bleeding(one), key=lambda row: row["targets"]["total"]["true_ml"])
    if not ordered:
        return None
    row = ordered[len(ordered) // 2]
    return view_3d(read_case(one, row["case"]), f"{row['case']}, the case of median volume")


def _failures(one: TestSet):
    worst = [row for row in worst_cases(one.of_model(one.models[0])) if row["targets"]["total"]["dice"] is not None]
    if not worst:
        return None
    shown = []
    for row in worst[:MOST_FAILURES]:
        score = row["targets"]["total"]
        shown.append((read_case(one, row["case"]), row["model"],
                      f"{row['case']}: {what_failed(row)} {score['dice']:.2f}\n"
                      f"{score['ml']:.1f} mL, true {score['true_ml']:.1f} mL"))
    return failures(shown)
