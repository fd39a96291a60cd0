"""Many patients into one table: each is one case of `segment`; what is finished stays, what is bad is listed.

    OUT/results.csv, problems.csv, index.html, cohort.json    and OUT/cases/PATIENT/ with the files of `segment`
"""

import shutil
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..core.errors import Cancelled, ICHVolumeError, InputError
from ..io.cohort_files import (
    COHORT_FILES,
    COHORT_LOCK,
    INDEX_HTML,
    CaseRow,
    same_series,
    still_ours,
    write_cohort_json,
    write_problems,
    write_results,
)
from ..io.folder_lock import FolderBusy, FolderLock
from ..io.output_folder import OutputFolder
from ..report.cohort_page import cohort_page
from .cohort_case import CASES, THUMBNAIL, CaseOutcome, CohortJob, recorded_row, run_case
from .cohort_inputs import CohortCase

TABLES_EVERY_S = 60.0
WINDOW = 100  # the last cases, of which the time left is told
GO_ON = "run the same command again to go on"

Outcomes = Generator[CaseOutcome, None, None]
Runner = Callable[[list[CohortCase], CohortJob], Outcomes]


@dataclass(frozen=True)
class CohortProgress:
    """problems: cases so far that could not be measured; left_s: None before the first case is measured."""

    done: int
    total: int
    problems: int
    finished_before: int
    left_s: float | None
    last: CaseOutcome


@dataclass(frozen=True)
class Cohort:
    """rows: in the order of the inputs; problems: (patient, source, sentence); measured: by this run."""

    out: Path
    rows: list[CaseRow]
    problems: list[tuple[str, str, str]]
    remarks: list[str]
    measured: int
    finished_before: int


def in_this_process(cases: list[CohortCase], job: CohortJob) -> Outcomes:
    """One after the other."""
    for case in cases:
        yield run_case(case, job)


def run_cohort(cases: list[CohortCase], job: CohortJob, runner: Runner = in_this_process, *,
               progress: Callable[[CohortProgress], None] | None = None) -> Cohort:
    """Measure what is not finished yet; the tables are written every minute, at the end and before any exception.

    runner: gives one outcome for each case, in any order.
    Raises InputError when the weights or `job.out` cannot be used, or another run writes there; ICHVolumeError when
    the cohort cannot go on; Cancelled at KeyboardInterrupt. Whatever was measured by then is kept.
    """
    job = _with_paths(job)
    out = job.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write into {out} ({error.strerror}); choose an output folder that you may write "
                         "to.") from error
    with OutputFolder(out, COHORT_FILES, force=job.force, ours=still_ours):
        pass  # refused before any work is done
    lock = FolderLock(out / COHORT_LOCK, out)
    try:
        (out / CASES).mkdir(exist_ok=True)
        cases = [replace(case, source=case.source.absolute()) for case in cases]
        return _Run(cases, job, progress or (lambda event: None)).through(runner)
    finally:
        _remove_leftovers(out / CASES)
        lock.release()


def _with_paths(job: CohortJob) -> CohortJob:
    """Absolute paths, for processes that stand elsewhere, and the checksum of the weights that all must have."""
    job = replace(job, out=Path(job.out).absolute(),
                  weights_dir=job.weights_dir and Path(job.weights_dir).absolute(),
                  patient_salt=job.patient_salt and Path(job.patient_salt).absolute())
    segmenter = job.make_segmenter(job.device, job.weights_dir, job.engine, threads=job.threads)
    return replace(job, model_sha256=segmenter.weights.sha256)


class _Run:
    """One run over the cases: collects the outcomes and keeps the tables up to date."""

    def __init__(self, cases: list[CohortCase], job: CohortJob, progress):
        self._cases, self._job, self._progress = cases, job, progress
        self._outcomes: dict[str, CaseOutcome] = {}  # folder -> outcome
        self._written_at = time.monotonic()
        self._pace = Pace()
        self._problems = sum(bool(case.problem) for case in cases)
        self._finished_before = 0

    def through(self, runner: Runner) -> Cohort:
        todo = [case for case in self._cases if not case.problem]
        stopped: ICHVolumeError | None = None
        try:
            with closing(runner(todo, self._job)) as outcomes:  # whatever ends it, its processes end too
                for outcome in outcomes:
                    if outcome.stop:
                        raise ICHVolumeError(outcome.problem)
                    self._take(outcome)
        except KeyboardInterrupt:
            stopped = Cancelled(f"Stopped. {self._kept()}")
        except ICHVolumeError as error:
            stopped = type(error)(f"{error} {self._kept()}")
        if stopped is None:
            self._write()
            return self._cohort()
        try:
            self._write()
        except ICHVolumeError as error:
            raise stopped from error
        raise stopped

    def _take(self, outcome: CaseOutcome) -> None:
        self._outcomes[outcome.case.folder] = outcome
        if not outcome.was_finished and outcome.row is not None:
            self._pace.count(outcome.seconds)
        self._problems += outcome.row is None
        self._finished_before += outcome.was_finished
        total = len(self._cases)
        done = len(self._outcomes) + sum(bool(case.problem) for case in self._cases)
        self._progress(CohortProgress(done, total, self._problems, self._finished_before,
                                      self._pace.left_s(total - done), outcome))
        if time.monotonic() - self._written_at > TABLES_EVERY_S:
            try:
                self._write()
            except InputError:  # open in another program, or no room: the last writing says so
                self._written_at = time.monotonic()

    def _kept(self) -> str:
        done = len(self._with_earlier(self._cohort()).rows)
        return f"{done} of {len(self._cases)} patients are done and kept; {GO_ON}."

    def _cohort(self) -> Cohort:
        outcomes = list(self._outcomes.values())
        problems = [(case, case.problem or self._outcomes[case.folder].problem) for case in self._cases
                    if case.problem or case.folder in self._outcomes and self._outcomes[case.folder].row is None]
        rows = [row for case in self._cases
                if (row := case.folder in self._outcomes and self._outcomes[case.folder].row)]
        return Cohort(self._job.out, rows, [(case.patient, str(case.source), said) for case, said in problems],
                      same_series(rows), sum(not one.was_finished and one.row is not None for one in outcomes),
                      sum(one.was_finished for one in outcomes))

    def _with_earlier(self, cohort: Cohort) -> Cohort:
        """With the rows of earlier runs that this one has not come to."""
        rows = {row.folder: row for row in cohort.rows}
        for case in self._cases:
            if case.folder not in self._outcomes and (row := recorded_row(case, self._job)):
                rows[case.folder] = row
        ordered = [rows[case.folder] for case in self._cases if case.folder in rows]
        return replace(cohort, rows=ordered, remarks=same_series(ordered))

    def _write(self) -> None:
        """All tables together, or none. Raises InputError."""
        cohort, job = self._with_earlier(self._cohort()), self._job
        open_cases = len(self._cases) - len(cohort.rows) - len(cohort.problems)
        try:
            with OutputFolder(job.out, COHORT_FILES, force=job.force, ours=still_ours) as folder:
                write_results(folder.staging, cohort.rows)
                write_problems(folder.staging, cohort.problems)
                page = cohort_page(cohort.rows, cohort.problems, cohort.remarks, still_open=open_cases,
                                   cases=CASES, thumbnail=THUMBNAIL, report=job.report, made_at=datetime.now(),
                                   software=job.software)
                (folder.staging / INDEX_HTML).write_text(page, encoding="utf-8", newline="\n")
                write_cohort_json(folder.staging, {
                    "software": job.software, "model_sha256": job.model_sha256, "device": job.device,
                    "engine": job.engine, "patients": len(self._cases), "measured": len(cohort.rows),
                    "problems": len(cohort.problems), "still_open": open_cases, "remarks": cohort.remarks})
                folder.commit()
        except OSError as error:
            raise InputError(f"The tables in {job.out} cannot be written ({error.strerror}). {self._kept()}") from error
        self._written_at = time.monotonic()


class Pace:
    """How long the rest will take, by the last cases; clock: seconds, for tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._ends: deque[float] = deque(maxlen=WINDOW + 1)

    def count(self, seconds: float) -> None:
        """One more case was measured just now, in so many seconds."""
        now = self._clock()
        if not self._ends:
            self._ends.append(now - seconds)
        self._ends.append(now)

    def left_s(self, remaining: int) -> float | None:
        if len(self._ends) < 2:
            return None
        return remaining * (self._clock() - self._ends[0]) / (len(self._ends) - 1)


def _remove_leftovers(cases: Path) -> None:
    """What killed processes left of cases they were at. Nothing, as long as any other process still writes there."""
    try:
        for lock in cases.glob(".*.ichvolume-lock"):
            FolderLock(lock, cases).release()
        for staging in cases.glob(".ichvolume-*"):
            shutil.rmtree(staging, ignore_errors=True)
    except (FolderBusy, OSError):
        return
