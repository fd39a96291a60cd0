"""Masks of any program against the truth: every pair is read, scored and written down at once; then the figures.

    OUT/cases.jsonl      a row a case and model, as it is finished (mask_rows)
    OUT/cases.csv        the same as a table, a row a target
    OUT/figures.json     all figures (mask_figures)
    OUT/summary.md       the main ones
    OUT/comparison.csv   paired tests, with several models
    OUT/problems.csv     what was left out, and what was noticed
    OUT/record.json      versions, settings, command, SHA-256 of every input
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..core.errors import ICHVolumeError, InputError
from ..core.text import shown
from ..io.folder_lock import FolderLock
from ..io.written_files import sha256_of
from .cases import append_row, read_rows
from .mask_figures import figures
from .mask_grid import shared_grid
from .mask_labels import LabelMap, read_labelled
from .mask_pairs import MaskCase, MaskCases, Problem
from .mask_rows import mask_row, model_words
from .mask_tables import ROWS_JSONL, write_tables
from .model_comparison import same_cases
from .study_record import record

log = logging.getLogger(__name__)
LOCK = ".ichvolume-lock"
SCHEMA = "ichvolume-mask-row/1"
SHOWN = 20  # problems in a message

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class EvaluationSettings:
    """tolerance_mm: of surface Dice; repeats, seed: of the bootstrap; skip_bad: go on without the cases that have a
    problem, which are then left out of every model."""

    tolerance_mm: float = 2.0
    repeats: int = 2000
    seed: int = 0
    skip_bad: bool = False
    labels: LabelMap = field(default_factory=LabelMap)


@dataclass(frozen=True)
class MaskEvaluation:
    """rows: of every model the same cases, sorted; figures: mask_figures.figures; problems: cases left out."""

    rows: list[dict]
    figures: dict
    problems: list[Problem]


def evaluate_masks(cases: MaskCases, out: Path, settings: EvaluationSettings, *, command: str = "",
                   progress: Progress | None = None) -> MaskEvaluation:
    """Score all cases, write OUT. Rows that OUT has of the same files and settings are taken as they are.

    Raises InputError when cases have problems and skip_bad is not set (the rows of the good ones stay in OUT, and
    problems.csv names all), when no case is left, and when OUT cannot be written.
    """
    out = Path(out)
    lock = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(out / LOCK, out)
        return _evaluate(cases, out, settings, command, progress)
    except OSError as error:
        raise InputError(f"Cannot write into {out} ({error.strerror or error}); what was finished stays in "
                         f"{ROWS_JSONL}: make room, or choose another folder, and run it again.") from error
    finally:
        if lock is not None:
            lock.release()


def _evaluate(cases: MaskCases, out, settings, command, progress) -> MaskEvaluation:
    rows, problems = _rows(cases, out / ROWS_JSONL, settings, progress)
    problems = [*cases.problems, *problems, *_same_masks(rows, cases)]
    bad = {one.case for one in problems}
    kept = sorted((row for row in rows if row["case"] not in bad),
                  key=lambda row: (cases.models.index(row["model"]), row["case"]))
    if problems and not settings.skip_bad:
        write_tables(out, [], {}, problems, {})
        raise InputError(_words(problems, f"; --skip-bad goes on with the {len({row['case'] for row in kept})} good "
                                          f"cases. {ROWS_JSONL} keeps what was measured."))
    if not kept:
        write_tables(out, [], {}, problems, {})
        raise InputError(_words(problems, ". No case is left to evaluate."))
    same_cases({model: [row["case"] for row in kept if row["model"] == model] for model in cases.models})
    found = figures(kept, repeats=settings.repeats, seed=settings.seed)
    found = {"settings": asdict(settings), "left_out": sorted(bad), **found}
    write_tables(out, kept, found, problems, record(kept, asdict(settings), command))
    return MaskEvaluation(kept, found, problems)


def _rows(cases: MaskCases, file: Path, settings, progress) -> tuple[list[dict], list[Problem]]:
    known = _known_rows(file)
    rows, problems = [], []
    for done, case in enumerate(cases.cases):
        if progress:
            progress("Comparing masks", done, len(cases.cases))
        found, bad = case_rows(case, settings, known)
        for row in found:
            if known.get((row["model"], row["case"])) is not row:
                append_row(file, row)
        rows += found
        problems += bad
    if progress:
        progress("Comparing masks", len(cases.cases), len(cases.cases))
    return rows, problems


def _known_rows(file: Path) -> dict[tuple[str, str], dict]:
    """(model, case) -> row of an earlier run. Raises InputError where OUT holds something else."""
    try:
        rows = read_rows(file)
    except ValueError as error:
        raise InputError(f"{file} is damaged ({error}); remove it, or give another output folder.") from error
    if any(row.get("schema") != SCHEMA for row in rows):
        raise InputError(f"{file} holds another kind of evaluation (synthetic patients, or an earlier version's); give "
                         "another output folder.")
    return {(row["model"], row["case"]): row for row in rows}


def case_rows(case: MaskCase, settings: EvaluationSettings, known: dict) -> tuple[list[dict], list[Problem]]:
    """The rows of one case, one a model, and what stood in the way. known: (model, case) -> row of before."""
    try:
        hashes = {"truth": content_sha256(case.truth), **({"ct": content_sha256(case.ct)} if case.ct else {})}
        ct = shared_grid(case.truth, list(case.predictions.values()), case.ct)
        truth = read_labelled(case.truth, ct, settings.labels.truth)
    except (ICHVolumeError, OSError) as error:
        return [], [Problem(case.name, f"{case.name}: {error}")]
    rows, problems = [], []
    for model, prediction in case.predictions.items():
        try:
            inputs = {**hashes, "prediction": content_sha256(prediction)}
            mark = _fingerprint(case, ct, inputs, settings)
            before = known.get((model, case.name))
            if before and before["fingerprint"] == mark:
                rows.append(before)
                continue
            mask = read_labelled(prediction, ct, settings.labels.predictions)
            numbers = mask_row(ct, mask, truth, has_picture=case.ct is not None, tolerance_mm=settings.tolerance_mm)
        except (ICHVolumeError, OSError) as error:
            problems.append(Problem(case.name, f"{case.name}: {error}", model))
            continue
        files = {"truth": case.truth, "prediction": prediction, **({"ct": case.ct} if case.ct else {})}
        rows.append({"schema": SCHEMA, "model": model, "case": case.name, "patient": case.patient, "known": case.known,
                     **numbers, **model_words(prediction), "tolerance_mm": settings.tolerance_mm, "fingerprint": mark,
                     "files": {kind: shown(path.absolute()) for kind, path in files.items()},
                     "sha256": inputs})
    return rows, problems


def content_sha256(path: Path) -> str:
    """Of a file's bytes; of a folder's files one after the other, by name."""
    if path.is_file():
        return sha256_of(path)
    if not path.exists():
        raise InputError(f"there is no file {path}; check the path.")
    whole = hashlib.sha256()
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        whole.update(f"{file.relative_to(path).as_posix()} {sha256_of(file)}\n".encode("utf-8", "replace"))
    return whole.hexdigest()


def _fingerprint(case, ct, inputs, settings) -> str:
    """Of everything a row is made from."""
    said = {"schema": SCHEMA, "patient": case.patient, "known": case.known, "inputs": inputs,
            "grid": [list(ct.hu.shape), ct.slice_origins_ras.round(4).tolist(), ct.ijk_to_ras.round(4).tolist()],
            "labels": asdict(settings.labels), "tolerance_mm": settings.tolerance_mm}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _same_masks(rows, cases: MaskCases) -> list[Problem]:
    """Cases whose true masks are the same voxel for voxel: one scan under two names."""
    first: dict[str, str] = {}
    problems = []
    for row in rows:
        if row["model"] != cases.models[0] or not row["truth_sha256"]:
            continue
        earlier = first.setdefault(row["truth_sha256"], row["case"])
        if earlier != row["case"]:
            problems.append(Problem(row["case"], f"{row['case']} has the same true mask as {earlier}, voxel for voxel: "
                                                 "the same scan twice? Leave one out."))
    return problems


def _words(problems: list[Problem], then: str) -> str:
    more = len(problems) - SHOWN
    sentences = "; ".join(one.sentence.rstrip(".") for one in problems[:SHOWN])
    listed = sentences + (f"; and {more} more in problems.csv" if more > 0 else "")
    count = len({one.case for one in problems})
    return f"{count} case{'s' if count > 1 else ''} cannot be evaluated: {listed}{then}"
