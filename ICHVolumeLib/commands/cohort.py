"""Segment many patients into one table: results.csv, an index page with pictures, and a folder for each patient.

INPUTS is a folder tree of scans, a CSV with the columns scan and (optional) patient, or a pattern in quotes. What is
finished already is not done again; what cannot be measured is listed in problems.csv with the reason. Exit code 1 when
there is such a patient.
"""

import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from ..core.errors import ICHVolumeError, InputError
from .console import (
    add_dicom_argument,
    add_force_argument,
    add_patient_key_argument,
    add_report_argument,
    complain,
    say,
    say_json,
)

LINE_EVERY_S = 60.0
INSTALL = "`pip install 'ICHVolume[cohort]'` (in a checkout `pip install '.[cohort]'`)"


def add_arguments(parser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="INPUTS",
                        help="a folder tree, a CSV of paths, or a pattern such as 'scans/*.nii.gz'")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="output folder of the cohort")
    parser.add_argument("--workers", type=_positive, metavar="N",
                        help="processes on this computer (default: one for each core, or each GPU)")
    parser.add_argument("--scheduler", metavar="ADDRESS",
                        help="use the workers of this Dask scheduler, on many computers: tcp://HOST:8786")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder with other weights and their manifest")
    add_dicom_argument(parser)
    add_force_argument(parser)
    add_patient_key_argument(parser)
    add_report_argument(parser)
    parser.add_argument("--progress", choices=("bar", "json", "none"), default=None,
                        help="bar (default on a terminal; elsewhere a line every minute), json (one JSON object a line "
                             "on standard output, nothing else there) or none")


def run(args) -> None:
    from ..io.patient_identity import read_salt
    from ..workflow.cohort import run_cohort
    from ..workflow.cohort_case import CohortJob
    from ..workflow.cohort_inputs import cohort_cases
    from ..workflow.exporters import chosen_exporters

    runner = _runner(args)
    chosen_exporters(args.out.parent, report=args.report, dicom=args.dicom)  # refused once, not for each patient
    if args.patient_key:
        read_salt(args.patient_key)
    cases, remarks = cohort_cases(args.inputs, args.out)
    for remark in remarks:
        complain(remark)
    job = CohortJob(args.out, device=args.device, engine=args.engine, weights_dir=_weights(args.weights),
                    patient_salt=args.patient_key, report=args.report, dicom=args.dicom, force=args.force)
    with _Progress(args.progress) as progress:
        cohort = run_cohort(cases, job, runner, progress=progress)
    _tell(cohort, len(cases), progress.kind)
    if cohort.problems:
        raise ICHVolumeError(f"{len(cohort.problems):,} of {len(cases):,} patients could not be measured; "
                             f"{args.out / 'problems.csv'} says why.")


def _runner(args):
    """Who measures. Raises InputError when Dask is needed and not installed."""
    from ..workflow.cohort import in_this_process

    if args.scheduler and args.workers:
        raise InputError("--workers are processes of this computer and --scheduler has its own; leave one of them out.")
    if find_spec("distributed") is None:
        if args.scheduler or (args.workers or 1) > 1:
            raise InputError(f"More than one worker needs the package dask, which is not installed; {INSTALL}.")
        if not args.workers:
            complain(f"Dask is not installed: one patient after the other in this process. {INSTALL} makes it one "
                     "for each core.")
        return in_this_process
    from ..workflow.cohort_dask import OnScheduler, OnThisComputer, local_workers

    if args.scheduler:
        return OnScheduler(args.scheduler, complain)
    workers = local_workers(args.workers, args.device)
    if args.workers and workers.count < args.workers:
        complain(f"{workers.count} worker{'s' * (workers.count > 1)}, one for each GPU; --device cpu takes more.")
    return OnThisComputer(workers)


def _weights(folder: Path | None) -> Path | None:
    """Other computers do not have this one's environment variables."""
    import os

    from ..network.weights import ENVIRONMENT_VARIABLE

    named = folder or os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(named) if named else None


def _tell(cohort, patients: int, progress_kind: str) -> None:
    if progress_kind == "json":
        say_json({"event": "done", "out": str(cohort.out), "patients": patients, "rows": len(cohort.rows),
                  "measured": cohort.measured, "finished_before": cohort.finished_before,
                  "problems": len(cohort.problems)})
        return
    from ..report.summary import RESEARCH_USE

    say(f"{len(cohort.rows):,} of {patients:,} patients measured, {cohort.finished_before:,} of them by an earlier run")
    for patient, _, sentence in cohort.problems[:20]:
        say(f"  {patient}: {sentence}")
    if len(cohort.problems) > 20:
        say(f"  and {len(cohort.problems) - 20:,} more, see problems.csv")
    for remark in cohort.remarks:
        say(f"  {remark}")
    say(f"Written   {cohort.out}: results.csv, index.html, problems.csv, cohort.json, cases/")
    say(RESEARCH_USE)


class _Progress:
    """Called with a CohortProgress for each patient. kind: "bar", "json", "none", or "lines" (one a minute)."""

    def __init__(self, kind: str | None):
        self.kind = kind or ("bar" if sys.stderr.isatty() else "lines")
        self._started = time.monotonic()
        self._said_at = self._started - LINE_EVERY_S
        self._width_drawn = 0

    def __call__(self, event) -> None:
        if self.kind == "json":
            left_s = None if event.left_s is None else round(event.left_s, 1)
            say_json({"event": "progress", "stage": "cohort", "done": event.done, "total": event.total,
                      "problems": event.problems, "finished_before": event.finished_before, "left_s": left_s,
                      "seconds": round(time.monotonic() - self._started, 2), "patient": event.last.case.patient,
                      "problem": event.last.problem})
        elif self.kind == "bar":
            filled = round(24 * event.done / event.total)
            line = f"[{'#' * filled}{'.' * (24 - filled)}] {progress_words(event)}"
            line = line[:shutil.get_terminal_size().columns - 1]
            sys.stderr.write("\r" + line.ljust(self._width_drawn))
            sys.stderr.flush()
            self._width_drawn = len(line)
        elif self.kind == "lines" and time.monotonic() - self._said_at >= LINE_EVERY_S:
            self._said_at = time.monotonic()
            complain(progress_words(event))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._width_drawn:
            sys.stderr.write("\r" + " " * self._width_drawn + "\r")
            sys.stderr.flush()


def progress_words(event) -> str:
    """ "412 of 1,027 patients, 3 not measured, about 1 h 20 min left" """
    parts = [f"{event.done:,} of {event.total:,} patients"]
    if event.problems:
        parts.append(f"{event.problems:,} not measured")
    if event.left_s is not None and event.done < event.total:
        parts.append(f"about {duration_words(event.left_s)} left")
    return ", ".join(parts)


def duration_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def _positive(text: str) -> int:
    import argparse

    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
