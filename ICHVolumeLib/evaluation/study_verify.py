"""A study made again from its own folder: files by SHA-256, tables from the rows, rows from the masks."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import ICHVolumeError, InputError
from ..io.written_files import sha256_of
from ..workflow.make_result import SOFTWARE, installed_versions
from .cases import read_rows
from .mask_rows import mask_row
from .paper_tables import Table, study_tables
from .study import RECORD, SCHEMA, TABLES
from .study_inputs import TestSet
from .study_masks import changed_files, read_case
from .study_record import PACKAGES
from .table_files import csv_text

_NUMBERS = ("ml", "true_ml", "dice", "iou", "sensitivity", "ppv", "hd95_mm", "surface_hd95_mm", "surface_dice")
_CLOSE = 1e-6


@dataclass
class Verified:
    """Sentences: what is the same, what differs, what could not be looked at."""

    same: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def verify_study(folder: Path, *, masks: bool = False, progress=None) -> Verified:
    """Make the tables of a study again and compare them cell by cell; masks: score the masks again, too.

    Raises InputError when the folder holds no study that can be read.
    """
    folder = Path(folder)
    record = _record(folder)
    found = Verified()
    _versions(record, found)
    _files(folder, record, found)
    sets = [TestSet(one["name"], read_rows(folder / one["data"]), one["has_masks"], one["records"])
            for one in record["sets"]]
    if not all(one.rows for one in sets):
        raise InputError(f"{folder}: the rows of a test set are gone from data/; nothing can be made again.")
    for table in study_tables(sets, repeats=record["repeats"], seed=record["seed"]):
        _table(folder, table, found)
    for one in sets:
        _inputs(one, found)
        if masks and one.has_masks:
            _masks(one, found, progress)
    return found


def _record(folder: Path) -> dict:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise ValueError(f"it is of the kind {record['schema']}")
        return record
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no {RECORD}; give a folder that `ichvolume study` wrote.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / RECORD} cannot be read ({error}); make the study again.") from error


def _versions(record, found: Verified) -> None:
    here = {"ICHVolume": SOFTWARE, **installed_versions(PACKAGES)}
    there = {"ICHVolume": record["software"], **record["versions"]}
    other = [f"{name} {there[name]} (here {here.get(name, 'none')})" for name in there if there[name] != here.get(name)]
    if other:
        found.unknown.append(f"the study was made with other versions: {', '.join(other)}")
    else:
        found.same.append("software and package versions")


def _files(folder: Path, record, found: Verified) -> None:
    good = 0
    for name, sha256 in record["files"].items():
        if not (folder / name).is_file():
            found.different.append(f"{name} is gone")
        elif sha256_of(folder / name) != sha256:
            found.different.append(f"{name} was changed after the study was made")
        else:
            good += 1
    found.same.append(f"{good} of {len(record['files'])} files are as they were written")


def _table(folder: Path, table: Table, found: Verified) -> None:
    file = folder / TABLES / f"{table.name}.csv"
    if not file.is_file():
        return  # said among the files
    again = csv_text([dict(zip(table.head, row, strict=True)) for row in table.rows], table.head).splitlines()
    before = file.read_text(encoding="utf-8").splitlines()
    lines = [number for number in range(max(len(again), len(before)))
             if again[number:number + 1] != before[number:number + 1]]
    for number in lines[:5]:
        was, now_ = ((text[number] if number < len(text) else "nothing") for text in (before, again))
        found.different.append(f"{file.name}, line {number + 1}: written {was!r}, made again {now_!r}")
    if len(lines) > 5:
        found.different.append(f"{file.name}: {len(lines) - 5} more lines")
    if not lines:
        found.same.append(f"{table.title}: {len(table.rows)} lines made again")


def _inputs(one: TestSet, found: Verified) -> None:
    changed = [words for row in one.rows for words in changed_files(row)]
    changed = list(dict.fromkeys(changed))
    gone = [words for words in changed if words.endswith("any more")]
    found.different += [words for words in changed if words not in gone]
    if gone:
        found.unknown.append(f"{one.name}: {len(gone)} files are not there, {gone[0]}")
    elif one.has_masks:
        found.same.append(f"{one.name}: masks and truths are those that were scored, by SHA-256")


def _masks(one: TestSet, found: Verified, progress) -> None:
    names = [row["case"] for row in one.cases]
    good = 0
    for done, name in enumerate(names):
        if progress:
            progress("Scoring again", done, len(names))
        rows = [row for row in one.rows if row["case"] == name]
        try:
            case = read_case(one, name)
        except ICHVolumeError as error:
            found.unknown.append(f"{one.name}: {error}")
            continue
        for row in rows:
            again = mask_row(case.ct, case.masks[row["model"]], case.truth, has_picture=case.has_picture,
                             tolerance_mm=row["tolerance_mm"])
            other = _other_numbers(row, again)
            found.different += [f"{one.name}, {row['model']}, {name}: {words}" for words in other]
            good += not other
    found.same.append(f"{one.name}: {good} of {len(one.rows)} rows scored again from the masks")


def _other_numbers(row: dict, again: dict) -> list[str]:
    words = []
    for target, scores in row["targets"].items():
        for name in _NUMBERS:
            was, now_ = scores[name], again["targets"][target][name]
            if (was is None) != (now_ is None) or (was is not None and abs(was - now_) > _CLOSE * max(1, abs(was))):
                words.append(f"{target} {name} was {was}, is {now_}")
    return words
