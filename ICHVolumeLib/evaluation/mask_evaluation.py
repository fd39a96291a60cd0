"""Masks of any program against the truth: every pair is read, scored and written down at once; then the figures.

    OUT/cases.jsonl      a row a case and model, as it is finished (mask_rows)
    OUT/cases.csv        the same as a table, a row a target
    OUT/figures.json     all figures (mask_figures)
    OUT/summary.md       the main ones
    OUT/comparison.csv   paired tests, with several models
    OUT/problems.csv     what was left out, and what was noticed
    OUT/record.json      versions, settings, command, SHA-256 of every input
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.errors import InputError
from ..io.folder_lock import FolderLock
from .cases import append_row, read_rows
from .mask_figures import figures
from .mask_pairs import MaskCases, Problem
from .mask_scoring import SCHEMA, EvaluationSettings, scored
from .mask_tables import ROWS_JSONL, write_tables
from .model_comparison import same_cases
from .study_record import record

LOCK = ".ichvolume-lock"
SHOWN = 20  # problems in a message

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MaskEvaluation:
    """rows: of every model the same cases, sorted; figures: mask_figures.figures; problems: cases left out."""

    rows: list[dict]
    figures: dict
    problems: list[Problem]


def evaluate_masks(cases: MaskCases, out: Path, settings: EvaluationSettings, *, command: str = "",
                   progress: Progress | None = None, jobs: int = 1) -> MaskEvaluation:
    """Score all cases, write OUT. Rows that OUT has of the same files and settings are taken as they are.

    jobs: processes that score, up to 1: this one; the results do not depend on it.
    Raises InputError when cases have problems and skip_bad is not set (the rows of the good ones stay in OUT, and
    problems.csv names all), when no case is left, and when OUT cannot be written.
    """
    out = Path(out)
    lock = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(out / LOCK, out)
        return _evaluate(cases, out, settings, command, progress, jobs)
    except OSError as error:
        raise InputError(f"Cannot write into {out} ({error.strerror or error}); what was finished stays in "
                         f"{ROWS_JSONL}: make room, or choose another folder, and run it again.") from error
    finally:
        if lock is not None:
            lock.release()


def _evaluate(cases: MaskCases, out, settings, command, progress, jobs) -> MaskEvaluation:
    rows, problems = _rows(cases, out / ROWS_JSONL, settings, progress, jobs)
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


def _rows(cases: MaskCases, file: Path, settings, progress, jobs) -> tuple[list[dict], list[Problem]]:
    known = _known_rows(file)
    marks = {key: row["fingerprint"] for key, row in known.items()}
    rows, problems = [], []
    for done, (found, bad) in enumerate(scored(cases.cases, settings, known, jobs)):
        if progress:
            progress("Comparing masks", done + 1, len(cases.cases))
        for row in found:
            if marks.get((row["model"], row["case"])) != row["fingerprint"]:
                append_row(file, row)
        rows += found
        problems += bad
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
