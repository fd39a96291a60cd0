"""One child process for the panel tests of a session, for those that are not about the child's own life."""

import json
from pathlib import Path

WORKER = Path(__file__).with_name("kept_worker.py")
ENDINGS = ("done", "error", "cancelled")
_kept = []  # the child that waits for the next panel


def end():
    while _kept:
        _kept.pop().stop()


class KeptChild:
    """worker_client.Child on the child that another panel left behind, or on a new one.

    A child that still works when its panel goes is ended as in Slicer; one that died or was killed is not used again.
    """

    def __init__(self, folder):
        from ICHVolumePanel.child_process import QtChild

        alive = [child for child in _kept if child.is_alive()]
        _kept.clear()
        self._child = alive[0] if alive else QtChild(folder, arguments=(str(WORKER),))
        self._is_new = not alive
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
        _kept.append(self._child)


def _nothing(_text):
    pass
