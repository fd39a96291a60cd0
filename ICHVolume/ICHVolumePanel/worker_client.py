"""The child process seen from the panel: it segments, checks a scan, writes the report, makes the sample patient.

The child is `python -m ICHVolumeLib.worker`: JSON lines in and out, warm between jobs. Everything here runs on Qt's
event loop without waiting: files for the child are written in short turns (a scan once, however many jobs read it),
lines are read as they come, jobs are done in the order they were asked for, and a cancel that gets no answer in
CANCEL_MS ends the child. Whatever happens to the child, exactly one of done, cancelled and failed is called per job.
"""

import json
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.worker.npz_files import write_measured, write_scan_in_steps

from .translation import tr as _
from .turns import Turns

CANCEL_MS = 700  # the panel promises one second
FOLDER_PREFIX = "ichvolume-panel-"
LEFTOVER_AFTER_S = 24 * 3600.0  # what a crash left behind goes when the next panel starts


class Child(Protocol):
    """What the client needs of a process; see child_process.QtChild."""

    def start(self, on_line, on_exit) -> None:
        """on_line(str) for every line of stdout; on_exit(str) once, with what is known about why."""

    def send(self, line: str) -> None: ...

    def stop(self) -> None:
        """Close its input (it ends by itself), then kill; on_exit is not called any more."""

    def is_alive(self) -> bool: ...


def _nothing(*_arguments):
    pass


@dataclass(frozen=True)
class Callbacks:
    """done(output path or None, event), failed(sentence, kind), cancelled(), progress(stage, done, total, seconds)."""

    done: object
    failed: object
    cancelled: object = _nothing
    progress: object = _nothing


class WorkerClient:
    """make_child() -> Child; call_later(milliseconds, function) runs a function from the event loop."""

    def __init__(self, make_child, call_later):
        self._make_child, self._call_later = make_child, call_later
        self._turns = Turns(call_later)
        self._child = None
        self._jobs = []  # the first one is prepared or runs, the others wait
        self._jobs_started = 0
        self._folder = None
        self._scans = {}  # path -> the CTVolume in it

    @property
    def is_busy(self) -> bool:
        """A segmentation was asked for and has not ended."""
        return self._segmentation is not None

    @property
    def is_warm(self) -> bool:
        return self._child is not None and self._child.is_alive()

    def segment(self, ct, callbacks: Callbacks, device="auto", weights_dir=None) -> None:
        """done's path: npz_files.read_segmentation reads it. Raises RuntimeError when a segmentation is running."""
        if self.is_busy:
            raise RuntimeError("a segmentation is running")
        self._add("segment", callbacks, ct, "segmentation.npz", device=device,
                  weights=str(weights_dir) if weights_dir else None)

    def check(self, ct, callbacks: Callbacks) -> None:
        """done's event has "findings", as dicts. A check of another scan that has not ended is forgotten."""
        self._forget("check")
        self._add("check", callbacks, ct)

    def mass_effect(self, ct, mask, result, head_frame, callbacks: Callbacks) -> None:
        """done's event has "mass_effect" of this mask, as read_mass_effect reads it; one asked for before is forgotten.
        head_frame: HeadFrame or None."""
        self._forget("mass_effect")
        self._add("mass_effect", callbacks, ct, measured=(mask, result),
                  head_frame=head_frame and head_frame.to_plain())

    def report(self, ct, mask, result, callbacks: Callbacks, outside=None) -> None:
        """done's path: the HTML page; it is deleted when done returns. outside: as report.write_report takes it."""
        self._add("report", callbacks, ct, "report.html", measured=(mask, result, outside))

    def dicom(self, ct, mask, result, source, callbacks: Callbacks) -> None:
        """done's path: a folder with the DICOM files; it is deleted when done returns. source: folder of the images."""
        self._add("dicom", callbacks, ct, "dicom", measured=(mask, result), source=str(source))

    def compare(self, later, earlier, callbacks: Callbacks, source="", earlier_source="") -> None:
        """later: (ct, mask, result); earlier: likewise, or an output folder. done's event: see requests.compare."""
        self._forget("compare")
        given = {"earlier_folder": str(earlier)} if isinstance(earlier, (str, Path)) else {"earlier": earlier}
        self._add("compare", callbacks, later[0], measured=later[1:], source=source, earlier_source=earlier_source,
                  **given)

    def sample(self, callbacks: Callbacks, pixels=None) -> None:
        """done's path: npz_files.read_scan reads it."""
        self._add("sample", callbacks, None, "sample.npz", pixels=pixels)

    def cancel(self) -> None:
        """Stop the segmentation; its cancelled() comes within CANCEL_MS."""
        job = self._segmentation
        if job is None or job.is_cancelling:
            return
        job.is_cancelling = True
        if not job.is_sent:
            self._end(job, job.callbacks.cancelled)
            return
        self._child.send(json.dumps({"command": "cancel", "id": job.id}))
        self._call_later(CANCEL_MS, lambda: self._give_up(job))

    def renew(self) -> None:
        """A new child for what comes next: the present one does not see packages that were just installed."""
        self._drop_child()
        for job in self._jobs:
            job.is_sent = False
        self._start_next()

    def close(self) -> None:
        """End the child; running jobs end without a callback (the panel is going away)."""
        self._turns.stop()
        self._jobs = []
        self._drop_child()
        folder, self._folder, self._scans = self._folder, None, {}
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            self._call_later(CANCEL_MS, lambda: shutil.rmtree(folder, ignore_errors=True))  # the child wrote meanwhile

    @property
    def _segmentation(self):
        return next((job for job in self._jobs if job.kind == "segment"), None)

    def _forget(self, kind):
        """Jobs of this kind that have not ended tell nobody any more."""
        for job in [job for job in self._jobs if job.kind == kind]:
            job.callbacks = Callbacks(_nothing, _nothing)
            if not job.is_sent:
                self._end(job)

    def _add(self, kind, callbacks, ct, output=None, **values):
        self._jobs_started += 1
        self._jobs.append(_Job(str(self._jobs_started), kind, callbacks, ct, output, values))
        if len(self._jobs) == 1:
            self._start_next()

    def _start_next(self):
        if not self._jobs or self._jobs[0].is_sent or self._turns.has(self._jobs[0]):
            return
        job = self._jobs[0]
        self._turns.add(self._prepare(job), lambda line: self._send(job, line),
                        lambda error: self._cannot_hand_over(job, error), key=job)
        self._ensure_child()

    def _prepare(self, job):
        """Generator: the files that the child will read; returns the command as a line."""
        if self._folder is None or not self._folder.is_dir():  # a system that tidies up may have taken it
            _remove_leftovers()
            self._folder, self._scans = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)), {}
        command = {"command": job.kind, "id": job.id, **job.values}
        if job.output_name:
            job.output = self._folder / f"{job.id}-{job.output_name}"
            command["output"] = str(job.output)
        if job.ct is not None:
            command["input"] = str((yield from self._scan_file(job)))
        if "measured" in job.values:
            job.measured = self._folder / f"{job.id}-measured.npz"
            write_measured(job.measured, *job.values["measured"])
            command["measured"] = str(job.measured)
        yield
        if "earlier" in job.values:
            ct, *measured = command.pop("earlier")
            job.earlier = [self._folder / f"{job.id}-earlier-{name}.npz" for name in ("scan", "measured")]
            yield from write_scan_in_steps(job.earlier[0], ct)
            write_measured(job.earlier[1], *measured)
            command["earlier_input"], command["earlier_measured"] = map(str, job.earlier)
            yield
        return json.dumps(command)

    def _scan_file(self, job):
        written = next((path for path, ct in self._scans.items() if ct is job.ct), None)
        if written is not None and written.is_file():
            return written
        for path in [path for path, ct in self._scans.items() if not any(other.ct is ct for other in self._jobs)]:
            del self._scans[path]
            with suppress(OSError):
                path.unlink(missing_ok=True)
            yield
        path = self._folder / f"{job.id}-scan.npz"
        yield from write_scan_in_steps(path, job.ct)
        self._scans[path] = job.ct
        return path

    def _send(self, job, line):
        self._ensure_child()
        if self._jobs and self._jobs[0] is job:  # a child that cannot be started has failed the job by now
            job.is_sent = True
            self._child.send(line)

    def _ensure_child(self):
        if self.is_warm:
            return
        self._drop_child()
        child = self._make_child()
        self._child = child
        child.start(lambda line: self._on_line(child, line), lambda why: self._on_exit(child, why))

    def _on_line(self, child, line):
        if child is not self._child or not self._jobs:
            return
        try:
            event = json.loads(line)
        except ValueError:
            return  # a package's own chatter
        job = self._jobs[0]
        if isinstance(event, dict) and event.get("event") == "ready":
            job.callbacks.progress("ready", 0, 0, 0.0)
        elif isinstance(event, dict) and event.get("id") == job.id:
            self._handle(job, event)

    def _handle(self, job, event):
        kind = event.get("event")
        if kind == "progress" and not job.is_cancelling:
            job.callbacks.progress(event["stage"], event["done"], event["total"], event.get("seconds", 0.0))
        elif kind == "cancelled" or (kind == "done" and job.is_cancelling):
            self._end(job, job.callbacks.cancelled)
        elif kind == "done":
            self._end(job, job.callbacks.done, job.output, event)
        elif kind == "error":
            self._end(job, job.callbacks.failed, event.get("message") or _("The child process failed without a word."),
                      event.get("kind", "internal"))

    def _on_exit(self, child, why):
        if child is not self._child:
            return
        self._child = None
        if not self._jobs:
            return
        job = self._jobs[0]
        if job.is_cancelling:
            self._end(job, job.callbacks.cancelled)
            return
        if not job.is_sent and not job.has_lost_a_child:  # it died of something else, perhaps while it stood idle
            job.has_lost_a_child = True
            self._ensure_child()
            return
        sentence = _("The segmentation process ended before it was done ({why}).").format(why=why)
        if job.kind == "segment":
            sentence += _(" Nothing was changed; press Segment ICH to try again.")
        self._end(job, job.callbacks.failed, sentence, "process")

    def _give_up(self, job):
        if job in self._jobs:
            self._drop_child()
            self._end(job, job.callbacks.cancelled)

    def _cannot_hand_over(self, job, error):
        if not isinstance(error, (OSError, InputError)):
            raise error
        reason = getattr(error.__cause__ or error, "strerror", None) or str(error)
        self._end(job, job.callbacks.failed, _(
            "The scan could not be handed to the segmentation process: {reason} in {folder}. Free some space there and "
            "try again.").format(reason=reason, folder=tempfile.gettempdir()), "input")

    def _end(self, job, callback=_nothing, *arguments):
        """The job is over; the next one starts whatever the callback does."""
        self._turns.drop(job)
        self._jobs.remove(job)
        try:
            callback(*arguments)
        finally:
            job.clean_up()
            self._start_next()

    def _drop_child(self):
        child, self._child = self._child, None
        if child is not None:
            child.stop()


def _remove_leftovers():
    """Folders of panels that crashed: a closed one removes its own."""
    for folder in Path(tempfile.gettempdir()).glob(FOLDER_PREFIX + "*"):
        try:
            is_old = time.time() - folder.stat().st_mtime > LEFTOVER_AFTER_S
        except OSError:
            continue  # another panel was quicker
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)


class _Job:
    """output, measured: files that go when the job ends; is_sent: the child has its command;
    has_lost_a_child: one that ended before it got the command was replaced."""

    def __init__(self, job_id, kind, callbacks, ct, output_name, values):
        self.id, self.kind, self.callbacks = job_id, kind, callbacks
        self.ct, self.output_name, self.values = ct, output_name, values
        self.output = self.measured = None
        self.earlier = []
        self.is_sent = self.is_cancelling = self.has_lost_a_child = False

    def clean_up(self):
        for path in filter(None, (self.output, self.measured, *self.earlier)):
            with suppress(OSError):  # still open in the child (Windows); close() takes the whole folder
                if path.is_dir():
                    shutil.rmtree(path)
                path.unlink(missing_ok=True)
