"""1,027 made patients through a cohort, with a worker killed on the way and then the scheduler and all workers.

    python Testing/benchmarks/cohort_scale.py FOLDER [--patients 1027] [--workers 2]

The patients are heads of 48 x 44 x 14 voxels and the network is a stand-in that marks by HU (Testing/cohort_scans.py):
this is about rows that are neither lost nor doubled, not about speed. No reports are drawn. Ends with an error when
anything is lost, doubled or different from what one process makes of it.
"""

import argparse
import csv
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from cohort_scans import MarkBlood, hashes, write_scans  # noqa: E402
from dask_processes import DaskProcesses, children_of  # noqa: E402

from ICHVolumeLib.workflow.cohort import run_cohort  # noqa: E402
from ICHVolumeLib.workflow.cohort_case import CohortJob  # noqa: E402
from ICHVolumeLib.workflow.cohort_dask import OnScheduler  # noqa: E402
from ICHVolumeLib.workflow.cohort_inputs import cohort_cases  # noqa: E402


def say(words):
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=1027)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    scans, out = args.folder / "scans", args.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    if len(list(scans.glob("*.nii.gz"))) != args.patients:
        shutil.rmtree(scans, ignore_errors=True)
        write_scans(scans, args.patients)
    bad = scans / "patient-bad.nii.gz"
    bad.write_bytes(b"no image")
    cases, _ = cohort_cases([scans], out)
    say(f"{len(cases)} inputs, one of them no image; {args.workers} workers")
    with DaskProcesses(log=args.folder / "dask.log") as dask:
        run(cases, CohortJob(out, make_segmenter=MarkBlood, report=False), dask, args)
    check(scans, out, args)


def run(cases, job, dask, args):
    parts = [dask.scheduler(), *(dask.worker() for _ in range(args.workers))]
    kill_worker_at, restart_at = args.patients // 4, args.patients // 2

    def on_the_way(event):
        if event.done % max(1, args.patients // 20) == 0:
            say(f"{event.done} of {event.total}, {event.problems} not measured, {event.left_s or 0:.0f} s left")
        if event.done == kill_worker_at:
            victim, = children_of(parts[1])[-1:]
            os.kill(victim, signal.SIGKILL)
            say(f"killed a worker process after {event.done}; its nanny lives")
        if event.done == restart_at:
            for part in parts:
                dask.kill(part)
            say(f"killed the scheduler and all workers after {event.done}; starting them again")
            parts[:] = [dask.scheduler(), *(dask.worker() for _ in range(args.workers))]

    started = time.monotonic()
    cohort = run_cohort(cases, job, OnScheduler(dask.address, say), progress=on_the_way)
    say(f"{cohort.measured} measured, {cohort.finished_before} found finished, {len(cohort.problems)} not measured, "
        f"{time.monotonic() - started:.0f} s")
    started = time.monotonic()
    cohort = run_cohort(cases, job, OnScheduler(dask.address, say))
    say(f"once more: {cohort.measured} measured, {cohort.finished_before} found finished, "
        f"{time.monotonic() - started:.0f} s")


def check(scans, out, args):
    with open(out / "results.csv", encoding="utf-8", newline="") as file:
        patients = [row["patient"] for row in csv.DictReader(file)]
    expected = [f"patient-{number:04d}" for number in range(args.patients)]
    left = [path.name for path in (out / "cases").iterdir() if path.name.startswith(".")]
    chosen = sorted(random.Random(0).sample(expected, min(20, args.patients)))
    alone = out.with_name("alone")
    shutil.rmtree(alone, ignore_errors=True)
    run_cohort(cohort_cases([scans / f"{name}.nii.gz" for name in chosen], alone)[0],
               CohortJob(alone, make_segmenter=MarkBlood, report=False))
    same = hashes(alone).items() <= hashes(out).items()
    say(f"rows {len(patients)}, each patient once and in order: {patients == expected}; leftovers: {left or 'none'}; "
        f"{len(chosen)} of them measured again in one process, all files the same: {same}")
    if patients != expected or left or not same:
        raise SystemExit("something was lost, doubled or different")


if __name__ == "__main__":
    main()
