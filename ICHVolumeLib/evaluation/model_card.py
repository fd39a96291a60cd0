"""The model card, written from what was measured: figures.json, the weights' manifest, curves, pictures, ablation.

Every sentence that depends on a figure is made from the figure; nothing is filled in by hand afterwards.
"""

import json
import os
import shutil
import tempfile
import textwrap
from pathlib import Path

from ..core.errors import InputError
from ..core.labels import LABELS
from ..core.text import shown
from ..network.base import slices_in
from ..network.registry import network_of
from ..network.weights import Weights
from ..postprocessing.false_positive_filter import POSSIBLE
from ..segmentation.conformal_interval import IN_TRAINED_HEADS, KEYS
from ..training.curves import draw_curves
from .card_real import comparison, real_section
from .summary import Line, lines

WIDTH = 120
CURVES = "curves.png"
NO_REAL = "No real hemorrhage with a mask was used."
MOST_BYTES, MOST_BYTES_ALL = 80_000, 600_000
CARD = """\
# Model card: {title} weights {version}

Research use only; not a medical device. {verdict} Correct every mask by hand.

| | |
|---|---|
| network | {network} ([Peng et al. 2022](https://doi.org/10.3389/fnins.2022.965680)) |
| file | `{file}`, {stored}, batch norm folded, {megabytes:.1f} MB, SHA-256 `{sha256}…` (whole in `manifest.json`) |
| input | {input} |
| output | background, ICH, IVH; a voxel is blood when p(ICH) + p(IVH) reaches {threshold:g} |
| licence | {licence} |

## Figures

{cases} synthetic patients of 0.1 to 150 mL in heads never trained on ({heads}), as whole scans of 0.45 mm pixels
and 4 to 6 mm slices, through the whole product. They say what the model does with the generator's bleeds and **nothing
about real patients**.

    {command}

DATA holds the bleed-free heads and the GE scan; `Testing/benchmarks/read_inv3.py` makes `cranium.nii.gz` from
Cranium.inv3, an example of InVesalius.

{table}

ABC/2 (Coniglobus) of the model's masks has ICC(A,1) {abc2} with the true ICH volume, that of the true masks
{abc2_true}: what the shortcut costs before any network errs. {missed}

| true volume | cases | Dice, mean | bias of the summed volume |
|---|---|---|---|
{by_size}

| blood above the brain around it | cases | Dice, mean | bias of the summed volume |
|---|---|---|---|
{by_contrast}
{by_slice}{alarms}
{real}## Where it fails

{failures}
- What it may mark though it is no hemorrhage of the brain: muscle of neck and tongue, skull base, bright falx and
  tentorium, dense vessels, blood outside the brain.
- Never shown: contrast, children, bone kernels, surgery, metal in the brain.
- The generator's bleeds are all that the figures on whole scans know. Real ones are more varied; expect less.
{pictures}
## Trained on

- Real bleed-free head CT slices: CT-ICH v1.0.0, Hssayeni et al., *Data* 2020;5:14, PhysioNet, **CC BY 4.0**; slices
  with blood outside the brain are hard negatives. They are 8-bit brain windows: what is saturated there was given
  values outside the network's window. A stable fifth of the patients was never trained on.
- The sharp CT brain template of C. Rorden (BSD-2) in a made skull, and heads made by code.
- Into these a generator puts hemorrhages whose mask is known: 0.1 to 150 mL, one to several lobes, bright to faint,
  with swirl, fluid level, edema, mass effect and blood in the ventricles; and what must not be marked: calcification,
  bright sheets, blood outside the brain, old damage, streaks and noise.

{real_training}

## Calibration

{calibration}
{training}{ablation}"""


def write_card(out: Path, figures_folder: Path, weights: Weights, megabytes: float, runs: list[Path] = (),
               ablation: str = "", note: str = "", before: Path | None = None, real: Path | None = None,
               real_before: Path | None = None) -> list[Path]:
    """Write the card to `out`, its pictures to Pictures/model beside it; returns the files.

    figures_folder: what `ichvolume evaluate` wrote. runs: training runs, each started from the one before.
    note: Markdown, what the runs cannot say of themselves; without runs (their folders may be gone) all that is said of
    the training, and the curves drawn last time stay.
    before: an evaluation of the weights before on the same patients. real, real_before: what `ichvolume real` wrote.
    Raises InputError when the figures are of other weights or of heads that were trained on, or the pictures are too
    large.
    """
    figures = _read_json(figures_folder / "figures.json")
    if figures["model"]["sha256"] != weights.sha256:
        raise InputError(f"{figures_folder}: figures of other weights ({figures['model']['version']}); "
                         "evaluate these first.")
    if figures.get("trained_heads"):
        raise InputError(f"{figures_folder}: figures of heads that were trained on; evaluate without --trained-heads.")
    folder = out.parent / "Pictures" / "model"
    with tempfile.TemporaryDirectory() as place:
        drawn = []
        if runs:
            drawn.append(draw_curves(*runs, out=Path(place) / CURVES))
        pictures = _replace_pictures(figures_folder / "pictures", drawn, folder)
    files = [folder / name for name in (*(one["file"] for one in pictures), *(file.name for file in drawn))]
    beside = [one and _read_json(one / "figures.json") for one in (before, real, real_before)]
    text = card(figures, weights, megabytes, pictures, runs, ablation, note, (folder / CURVES).is_file(), *beside)
    out.write_text(shown(text), encoding="utf-8", newline="\n")
    return [out, *files]


def card(figures: dict, weights: Weights, megabytes: float, pictures: list[dict] = (), runs=(),
         ablation: str = "", note: str = "", curves: bool = True, before: dict | None = None,
         real: dict | None = None, real_before: dict | None = None) -> str:
    """The card as Markdown; curves: a picture of them lies beside it; before: figures of the weights before."""
    table, network = lines(figures), network_of(weights.config)
    text = CARD.format(
        title=network.title, version=weights.version, verdict=_verdict(table),
        network=network.describe(weights.config), file=weights.file_name, stored=weights.stored_as,
        megabytes=megabytes, sha256=weights.sha256[:16], input=_input(weights), threshold=weights.threshold,
        licence=weights.manifest["licence"], training=_training(runs, note, curves),
        real_training=_real_training(weights), real=real_section(real, real_before), cases=figures["cases"],
        heads=_heads(figures), command=figures["command"], table=comparison(table, before),
        abc2=_number(figures["abc2_icc_a1"]),
        abc2_true=_number(figures["abc2_of_truth_icc_a1"]), missed=_missed(figures),
        by_size=_groups(figures["by_size"]), by_contrast=_groups(figures["by_contrast"]),
        by_slice=_slices(figures.get("by_slice", {})), alarms=_alarms(figures),
        failures=_failures(figures), pictures=_pictures(pictures),
        ablation=f"\n## Ablation\n\n{ablation.strip()}\n" if ablation else "", calibration=_calibration(weights))
    return "\n\n".join(_wrapped(block) for block in text.split("\n\n"))


def _wrapped(block: str) -> str:
    """Prose filled anew; tables, lists, pictures and commands stay as they are."""
    if any(line.startswith(("|", "!", "#", "-", "    ")) for line in block.split("\n")):
        return block
    end = "\n" if block.endswith("\n") else ""
    return textwrap.fill(" ".join(block.split()), WIDTH, break_long_words=False, break_on_hyphens=False) + end


def _verdict(table: list[Line]) -> str:
    met, measured = sum(line.met is True for line in table), sum(line.met is not None for line in table)
    if met == measured:
        return f"It reaches all {measured} of the figures that were asked of it, on synthetic patients."
    return (f"**It reaches {met} of the {measured} figures that were asked of it**, on synthetic patients; the table "
            "below says which, and how far the others are.")


def _input(weights: Weights) -> str:
    (low, high), pixels = weights.window_hu, weights.manifest["pixel_spacing_mm"]
    levels = "; a scan whose brain is beyond {:g} to {:g} HU is moved to the nearest first".format(*weights.brain_hu) \
        if weights.brain_hu else ""
    return (f"slices, window {low:g} to {high:g} HU, brought to {pixels['target']:g} mm pixels unless they are "
            f"{pixels['native_range'][0]:g} to {pixels['native_range'][1]:g} mm{levels}")


def _training(runs, note: str, curves: bool) -> str:
    if not runs and not note:
        return ""
    steps = [_training_step(**_read_json(Path(run) / "checkpoint.json")) for run in runs]
    listed = [*steps, ""] if steps else []
    noted = [note.strip(), ""] if note else []
    drawn = [f"![Training curves](Pictures/model/{CURVES})"] if runs or curves else []
    return "\n" + "\n".join(["## Training history", "", *listed, *noted, *drawn]) + "\n"


def _training_step(step: int, seconds: float, plan: dict, config: dict, **_) -> str:
    low_mm, high_mm = plan["pixel_mm"]
    return (f"- {step * plan['batch']:,} slices in {seconds / 60:.0f} minutes: {plan['optimizer']}, "
            f"loss `{plan['loss']}`, {plan['size']} x {plan['size']} pixels of {low_mm:g} to {high_mm:g} mm, "
            f"batch {plan['batch']}, {slices_in(config['in_slices'])} in")


def _real_training(weights: Weights) -> str:
    if NO_REAL in weights.manifest["training_data"]:
        return "**No real hemorrhage with a mask was used** for training."
    return ("Real hemorrhages of CT-ICH v1.0.0 (Hssayeni et al., **CC BY 4.0**) were shown among them. Their masks are "
            "**the project's own**, made by seed, half-contrast edge and eye, not by radiologists. From the manifest: "
            f"{weights.manifest['training_data']}")


def _heads(figures) -> str:
    real = figures["cases_in_real_heads"]
    return f"{real} in the heads of {figures['real_heads']} real patients, {figures['cases'] - real} in made ones"


def _missed(figures) -> str:
    return f"In {figures['missed_cases']} of {figures['cases']} cases nothing was marked."


def _groups(groups: dict) -> str:
    return "\n".join(f"| {_contrast_words(name)} | {one['cases']} | {one['dice_mean']:.2f} | "
                     f"{one['bias_percent']:+.0f} % |" for name, one in groups.items())


def _contrast_words(name: str) -> str:
    """The open ends of the ranges; other names stay."""
    return {"-50 to 10 HU": "under 10 HU", "20 to 100 HU": "20 HU and more"}.get(name, name)


def _slices(groups: dict) -> str:
    if not groups:
        return ""
    names = {name: name if name.startswith("less") else f"more, {_contrast_words(name)}" for name in groups}
    rows = [f"| {names[name]} | {one['slices']} | {one['dice_mean']:.2f} | {_percent(one['share_of_lost'])} |"
            for name, one in groups.items()]
    return "\n".join(["", "| blood in a slice | slices | Dice of the slice, mean | share of all Dice lost |",
                      "|---|---|---|---|", *rows, ""])


def _alarms(figures) -> str:
    measured = [item for kind in ("ct_ich", "extra_axial")
                for item in figures.get(f"false_alarms_{kind}", {}).get("ml", {}).items()]
    found = [f"{name} {ml:.1f}" for name, ml in measured if ml >= 0.05]
    if not measured:
        return ""
    if not found:
        return "\nNothing of 0.05 mL or more is marked in any real bleed-free patient.\n"
    return f"\nMarked in real bleed-free patients, mL: {', '.join(found)}; nothing in the others.\n"


def _failures(figures) -> str:
    short = [f"- Bleeds of 0.1 to 1 mL: {_percent(figures['lesion_recall_0.1_to_1_ml'])} of "
             f"{figures['lesions_0.1_to_1_ml']} found; of 1 mL and more: "
             f"{_percent(figures['lesion_recall_over_1_ml'])} of {figures['lesions_over_1_ml']}."]
    worst = min(figures["by_size"].items(), key=lambda item: item[1]["dice_mean"])
    short.append(f"- The weakest size is {worst[0]}: mean Dice {worst[1]['dice_mean']:.2f}.")
    faint = figures["by_contrast"].get("-50 to 10 HU")
    if faint:
        short.append(f"- Blood less than 10 HU above the brain around it: mean Dice {faint['dice_mean']:.2f} in "
                     f"{faint['cases']} cases.")
    return "\n".join(short)


def _pictures(pictures: list[dict]) -> str:
    if not pictures:
        return ""
    parts = ["", "Held-out synthetic patients in heads made by code, the worst of their kind. Left the truth, right "
                 "the model's mask; red ICH, orange IVH.", ""]
    kind = None
    for one in pictures:
        if one["words"] != kind:
            kind = one["words"]
            parts += [f"**{kind}**", ""]
        parts += [f"![{one['words']}: {one['caption']}](Pictures/model/{one['file']})", "", f"{one['caption']}.", ""]
    return "\n".join(parts)


def _label_intervals(weights: Weights) -> str:
    """How many of the patients the intervals of ICH and IVH were made from; empty where there are none."""
    calibrated = {label.name: weights.manifest["calibration"].get(KEYS[label.name]) for label in LABELS}
    said = [f"that of the {name} on the {one['patients']} in whom some was marked"
            for name, one in calibrated.items() if one]
    return f"The interval of the total was calibrated on all of them, {' and '.join(said)}. " if said else ""


def _calibration_patients(weights: Weights, interval: dict, share: str) -> str:
    """What threshold and interval were made from, with the command."""
    trained = weights.manifest["calibration"].get(IN_TRAINED_HEADS, 0)
    others = interval["patients"] - trained
    mixed = weights.manifest.get("start_share")
    command = (f"    ichvolume release RUN DATA -o FOLDER --model-version {weights.version} --patients {others}"
               f"{f' --start-share {mixed:g}' if mixed else ''}\n")
    if not trained:
        return (f"The threshold and the {share} interval (split conformal prediction) were calibrated on {others} "
                f"other synthetic patients, in heads that are neither trained nor tested on:\n\n{command}\n")
    return (f"The threshold was calibrated on {others} other synthetic patients, in heads that are neither trained nor "
            f"tested on. The {share} interval (split conformal prediction, every head counted once) was calibrated on "
            f"these and on {trained} with new bleeds in heads of training, {interval['heads']} heads in all:\n\n"
            f"{command}    ichvolume release FOLDER DATA -o FOLDER --model-version {weights.version} "
            f"--patients {others} --intervals-only --trained-heads {trained}\n\n")


def _calibration(weights: Weights) -> str:
    interval, classifier = (weights.manifest["calibration"].get(name) for name in ("interval", "pieces"))
    if not interval:
        return "The threshold and the interval of these weights are not calibrated."
    share = f"{100 * interval['coverage']:.0f} %"
    text = (f"{_calibration_patients(weights, interval, share)}{_label_intervals(weights)}"
            "An interval covers the true volume of patients like these. **It promises nothing for real heads.**")
    if not classifier:
        return text
    pairs = zip(classifier["facts"], classifier["weights"], strict=True)
    weighted = ", ".join(f"{weight:.2f} for the {name}" for name, weight in pairs)
    return (f"{text}\n\nThe patients of the threshold decide which marked pieces are left out "
            f"(`postprocessing/false_positive_filter.py`): those that are bleeds "
            f"with a chance under {100 * classifier['least']:.3g} %, by a logistic regression on "
            f"{classifier['pieces']} pieces. Its weights: {weighted}, offset {classifier['offset']:.2f}. What was left "
            f"out is named with its slices. {_possible_text(classifier)}Then slices that a bleed fills at least by "
            "half are added at its ends (`partial_volume_slices.py`), a clot of which half is marked is marked whole, "
            "5 mm far (`region_completion.py`), and outlines are moved to where half of the contrast is "
            "(`boundary_refinement.py`). Whether it is ICH or IVH is asked of the slices above and below, too "
            "(`label_smoothing.py`).")


def _possible_text(classifier: dict) -> str:
    if "possible" not in classifier:
        return ""
    return (f"Pieces nowhere over the threshold but with a p(bleed) of {POSSIBLE:g} or more are marked, and named, "
            f"too, when the regression gives them {100 * classifier['possible']:.3g} % or more. ")


def _percent(share) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _number(value) -> str:
    return "-" if value is None else f"{value:.3f}"


def _replace_pictures(source: Path, drawn: list[Path], folder: Path) -> list[dict]:
    """The pictures of an evaluation, and those drawn for the card, take the place of those of the last one.

    Raises InputError when they are too large; the last ones are still there then.
    """
    is_evaluated = (source / "pictures.json").is_file()
    pictures = _read_json(source / "pictures.json") if is_evaluated else []
    files = [*(source / one["file"] for one in pictures), *drawn]
    _refuse_large(files)
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png") if is_evaluated else ():
        if old.name != CURVES:
            old.unlink()
    for file in files:
        shutil.copyfile(file, folder / file.name)
    return pictures


def _refuse_large(files: list[Path]):
    sizes = [os.path.getsize(file) for file in files]
    if sum(sizes) > MOST_BYTES_ALL or max(sizes, default=0) > MOST_BYTES:
        raise InputError(f"{files[0].parent}: {sum(sizes) // 1000} kB of pictures, the largest "
                         f"{max(sizes) // 1000} kB; draw fewer (evaluate --pictures).")


def _read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give the folder that `ichvolume evaluate` or "
                         "`ichvolume train` wrote.") from error
