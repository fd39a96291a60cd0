"""The rows of one case from its files, and of many cases in as many processes as are wanted."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from ..core.errors import ICHVolumeError, InputError
from ..core.text import shown
from ..imaging.itk_threads import use_one_itk_thread
from ..io.written_files import sha256_of
from .mask_grid import shared_grid
from .mask_labels import LabelMap, read_labelled
from .mask_pairs import MaskCase, Problem
from .mask_rows import mask_row, model_words

SCHEMA = "ichvolume-mask-row/1"
Scored = tuple[list[dict], list[Problem]]


@dataclass(frozen=True)
class EvaluationSettings:
    """tolerance_mm: of surface Dice; repeats, seed: of the bootstrap; skip_bad: go on without the cases that have a
    problem, which are then left out of every model."""

    tolerance_mm: float = 2.0
    repeats: int = 2000
    seed: int = 0
    skip_bad: bool = False
    labels: LabelMap = field(default_factory=LabelMap)


def scored(cases: list[MaskCase], settings: EvaluationSettings, known: dict, jobs: int) -> Iterator[Scored]:
    """case_rows of every case, in their order, from `jobs` processes; up to 1: in this one.

    Raises ICHVolumeError when one of the processes is ended from outside; what came before it is finished.
    """
    with_known = [(case, {key: row for key, row in known.items() if key[1] == case.name}) for case in cases]
    if jobs <= 1 or len(cases) <= 1:
        yield from (case_rows(case, settings, rows) for case, rows in with_known)
        return
    pool = ProcessPoolExecutor(min(jobs, len(cases)), get_context("spawn"), use_one_itk_thread)
    try:
        yield from pool.map(partial(_in_a_process, settings), with_known)
    except BrokenProcessPool as error:
        raise ICHVolumeError("A process that compares masks was ended (not enough memory?). What was finished is kept: "
                             "run it again with fewer --jobs.") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_a_process(settings: EvaluationSettings, case: tuple[MaskCase, dict]) -> Scored:
    return case_rows(case[0], settings, case[1])


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
