"""What a study is made from: output folders of `evaluate`, each a test set, or a network on synthetic patients.

Folders of masks against the truth (several models in one) are test sets by their name. Folders of `evaluate DATA` are
one network each and make the one set "synthetic patients", if they hold the same patients; what such rows do not have
(sensitivity, pooled counts ...) stays empty in the tables. Sets of one name are put together when their cases and
truths are the same.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import InputError
from .cases import read_rows
from .mask_rows import TARGETS
from .mask_scoring import SCHEMA
from .mask_tables import RECORD, ROWS_JSONL
from .model_comparison import same_cases

SYNTHETIC = "synthetic patients"
FIGURES_JSON = "figures.json"
_UNKNOWN = ("iou", "sensitivity", "ppv", "surface_hd95_mm", "surface_dice", "both_voxels", "extra_voxels",
            "missed_voxels")


@dataclass(frozen=True)
class TestSet:
    """rows: as in mask_rows, of every model the same cases, sorted. has_masks: the rows count voxels and slices.

    records: record.json (masks) or what figures.json says of the model (synthetic patients), one a folder.
    """

    __test__ = False  # no tests, whatever pytest makes of the name
    name: str
    rows: list[dict]
    has_masks: bool
    records: list[dict] = field(default_factory=list)

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(row["model"] for row in self.rows))

    def of_model(self, model: str) -> list[dict]:
        return [row for row in self.rows if row["model"] == model]

    @property
    def cases(self) -> list[dict]:
        """One row a case, of the first model: for what is the same for all."""
        return self.of_model(self.models[0]) if self.rows else []


def read_test_sets(folders: list[tuple[str, Path]]) -> list[TestSet]:
    """folders: (name, folder); the name is the test set's, or the network's of an evaluation on synthetic patients.

    Raises InputError for a folder that `evaluate` did not finish, models on other cases, and other truths.
    """
    sets: dict[str, TestSet] = {}
    for name, folder in folders:
        one = _read(name, Path(folder))
        sets[one.name] = _together(sets[one.name], one) if one.name in sets else one
    return list(sets.values())


def _read(name: str, folder: Path) -> TestSet:
    try:
        rows = read_rows(folder / ROWS_JSONL)
    except ValueError as error:
        raise InputError(f"{folder / ROWS_JSONL} is damaged ({error}); evaluate again.") from error
    if not rows:
        raise InputError(f"{folder} holds no {ROWS_JSONL}; give an output folder of `ichvolume evaluate`.")
    is_masks = [row.get("schema") == SCHEMA for row in rows]
    if all(is_masks):
        if not (folder / RECORD).is_file():
            raise InputError(f"{folder} holds an evaluation that did not end; run `ichvolume evaluate` again, it goes "
                             "on where it was.")
        return TestSet(name, rows, True, [_json(folder / RECORD)])
    if any(is_masks) or not all("true_ml" in row and "dice" in row for row in rows):
        raise InputError(f"{folder}: the rows of {ROWS_JSONL} are of no evaluation that this version knows; evaluate "
                         "again.")
    about = _json(folder / FIGURES_JSON) if (folder / FIGURES_JSON).is_file() else {}
    return TestSet(SYNTHETIC, sorted((_as_mask_row(name, row) for row in rows), key=lambda row: row["case"]), False,
                   [{"network": name, "model": about.get("model"), "command": about.get("command")}])


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); evaluate again.") from error


def _as_mask_row(model: str, row: dict) -> dict:
    """A row of cases.case_row in the form of mask_rows."""
    unknown = dict.fromkeys(_UNKNOWN)

    def target(ml, true_ml, dice, hd95_mm):
        return {**unknown, "ml": row[ml], "true_ml": row[true_ml], "dice": row[dice] if dice else None,
                "hd95_mm": row[hd95_mm] if hd95_mm else None, "slices": []}

    targets = {"total": target("ml", "true_ml", "dice", "hd95_mm"),
               "ich": target("ich_ml", "true_ich_ml", None, None),
               "ivh": target("ivh_ml", "true_ivh_ml", "ivh_dice", None)}
    return {"model": model, "case": row["case"], "patient": row["case"], "known": {},
            "targets": {name: targets[name] for name in TARGETS}, "slice_count": 0, "slab_mm": None, "is_uneven": None,
            "paper_formula_ml": None, "true_paper_formula_ml": None,
            "abc2": {"coniglobus_ml": row["abc2_ml"], "kothari_ml": None, "shape_class": None},
            "true_abc2": {"coniglobus_ml": row["true_abc2_ml"], "kothari_ml": None, "shape_class": None},
            "contrast_hu": row.get("contrast_hu"), "contrast_agent": None, "marked_outside_ml": None, "notes": [],
            "truth_sha256": None, "interval_ml": row.get("interval_ml"), "interval_coverage": 0.9,
            "interval_calibrated_on": SYNTHETIC, "files": {}, "sha256": {}}


def _together(one: TestSet, other: TestSet) -> TestSet:
    """Both evaluations of one test set. Raises InputError when their cases or truths differ."""
    common = set(one.models) & set(other.models)
    if common:
        raise InputError(f"{one.name}: {', '.join(sorted(common))} is there twice; name each model, or each test set, "
                         "once: NAME=FOLDER.")
    if one.has_masks != other.has_masks:
        raise InputError(f"{one.name} is the name of a set of masks and of synthetic patients; name them apart.")
    rows = [*one.rows, *other.rows]
    whole = TestSet(one.name, rows, one.has_masks, [*one.records, *other.records])
    same_cases({model: [row["case"] for row in whole.of_model(model)] for model in whole.models})
    truths: dict[str, tuple] = {}
    for row in rows:
        truth = (row["truth_sha256"], round(row["targets"]["total"]["true_ml"], 4))
        if truths.setdefault(row["case"], truth) != truth:
            raise InputError(f"{one.name}: {row['case']} was scored against two different truths; models are compared "
                             "on the same one.")
    return whole
