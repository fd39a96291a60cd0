"""The child process that runs the network, seen from the panel: one job at a time, warm between jobs.

The child is `python -m ICHVolumeLib.worker`: JSON lines in and out. Everything here runs on Qt's event loop without
waiting: the scan is written a few slices per turn, lines are read as they come, a cancel that gets no answer in
CANCEL_MS ends the child. Whatever happens to the child, exactly one of done, cancelled and failed is called per job.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .scan_writer import write_scan_in_steps
from .translation import tr as _

CANCEL_MS = 700  # the panel promises one second
STDERR_LINES_KEPT = 3


class Child(Protocol):
    """What the client needs of a process; see child_process.QtChild."""

    def start(self, on_line, on_exit) -> None:
        """on_line(str) for every line of stdout; on_exit(str) once, with what is known about why."""

    def send(self, line: str) -> None: ...

    def stop(self) -> None:
        """Close its input (it ends by itself), then kill; on_exit is not called any more."""

    def is_alive(self) -> bool: ...


@dataclass(frozen=True)
class Callbacks:
    """progress(stage, done, total, seconds), done(output_path, event), cancelled(), failed(sentence, kind)."""

    progress: object
    done: object
    cancelled: object
    failed: object


class WorkerClient:
    """make_child() -> Child; call_later(milliseconds, function) runs a function from the event loop."""

    def __init__(self, make_child, call_later):
        self._make_child, self._call_later = make_child, call_later
        self._child = None
        self._job = None
        self._jobs_started = 0

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    @property
    def is_warm(self) -> bool:
        return self._child is not None and self._child.is_alive()

    def segment(self, ct, callbacks: Callbacks, device="auto", weights_dir=None) -> None:
        """Start one job. Raises RuntimeError when one is running."""
        if self.is_busy:
            raise RuntimeError("a segmentation is running")
        self._jobs_started += 1
        job = _Job(str(self._jobs_started), callbacks)
        self._job = job
        try:
            job.folder = Path(tempfile.mkdtemp(prefix="ichvolume-"))
        except OSError as error:
            self._fail(job, self._disk_sentence(error), "input")
            return
        job.command = {"command": "segment", "id": job.id, "input": str(job.input), "output": str(job.output),
                       "device": device, "weights": str(weights_dir) if weights_dir else None}
        job.writing = write_scan_in_steps(job.input, ct)
        self._ensure_child()
        if self._job is job:
            self._call_later(0, lambda: self._write_some(job))

    def cancel(self) -> None:
        """Stop the running job; cancelled() comes within CANCEL_MS."""
        job = self._job
        if job is None or job.cancelling:
            return
        job.cancelling = True
        if job.writing is not None:  # not sent yet
            self._finish(job)
            job.callbacks.cancelled()
            return
        self._child.send(json.dumps({"command": "cancel", "id": job.id}))
        self._call_later(CANCEL_MS, lambda: self._give_up(job))

    def close(self) -> None:
        """End the child; a running job ends without a callback (the panel is going away)."""
        job, self._job = self._job, None
        if job is not None:
            job.clean_up()
        self._drop_child()

    def _ensure_child(self):
        if self.is_warm:
            return
        self._drop_child()
        child = self._make_child()
        self._child = child
        child.start(lambda line: self._on_line(child, line), lambda why: self._on_exit(child, why))

    def _write_some(self, job):
        if self._job is not job:
            return
        try:
            next(job.writing)
        except StopIteration:
            job.writing = None
            self._child.send(json.dumps(job.command))
            return
        except OSError as error:
            self._fail(job, self._disk_sentence(error), "input")
            return
        self._call_later(0, lambda: self._write_some(job))

    def _on_line(self, child, line):
        job = self._job
        if child is not self._child or job is None:
            return
        try:
            event = json.loads(line)
        except ValueError:
            return  # a package's own chatter
        if not isinstance(event, dict) or event.get("id") != job.id:
            if isinstance(event, dict) and event.get("event") == "ready":
                job.callbacks.progress("ready", 0, 0, 0.0)
            return
        self._handle(job, event)

    def _handle(self, job, event):
        kind = event.get("event")
        if kind == "progress" and not job.cancelling:
            job.callbacks.progress(event["stage"], event["done"], event["total"], event.get("seconds", 0.0))
        elif kind == "cancelled" or (kind == "done" and job.cancelling):
            self._finish(job)
            job.callbacks.cancelled()
        elif kind == "done":
            self._job = None
            try:
                job.callbacks.done(job.output, event)
            finally:
                job.clean_up()
        elif kind == "error":
            self._fail(job, event.get("message") or _("The segmentation failed without a message."),
                       event.get("kind", "internal"))

    def _on_exit(self, child, why):
        if child is not self._child:
            return
        self._child = None
        job = self._job
        if job is None:
            return
        if job.cancelling:
            self._finish(job)
            job.callbacks.cancelled()
            return
        self._fail(job, _("The segmentation process ended before it was done ({why}). Nothing was changed; "
                          "press Segment ICH to try again.").format(why=why), "process")

    def _give_up(self, job):
        if self._job is not job:
            return
        self._drop_child()
        self._finish(job)
        job.callbacks.cancelled()

    def _fail(self, job, sentence, kind):
        self._finish(job)
        job.callbacks.failed(sentence, kind)

    def _finish(self, job):
        if self._job is job:
            self._job = None
        job.clean_up()

    def _drop_child(self):
        child, self._child = self._child, None
        if child is not None:
            child.stop()

    @staticmethod
    def _disk_sentence(error):
        return _("The scan could not be handed to the segmentation process: {reason} in {folder}. "
                 "Free some space there and try again.").format(reason=error.strerror, folder=tempfile.gettempdir())


class _Job:
    def __init__(self, job_id, callbacks):
        self.id, self.callbacks = job_id, callbacks
        self.folder = None
        self.writing = None
        self.command = {}
        self.cancelling = False

    @property
    def input(self):
        return self.folder / "scan.npz"

    @property
    def output(self):
        return self.folder / "segmentation.npz"

    def clean_up(self):
        if self.writing is not None:
            self.writing.close()
            self.writing = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
