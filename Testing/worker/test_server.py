"""The worker as Slicer uses it: a real child process, spoken to in lines."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from phantoms import ellipsoid_ct

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.core.ct_volume import CTVolume  # noqa: E402
from ICHVolumeLib.worker.npz_files import read_segmentation, write_scan  # noqa: E402

PATIENCE_S = 60
ROOT = Path(__file__).resolve().parent.parent


class Child:
    def __init__(self, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ICHVolumeLib.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, **environment})
        self._events = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self._events.put(json.loads(line))  # anything but JSON would end the test with no event

    def say(self, text):
        self.process.stdin.write((text if isinstance(text, str) else json.dumps(text)).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, *kinds):
        """Events up to the first of these kinds."""
        seen = []
        while not seen or seen[-1]["event"] not in kinds:
            seen.append(self._events.get(timeout=PATIENCE_S))
        return seen

    def segment(self, case, scan_id="1", **changes):
        self.say({"command": "segment", "id": scan_id, "input": str(case / "in.npz"), "output": str(case / "out.npz"),
                  "device": "cpu", "weights": str(case / "weights"), **changes})


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    manifest = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}
    thresholding_weights(folder / "weights", manifest, base_width=8)
    phantom = ellipsoid_ct("tilted-uneven", pixel_mm=1.5, columns=128, rows=144, step_mm=6.0, noise_hu=1.0)
    write_scan(folder / "in.npz", phantom.ct)
    np.save(folder / "truth.npy", phantom.mask)
    long = CTVolume.regular(np.tile(phantom.ct.hu, (20, 2, 2)), np.diag([-0.7, -0.7, 1.0, 1.0]))
    write_scan(folder / "long.npz", long)
    return folder


@pytest.fixture
def child(tmp_path):
    started = Child(ICHVOLUME_CACHE=str(tmp_path / "cache"))
    yield started
    started.process.stdin.close()
    assert started.process.wait(PATIENCE_S) == 0


def test_a_scan_becomes_a_mask_on_disk_with_progress_on_the_way(child, case):
    assert child.until("ready") == [{"event": "ready"}]
    child.segment(case)
    *progress, done = child.until("done", "error")
    assert done["event"] == "done" and done["id"] == "1" and done["found"] is True
    assert done["engine"] == "openvino" and {"network", "total"} <= set(done["seconds"])
    stages = [event["stage"] for event in progress]
    assert list(dict.fromkeys(stages)) == ["read", "network", "clean", "write"]
    assert all(set(event) == {"event", "id", "stage", "done", "total", "seconds"} for event in progress)
    segmentation = read_segmentation(done["output"])
    assert (segmentation.mask == np.load(case / "truth.npy")).all()
    assert not list(case.glob("*.part")) and not list(case.glob(".*.part"))


def test_the_second_scan_is_warm(child, case):
    loads = []
    for scan_id in ("1", "2"):
        child.segment(case, scan_id)
        loads.append(child.until("done", "error")[-1]["seconds"]["load"])
    assert loads[1] < 0.1 * loads[0]


def test_the_first_scan_is_warm_when_one_was_checked_before(case, tmp_path):
    loads = []
    for commands in (["segment"], ["check", "segment"]):
        child = Child(ICHVOLUME_CACHE=str(tmp_path / "cache"), ICHVOLUME_WEIGHTS=str(case / "weights"))
        for number, command in enumerate(commands):
            child.segment(case, str(number), command=command, device="auto", weights=None)
            done = child.until("done", "error")[-1]
            if command == "check":
                time.sleep(0.5)  # a person looks at the scan
        loads.append(done["seconds"]["load"])
        child.process.stdin.close()
        assert child.process.wait(PATIENCE_S) == 0
    assert loads[1] < 0.1 * loads[0]


def test_a_check_leaves_the_network_of_the_scan_before_in_place(child, case):
    loads = []
    for number, command in enumerate(["segment", "check", "segment"]):  # with other weights than the package's
        child.segment(case, str(number), command=command)
        loads.append(child.until("done", "error")[-1].get("seconds", {}).get("load"))
        time.sleep(0.5)
    assert loads[2] < 0.1 * loads[0]


def test_a_check_is_no_error_where_the_network_cannot_be_loaded(case, tmp_path):
    child = Child(ICHVOLUME_CACHE=str(tmp_path / "cache"), ICHVOLUME_WEIGHTS=str(tmp_path / "nothing"))
    child.segment(case, "1", command="check")
    assert child.until("done", "error")[-1]["event"] == "done"
    child.segment(case, "2", weights=None)
    assert child.until("done", "error")[-1]["kind"] == "input"
    child.process.stdin.close()
    assert child.process.wait(PATIENCE_S) == 0


def test_a_cancel_in_the_middle_is_answered_and_writes_nothing(child, case, tmp_path):
    child.segment(case, "long", input=str(case / "long.npz"), output=str(tmp_path / "out.npz"))
    while child.until("progress")[-1]["stage"] != "network":
        pass
    start = time.monotonic()
    child.say({"command": "cancel", "id": "long"})
    assert child.until("cancelled", "done")[-1] == {"event": "cancelled", "id": "long"}
    assert time.monotonic() - start < 10  # the scan itself would take far longer
    assert not list(tmp_path.glob("out*"))
    child.segment(case, "next")
    assert child.until("done", "error", "cancelled")[-1]["event"] == "done"


def test_a_scan_cancelled_while_waiting_never_starts(child, case):
    child.segment(case, "1")
    child.segment(case, "2")
    child.say({"command": "cancel", "id": "2"})
    child.segment(case, "3")
    ends = [child.until("done", "cancelled", "error")[-1] for _ in range(3)]
    assert [(end["event"], end["id"]) for end in ends] == [("done", "1"), ("cancelled", "2"), ("done", "3")]


def test_an_identifier_may_be_used_again_after_a_cancel(child, case):
    child.segment(case, "1")
    child.say({"command": "cancel", "id": "1"})
    child.until("done", "cancelled")
    child.segment(case, "1")
    assert child.until("done", "cancelled", "error")[-1]["event"] == "done"


def test_a_cancel_that_comes_too_late_does_not_hit_the_next_scan(child, case):
    child.say({"command": "cancel", "id": "1"})
    child.segment(case, "1")
    assert child.until("done", "cancelled", "error")[-1]["event"] == "done"
    child.say({"command": "cancel", "id": "1"})
    child.segment(case, "1")
    assert child.until("done", "cancelled", "error")[-1]["event"] == "done"


@pytest.mark.parametrize(("changes", "words"), [
    ({"input": "absent.npz"}, "no such file"), ({"weights": "nowhere"}, "no such folder"),
    ({"device": "abacus"}, "choose auto, cpu or cuda"), ({"output": "nowhere/out.npz"}, "Cannot write"),
])
def test_a_bad_request_is_an_input_error_and_the_next_scan_works(child, case, changes, words):
    child.segment(case, "bad", **changes)
    error = child.until("error", "done")[-1]
    assert (error["event"], error["id"], error["kind"]) == ("error", "bad", "input") and words in error["message"]
    child.segment(case, "good")
    assert child.until("done", "error")[-1]["event"] == "done"


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"command": "dance"}', '{"command": "segment", "id": "1"}',
                                  '{"command": "cancel", "id": [1]}'])
def test_a_line_that_is_no_command_is_answered_and_survived(child, case, line):
    child.say(line)
    error = child.until("error")[-1]
    assert error["kind"] == "input" and error["id"] is None
    child.segment(case)
    assert child.until("done", "error")[-1]["event"] == "done"


def test_closing_stdin_ends_the_worker_even_in_the_middle_of_a_scan(case, tmp_path):
    child = Child(ICHVOLUME_CACHE=str(tmp_path / "cache"))
    child.segment(case, "long", input=str(case / "long.npz"), output=str(tmp_path / "out.npz"))
    while child.until("progress")[-1]["stage"] != "network":
        pass
    child.process.stdin.close()
    assert child.process.wait(15) == 0
    assert not list(tmp_path.glob("out*"))


def test_quit_ends_the_worker(tmp_path):
    child = Child()
    child.until("ready")
    child.say({"command": "quit"})
    assert child.process.wait(PATIENCE_S) == 0


def test_a_missing_package_is_told_apart_from_a_bad_scan(case, tmp_path):
    blocked = tmp_path / "blocked"
    for package in ("openvino", "torch"):
        (blocked / package).mkdir(parents=True)
        (blocked / package / "__init__.py").write_text(f"raise ModuleNotFoundError('No module named {package}')",
                                                       encoding="utf-8")
    child = Child(PYTHONPATH=str(blocked))
    child.segment(case)
    error = child.until("error", "done")[-1]
    assert error["kind"] == "packages" and "openvino" in error["message"]
    child.process.stdin.close()
    assert child.process.wait(PATIENCE_S) == 0


def test_what_a_library_prints_does_not_mix_with_the_events(case, tmp_path):
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    (noisy / "sitecustomize.py").write_text(
        "import os, threading\n"
        "threading.Timer(1.0, lambda: (print('chatter', flush=True), os.write(1, b'more\\n'))).start()\n",
        encoding="utf-8")
    child = Child(PYTHONPATH=str(noisy))
    child.until("ready")
    time.sleep(1.5)
    child.segment(case)
    assert child.until("done", "error")[-1]["event"] == "done"
    child.process.stdin.close()
    assert child.process.wait(PATIENCE_S) == 0


def test_a_scan_is_checked_as_the_library_checks_it(child, case):
    from ICHVolumeLib.core.findings import Finding
    from ICHVolumeLib.quality.checks import check_ct
    from ICHVolumeLib.worker.npz_files import read_scan

    child.say({"command": "check", "id": "1", "input": str(case / "in.npz")})
    done = child.until("done", "error")[-1]
    assert [Finding(**finding) for finding in done["findings"]] == check_ct(read_scan(case / "in.npz"))


def test_the_report_is_written_from_a_scan_and_what_was_measured(child, case, tmp_path):
    from ICHVolumeLib.worker.npz_files import read_scan, write_measured
    from ICHVolumeLib.workflow.make_result import make_result

    ct, mask = read_scan(case / "in.npz"), np.load(case / "truth.npy")
    result = make_result(ct, mask, noticed=[])
    write_measured(tmp_path / "case.npz", mask, result)
    child.say({"command": "report", "id": "1", "input": str(case / "in.npz"), "measured": str(tmp_path / "case.npz"),
               "output": str(tmp_path / "report.html")})
    assert child.until("done", "error")[-1]["output"] == str(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{result.volume_ml.total:.1f}" in page and "</html>" in page


def test_the_sample_patient_is_made(child, tmp_path):
    from ICHVolumeLib.synthetic.sample import make_sample
    from ICHVolumeLib.worker.npz_files import read_scan

    child.say({"command": "sample", "id": "1", "output": str(tmp_path / "scan.npz"), "pixels": 64})
    assert child.until("done", "error")[-1]["event"] == "done"
    assert np.array_equal(read_scan(tmp_path / "scan.npz").hu, make_sample(size=64).ct.hu)


def test_an_errand_without_its_file_is_an_input_error_and_the_next_one_works(child, case, tmp_path):
    child.say({"command": "check", "id": "1", "input": str(tmp_path / "absent.npz")})
    assert child.until("done", "error")[-1]["kind"] == "input"
    child.say({"command": "check", "id": "2"})
    assert "Not a command" in child.until("done", "error")[-1]["message"]
    child.say({"command": "check", "id": "3", "input": str(case / "in.npz")})
    assert child.until("done", "error")[-1]["id"] == "3"
