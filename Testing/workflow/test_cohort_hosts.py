"""A cohort over computers that fail: processes as an administrator starts them, and two hosts in network namespaces."""

import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest
from cohort_scans import MarkBlood, hashes, write_scans
from command_line import child_environment
from dask_processes import DaskProcesses

pytest.importorskip("distributed")

from ICHVolumeLib.workflow.cohort import run_cohort  # noqa: E402
from ICHVolumeLib.workflow.cohort_case import CohortJob  # noqa: E402
from ICHVolumeLib.workflow.cohort_dask import OnScheduler  # noqa: E402
from ICHVolumeLib.workflow.cohort_inputs import cohort_cases  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="process groups")]
HOST_A, HOST_B = "10.231.77.1", "10.231.77.2"  # of the namespaces made here, unreachable from outside
RUN = """
import sys
from pathlib import Path
from cohort_scans import MarkBlood
from ICHVolumeLib.workflow.cohort import run_cohort
from ICHVolumeLib.workflow.cohort_case import CohortJob
from ICHVolumeLib.workflow.cohort_dask import OnScheduler
from ICHVolumeLib.workflow.cohort_inputs import cohort_cases
scans, out, address = sys.argv[1:]
cohort = run_cohort(cohort_cases([scans], out)[0], CohortJob(Path(out), make_segmenter=MarkBlood, report=False),
                    OnScheduler(address))
print(cohort.measured, len(cohort.problems))
"""


@pytest.fixture
def scans(tmp_path):
    for path in write_scans(tmp_path / "scans", 8):
        path.with_name(f"{path.name}.slow").write_text("0.5")  # so that nobody takes them all
    return tmp_path / "scans"


@pytest.fixture
def alone(scans, tmp_path):
    out = tmp_path / "alone"
    run_cohort(cohort_cases([scans], out)[0], CohortJob(out, make_segmenter=MarkBlood, report=False))
    return hashes(out)


def test_a_scheduler_that_is_started_again_costs_nothing(scans, alone, tmp_path):
    out = tmp_path / "out"
    with DaskProcesses() as dask:
        parts = [dask.scheduler(), dask.worker()]

        def on_the_way(event):
            if event.done == 3:
                for part in parts:
                    dask.kill(part)
                parts[:] = [dask.scheduler(), dask.worker()]

        said, seen = [], []
        cohort = run_cohort(cohort_cases([scans], out)[0], CohortJob(out, make_segmenter=MarkBlood, report=False),
                            OnScheduler(dask.address, said.append),
                            progress=lambda event: (seen.append(event.last.case.patient), on_the_way(event)))
    assert cohort.measured + cohort.finished_before == 8 and not cohort.problems
    assert Counter(seen) == Counter(row.patient for row in cohort.rows)
    assert any("is gone; waiting for it to come back" in sentence for sentence in said)
    assert hashes(out) == alone


def test_when_the_scheduler_stays_away_the_run_ends_in_a_sentence_and_the_next_one_goes_on(scans, alone, tmp_path):
    out, cases = tmp_path / "out", cohort_cases([scans], tmp_path / "out")[0]
    job = CohortJob(out, make_segmenter=MarkBlood, report=False)
    with DaskProcesses(log=tmp_path / "dask.log") as dask:
        parts = [dask.scheduler(), dask.worker()]
        wait_for_workers(tmp_path / "dask.log", 1)

        def switch_off(event):
            if event.done == 3:
                for part in parts:
                    dask.kill(part)

        with pytest.raises(Exception, match="does not answer; .* of 8 patients are done and kept"):
            run_cohort(cases, job, OnScheduler(dask.address, patience_s=2), progress=switch_off)
    cohort = run_cohort(cases, job)
    assert cohort.finished_before >= 3 and cohort.finished_before + cohort.measured == 8
    assert hashes(out) == alone


@pytest.fixture
def two_hosts():
    """Names of two network namespaces joined by a cable; nothing else is reached from them."""
    if not shutil.which("ip") or subprocess.run(["ip", "netns", "add", "ichv-a"], capture_output=True).returncode:
        pytest.skip("network namespaces are not permitted here")
    try:
        for command in ("netns add ichv-b", "link add ichv-va type veth peer name ichv-vb",
                        "link set ichv-va netns ichv-a", "link set ichv-vb netns ichv-b",
                        f"-n ichv-a addr add {HOST_A}/30 dev ichv-va", f"-n ichv-b addr add {HOST_B}/30 dev ichv-vb",
                        "-n ichv-a link set ichv-va up", "-n ichv-b link set ichv-vb up",
                        "-n ichv-a link set lo up", "-n ichv-b link set lo up"):
            subprocess.run(["ip", *command.split()], check=True)
        yield "ichv-a", "ichv-b"
    finally:
        for name in ("ichv-a", "ichv-b"):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def test_two_hosts_share_a_cohort(two_hosts, scans, alone, tmp_path):
    first, second = (["ip", "netns", "exec", name] for name in two_hosts)
    log = tmp_path / "dask.log"
    with DaskProcesses(HOST_A, log) as dask:
        dask.scheduler(first)
        time.sleep(5)
        dask.worker(first)
        dask.worker(second, HOST_B)
        wait_for_workers(log, 2)
        done = subprocess.run([*first, sys.executable, "-c", RUN, str(scans), str(tmp_path / "out"), dask.address],
                              capture_output=True, text=True, timeout=300,
                              env=child_environment(PYTHONPATH=child_path()))
    assert done.stdout.split() == ["8", "0"], done.stderr
    assert hashes(tmp_path / "out") == alone
    assert f"tcp://{HOST_A}:" in log.read_text() and f"tcp://{HOST_B}:" in log.read_text()


def wait_for_workers(log, count):
    until = time.monotonic() + 90
    while log.read_text().count("Registered to") < count and time.monotonic() < until:
        time.sleep(0.5)


def child_path():
    return ":".join(filter(None, sys.path))
