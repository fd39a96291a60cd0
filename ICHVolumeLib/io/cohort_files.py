"""The tables of a cohort: results.csv with one row a patient, problems.csv, and cohort.json, which seals them."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.findings import Finding
from ..core.text import shown_values
from .result_columns import COLUMNS
from .result_files import RESULT_CSV, write_json
from .written_files import UNCHANGED, file_states, read_result, sealed

RESULTS_CSV, PROBLEMS_CSV, INDEX_HTML, COHORT_JSON = COHORT_FILES = ("results.csv", "problems.csv", "index.html",
                                                                     "cohort.json")
COHORT_LOCK = ".ichvolume-cohort-lock"
SCHEMA = "ichvolume-cohort/1"
PATIENT = "patient"


@dataclass(frozen=True)
class CaseRow:
    """A measured case as its folder has it. values: the cells of its result.csv, as text; folder: its name."""

    patient: str
    folder: str
    values: dict[str, str]
    findings: tuple[Finding, ...]

    def number(self, column: str) -> float | None:
        text = self.values.get(column, "")
        return float(text) if text else None


def row_of(patient: str, folder: str, out: Path) -> CaseRow:
    """Read back from a case's output folder, so that the table says what the folder says.

    Raises InputError when it is not whole.
    """
    path = Path(out) / RESULT_CSV
    try:
        with open(path, encoding="utf-8", newline="") as file:
            values = next(csv.DictReader(file))
        findings = tuple(Finding(one["code"], one["severity"], one["message"])
                         for one in read_result(out)["findings"])
    except (OSError, StopIteration, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read back ({error}); run the same command again.") from error
    return CaseRow(patient, folder, values, findings)


def write_results(folder: Path, rows: list[CaseRow]) -> None:
    """The ID, and then every column of a result.csv with the same texts."""
    names = [PATIENT, *(column.name for column in COLUMNS)]
    _write(Path(folder) / RESULTS_CSV, names, [{PATIENT: row.patient, **row.values} for row in rows])


def write_problems(folder: Path, problems: list[tuple[str, str, str]]) -> None:
    """problems: (patient, source, sentence)."""
    names = [PATIENT, "source", "problem"]
    _write(Path(folder) / PROBLEMS_CSV, names, [dict(zip(names, one, strict=True)) for one in problems])


def write_cohort_json(folder: Path, values: dict) -> None:
    """The last of all: seals the folder's other files by their SHA-256."""
    write_json(Path(folder) / COHORT_JSON, sealed({"schema": SCHEMA, **values}, folder, COHORT_JSON))


def still_ours(out: Path, names: tuple[str, ...]) -> set[str]:
    """For OutputFolder: which of the names are as an earlier run wrote them."""
    return {name for name, state in file_states(out, names, COHORT_JSON).items() if state == UNCHANGED}


def same_series(rows: list[CaseRow]) -> list[str]:
    """A sentence for each DICOM series that stands in the table under several IDs."""
    patients: dict[str, list[str]] = {}
    for row in rows:
        if row.values.get("series_uid"):
            patients.setdefault(row.values["series_uid"], []).append(row.patient)
    return [f"{', '.join(same[:-1])} and {same[-1]} are one and the same series: it is in the table {len(same)} times."
            for same in patients.values() if len(same) > 1]


def _write(path: Path, names: list[str], rows: list[dict]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows([shown_values(_plain(row)) for row in rows])
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _plain(row: dict) -> dict:
    """No spreadsheet takes an ID or a path for a formula; the cells of a result.csv are safe already."""
    return {name: f"'{value}" if name in (PATIENT, "source", "problem") and str(value).startswith(("=", "+", "-", "@"))
            else value for name, value in row.items()}
