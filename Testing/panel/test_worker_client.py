"""The protocol with the child, against a child made by hand: exactly one ending per job, whatever happens."""

import json
import sys
from pathlib import Path

import pytest
from phantoms import ellipsoid_ct

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ICHVolume"))

from ICHVolumePanel.scan_writer import write_scan_in_steps  # noqa: E402
from ICHVolumePanel.worker_client import CANCEL_MS, Callbacks, WorkerClient  # noqa: E402


class FakeChild:
    made = []

    def __init__(self):
        self.sent, self.stopped, self.alive = [], False, False
        FakeChild.made.append(self)

    def start(self, on_line, on_exit):
        self.on_line, self.on_exit, self.alive = on_line, on_exit, True

    def send(self, line):
        self.sent.append(json.loads(line))

    def stop(self):
        self.stopped, self.alive = True, False

    def is_alive(self):
        return self.alive

    def say(self, **event):
        self.on_line(json.dumps(event))

    def die(self, why="exit code 1"):
        self.alive = False
        self.on_exit(why)


class Clock:
    """call_later without an event loop: run(milliseconds) lets that much time pass."""

    def __init__(self):
        self.now, self.waiting = 0, []

    def later(self, milliseconds, function):
        self.waiting.append((self.now + milliseconds, len(self.waiting), function))

    def run(self, milliseconds=0):
        self.now += milliseconds
        while due := sorted(entry[:2] for entry in self.waiting if entry[0] <= self.now):
            entry = next(entry for entry in self.waiting if entry[:2] == due[0])
            self.waiting.remove(entry)
            entry[2]()


@pytest.fixture(scope="module")
def ct():
    return ellipsoid_ct(pixel_mm=4.0, step_mm=10.0, columns=48, rows=48).ct


@pytest.fixture
def job(ct):
    FakeChild.made = []
    return Job(ct)


class Job:
    def __init__(self, ct):
        self.ct, self.clock, self.ended, self.progress = ct, Clock(), [], []
        self.client = WorkerClient(FakeChild, self.clock.later)

    def start(self, **options):
        self.client.segment(self.ct, Callbacks(
            progress=lambda *what: self.progress.append(what), done=lambda *what: self.ended.append("done"),
            cancelled=lambda: self.ended.append("cancelled"),
            failed=lambda sentence, kind: self.ended.append((kind, sentence))), **options)

    @property
    def child(self):
        return FakeChild.made[-1]

    @property
    def folder(self):
        return self.client._job.folder


def test_the_scan_is_written_before_the_command_is_sent(job):
    job.start(device="cpu", weights_dir="w")
    assert job.child.sent == []
    job.clock.run()
    command, = job.child.sent
    assert command["command"] == "segment" and command["device"] == "cpu" and command["weights"] == "w"
    assert Path(command["input"]).exists()


def test_done_ends_the_job_and_leaves_no_files(job):
    job.start()
    job.clock.run()
    folder = job.folder
    job.child.say(event="progress", id="1", stage="network", done=3, total=9, seconds=1.0)
    job.child.say(event="done", id="1")
    assert job.progress[-1] == ("network", 3, 9, 1.0)
    assert job.ended == ["done"] and not job.client.is_busy and not folder.exists()
    job.start()
    assert len(FakeChild.made) == 1, "the child stays for the next scan"


def test_events_of_an_earlier_job_and_chatter_are_ignored(job):
    job.start()
    job.clock.run()
    job.child.say(event="done", id="0")
    job.child.on_line("Loading something...")
    job.child.on_line('["a list"]')
    assert job.client.is_busy and job.ended == []


def test_cancel_is_sent_and_answered(job):
    job.start()
    job.clock.run()
    job.client.cancel()
    assert job.child.sent[-1] == {"command": "cancel", "id": "1"}
    job.child.say(event="cancelled", id="1")
    job.clock.run(CANCEL_MS)
    assert job.ended == ["cancelled"] and job.client.is_warm


def test_cancel_while_the_scan_is_written_sends_nothing(job):
    job.start()
    job.client.cancel()
    job.clock.run(CANCEL_MS)
    assert job.ended == ["cancelled"] and job.child.sent == []


def test_a_child_that_does_not_answer_a_cancel_is_ended(job):
    job.start()
    job.clock.run()
    job.client.cancel()
    job.clock.run(CANCEL_MS)
    assert job.ended == ["cancelled"] and job.child.stopped
    job.start()
    assert len(FakeChild.made) == 2


def test_a_result_that_crosses_the_cancel_is_not_shown(job):
    job.start()
    job.clock.run()
    job.client.cancel()
    job.child.say(event="done", id="1")
    job.clock.run(CANCEL_MS)
    assert job.ended == ["cancelled"]


def test_a_child_that_dies_fails_the_job_once_and_is_replaced(job):
    job.start()
    job.clock.run()
    job.child.die("exit code 9; out of memory")
    job.clock.run(CANCEL_MS)
    (kind, sentence), = job.ended
    assert kind == "process" and "exit code 9; out of memory" in sentence and "try again" in sentence
    job.start()
    job.clock.run()
    assert len(FakeChild.made) == 2 and job.child.sent


def test_a_child_that_dies_between_jobs_is_replaced_without_a_word(job):
    job.start()
    job.clock.run()
    job.child.say(event="done", id="1")
    job.child.die()
    job.start()
    assert job.ended == ["done"] and len(FakeChild.made) == 2


def test_an_error_of_the_child_is_passed_on(job):
    job.start()
    job.clock.run()
    job.child.say(event="error", id="1", kind="input", message="The slices are not axial.")
    assert job.ended == [("input", "The slices are not axial.")] and job.client.is_warm


def test_a_full_disk_fails_the_job(job, monkeypatch):
    from ICHVolumePanel import worker_client

    def full(*_):
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(worker_client, "write_scan_in_steps", full)
    job.start()
    job.clock.run()
    (kind, sentence), = job.ended
    assert kind == "input" and "No space left on device" in sentence


def test_close_ends_the_child_and_calls_nobody(job):
    job.start()
    job.clock.run()
    job.client.close()
    job.clock.run(CANCEL_MS)
    assert job.ended == [] and job.child.stopped


def test_the_steps_write_the_file_that_the_library_reads(ct, tmp_path):
    import numpy as np

    from ICHVolumeLib.exchange import read_scan

    steps = sum(1 for _step in write_scan_in_steps(tmp_path / "scan.npz", ct, slices_per_step=4))
    again = read_scan(tmp_path / "scan.npz")
    assert steps == -(-len(ct.hu) // 4)
    assert np.array_equal(again.hu, ct.hu) and np.array_equal(again.slice_origins_ras, ct.slice_origins_ras)
    assert again.info == ct.info and again.findings == ct.findings


def test_a_writer_that_is_closed_early_leaves_nothing(ct, tmp_path):
    writer = write_scan_in_steps(tmp_path / "scan.npz", ct)
    next(writer)
    writer.close()
    assert list(tmp_path.iterdir()) == []
