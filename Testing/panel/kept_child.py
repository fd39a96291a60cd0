"""One child process for the panel tests of a session, for those that are not about the child's own life."""

import json
import os
from pathlib import Path

WORKER = Path(__file__).with_name("kept_worker.py")
ENDINGS = ("done", "error", "cancelled")
_kept = []  # the child that waits for the next panel, and what it was started with


def end():
    while _kept:
        _kept.pop()[0].stop()


def _surroundings():
    """What a new child would be started with: a test may have changed it."""
    from ICHVolumePanel import child_process

    return child_process.python_executable, {name: value for name, value in os.environ.items()
                                             if not name.startswith("PYTEST_")}


class KeptChild:
    """worker_client.Child on the child that another panel left behind, or on a new one.

    A child that still works when its panel goes is ended as in Slicer; one that died or was killed is not used again.
    """

    def __init__(self, folder):
        from ICHVolumePanel.child_process import QtChild

        self._started_with = _surroundings()
        fits = [child for child, started_with in _kept if child.is_alive() and started_with == self._started_with]
        others = [child for child, _ in _kept if child not in fits]
        _kept.clear()
        for child in others:
            child.stop()
        self._child = fits[0] if fits else QtChild(folder, arguments=(str(WORKER),))
        self._is_new = not fits
        self._at_work = set()

    @property
    def _process(self):
        return self._child._process

    def start(self, on_line, on_exit):
        def line(text):
            event = json.loads(text)
            if event.get("event") in ENDINGS:
                self._at_work.discard(event.get("id"))
            on_line(text)

        if self._is_new:
            self._child.start(line, on_exit)
        else:
            self._child._on_line, self._child._on_exit = line, on_exit

    def send(self, line):
        command = json.loads(line)
        if command["command"] != "cancel":
            self._at_work.add(command["id"])
        self._child.send(line)

    def is_alive(self):
        return self._child.is_alive()

    def stop(self):
        if self._at_work or not self._child.is_alive():
            self._child.stop()
            return
        self._child._on_line = self._child._on_exit = _nothing
        _kept.append((self._child, self._started_with))


def _nothing(_text):
    pass
