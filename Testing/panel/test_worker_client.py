"""The protocol with the child, against a child made by hand: exactly one ending per job, whatever happens."""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest
from phantoms import ellipsoid_ct

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ICHVolume"))

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
def job(ct, tmp_path, monkeypatch):
    """A client whose files go into tmp_path; whatever the test did, nothing is left there when it is closed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    FakeChild.made = []
    made = Job(ct)
    yield made
    made.client.close()
    assert list(tmp_path.iterdir()) == []


class Job:
    def __init__(self, ct):
        self.ct, self.clock, self.ended, self.progress = ct, Clock(), [], []
        self.client = WorkerClient(FakeChild, self.clock.later)

    def start(self, **options):
        self.client.segment(self.ct, self.callbacks(), **options)

    def callbacks(self, done="done"):
        return Callbacks(
            progress=lambda *what: self.progress.append(what), done=lambda *what: self.ended.append(done),
            cancelled=lambda: self.ended.append("cancelled"),
            failed=lambda sentence, kind: self.ended.append((kind, sentence)))

    def sent(self):
        """(command, id) of everything the present child was told."""
        return [(command["command"], command["id"]) for command in self.child.sent]

    @property
    def child(self):
        return FakeChild.made[-1]

    @property
    def files(self):
        return sorted(path.name for path in Path(tempfile.gettempdir()).glob("*/*"))


def test_the_scan_is_written_before_the_command_is_sent(job):
    job.start(device="cpu", weights_dir="w")
    assert job.child.sent == []
    job.clock.run()
    command, = job.child.sent
    assert command["command"] == "segment" and command["device"] == "cpu" and command["weights"] == "w"
    assert Path(command["input"]).exists()


def test_done_ends_the_job_and_leaves_no_answer_behind(job):
    job.start()
    job.clock.run()
    Path(job.child.sent[0]["output"]).write_bytes(b"a mask")
    job.child.say(event="progress", id="1", stage="network", done=3, total=9, seconds=1.0)
    job.child.say(event="done", id="1")
    assert job.progress[-1] == ("network", 3, 9, 1.0)
    assert job.ended == ["done"] and not job.client.is_busy
    assert job.files == ["1-scan.npz"], "the scan stays for the next job on it"
    job.start()
    job.clock.run()
    assert job.child.sent[1]["input"] == job.child.sent[0]["input"] and job.files == ["1-scan.npz"]
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
    monkeypatch.undo()
    job.start()
    job.clock.run()
    assert job.sent() == [("segment", "2")]


def test_close_ends_the_child_and_calls_nobody(job):
    job.start()
    job.clock.run()
    job.client.close()
    job.clock.run(CANCEL_MS)
    assert job.ended == [] and job.child.stopped


def test_jobs_are_done_in_the_order_they_were_asked_for(job):
    job.client.check(job.ct, job.callbacks("checked"))
    job.start()
    job.clock.run()
    assert job.sent() == [("check", "1")] and job.client.is_busy
    job.child.say(event="done", id="1", findings=[])
    job.clock.run()
    assert job.ended == ["checked"] and job.sent() == [("check", "1"), ("segment", "2")]
    assert job.child.sent[0]["input"] == job.child.sent[1]["input"], "the scan is written once"


def test_a_segmentation_cancelled_while_it_waits_is_never_sent(job):
    job.client.check(job.ct, job.callbacks("checked"))
    job.start()
    job.clock.run()
    job.client.cancel()
    assert job.ended == ["cancelled"]
    job.child.say(event="done", id="1", findings=[])
    job.clock.run()
    assert job.ended == ["cancelled", "checked"] and job.sent() == [("check", "1")]


def test_a_check_of_another_scan_replaces_one_that_has_not_ended(job, ct):
    from dataclasses import replace

    job.client.check(ct, job.callbacks("first"))
    job.clock.run()
    job.client.check(replace(ct), job.callbacks("second"))
    job.client.check(replace(ct), job.callbacks("third"))
    job.child.say(event="done", id="1", findings=[])
    job.clock.run()
    job.child.say(event="done", id="3", findings=[])
    assert job.ended == ["third"] and job.sent() == [("check", "1"), ("check", "3")]
    assert job.files == ["3-scan.npz"], "the scan that nobody needs any more is gone"


def test_the_report_gets_the_mask_and_the_result_and_its_page_is_handed_on(job, ct):
    import numpy as np

    from ICHVolumeLib.worker.npz_files import read_measured
    from ICHVolumeLib.workflow.make_result import make_result

    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[5:7, 20:24, 20:25] = 1
    result, pages = make_result(ct, mask, noticed=[]), []
    job.client.report(ct, mask, result, Callbacks(done=lambda path, _event: pages.append(path.read_text()),
                                                  failed=lambda *what: pages.append(what)))
    job.clock.run()
    command, = job.child.sent
    mask_sent, result_sent = read_measured(command["measured"])
    assert np.array_equal(mask_sent, mask) and result_sent == result
    Path(command["output"]).write_text("the page", encoding="utf-8")
    job.child.say(event="done", id="1", output=command["output"])
    assert pages == ["the page"] and job.files == ["1-scan.npz"]


def test_a_new_child_takes_over_what_the_old_one_had_not_done(job):
    job.client.check(job.ct, job.callbacks("checked"))
    job.clock.run()
    old = job.child
    job.client.renew()
    job.clock.run()
    assert old.stopped and job.child is not old and job.sent() == [("check", "1")]
    job.child.say(event="done", id="1", findings=[])
    assert job.ended == ["checked"]


def test_the_next_job_runs_although_the_child_died_on_the_one_before(job):
    job.client.check(job.ct, job.callbacks("checked"))
    job.start()
    job.clock.run()
    job.child.die()
    job.clock.run()
    (kind, sentence), = job.ended
    assert kind == "process" and "Segment ICH" not in sentence
    assert job.sent() == [("segment", "2")]


def test_what_a_crash_left_behind_goes_after_a_day_and_not_before(job, tmp_path):
    old, young = tmp_path / "ichvolume-panel-old", tmp_path / "ichvolume-panel-young"
    for folder in (old, young):
        folder.mkdir()
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    job.start()
    job.clock.run()
    assert not old.exists() and young.exists()
    young.rmdir()


def test_files_that_the_system_tidied_away_are_written_again(job, tmp_path):
    job.start()
    job.clock.run()
    job.child.say(event="done", id="1")
    for take_away in (shutil.rmtree, lambda folder: next(folder.iterdir()).unlink()):
        take_away(next(tmp_path.iterdir()))
        job.start()
        job.clock.run()
        command = job.child.sent[-1]
        assert Path(command["input"]).is_file()
        job.child.say(event="done", id=command["id"])
    assert job.ended == ["done"] * 3


def test_a_child_that_dies_while_the_job_is_prepared_is_replaced(job):
    job.start()
    assert job.child.sent == []
    job.child.die()
    assert job.ended == [] and len(FakeChild.made) == 2
    job.clock.run()
    assert job.sent() == [("segment", "1")]
    job.child.say(event="done", id="1")
    assert job.ended == ["done"]


def test_children_that_keep_dying_while_the_job_is_prepared_end_it(job):
    job.start()
    job.child.die()
    job.child.die("cannot be started")
    (kind, sentence), = job.ended
    assert kind == "process" and "cannot be started" in sentence and len(FakeChild.made) == 2
