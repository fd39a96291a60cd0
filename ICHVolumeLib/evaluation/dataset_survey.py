"""Data sets looked through: how many scans, how much blood is marked, what cannot be read, which scans are in two."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import GeneratorType

import numpy as np

from ..core.atomic_files import replace_file
from ..core.errors import ICHVolumeError, InputError
from ..core.text import shown
from ..datasets.case import OUTSIDE_BRAIN, UNSURE, DatasetCase
from ..datasets.folder import ROOMS
from ..datasets.leakage import DICOM, Duplicate, ScanMarks, duplicates, marks_of
from ..datasets.registry import dataset_named, names
from ..io.read_ct import read_ct
from ..io.scan_tree import FoundScan, find_scans

Progress = Callable[[str, int, int], None]
MARKED = {"ich_ml": 1, "ivh_ml": 2, "outside_ml": OUTSIDE_BRAIN, "unsure_ml": UNSURE}
COLUMNS = ("set", "dataset", "case", "split", "slices", "marked", *MARKED, "licence")
PAIR_COLUMNS = ("set", "case", "other_set", "other_case", "same_slices", "of_slices", "same_study", "same_patient")


@dataclass
class Survey:
    """rows: a line of datasets.csv each; problems: set -> a sentence for every scan that cannot be read."""

    rows: list[dict] = field(default_factory=list)
    marks: list[ScanMarks] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)
    duplicates: list[Duplicate] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What a person reads: a line a set, a line a problem, a line a pair."""
        lines = []
        for name, problems in self.problems.items():
            lines += [self._set_line(name), *(f"  cannot be read: {sentence}" for sentence in problems)]
        for pair in self.duplicates:
            what = "in two sets" if pair.is_leak else "twice"
            lines.append(f"{what}: {pair.first.group} {pair.first.case} and {pair.second.group} {pair.second.case}: "
                         f"{pair.why}")
        return lines if self.duplicates else [*lines, "No scan and no patient twice."]

    def _set_line(self, name: str) -> str:
        rows = [row for row in self.rows if row["set"] == name]
        marked = [row for row in rows if row["marked"] == "yes"]
        words = [f"{len(rows)} scans", f"{len(marked)} with a truth"]
        words += [f"{sum(row[column] for row in marked):.1f} mL {label}"
                  for column, label in zip(MARKED, ("ICH", "IVH", "outside the brain", "unsure"), strict=True)
                  if any(row[column] for row in marked)]
        splits = sorted({row["split"] for row in rows} - {""})
        words += [f"{sum(row['split'] == split for row in rows)} {split}" for split in splits]
        return f"{name}: {', '.join(words)}"


def survey(sets: list[str], progress: Progress | None = None) -> Survey:
    """Read every scan of the sets (NAME=FOLDER or FOLDER), one after the other.

    Raises InputError for a set that is not there or not what its name says; a scan that cannot be read is a problem.
    """
    found = Survey()
    for place, (name, folder) in enumerate(_named(sets).items()):
        found.problems[name] = []
        is_known = name in names()
        if not is_known and _has_rooms(folder):
            cases, people = dataset_named("folder").load(folder), ""
        elif is_known:
            cases, people = dataset_named(name).load(folder), dataset_named(name).people
        else:
            cases, people = _scans_of(folder), DICOM
        for number, case in enumerate(_going_on(cases, found.problems[name])):
            if progress:
                progress(f"Reading {name} ({number + 1})"[:20], place, len(sets))
            found.rows.append(_row(name, case))
            found.marks.append(marks_of(case, name, people))
    found.duplicates = duplicates(found.marks)
    return found


def write_survey(found: Survey, out: Path) -> None:
    """OUT/datasets.csv and OUT/duplicates.csv. Raises InputError where they cannot be written."""
    pairs = [dict(zip(PAIR_COLUMNS, (pair.first.group, pair.first.case, pair.second.group, pair.second.case,
                                     pair.same_slices, pair.slices, _yes(pair.same_study), _yes(pair.same_patient)),
                      strict=True)) for pair in found.duplicates]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, columns, rows in (("datasets.csv", COLUMNS, found.rows), ("duplicates.csv", PAIR_COLUMNS, pairs)):
            text = io.StringIO()
            table = csv.DictWriter(text, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
            replace_file(out / file, text.getvalue().encode("utf-8"))
    except OSError as error:
        raise InputError(f"Cannot write into {out} ({error.strerror or error}); choose another folder.") from error


def _named(sets: list[str]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for text in sets:
        name, equals, folder = text.partition("=")
        if not equals or Path(text).exists():
            name, folder = Path(text).resolve().name, text
        if not Path(folder).is_dir():
            raise InputError(f"There is no folder {folder}; check the path.")
        if not equals and name in names():
            name = f"{name} (folder)"  # only NAME=FOLDER says which data set it is
        if name in named:
            raise InputError(f"Two sets are called {name}; name them: NAME=FOLDER.")
        named[name] = Path(folder)
    return named


def _has_rooms(folder: Path) -> bool:
    return any((folder / one.images).is_dir() for one in ROOMS)


def _scans_of(root: Path) -> Iterator[DatasetCase]:
    """The scans of a folder tree, without a truth."""
    scans = find_scans(root)
    if not scans:
        raise InputError(f"{root}: holds no scan; give a folder of DICOM series, NIfTI or NRRD files.")

    def case(scan: FoundScan) -> DatasetCase:
        if scan.problem:
            raise InputError(scan.problem)
        ct = read_ct(scan.path)
        return DatasetCase(shown(scan.name), ct, None, "", patient=ct.info.patient_id, study=ct.info.study_uid)

    return map(case, scans)


def _going_on(cases: Iterator[DatasetCase], problems: list[str]) -> Iterator[DatasetCase]:
    """The cases that can be read; of the others a sentence each in `problems`."""
    while True:
        try:
            yield next(cases)
        except StopIteration:
            return
        except ICHVolumeError as error:
            problems.append(str(error))
            if isinstance(cases, GeneratorType):  # it has ended with its error
                problems.append("what comes after this one was not read; mend it, or take it out, and look again")


def _row(name: str, case: DatasetCase) -> dict:
    row = {"set": name, "dataset": case.dataset, "case": case.id, "split": case.split, "slices": len(case.ct.hu),
           "marked": _yes(case.truth is not None), "licence": case.licence}
    for column, value in MARKED.items():
        voxels = np.zeros(len(case.ct.hu)) if case.truth is None else (case.truth == value).sum(axis=(1, 2))
        row[column] = round(float(voxels @ case.ct.voxel_volumes_mm3) / 1000, 3)
    return row


def _yes(value: bool) -> str:
    return "yes" if value else "no"
