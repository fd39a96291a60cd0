"""Work in turns: in order, whole, and forgotten when nobody wants it any more."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ICHVolume"))

from ICHVolumePanel.turns import TURN_S, Turns, at_once  # noqa: E402


class Loop:
    """An event loop by hand."""

    def __init__(self):
        self.waiting = []
        self.turns = Turns(lambda _milliseconds, function: self.waiting.append(function))

    def turn(self):
        self.waiting.pop(0)()

    def run(self):
        while self.waiting:
            self.turn()


def steps(log, name, count=2, seconds=0.0):
    try:
        for number in range(count):
            log.append(f"{name}{number}")
            time.sleep(seconds)
            yield
        return name
    finally:
        log.append(f"{name} closed")


def test_work_is_done_in_order_and_what_it_returns_is_handed_on():
    loop, log = Loop(), []
    for name in "ab":
        loop.turns.add(steps(log, name), log.append)
    assert log == [], "nothing happens in the turn that asks"
    loop.run()
    assert log == ["a0", "a1", "a closed", "a", "b0", "b1", "b closed", "b"]


def test_a_turn_ends_at_the_first_rest_after_its_time():
    loop, log = Loop(), []
    loop.turns.add(steps(log, "a", 3, 2 * TURN_S))
    loop.turn()
    assert log == ["a0"]
    loop.turn()
    assert log == ["a0", "a1"]


def test_quick_steps_share_a_turn():
    loop, log = Loop(), []
    loop.turns.add(steps(log, "a", 3))
    loop.turn()
    assert len(log) > 1


def test_what_is_dropped_is_closed_and_calls_nobody():
    loop, log = Loop(), []
    loop.turns.add(steps(log, "a", 3, 2 * TURN_S), log.append, key="a")
    loop.turns.add(steps(log, "b"), log.append, key="b")
    loop.turn()
    assert loop.turns.has("a") and loop.turns.has("b")
    loop.turns.drop("a")
    assert not loop.turns.has("a")
    loop.run()
    assert log == ["a0", "a closed", "b0", "b1", "b closed", "b"]


def test_work_that_drops_itself_ends_there():
    loop, log = Loop(), []

    def suicidal():
        log.append("before")
        loop.turns.stop()
        yield
        log.append("after")

    loop.turns.add(suicidal(), log.append)
    loop.run()
    assert log == ["before"]


def test_a_failure_goes_to_who_asked_and_the_next_work_is_done():
    loop, log = Loop(), []

    def failing():
        yield
        raise OSError("disk full")

    loop.turns.add(failing(), log.append, lambda error: log.append(str(error)))
    loop.turns.add(steps(log, "b", 1), log.append)
    loop.run()
    assert log == ["disk full", "b0", "b closed", "b"]


def test_a_failure_that_nobody_expects_is_raised_and_the_next_work_is_done():
    loop, log = Loop(), []

    def failing():
        raise ZeroDivisionError
        yield

    loop.turns.add(failing())
    loop.turns.add(steps(log, "b", 1), log.append)
    with pytest.raises(ZeroDivisionError):
        loop.run()
    loop.run()
    assert log[-1] == "b"


def test_work_may_ask_for_more_work():
    loop, log = Loop(), []
    loop.turns.add(steps(log, "a", 1), lambda _name: loop.turns.add(steps(log, "b", 1), log.append))
    loop.run()
    assert log[-1] == "b"


def test_a_script_does_it_at_once():
    log = []
    assert at_once(steps(log, "a")) == "a"


def test_a_step_that_lets_events_through_is_not_entered_again():
    loop, log = Loop(), []

    def asking():
        loop.turns.add(steps(log, "b", 1), log.append)
        loop.run()  # a question to the user, a progress bar: the event loop runs inside the step
        log.append("answered")
        yield

    loop.turns.add(asking(), log.append, log.append)
    loop.run()
    assert log == ["answered", None, "b0", "b closed", "b"]
