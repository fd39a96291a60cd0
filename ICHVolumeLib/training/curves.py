"""The training curves as a picture."""

import json
from pathlib import Path

INK, SECOND, THIRD = "#8a1c1c", "#e08a1e", "#5b6b7a"


def draw_curves(*runs: Path, out: Path | None = None) -> Path:
    """Loss, validation Dice and false alarms over training slices, to `out` or curves.png in the last run's folder.

    Several runs, each started from the one before, are drawn as one. Needs matplotlib.
    """
    from matplotlib.figure import Figure

    values, joins = joined_curves([Path(run) for run in runs])
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    thousands = [count / 1000 for count in values["slices"]]
    left.plot(thousands, values["loss"], color=INK)
    left.set(xlabel="training slices, thousands", ylabel="training loss")
    for name, label, color in (("dice", "Dice, any blood", INK), ("ivh_dice", "Dice, IVH", SECOND),
                               ("false_alarm", "clean slices marked", THIRD)):
        right.plot(thousands, values[name], label=label, color=color)
    right.set(xlabel="training slices, thousands", ylim=(0, 1), title="validation (unseen heads)")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        for join in joins:
            axes.axvline(join / 1000, color="#c4ced6", linewidth=1, linestyle=":")
    out = Path(out) if out else Path(runs[-1]) / "curves.png"
    figure.savefig(out, dpi=100)
    return out


def joined_curves(runs: list[Path]) -> tuple[dict[str, list[float]], list[int]]:
    """("slices", "loss", "dice", "ivh_dice", "false_alarm" of runs one after the other, slices where a run ended)."""
    values = {name: [] for name in ("slices", "loss", "dice", "ivh_dice", "false_alarm")}
    before, joins = 0, []
    for run in runs:
        curves = json.loads((run / "curves.json").read_text(encoding="utf-8"))
        about = json.loads((run / "checkpoint.json").read_text(encoding="utf-8"))
        batch = about.get("slices_per_step", about["plan"]["batch"])
        joins += [before] if before else []
        values["slices"] += [before + step * batch for step in curves["step"]]
        for name in ("loss", "dice", "ivh_dice", "false_alarm"):
            values[name] += curves[name]
        before = values["slices"][-1] if values["slices"] else before
    return values, joins
