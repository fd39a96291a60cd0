"""The child process on Qt's event loop (QProcess), and the same child for a script that waits."""

import json
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import qt

from ICHVolumeLib.core.child_process import python_program as python_executable

from .translation import tr as _
from .worker_client import Callbacks, WorkerClient

STOP_MS = 500
WAIT_S = 0.01
STDERR_KEPT = 4000  # characters of the child's log that may go into a message


class QtChild:
    """worker_client.Child on a QProcess. folder: the one that holds ICHVolumeLib (the child's working folder)."""

    def __init__(self, folder, executable=None, arguments=("-m", "ICHVolumeLib.worker")):
        self._folder, self._arguments = str(folder), list(arguments)
        self._executable = executable or python_executable()
        self._pending, self._log = b"", b""
        self._process = None
        self._on_line = self._on_exit = None

    def start(self, on_line, on_exit):
        self._on_line, self._on_exit = on_line, on_exit
        self._process = process = qt.QProcess()
        process.setWorkingDirectory(self._folder)  # `-m` finds the library there, wherever Slicer was started
        process.connect("readyReadStandardOutput()", self._read)
        process.connect("readyReadStandardError()", self._read_log)
        process.connect("finished(int,QProcess::ExitStatus)", self._ended)
        process.connect("errorOccurred(QProcess::ProcessError)", self._error)
        process.start(self._executable, self._arguments)

    def send(self, line):
        self._process.write((line + "\n").encode())

    def is_alive(self):
        return self._process is not None and self._process.state() != qt.QProcess.NotRunning

    def stop(self):
        process, self._process = self._process, None
        self._on_line = self._on_exit = None
        if process is None:
            return
        # Closing its input ends the child itself; on some systems PythonSlicer is a launcher, whose end alone
        # would leave the real interpreter running.
        process.closeWriteChannel()
        _ending.append(process)
        process.connect("finished(int,QProcess::ExitStatus)",
                        lambda: qt.QTimer.singleShot(0, lambda: _forget(process)))
        qt.QTimer.singleShot(STOP_MS, lambda: _kill(process))

    def _read(self):
        if self._process is None:
            return
        self._pending += self._process.readAllStandardOutput().data()
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            if self._on_line is not None:  # stop() may have been called by the line before
                self._on_line(line.decode("utf-8", "replace"))

    def _read_log(self):
        if self._process is not None:
            self._log = (self._log + self._process.readAllStandardError().data())[-STDERR_KEPT:]

    def _error(self, error):
        if error == qt.QProcess.FailedToStart:
            self._exit(_("{program} cannot be started").format(program=self._executable))

    def _ended(self, exit_code, exit_status):
        self._read_log()
        last = self._log.decode("utf-8", "replace").strip().splitlines()[-1:]
        self._exit("; ".join([_("exit code {code}").format(code=exit_code), *last]))

    def _exit(self, why):
        process, callback = self._process, self._on_exit
        self._on_line = self._on_exit = self._process = None
        _ending.append(process)  # it is emitting the signal that led here: let go of it in a later turn
        qt.QTimer.singleShot(0, lambda: _forget(process))
        if callback is not None:
            callback(why)


_ending = []  # processes that were told to stop; a QProcess that is deleted while running would be killed noisily


def _forget(process):
    if process in _ending:
        _ending.remove(process)


def _kill(process):
    if process in _ending:
        process.kill()


def make_sample_and_wait(folder, process_events, pixels):
    """The sample patient's CTVolume, made by a child process; process_events() is called while it works.

    folder: the one that holds ICHVolumeLib. Raises RuntimeError when the child fails.
    """
    from ICHVolumeLib.worker.npz_files import read_scan

    made, failed = [], []

    def done(path, _event):
        try:
            made.append(read_scan(path))
        except Exception as error:  # raised below: here it would leave the loop waiting for ever
            failed.append(error)

    client = WorkerClient(lambda: QtChild(folder), qt.QTimer.singleShot)
    try:
        client.sample(Callbacks(done=done, failed=lambda sentence, _kind: failed.append(sentence)), pixels)
        while not made and not failed:
            process_events()
            time.sleep(WAIT_S)
    finally:
        client.close()
    if failed:
        raise RuntimeError(_("The sample patient could not be made: {reason}").format(reason=failed[0]))
    return made[0]


def segment_and_wait(ct, folder, device="auto", weights_dir=None):
    """Segment in a child process and wait for it: for scripts. Returns the Segmentation.

    Raises InputError (the scan, the model or the packages cannot be used) and RuntimeError (the child failed).
    """
    from ICHVolumeLib.core.errors import InputError
    from ICHVolumeLib.worker.npz_files import read_segmentation, write_scan

    with tempfile.TemporaryDirectory(prefix="ichvolume-") as place:
        scan, out = Path(place) / "scan.npz", Path(place) / "segmentation.npz"
        write_scan(scan, ct)
        command = {"command": "segment", "id": "1", "input": str(scan), "output": str(out), "device": device,
                   "weights": str(weights_dir) if weights_dir else None}
        with _start_worker(folder) as child:
            with suppress(OSError):  # a child that is dead by now: its silence is said below
                child.stdin.write(json.dumps(command) + "\n")
                child.stdin.flush()
            event = _last_event(child.stdout)
            with suppress(OSError):
                child.stdin.close()
        if event.get("event") == "done":
            return read_segmentation(out)
        kind = InputError if event.get("kind") in ("input", "packages") else RuntimeError
        raise kind(event.get("message") or _(
            "The segmentation process ended before it was done (exit code {code}); see its log above.").format(
                code=child.returncode))


def _start_worker(folder):
    program = python_executable()
    try:
        return subprocess.Popen([program, "-m", "ICHVolumeLib.worker"], cwd=str(folder), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, encoding="utf-8",
                                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))  # Windows' console
    except OSError as error:
        raise RuntimeError(_("The segmentation process cannot be started with {program}: {reason}").format(
            program=program, reason=error)) from error


def _last_event(lines) -> dict:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("event") in ("done", "error", "cancelled"):
            return event
    return {}
