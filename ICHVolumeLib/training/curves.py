"""The training curves as a picture."""

import json
from pathlib import Path


def draw_curves(run: Path) -> Path:
    """curves.png beside curves.json: loss, validation Dice and false alarms over training slices. Needs matplotlib."""
    from matplotlib.figure import Figure

    run = Path(run)
    curves = json.loads((run / "curves.json").read_text(encoding="utf-8"))
    batch = json.loads((run / "checkpoint.json").read_text(encoding="utf-8"))["plan"]["batch"]
    slices = [step * batch for step in curves["step"]]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(slices, curves["loss"], color="#8a1c1c")
    left.set(xlabel="training slices", ylabel="training loss")
    for name, label, color in (("dice", "Dice, any blood", "#8a1c1c"), ("ivh_dice", "Dice, IVH", "#e08a1e"),
                               ("false_alarm", "clean slices marked", "#5b6b7a")):
        right.plot(slices, curves[name], label=label, color=color)
    right.set(xlabel="training slices", ylim=(0, 1), title="validation (unseen heads)")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(run / "curves.png", dpi=130)
    return run / "curves.png"
