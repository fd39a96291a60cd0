"""What went wrong, in pictures: the worst held-out cases, each a slice with the truth beside what the model marked.

Only patients in heads made by code are drawn: the pictures are published, real heads are not.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.errors import InputError
from ..report.png import encode_png
from ..synthetic.backgrounds import Background
from ..synthetic.patients import TEST, make_patients, orders
from .cases import case_row
from .prediction import Predict

log = logging.getLogger(__name__)

WINDOW_HU = (0.0, 80.0)
COLORS = {1: "#ff5a52", 2: "#ffb02e"}  # ICH, IVH, as in the report
WIDTH_IN, DPI = 6.4, 100
TITLE_IN = 0.3
THIN = 2  # pixels of 0.45 mm are more than a small picture shows
FAINT_HU = 18  # see cases.contrast_hu
GREY_STEPS = 24  # noise in more shades than these only makes the file large


@dataclass(frozen=True)
class Kind:
    """A kind of failure: its name, what a reader is told, which rows show it, and how badly (worst first)."""

    name: str
    words: str
    is_one: object  # row -> bool
    badness: object  # row -> float
    wrong: object  # (truth, mask) -> bool array: what the shown slice should have most of


def _is_faint(row) -> bool:
    return row["contrast_hu"] is not None and row["contrast_hu"] < FAINT_HU


KINDS = (
    Kind("small", "Small bleed missed", lambda row: row["true_ml"] < 1.5 and row["dice"] < 0.6,
         lambda row: row["true_ml"] * (1 - row["dice"]), lambda truth, mask: truth > 0),
    Kind("faint", "Faint bleed missed or cut short",
         lambda row: row["true_ml"] >= 1.5 and _is_faint(row) and row["dice"] < 0.85,
         lambda row: 1 - row["dice"], lambda truth, mask: (truth > 0) & (mask == 0)),
    Kind("ventricle", "Blood in the ventricles missed or called ICH",
         lambda row: row["true_ivh_ml"] >= 0.5 and row["ivh_dice"] < 0.8,
         lambda row: (1 - row["ivh_dice"]) * row["true_ivh_ml"] ** 0.5,
         lambda truth, mask: (truth == 2) & (mask != 2)),
    Kind("over-marked", "Marked where there is no blood", lambda row: row["ml"] > row["true_ml"] + 0.3,
         lambda row: row["ml"] - row["true_ml"], lambda truth, mask: (truth == 0) & (mask > 0)),
    Kind("cut-short", "Bleed under-measured",
         lambda row: row["true_ml"] >= 5 and row["ml"] < 0.9 * row["true_ml"],
         lambda row: row["true_ml"] - row["ml"], lambda truth, mask: (truth > 0) & (mask == 0)),
    Kind("typical", "The median case, for comparison", lambda row: True, lambda row: 0.0,
         lambda truth, mask: truth > 0),
)


def choose_cases(rows: list[dict], each: int) -> list[tuple[Kind, dict]]:
    """Up to `each` cases of every kind of failure, worst first, and one typical case; no case twice."""
    median = np.median([row["dice"] for row in rows])
    rows = [row for row in rows if row["made_head"]]
    chosen, used = [], set()
    for kind in KINDS[:-1]:
        fitting = sorted((row for row in rows if row["case"] not in used and kind.is_one(row)),
                         key=kind.badness, reverse=True)[:each]
        chosen += [(kind, row) for row in fitting]
        used |= {row["case"] for row in fitting}
    others = [row for row in rows if row["case"] not in used]
    if others:
        chosen.append((KINDS[-1], min(others, key=lambda row: abs(row["dice"] - median))))
    return chosen


def draw_failures(predict: Predict, pool: list[Background], rows: list[dict], folder: Path, each: int,
                  part: str = TEST) -> list[dict]:
    """Make the worst patients again, segment and draw them: folder/NAME.png and folder/pictures.json.

    Returns what the JSON holds: {"file", "kind", "words", "case", "caption"} of every picture. Needs matplotlib.
    Raises InputError when the rows are of patients that an earlier generator made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = choose_cases(rows, each)
    numbers: dict[str, int] = {}
    pictures = []
    patients = make_patients(orders(pool, part, [row["index"] for _, row in chosen]))
    for (kind, row), patient in zip(chosen, patients, strict=True):
        numbers[kind.name] = numbers.get(kind.name, 0) + 1
        file = f"{kind.name}-{numbers[kind.name]}.png"
        prediction = predict(patient.ct)
        mask = prediction.mask
        again = case_row(patient, prediction)
        if abs(again["dice"] - row["dice"]) > 0.02 or abs(again["true_ml"] - row["true_ml"]) > 0.05:
            raise InputError(f"{row['case']}: is not the patient that was evaluated, the generator has changed since; "
                             "evaluate again into an empty folder.")
        k = slice_to_show(patient.truth, mask, kind.wrong)
        replace_file(folder / file, picture(patient.ct, patient.truth, mask, k, row))
        pictures.append({"file": file, "kind": kind.name, "words": kind.words, "case": row["case"],
                         "caption": caption(row)})
        log.info("%s: %s", file, row["case"])
    text = json.dumps(pictures, indent=1) + "\n"
    replace_file(folder / "pictures.json", text.encode("utf-8"))
    return pictures


def slice_to_show(truth: np.ndarray, mask: np.ndarray, wrong) -> int:
    """The slice with most of what went wrong; with most blood where nothing did."""
    areas = np.count_nonzero(wrong(truth, mask), axis=(1, 2))
    if not areas.any():
        areas = np.count_nonzero(truth, axis=(1, 2)) + np.count_nonzero(mask, axis=(1, 2))
    return int(np.argmax(areas))


def caption(row: dict) -> str:
    """Volumes of truth and model, Dice and contrast, in words."""
    words = f"truth {_volumes(row, 'true_')}; model {_volumes(row, '')}; Dice {row['dice']:.2f}"
    if row["contrast_hu"] is not None:
        words += f"; {row['contrast_hu']:.0f} HU above the brain around it"
    return words


def _volumes(row, prefix) -> str:
    if row[f"{prefix}ml"] == 0:
        return "nothing"
    total = f"{row[f'{prefix}ml']:.1f} mL"
    return total + (f" ({row[f'{prefix}ivh_ml']:.1f} IVH)" if row[f"{prefix}ivh_ml"] else "")


def picture(ct, truth: np.ndarray, mask: np.ndarray, k: int, row: dict) -> bytes:
    """PNG: slice k twice, with the outline of the truth and of the mask, and the volumes of the whole case."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    box = head_box(ct.hu)
    grey = _thinned_grey(ct.hu[k][box])
    height, width = grey.shape
    figure = Figure(figsize=(WIDTH_IN, WIDTH_IN / 2 * height / width + TITLE_IN), dpi=DPI, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    top = 1 - TITLE_IN / figure.get_figheight()
    for left, labels, title in ((0, truth, f"truth, {_volumes(row, 'true_')} in all"),
                                (0.5, mask, f"model, {_volumes(row, '')} in all")):
        axes = figure.add_axes((left + 0.002, 0, 0.496, top))
        axes.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto",
                    extent=(0, THIN * width, THIN * height, 0))
        for label, color in COLORS.items():
            shown = labels[k][box] == label
            if shown.any():
                rows, columns = (np.arange(size) + 0.5 for size in shown.shape)
                axes.contour(columns, rows, shown, [0.5], colors=color, linewidths=1.4)
        axes.set(xlim=(0, THIN * width), ylim=(THIN * height, 0))
        axes.axis("off")
        figure.text(left + 0.25, (1 + top) / 2, title, color="white", size=10, ha="center", va="center")
    canvas.draw()
    return encode_png(np.asarray(canvas.buffer_rgba())[..., :3])


def head_box(hu: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold the head in any slice of an axial scan, with a small margin."""
    shown = (hu[:, ::4, ::4] > -300).any(axis=0)
    box = []
    for axis, size in enumerate(hu.shape[1:]):
        where = np.flatnonzero(shown.any(axis=1 - axis)) * 4 if shown.any() else np.array([0, size])
        box.append(slice(max(int(where[0]) - 8, 0), min(int(where[-1]) + 12, size)))
    return tuple(box)


def _thinned_grey(hu: np.ndarray) -> np.ndarray:
    """0..1 in few shades, the mean of THIN x THIN pixels."""
    low, high = WINDOW_HU
    rows, columns = (size // THIN * THIN for size in hu.shape)
    mean = hu[:rows, :columns].reshape(rows // THIN, THIN, columns // THIN, THIN).mean(axis=(1, 3))
    return np.round(np.clip((mean - low) / (high - low), 0, 1) * (GREY_STEPS - 1)) / (GREY_STEPS - 1)
