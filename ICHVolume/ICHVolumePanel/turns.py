"""Work in short turns of the event loop, so that the window answers in between.

Work is a generator that yields wherever it may rest; what it returns is handed on. One after the other: the next piece
of work starts when the one before has ended, so nobody sees half of it. No threads: Python's do not run dependably
beside Slicer's event loop, and MRML belongs to the main thread.
"""

import time
from collections import deque
from dataclasses import dataclass

TURN_S = 0.008  # a turn ends at the first yield after this


@dataclass(eq=False)
class _Work:
    steps: object
    then: object
    failed: object
    key: object


class Turns:
    """call_later(milliseconds, function) runs a function from the event loop."""

    def __init__(self, call_later):
        self._call_later = call_later
        self._works = deque()
        self._now = None  # the work whose step is running
        self._is_due = False

    def add(self, steps, then=None, failed=None, key=None) -> None:
        """steps: a generator; then(its return value); failed(Exception); key: names it for drop and has."""
        self._works.append(_Work(steps, then, failed, key))
        self._go_on()

    def has(self, key) -> bool:
        return any(work.key == key for work in self._works)

    def drop(self, key) -> None:
        """Forget the work of this name, begun or not; its `finally` runs, nobody is called."""
        for work in [work for work in self._works if work.key == key]:
            self._end(work)

    def stop(self) -> None:
        for work in list(self._works):
            self._end(work)

    def _end(self, work):
        self._works.remove(work)
        if work is not self._now:  # else it is the caller, and ends by itself
            work.steps.close()

    def _go_on(self):
        if self._works and not self._is_due:
            self._is_due = True
            self._call_later(0, self._turn)

    def _turn(self):
        self._is_due = False
        if self._now is not None or not self._works:
            return  # called from within a step that lets events through: the turn under way goes on by itself
        work = self._now = self._works[0]
        until = time.monotonic() + TURN_S
        try:
            while True:
                next(work.steps)
                if time.monotonic() > until or not self._is_wanted(work):
                    break
        except StopIteration as end:
            self._finish(work, work.then, end.value)
        except Exception as error:  # handed to whoever asked for the work
            self._finish(work, work.failed, error)
        finally:
            self._now = None
            if not self._is_wanted(work):
                work.steps.close()
            self._go_on()

    def _is_wanted(self, work):
        return bool(self._works) and self._works[0] is work

    def _finish(self, work, callback, value):
        wanted = self._is_wanted(work)
        if wanted:
            self._works.popleft()
        self._now = None
        if isinstance(value, Exception) and callback is None:
            raise value
        if wanted and callback is not None:
            callback(value)


def at_once(steps):
    """The same work without an event loop, for scripts and tests; returns what the generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
