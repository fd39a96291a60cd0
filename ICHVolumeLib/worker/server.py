"""The child process that runs the network for Slicer: `python -m ICHVolumeLib.worker`, one JSON object per line.

stdin:  {"command": "segment", "id", "input": in.npz, "output": out.npz, "device": "auto", "weights": folder or null}
        {"command": "check", "id", "input": scan.npz}      {"command": "sample", "id", "output": scan.npz}
        {"command": "report", "id", "input": scan.npz, "measured": mask and result .npz, "output": report.html}
        {"command": "cancel", "id"}      {"command": "quit"}      closing stdin is a quit, so the child ends with Slicer
stdout: {"event": "ready"}   {"event": "progress", "id", "stage", "done", "total", "seconds"}
        {"event": "done", "id", "found", "engine", "device", "seconds", "output"}   {"event": "cancelled", "id"}
        {"event": "done", "id", "findings"} of a check      {"event": "done", "id", "output"} of a report or sample
        {"event": "error", "id", "kind": "input" | "packages" | "internal", "message"}

Log lines go to stderr. The network is loaded after a check, while a person looks at the scan, and stays loaded between
scans. A thread reads stdin, so a cancel is seen at the next slice; everything else happens in the main thread, one scan
after the other. Files: see npz_files.py.
"""

import json
import logging
import queue
import sys
import threading
import time

from ..core.errors import Cancelled, InputError
from ..engines import PackagesMissing
from ..network.weights import MANIFEST_FILE, weights_folder
from ..segmentation.segmenter import Segmenter
from .npz_files import read_scan, write_segmentation
from .requests import REQUESTS

log = logging.getLogger("ICHVolumeLib.worker")
_NEEDED = {"segment": ("input", "output"), **{name: needed for name, (_request, needed) in REQUESTS.items()}}


class Commands:
    """What has come in on `lines`: scans in order, and at any time whether one was cancelled."""

    def __init__(self, lines, report_error):
        self._waiting = queue.Queue()
        self._unfinished = []  # identifiers of scans that wait or run
        self._cancelled = set()
        self._ended = threading.Event()
        self._report_error = report_error
        threading.Thread(target=self._read, args=(lines,), daemon=True, name="stdin").start()

    def __iter__(self):
        """The commands with work in them, until quit or the end of stdin."""
        while (command := self._waiting.get()) is not None:
            yield command

    @property
    def are_waiting(self) -> bool:
        return not self._waiting.empty()

    def is_cancelled(self, scan_id) -> bool:
        return self._ended.is_set() or scan_id in self._cancelled

    def finished(self, scan_id) -> None:
        self._unfinished.remove(scan_id)
        self._cancelled.discard(scan_id)

    def _read(self, lines) -> None:
        try:
            for line in lines:
                if line.strip() and not self._take(line):
                    break
        except OSError as error:
            log.info("stdin broke off: %s", error)
        finally:
            self._ended.set()
            self._waiting.put(None)

    def _take(self, line: str) -> bool:
        """False for quit. A cancel for a scan that is neither waiting nor running is too late and means nothing."""
        try:
            command = json.loads(line)
            kind, scan_id = command["command"], command.get("id")
            if kind in _NEEDED:
                hash(scan_id)
                wanted = {**{name: command[name] for name in _NEEDED[kind]}, **command}
                self._unfinished.append(scan_id)
                self._waiting.put(wanted)
            elif kind == "cancel":
                self._cancelled.update({scan_id}.intersection(self._unfinished))
            elif kind != "quit":
                raise ValueError(f"unknown command {kind!r}")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._report_error(f"Not a command: {line[:200].strip()!r} ({error}).")
            return True
        return kind != "quit"


class Worker:
    """send: called with each event (a dict), from any thread."""

    def __init__(self, send):
        self._send = send
        self._segmenter = None
        self._segmenter_key = None

    def serve(self, lines) -> None:
        commands = Commands(lines, lambda message: self._error(None, "input", message))
        self._send({"event": "ready"})
        for command in commands:
            self._serve_one(command, commands)
            if command["command"] == "check" and self._segmenter is None and not commands.are_waiting:
                self._load_ahead()

    def _serve_one(self, command: dict, commands: Commands) -> None:
        """Run one scan; whatever goes wrong becomes an event, and the worker lives on."""
        scan_id = command.get("id")
        try:
            self._send(self._work(command, lambda: commands.is_cancelled(scan_id)))
        except Cancelled:
            self._send({"event": "cancelled", "id": scan_id})
        except InputError as error:
            self._error(scan_id, "input", str(error))
        except ImportError as error:
            self._error(scan_id, "packages", f"A package is missing: {error}.")
        except MemoryError:
            self._segmenter = None
            self._error(scan_id, "internal", "Not enough memory for this scan; close other programs and try again.")
        except Exception as error:  # the last resort: a scan must not end the process that serves the next one
            self._segmenter = None
            log.exception("%s %s", command["command"], scan_id)
            self._error(scan_id, _kind(error), f"{error}" or type(error).__name__)
        finally:
            commands.finished(scan_id)

    def _work(self, command: dict, is_cancelled) -> dict:
        if is_cancelled():
            raise Cancelled("Stopped before it began.")
        if command["command"] == "segment":
            return self._segment(command, is_cancelled)
        request, _needed = REQUESTS[command["command"]]
        return {"event": "done", "id": command.get("id"), **request(command)}

    def _segment(self, command: dict, is_cancelled) -> dict:
        start = time.perf_counter()

        def progress(stage, done, total):
            self._send({"event": "progress", "id": command.get("id"), "stage": stage, "done": done, "total": total,
                        "seconds": round(time.perf_counter() - start, 3)})

        progress("read", 0, 1)
        ct = read_scan(command["input"])
        progress("read", 1, 1)
        segmentation = self._warm_segmenter(command).apply(ct, progress, is_cancelled)
        if is_cancelled():
            raise Cancelled("Stopped before writing.")
        progress("write", 0, 1)
        write_segmentation(command["output"], segmentation)
        progress("write", 1, 1)
        return {"event": "done", "id": command.get("id"), "found": bool(segmentation.mask.any()),
                "engine": segmentation.engine, "device": segmentation.device, "output": command["output"],
                "seconds": {**segmentation.seconds, "total": round(time.perf_counter() - start, 4)}}

    def _warm_segmenter(self, command: dict):
        """The Segmenter of the last scan, unless device, engine or weights have changed (a new file counts)."""
        device, engine = command.get("device") or "auto", command.get("engine") or "auto"
        manifest = weights_folder(command.get("weights")) / MANIFEST_FILE
        key = (device, engine, str(manifest), manifest.stat().st_mtime_ns if manifest.exists() else None)
        if self._segmenter is None or key != self._segmenter_key:
            self._segmenter = None  # frees the old network first
            self._segmenter = Segmenter(device=device, weights_dir=command.get("weights"), engine=engine)
            self._segmenter_key = key
        return self._segmenter

    def _load_ahead(self) -> None:
        """Ready the network of the package; what stands in its way is said when a scan is to be segmented."""
        try:
            self._warm_segmenter({}).load()
        except Exception as error:  # the last resort, as in _serve_one: nobody asked for it yet
            self._segmenter = None
            log.info("the network was not loaded ahead: %s", error)

    def _error(self, scan_id, kind: str, message: str) -> None:
        self._send({"event": "error", "id": scan_id, "kind": kind, "message": message})


def _kind(error: Exception) -> str:
    return "packages" if isinstance(error, PackagesMissing) else "internal"


def main(events) -> int:
    """Serve standard input until it ends; events: the text stream of event_stream()."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    writing = threading.Lock()

    def send(event: dict) -> None:
        try:
            with writing:
                events.write(json.dumps(event) + "\n")
                events.flush()
        except OSError:
            log.info("nobody reads the events any more")  # Slicer is gone; stdin ends next

    lines = (line.decode("utf-8", "replace") for line in iter(sys.stdin.buffer.readline, b""))
    Worker(send).serve(lines)
    return 0
