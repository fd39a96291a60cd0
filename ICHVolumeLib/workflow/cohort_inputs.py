"""What `cohort` is given - a folder tree, a CSV of paths, globs, or several paths - to a list of cases."""

import csv
import glob
import hashlib
import io
import os
from dataclasses import dataclass, replace
from pathlib import Path

from ..clinical.scores import check_inputs
from ..core.errors import InputError
from ..core.result import ClinicalInputs
from ..core.text import shown
from ..io.scan_tree import FoundScan, find_scans, scan_name

SCAN, PATIENT, SERIES = "scan", "patient", "series"
NUMBERS = {"age_years": float, "gcs": int, "nihss": int}
YES_NO = ("infratentorial", "ivh", "oral_anticoagulation", "cognitive_impairment")
COLUMNS = (SCAN, PATIENT, SERIES, *NUMBERS, *YES_NO, "location")
LONGEST_FOLDER_NAME = 80
_SAID = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
_WINDOWS_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}


@dataclass(frozen=True)
class CohortCase:
    """One row of the table. patient: the ID there; folder: the name of its output folder; source: what read_ct takes.

    problem: why it is not measured at all, or "".
    """

    patient: str
    source: Path
    folder: str = ""
    series: str | None = None
    clinical: ClinicalInputs = ClinicalInputs()
    problem: str = ""


def cohort_cases(inputs, out) -> tuple[list[CohortCase], list[str]]:
    """(cases in the order of the inputs, remarks for the user).

    out: the output folder, which is not searched for scans.
    Raises InputError when an input is not there, a CSV lacks its column, nothing is found, or `out` lies in a scan.
    """
    cases, remarks = [], []
    for given in inputs:
        found, said = _cases_of(str(given), Path(out), several=len(inputs) > 1)
        cases += found
        remarks += said
    if not cases:
        raise InputError(f"No scan was found in {', '.join(map(str, inputs))}; give a folder of DICOM folders, .zip, "
                         "NIfTI or NRRD files, a CSV with a column scan, or a pattern in quotes.")
    _refuse_out_among_scans(cases, Path(out))
    return _with_folders(_without_doubles(cases)), remarks


def _cases_of(given: str, out: Path, several: bool) -> tuple[list[CohortCase], list[str]]:
    path = Path(given)
    try:
        if path.is_dir():
            if path.resolve() == out.resolve():
                raise InputError(f"{out} is the folder of the scans; choose another output folder.")
            name = scan_name(path.resolve())
            # of several, each is one patient: a shell has opened a pattern
            return [_case(scan) for scan in (_named(name, path, out) if several else find_scans(path, out))], []
        if path.is_file():
            return _read_csv(path) if path.suffix.lower() in (".csv", ".tsv", ".txt") else \
                ([CohortCase(scan_name(path), path)], [])
    except OSError as error:
        raise InputError(f"{given} cannot be read ({error.strerror}); check the path.") from error
    if not glob.has_magic(given):
        raise InputError(f"There is no file or folder {given}; check the path.")
    matches = sorted(glob.glob(given, recursive=True))
    if not matches:
        raise InputError(f"No file or folder matches {given}; check the pattern, and put it in quotes.")
    return [_case(scan) for scan in _matched(matches, _fixed_part(given), out)], []


def _case(scan: FoundScan) -> CohortCase:
    return CohortCase(shown(scan.name), scan.path, problem=scan.problem)


def _matched(matches: list[str], fixed: Path, out: Path) -> list[FoundScan]:
    """Each match is one scan; a folder that holds several is searched."""
    found = []
    for match in map(Path, matches):
        if match.resolve() == out.resolve() or match.name.startswith("."):
            continue
        name = (match.parent / scan_name(match)).relative_to(fixed).as_posix()
        found += _named(name, match, out) if match.is_dir() else [FoundScan(match, name)]
    return found


def _named(name: str, folder: Path, out: Path) -> list[FoundScan]:
    """The scans in a folder under its name, with their own after it where there are several."""
    found = find_scans(folder, out)
    if len(found) == 1:
        return [replace(found[0], name=name)]
    return [replace(scan, name=f"{name}/{scan.name}") for scan in found]


def _fixed_part(pattern: str) -> Path:
    """The folders before the first wildcard, which say nothing of a patient."""
    parts = Path(pattern).parts
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _read_csv(path: Path) -> tuple[list[CohortCase], list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; save it as \"CSV UTF-8\".") from error
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="", restval="")
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if SCAN not in names:
        there = ", ".join(filter(None, names)) or "none"
        raise InputError(f"{path} has no column {SCAN}; its first line names {there}. Name the column with the "
                         f"paths {SCAN}, and the patients' IDs {PATIENT}, if you have some.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(f"{path} has the column {twice[0]} twice; remove one of them.")
    reader.fieldnames = names
    unused = [name for name in names if name and name not in COLUMNS]
    remarks = [f"{path}: not used: the column{'s' * (len(unused) > 1)} {', '.join(unused)}. Known are "
               f"{', '.join(COLUMNS)}."] if unused else []
    try:
        rows = [(reader.line_num, {name: (value or "").strip() for name, value in row.items() if name})
                for row in reader]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: is no line of a CSV ({error}); save it as \"CSV UTF-8\".") \
            from error
    return [_case_of_row(row, path, line) for line, row in rows if any(row.values())], remarks


def _case_of_row(row: dict, path: Path, line: int) -> CohortCase:
    """Anything wrong in a line is a problem of its patient alone."""
    place = f"{path}, line {line}"
    scan = path.parent / os.path.expanduser(row[SCAN]) if row[SCAN] else path
    patient = row.get(PATIENT) or (scan_name(scan) if row[SCAN] else f"line {line}")
    case = CohortCase(shown(patient), scan, series=row.get(SERIES) or None)
    if not row[SCAN]:
        return replace(case, problem=f"{place}: the column {SCAN} is empty; write the path of the scan there.")
    try:
        return replace(case, clinical=_clinical(row))
    except InputError as error:
        return replace(case, problem=f"{place}: {error}")


def _clinical(row: dict) -> ClinicalInputs:
    values: dict = {}
    for name, kind in NUMBERS.items():
        if row.get(name):
            try:
                values[name] = kind(row[name].replace(",", "."))
            except ValueError as error:
                raise InputError(f"{name} is {row[name]!r}; write a number, or nothing where it is unknown.") from error
    for name in YES_NO:
        said = row.get(name, "").lower()
        if said and said != "unknown":
            if said not in _SAID:
                raise InputError(f"{name} is {row[name]!r}; write yes or no, or nothing where it is unknown.")
            values[name] = _SAID[said]
    if row.get("location"):
        values["location"] = row["location"].lower()
    inputs = ClinicalInputs(**values)
    check_inputs(inputs)
    return inputs


def _without_doubles(cases: list[CohortCase]) -> list[CohortCase]:
    """Two scans under one ID would overwrite each other, or be taken for one: none of them is measured."""
    by_patient: dict[str, list[CohortCase]] = {}
    for case in cases:
        by_patient.setdefault(case.patient, []).append(case)
    return [replace(case, problem=case.problem or _double(by_patient[case.patient]))
            if len(by_patient[case.patient]) > 1 else case for case in cases]


def _double(same: list[CohortCase]) -> str:
    places = " and ".join(str(case.source) for case in same[:2])
    more = f", and {len(same) - 2} more" if len(same) > 2 else ""
    return (f"{len(same)} scans have the ID {same[0].patient!r} ({places}{more}); give each its own, in a column "
            f"{PATIENT} of a CSV, or by its file's name.")


def _with_folders(cases: list[CohortCase]) -> list[CohortCase]:
    """Names that every file system takes and tells apart, whatever the case of letters."""
    names = [_folder_name(case.patient) for case in cases]
    used: dict[str, set[str]] = {}
    for case, name in zip(cases, names, strict=True):
        used.setdefault(name.casefold(), set()).add(case.patient)
    return [replace(case, folder=name if len(used[name.casefold()]) == 1 else f"{name}-{_digest(case.patient)}")
            for case, name in zip(cases, names, strict=True)]


def _folder_name(patient: str) -> str:
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in patient).strip("._")
    if not plain or plain.split(".")[0].casefold() in _WINDOWS_DEVICES:
        plain = f"patient-{plain}" if plain else f"patient-{_digest(patient)}"
    return plain if len(plain) <= LONGEST_FOLDER_NAME else f"{plain[:LONGEST_FOLDER_NAME]}-{_digest(patient)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _refuse_out_among_scans(cases: list[CohortCase], out: Path) -> None:
    out = out.resolve()
    for folder in {case.source.resolve() for case in cases if case.source.is_dir()}:
        if out == folder or folder in out.parents:
            raise InputError(f"{out} lies in the scan {folder}; choose an output folder outside of the scans.")
