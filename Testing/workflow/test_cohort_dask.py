"""A cohort on a real Dask scheduler with worker processes of this computer."""

import csv
import os
import shutil
import time

import pytest
from cohort_scans import MarkBlood, hashes, write_scans

LOCAL = "127.0.0.1:0"
distributed = pytest.importorskip("distributed")
import dask  # noqa: E402

from ICHVolumeLib.core.errors import ICHVolumeError, InputError  # noqa: E402
from ICHVolumeLib.workflow import cohort_dask  # noqa: E402
from ICHVolumeLib.workflow.cohort import run_cohort  # noqa: E402
from ICHVolumeLib.workflow.cohort_case import CohortJob  # noqa: E402
from ICHVolumeLib.workflow.cohort_dask import LocalWorkers, OnScheduler, OnThisComputer, local_workers  # noqa: E402
from ICHVolumeLib.workflow.cohort_inputs import cohort_cases  # noqa: E402


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes with a thread each, for all tests of this file: processes start slowly."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}), cohort_dask._quiet_dask(), \
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=LOCAL,
                                     host="127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort") / "scans"
    write_scans(folder, 5)
    return folder


@pytest.fixture(scope="module")
def alone(scans, tmp_path_factory):
    """What one process makes of them, one after the other."""
    out = tmp_path_factory.mktemp("alone") / "out"
    run_cohort(cohort_cases([scans], out)[0], CohortJob(out, make_segmenter=MarkBlood, report=False))
    return out


def run(scans, out, runner, **job):
    cases = cohort_cases([scans], out)[0]
    return run_cohort(cases, CohortJob(out, make_segmenter=MarkBlood, report=False, **job), runner)


def table(out):
    """results.csv without what tells of time and worker."""
    with open(out / "results.csv", encoding="utf-8", newline="") as file:
        return [row | {"measured_at": "", "device": ""} for row in csv.DictReader(file)]


def devices(cohort):
    return {row.values["device"] for row in cohort.rows}


def test_results_are_the_same_whatever_the_number_of_workers(cluster, scans, alone, tmp_path):
    cohort = run(scans, tmp_path / "out", OnScheduler(cluster.scheduler_address))
    assert cohort.measured == 5 and not cohort.problems
    assert table(tmp_path / "out") == table(alone)
    assert hashes(tmp_path / "out") == hashes(alone)
    assert devices(cohort) == {"cpu, threads 1"}  # a worker without a card that was given to it leaves cards alone


def test_a_worker_killed_in_the_middle_costs_nothing(scans, cluster, alone, tmp_path):
    shutil.copytree(scans, tmp_path / "scans")
    (tmp_path / "scans" / "patient-0001.nii.gz.kill").touch()
    cohort = run(tmp_path / "scans", tmp_path / "out", OnScheduler(cluster.scheduler_address))
    assert cohort.measured == 5 and not cohort.problems
    assert not (tmp_path / "scans" / "patient-0001.nii.gz.kill").exists(), "nobody was killed"
    assert hashes(tmp_path / "out") == hashes(alone)


@pytest.mark.slow
def test_a_scan_that_ends_every_worker_is_a_problem_of_its_own(scans, cluster, tmp_path):
    shutil.copytree(scans, tmp_path / "scans")
    (tmp_path / "scans" / "patient-0003.nii.gz.deadly").touch()
    cohort = run(tmp_path / "scans", tmp_path / "out", OnScheduler(cluster.scheduler_address))
    (patient, _, said), = cohort.problems
    assert (patient, len(cohort.rows)) == ("patient-0003", 4)
    assert "was ended from outside each time" in said and "lack of memory" in said


def test_without_a_card_in_the_cluster_cuda_is_refused_in_a_sentence(cluster, scans, tmp_path):
    with pytest.raises(ICHVolumeError, match="none of its workers offers a card"):
        run(scans, tmp_path / "out", OnScheduler(cluster.scheduler_address, patience_s=0.5), device="cuda")


def test_a_worker_with_a_card_takes_one_case_at_a_time(scans, tmp_path):
    shutil.copytree(scans, tmp_path / "scans")
    for number in range(3):
        (tmp_path / "scans" / f"patient-{number:04d}.nii.gz.slow").write_text("0.2")
    with cohort_dask._quiet_dask(), distributed.LocalCluster(
            n_workers=1, threads_per_worker=4, processes=False, dashboard_address=LOCAL,
            resources={"GPU": 1}) as with_card:
        started = time.monotonic()
        cohort = run(tmp_path / "scans", tmp_path / "out", OnScheduler(with_card.scheduler_address), device="cuda")
    assert devices(cohort) == {"cuda, threads 4"} and len(cohort.rows) == 5
    assert time.monotonic() - started > 0.6


def test_a_scheduler_that_does_not_answer_is_named_with_what_to_do(scans, tmp_path):
    with pytest.raises(InputError, match="tcp://127.0.0.1:9 does not answer; start it with `dask scheduler`"):
        run(scans, tmp_path / "out", OnScheduler("tcp://127.0.0.1:9"))


def test_an_address_that_is_none_is_named(scans, tmp_path):
    with pytest.raises(InputError, match="nonsense://x does not answer"):
        run(scans, tmp_path / "out", OnScheduler("nonsense://x"))


def test_a_scheduler_without_workers_is_named(scans, tmp_path):
    said = []
    with cohort_dask._quiet_dask(), distributed.LocalCluster(n_workers=0, processes=False,
                                                             dashboard_address=LOCAL) as empty, \
            pytest.raises(ICHVolumeError, match="it has no workers .* 0 of 5 patients are done"):
        run(scans, tmp_path / "out", OnScheduler(empty.scheduler_address, said.append, patience_s=0.5))
    assert said == ["No worker is there; waiting 0 s for one."]


@pytest.mark.parametrize("wanted, cores, memory_gib, expected", [
    (None, 8, 64, LocalWorkers(8, 1)), (None, 8, 10, LocalWorkers(3, 2)), (None, 8, 1, LocalWorkers(1, 8)),
    (2, 8, 64, LocalWorkers(2, 4)), (16, 8, 64, LocalWorkers(16, 1))])
def test_workers_follow_cores_and_memory(monkeypatch, wanted, cores, memory_gib, expected):
    monkeypatch.setattr(cohort_dask, "gpu_count", lambda: 0)
    monkeypatch.setattr(cohort_dask, "_cores", lambda: cores)
    monkeypatch.setattr(cohort_dask, "_memory_bytes", lambda: memory_gib << 30)
    assert local_workers(wanted, "auto") == expected


def test_cards_get_one_worker_each(monkeypatch):
    monkeypatch.setattr(cohort_dask, "gpu_count", lambda: 2)
    monkeypatch.setattr(cohort_dask, "_cores", lambda: 8)
    monkeypatch.setattr(cohort_dask, "_memory_bytes", lambda: 64 << 30)
    assert local_workers(None, "auto") == LocalWorkers(2, 1, gpu=True)
    assert local_workers(5, "cuda") == LocalWorkers(2, 1, gpu=True)
    assert local_workers(None, "cpu") == LocalWorkers(8, 1)


@pytest.mark.parametrize("seen, number, own", [("", 1, "1"), ("2,3", 0, "2"), ("2,3", 1, "3")])
def test_each_local_worker_takes_a_card_of_its_own_and_keeps_it(monkeypatch, seen, number, own):
    monkeypatch.setenv(cohort_dask.VISIBLE, seen)
    for _ in range(2):
        cohort_dask._take_own_card(number)
        assert os.environ[cohort_dask.VISIBLE] == own


@pytest.mark.slow
def test_processes_of_our_own_give_the_same(scans, alone, tmp_path):
    cohort = run(scans, tmp_path / "out", OnThisComputer(LocalWorkers(2, 1)))
    assert cohort.measured == 5 and hashes(tmp_path / "out") == hashes(alone)
