"""One patient of a cohort, in whichever process: is it finished, and if not, segment it.

Beside the files of `segment` a case has thumbnail.png and case.json, which says of what it was made: a case is
finished when its files belong together and the scan, the settings, the program and the weights are the same.
"""

import errno
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import ICHVolumeError, InputError
from ..core.plain import from_plain
from ..core.result import Result
from ..core.text import shown_values
from ..io.cohort_files import COHORT_LOCK, CaseRow, row_of
from ..io.folder_lock import FolderBusy
from ..io.input_fingerprint import Fingerprint, fingerprint, is_same_input
from ..io.patient_identity import read_salt, salt_mark
from ..io.result_files import write_json
from ..io.written_files import read_result
from ..report.thumbnail import write_thumbnail
from ..segmentation.segmenter import Segmenter
from .case import run_segment
from .cohort_inputs import CohortCase
from .exporters import Exporter, chosen_exporters
from .make_result import SOFTWARE
from .verify import verify

CASES, CASE_JSON, THUMBNAIL = "cases", "case.json", "thumbnail.png"
SCHEMA = "ichvolume-cohort-case/1"
BUSY_S, BUSY_STEP_S = 1800.0, 2.0  # how long another process may take that still writes the same case

MakeSegmenter = Callable[..., Segmenter]


@dataclass(frozen=True)
class CohortJob:
    """What is the same for all cases. out: the cohort's folder; threads: cores of one case, None: all.

    runs_on: the device of this process where it is not `device`. model_sha256: of the weights that the cohort began
    with. make_segmenter(device, weights_dir, engine, threads=...):
    importable by name, so that other processes find it.
    """

    out: Path
    device: str = "auto"
    engine: str = "auto"
    weights_dir: Path | None = None
    patient_salt: Path | None = None
    report: bool = True
    dicom: bool = False
    force: bool = False
    threads: int | None = None
    runs_on: str = ""
    model_sha256: str = ""
    software: str = SOFTWARE
    make_segmenter: MakeSegmenter = Segmenter


@dataclass(frozen=True)
class CaseOutcome:
    """row: None where the case is not measured; problem: why, in a sentence. was_finished: by an earlier run.

    stop: the whole cohort cannot go on (no room on the disk, no engine); seconds: of this run.
    """

    case: CohortCase
    row: CaseRow | None = None
    problem: str = ""
    was_finished: bool = False
    stop: bool = False
    seconds: float = 0.0


@dataclass
class _Warm:
    """The segmenter of this process; one case at a time uses it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    key: tuple | None = None
    segmenter: Segmenter | None = None


_warm = _Warm()


def run_case(case: CohortCase, job: CohortJob) -> CaseOutcome:
    """Never raises but for KeyboardInterrupt: what is wrong with a case is its outcome."""
    started = time.monotonic()
    with _warm.lock:
        outcome = _outcome(case, job)
    return replace(outcome, seconds=time.monotonic() - started)


def _outcome(case: CohortCase, job: CohortJob) -> CaseOutcome:
    if case.problem:
        return CaseOutcome(case, problem=case.problem)
    try:
        _refuse_elsewhere(job)
        return _finished(case, job) or _measured(case, job)
    except InputError as error:
        return _failed(case, job, str(error), error)
    except ICHVolumeError as error:  # no engine here: no other case would fare better
        return CaseOutcome(case, problem=str(error), stop=True)
    except MemoryError as error:
        return _failed(case, job, f"{case.source}: there was not enough memory to measure it; use fewer workers, or a "
                                  "computer with more.", error)
    except Exception as error:  # the last line of defence: one case must not end a thousand
        return _failed(case, job, f"{case.source}: internal error ({type(error).__name__}: {error}).", error)


def recorded_row(case: CohortCase, job: CohortJob) -> CaseRow | None:
    """The row of an earlier run with the same settings, before anybody has looked whether scan and files are still the
    same: for tables that are written on the way."""
    out = job.out / CASES / case.folder
    try:
        if not case.problem and read_result(out, CASE_JSON).get("made_of") == _made_of(case, job):
            return row_of(case.patient, case.folder, out)
    except InputError:
        pass
    return None


def _refuse_elsewhere(job: CohortJob) -> None:
    """Raises ICHVolumeError in a process that sees other files, or is another program, than the one that asks."""
    here = socket.gethostname()
    if not (job.out / COHORT_LOCK).exists():
        raise ICHVolumeError(f"The computer {here} does not see {job.out}; all workers need the same folders under the "
                             "same paths.")
    if job.software != SOFTWARE:
        raise ICHVolumeError(f"The computer {here} has {SOFTWARE} and this one {job.software}; install the same "
                             "version everywhere.")


def _finished(case: CohortCase, job: CohortJob) -> CaseOutcome | None:
    out = job.out / CASES / case.folder
    try:
        made_of = read_result(out, CASE_JSON)
        if made_of.get("made_of") != _made_of(case, job) or not verify(out).belongs_together:
            return None
        if not is_same_input(case.source, from_plain(Fingerprint, made_of["input"])):
            return None
        return CaseOutcome(case, row_of(case.patient, case.folder, out), was_finished=True)
    except (InputError, KeyError, TypeError, ValueError):
        return None


def _measured(case: CohortCase, job: CohortJob) -> CaseOutcome:
    out = job.out / CASES / case.folder
    try:
        read = fingerprint(case.source) if case.source.exists() else Fingerprint("", "")  # run_segment says what lacks
    except OSError:
        read = Fingerprint("", "")
    exporters = chosen_exporters(case.source, report=job.report, dicom=job.dicom)
    exporters = (*exporters[:-1], _thumbnail_exporter(), _record_exporter(case, job, read), exporters[-1])
    busy_until = time.monotonic() + BUSY_S
    while True:
        try:
            run_segment(case.source, out, clinical=case.clinical, series_uid=case.series, force=job.force,
                        patient_salt=job.patient_salt, exporters=exporters, segmenter=_segmenter(job))
            return CaseOutcome(case, row_of(case.patient, case.folder, out))
        except FolderBusy:  # a worker that lost its scheduler may still be at it
            if time.monotonic() > busy_until:
                raise
            time.sleep(BUSY_STEP_S)
            finished = _finished(case, job)
            if finished:
                return finished


def _segmenter(job: CohortJob) -> Segmenter:
    """Loaded once a process. Raises ICHVolumeError where it is not the one that the cohort began with."""
    key = job.make_segmenter, job.runs_on or job.device, job.weights_dir, job.engine, job.threads
    if _warm.segmenter is None or _warm.key != key:
        try:
            _warm.segmenter, _warm.key = job.make_segmenter(*key[1:-1], threads=job.threads), key
        except InputError as error:
            raise ICHVolumeError(f"On the computer {socket.gethostname()}: {error}") from error
    if _warm.segmenter.weights.sha256 != job.model_sha256:
        raise ICHVolumeError(f"The computer {socket.gethostname()} has other weights than this one; install the same "
                             "version everywhere, or give --weights with a folder that all of them see.")
    return _warm.segmenter


def _made_of(case: CohortCase, job: CohortJob) -> dict:
    """What a result depends on, beside the scan: as plain JSON values."""
    salt = salt_mark(read_salt(job.patient_salt)) if job.patient_salt else ""
    return shown_values({
        "software": job.software, "model_sha256": job.model_sha256, "device": job.device, "engine": job.engine,
        "patient": case.patient, "series": case.series or "", "clinical": asdict(case.clinical),
        "patient_key_of": salt, "report": job.report, "dicom": job.dicom})


def _thumbnail_exporter() -> Exporter:
    def write(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
        write_thumbnail(path, ct, mask, result)
        return result
    return Exporter(THUMBNAIL, "thumbnail", write)


def _record_exporter(case: CohortCase, job: CohortJob, read: Fingerprint) -> Exporter:
    def write(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
        write_json(path, {"schema": SCHEMA, "made_of": _made_of(case, job), "input": asdict(read)})
        return result
    return Exporter(CASE_JSON, "write results", write)


def _failed(case: CohortCase, job: CohortJob, sentence: str, error: BaseException) -> CaseOutcome:
    if _disk_is_full(error):
        return CaseOutcome(case, problem=f"The disk of {job.out} is full; free some space.", stop=True)
    return CaseOutcome(case, problem=sentence)


def _disk_is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
