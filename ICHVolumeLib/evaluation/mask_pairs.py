"""Which masks belong to which truth: two or more folders by name, or a CSV of pairs; what does not fit, in sentences.

A name is a file's without its ending (case1.nii.gz, case1.seg.nrrd), or that of a folder that `segment` wrote. The CSV
has the columns case, prediction and truth, and may have model, patient, ct; every further column is known of the case
and makes strata (site, contrast_agent, hospital ...). Paths in it are relative to it.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import InputError
from ..core.text import shown
from ..datasets.pairs import ENDINGS
from ..io.images import is_image_name
from ..io.result_files import MASK_NRRD

OUR_CASES = "cases"  # where `cohort` puts its folders
ONE_MODEL = "model"
FIRST_CHANNEL = "_0000"
COLUMNS = ("case", "patient", "model", "prediction", "truth", "ct")


@dataclass(frozen=True)
class Problem:
    """A case that cannot be evaluated, and why, in a sentence; model "" for all models."""

    case: str
    sentence: str
    model: str = ""


@dataclass(frozen=True)
class MaskCase:
    """One case: the files, and what is known of it (column -> text). predictions: model -> its mask."""

    name: str
    patient: str
    truth: Path
    predictions: dict[str, Path]
    ct: Path | None = None
    known: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MaskCases:
    """models: in the order given; problems: cases that are not among `cases`."""

    models: list[str]
    cases: list[MaskCase]
    problems: list[Problem]


def cases_of_folders(predictions: dict[str, Path], truth: Path, *, cts: Path | None = None, table: Path | None = None,
                     several_scans: bool = False) -> MaskCases:
    """The cases of a folder of truths and one folder of masks for every model.

    cts: folder of the scans, by the same names. table: CSV with a column case, and what is known of each (patient, ct,
    strata). several_scans: a patient may have more than one case.
    Raises InputError for a folder without masks and a table that cannot be used.
    """
    truths, problems = masks_in(truth)
    found = {}
    for model, folder in predictions.items():
        found[model], more = masks_in(folder)
        problems += [Problem(one.case, one.sentence, model) for one in more]
    scans = scans_in(cts) if cts else {}
    known = _known_cases(table) if table else {}
    bad = {one.case for one in problems}
    cases = []
    for name in sorted(set(truths).union(*found.values()) - bad):
        lacking = _lacking(name, truths, found, truth, predictions)
        if lacking:
            problems += lacking
            continue
        row = known.get(name, {})
        ct = _path_of(table.parent, row["ct"]) if table and row.get("ct") else scans.get(name)
        if cts and ct is None:
            problems.append(Problem(name, f"{name} has no scan in {cts}; give one of the same name."))
            continue
        cases.append(MaskCase(name, row.get("patient") or name, truths[name],
                              {model: masks[name] for model, masks in found.items()}, ct, _strata(row)))
    problems += [Problem(name, f"{name} is in {table} only: there is no mask of that name.")
                 for name in sorted(set(known) - set(truths).union(*found.values()))]
    kept, repeated = one_scan_each(cases, several_scans)
    return MaskCases(list(predictions), kept, problems + repeated)


def cases_of_table(table: Path, *, several_scans: bool = False) -> MaskCases:
    """The cases of a CSV of pairs. Raises InputError when it cannot be read or lacks a column."""
    rows = _read_table(table, ("case", "prediction", "truth"))
    models = list(dict.fromkeys(row.get("model") or ONE_MODEL for row in rows))
    problems: list[Problem] = []
    whole: dict[str, MaskCase] = {}
    for row in rows:
        model, name = row.get("model") or ONE_MODEL, row["case"]
        paths = {kind: _path_of(table.parent, row[kind]) for kind in ("prediction", "truth")}
        ct = _path_of(table.parent, row["ct"]) if row.get("ct") else None
        gone = [f"{kind} {path}" for kind, path in (*paths.items(), ("ct", ct)) if path and not path.exists()]
        earlier = whole.get(name)
        if gone:
            problems.append(Problem(name, f"{name}: there is no file {gone[0].partition(' ')[2]} "
                                          f"({gone[0].partition(' ')[0]}); check the path in {table}.", model))
        elif earlier and model in earlier.predictions:
            problems.append(Problem(name, f"{name} has two rows for {model} in {table}; keep one of them.", model))
        elif earlier and earlier.truth != paths["truth"]:
            problems.append(Problem(name, f"{name} has two truths in {table} ({earlier.truth.name} and "
                                          f"{paths['truth'].name}); give the same one for every model.", model))
        else:
            before = earlier.predictions if earlier else {}
            whole[name] = MaskCase(name, row.get("patient") or name, paths["truth"],
                                   {**before, model: paths["prediction"]}, ct, _strata(row))
    return _without(models, whole, problems, several_scans, table)


def _without(models, whole, problems, several_scans, table) -> MaskCases:
    """The cases that no problem names and that every model has."""
    named = {one.case for one in problems}
    for name, case in whole.items():
        lacking = [model for model in models if model not in case.predictions]
        if lacking and name not in named:
            problems += [Problem(name, f"{name} has no mask of {model} in {table}, but one of another model.", model)
                         for model in lacking]
    bad = {one.case for one in problems}
    kept, repeated = one_scan_each([case for name, case in sorted(whole.items()) if name not in bad], several_scans)
    return MaskCases(models, kept, problems + repeated)


def _lacking(name, truths, found, truth, predictions) -> list[Problem]:
    if name not in truths:
        of = ", ".join(model for model, masks in found.items() if name in masks)
        return [Problem(name, f"{name} has a mask of {of} but no truth in {truth}; give one of the same name.")]
    return [Problem(name, f"{name} has a truth but no mask of {model} in {predictions[model]}; a scan without a mark "
                          "has an empty mask.", model)
            for model, masks in found.items() if name not in masks]


def one_scan_each(cases: list[MaskCase], several_scans: bool) -> tuple[list[MaskCase], list[Problem]]:
    """The cases without second scans of a patient (unless several_scans), and those as problems."""
    if several_scans:
        return cases, []
    first: dict[str, str] = {}
    kept, problems = [], []
    for case in cases:
        if case.patient in first:
            problems.append(Problem(case.name, f"{case.name} and {first[case.patient]} are both of patient "
                                               f"{case.patient}; leave one out, or say --several-scans."))
        else:
            first[case.patient] = case.name
            kept.append(case)
    return kept, problems


def masks_in(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Name -> file of the masks in a folder, and what is there twice. Raises InputError where there are none."""
    masks, problems = _named_in(folder, is_scan=False)
    if not masks:
        raise InputError(f"{folder} holds no mask; give a folder of NIfTI or NRRD files, or of folders that `ichvolume "
                         "segment` or `cohort` wrote.")
    return masks, problems


def scans_in(folder: Path) -> dict[str, Path]:
    """By name; nnU-Net's ending of a scan's first channel is no part of it."""
    return {name.removesuffix(FIRST_CHANNEL): path for name, path in _named_in(folder, is_scan=True)[0].items()}


def _named_in(folder: Path, *, is_scan: bool) -> tuple[dict[str, Path], list[Problem]]:
    """Name -> file (of a scan: or folder); names that occur twice are problems and left out."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; check the path.")
    if (folder / OUR_CASES).is_dir() and not any(is_image_name(item.name) for item in folder.iterdir()):
        folder = folder / OUR_CASES
    found: dict[str, list[Path]] = {}
    for item in sorted(folder.iterdir()):
        path = None if item.name.startswith(".") else _as_input(item, is_scan)
        if path is not None:
            found.setdefault(_stem(item.name) if item.is_file() else item.name, []).append(path)
    problems = [Problem(name, f"{name} is there twice in {folder}: {' and '.join(path.name for path in paths)}; keep "
                              "one of them.") for name, paths in found.items() if len(paths) > 1]
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1}, problems


def _as_input(item: Path, is_scan: bool) -> Path | None:
    """What to read of an entry of the folder; None where it is neither mask nor scan."""
    if item.is_file():
        return item if is_image_name(item.name) or item.suffix.lower() in (".dcm", *((".zip",) if is_scan else ())) \
            else None
    if is_scan:
        return item
    return item / MASK_NRRD if (item / MASK_NRRD).is_file() else None


def _stem(name: str) -> str:
    return next((name[:-len(ending)] for ending in (*ENDINGS, ".dcm", ".zip") if name.lower().endswith(ending)), name)


def _known_cases(table: Path) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for row in _read_table(table, ("case",)):
        if row["case"] in rows:
            raise InputError(f"{table} has two rows for {row['case']}; keep one of them.")
        rows[row["case"]] = row
    return rows


def _read_table(table: Path, wanted: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV (comma, semicolon or tab; UTF-8), column names in lower case, empty rows left out."""
    try:
        text = Path(table).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"{table} cannot be read ({reason}); give a CSV file.") from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    lines = csv.DictReader(text.splitlines(), delimiter=delimiter)
    names = [(name or "").strip().lower() for name in lines.fieldnames or []]
    lacking = [name for name in wanted if name not in names]
    if lacking:
        raise InputError(f"{table} has no column {' and no column '.join(lacking)}; it has "
                         f"{', '.join(names) or 'none'}.")
    lines.fieldnames = names
    rows = [{name: (value or "").strip() for name, value in row.items() if isinstance(value, str) and name}
            for row in lines]
    rows = [row for row in rows if any(row.values())]
    nameless = next((number for number, row in enumerate(rows, 2) if any(not row.get(name) for name in wanted)), None)
    if nameless or not rows:
        where = f"row {nameless} lacks a value in one of {', '.join(wanted)}" if nameless else "there is no row"
        raise InputError(f"{table}: {where}; mend it.")
    return rows


def _strata(row: dict[str, str]) -> dict[str, str]:
    return {shown(name): shown(value) for name, value in row.items() if name not in COLUMNS and value}


def _path_of(folder: Path, text: str) -> Path:
    path = Path(text).expanduser()
    return path if path.is_absolute() else folder / path
