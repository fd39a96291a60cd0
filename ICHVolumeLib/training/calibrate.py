"""Threshold and volume interval from calibration patients, on masks as the product measures them: after clean-up.

The network runs once per patient; what it thought is kept in a file, and the volume at every threshold in a row, so
that the choice can be made again without it.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cleaning import clean_mask
from ..files import replacing
from ..interval import calibrate_interval
from ..labels import ICH
from ..preprocessing import Head, Orientation, find_head
from ..segmentation import AMBIGUOUS, Segmenter
from .evaluate import append_row, box_around, read_rows
from .figures import SIZES_ML
from .patients import Patient, generator_mark

log = logging.getLogger(__name__)

COARSE = np.round(np.arange(0.05, 0.901, 0.05), 2)
LEAST_KEPT = 0.03  # chances below the lowest threshold need not be kept
BIAS_ALLOWED = 0.01  # of the summed volume; half of what a test on other patients may show
SHORTFALL_ALLOWED = 0.05  # how much a size class may be under-measured


@dataclass(frozen=True, eq=False)
class Chances:
    """p(bleed) of a calibration patient where it is not next to nothing, and what the clean-up needs besides.

    chance: float16, a box of the scan turned as the network sees it; corner: the box's first index; shape: of the
    scan; head: None where no skull was found.
    """

    chance: np.ndarray
    corner: tuple[int, int, int]
    shape: tuple[int, int, int]
    voxel_volumes_mm3: np.ndarray
    head: Head | None

    def volume_ml(self, threshold: float, limits_mm3: dict | None = None) -> float:
        """mL of the cleaned mask at a threshold."""
        mask = np.zeros(self.shape, np.uint8)
        box = tuple(slice(first, first + size) for first, size in zip(self.corner, self.chance.shape, strict=True))
        mask[box] = (self.chance >= np.float16(threshold)) * np.uint8(ICH.value)
        cleaned, _ = clean_mask(mask, self.voxel_volumes_mm3, self.head, limits_mm3)
        return float(np.count_nonzero(cleaned, axis=(1, 2)) @ self.voxel_volumes_mm3) / 1000

    def ambiguous_ml(self) -> float:
        doubtful = (self.chance >= np.float16(AMBIGUOUS[0])) & (self.chance < np.float16(AMBIGUOUS[1]))
        mm3 = self.voxel_volumes_mm3[self.corner[0]:self.corner[0] + len(doubtful)]
        return float(np.count_nonzero(doubtful, axis=(1, 2)) @ mm3) / 1000


def chances_of(segmenter: Segmenter, ct) -> Chances:
    """Run the network on one scan (axial)."""
    orientation = Orientation.of(ct)
    chance = orientation.view(segmenter.bleed_chance(ct))
    spacing_mm = ct.pixel_spacing_mm[::-1] if orientation.transpose else ct.pixel_spacing_mm
    head = find_head(orientation.view(ct.hu), spacing_mm)
    mm3 = ct.voxel_volumes_mm3[::-1] if orientation.flip[0] else ct.voxel_volumes_mm3
    box = box_around(chance >= np.float16(LEAST_KEPT), (0, 0, 0)) or (slice(0, 0),) * 3
    return Chances(np.ascontiguousarray(chance[box]), tuple(part.start for part in box), chance.shape,
                   np.array(mm3, float), head if head.skull_found else None)


def save_chances(path: Path, kept: Chances):
    head = {"enclosed": kept.head.enclosed, "has_brain": kept.head.has_brain} if kept.head else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        np.savez_compressed(file, chance=kept.chance, corner=kept.corner, shape=kept.shape,
                            voxel_volumes_mm3=kept.voxel_volumes_mm3, **head)


def load_chances(path: Path) -> Chances:
    with np.load(path, allow_pickle=False) as file:
        head = Head(file["enclosed"], file["has_brain"], True) if "enclosed" in file.files else None
        return Chances(file["chance"], tuple(file["corner"].tolist()), tuple(file["shape"].tolist()),
                       file["voxel_volumes_mm3"], head)


class Calibration:
    """The calibration patients of one model in a folder: rows.jsonl, a chances/ file each, table.json.

    rows: by case; those of other weights, or of an earlier generator's patients, are passed over.
    """

    def __init__(self, folder: Path, segmenter: Segmenter):
        self.folder, self.segmenter = Path(folder), segmenter
        self.mark = f"{segmenter.weights.sha256[:16]}, patients {generator_mark()}"
        self._limits = segmenter.weights.manifest["clean_up_mm3"]
        self.rows = {row["case"]: row for row in read_rows(self.folder / "rows.jsonl")
                     if row["model"] == self.mark and self._file(row["case"]).is_file()}

    def _file(self, case: str) -> Path:
        return self.folder / "chances" / f"{case}.npz"

    def add(self, patient: Patient):
        """Run the network on a patient, keep its chances, append its row."""
        mm3 = patient.ct.voxel_volumes_mm3
        ich_ml, ivh_ml = (float(np.count_nonzero(patient.truth == label, axis=(1, 2)) @ mm3) / 1000
                          for label in (1, 2))
        kept = chances_of(self.segmenter, patient.ct)
        save_chances(self._file(patient.name), kept)
        row = {"case": patient.name, "model": self.mark, "true_ml": ich_ml + ivh_ml, "true_ivh_ml": ivh_ml,
               "ambiguous_ml": kept.ambiguous_ml(),
               "ml_by_threshold": {f"{one:.2f}": kept.volume_ml(one, self._limits) for one in COARSE}}
        self._note(row)
        log.info("%s: %.2f mL, %.2f at 0.5", patient.name, row["true_ml"], row["ml_by_threshold"]["0.50"])

    def refine(self, thresholds):
        """Add these thresholds to every row, from the chances that were kept."""
        for case, row in sorted(self.rows.items()):
            missing = [f"{one:.2f}" for one in thresholds if f"{one:.2f}" not in row["ml_by_threshold"]]
            if missing:
                kept = load_chances(self._file(case))
                more = {one: kept.volume_ml(float(one), self._limits) for one in missing}
                self._note({**row, "ml_by_threshold": {**row["ml_by_threshold"], **more}})

    def _note(self, row: dict):
        """The last row of a case counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        append_row(self.folder / "rows.jsonl", row)
        self.rows[row["case"]] = row

    def choose(self) -> dict:
        """{"threshold", "interval"}: searched in steps of 0.05, then of 0.01 around the best."""
        coarse = choose_threshold(list(self.rows.values()))["threshold"]
        self.refine(np.round(np.clip(coarse + np.arange(-5, 6) / 100, COARSE[0], COARSE[-1]), 2))
        rows = [self.rows[case] for case in sorted(self.rows)]
        choice = choose_threshold(rows)
        (self.folder / "table.json").write_text(json.dumps(choice, indent=1) + "\n", encoding="utf-8", newline="\n")
        for line in table_lines(choice):
            log.info("%s", line)
        ml = [row["ml_by_threshold"][f"{choice['threshold']:.2f}"] for row in rows]
        interval = calibrate_interval([row["true_ml"] for row in rows], ml, [row["ambiguous_ml"] for row in rows])
        return {"threshold": choice["threshold"], "interval": interval}


def choose_threshold(rows: list[dict]) -> dict:
    """{"threshold", "spread", "table"} from calibration rows.

    The bias of the summed volume comes first: thresholds within BIAS_ALLOWED of none, or the one nearest to it. Among
    these, the least shortfall of any size class beyond SHORTFALL_ALLOWED; then the least bias; then the least
    difference between patients with and without blood in the ventricles, whose share is the generator's own.
    spread: 5th and 95th percentile of the choice when patients are drawn again.
    """
    thresholds = sorted(set.intersection(*(set(row["ml_by_threshold"]) for row in rows)), key=float)
    true = np.array([row["true_ml"] for row in rows])
    marked = np.array([[row["ml_by_threshold"][one] for one in thresholds] for row in rows])
    with_ivh = np.array([row["true_ivh_ml"] > 0.1 for row in rows])
    table = _table(thresholds, true, marked, with_ivh)
    rng = np.random.default_rng(0)
    again = [thresholds[_best(_table(thresholds, true[draw], marked[draw], with_ivh[draw]))]
             for draw in rng.integers(len(rows), size=(200, len(rows)))]
    return {"threshold": float(thresholds[_best(table)]), "patients": len(rows),
            "spread": np.percentile(np.array(again, float), [5, 95]).tolist(), "table": table}


def _table(thresholds, true, marked, with_ivh) -> list[dict]:
    groups = {f"{low:g}-{high:g} mL": (true >= low) & (true < high) for low, high in SIZES_ML}
    groups |= {"with IVH": with_ivh, "without IVH": ~with_ivh}
    bias = {"all": marked.sum(axis=0) / true.sum() - 1}
    bias |= {name: marked[part].sum(axis=0) / true[part].sum() - 1 for name, part in groups.items() if part.any()}
    return [{"threshold": float(one), **{name: float(values[n]) for name, values in bias.items()}}
            for n, one in enumerate(thresholds)]


def _best(table: list[dict]) -> int:
    least = min(abs(line["all"]) for line in table)
    classes = [name for name in table[0] if name.endswith("mL")]

    def rank(n):
        line = table[n]
        shortfall = sum(max(-SHORTFALL_ALLOWED - line[name], 0) for name in classes)
        uneven = abs(line.get("with IVH", 0) - line.get("without IVH", 0))
        return (abs(line["all"]) > max(BIAS_ALLOWED, least), round(shortfall, 3), round(abs(line["all"]), 3), uneven)

    return min(range(len(table)), key=rank)


def table_lines(choice: dict) -> list[str]:
    """The table for people: bias of the summed volume by threshold, in percent."""
    names = list(choice["table"][0])
    lines = ["  ".join(f"{name:>12}" for name in names)]
    for line in choice["table"]:
        mark = " <" if line["threshold"] == choice["threshold"] else ""
        lines.append("  ".join([f"{line['threshold']:12.2f}"] + [f"{100 * line[name]:+11.1f}%" for name in names[1:]])
                     + mark)
    low, high = choice["spread"]
    return [*lines, f"threshold {choice['threshold']:.2f}; {low:.2f} to {high:.2f} when the {choice['patients']} "
                    "patients are drawn again"]
