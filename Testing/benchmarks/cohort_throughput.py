"""How much two workers with one thread each do against one: `ichvolume cohort` with the real network.

    python Testing/benchmarks/cohort_throughput.py FOLDER [--cases 12] [--rounds 3] [--no-report]

All cases are copies of one made patient (40 slices of 512 x 512), so that none is harder than another. Counted is from
the moment when every worker has one case behind it: the start of processes, loading and compiling are not part of it.
Nothing else may run; a load over LOAD before it begins makes the figures void (making the scans takes a minute: run
it twice). Exit code 1 under TARGET or when void.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ICHVolumeLib.synthetic.dicom_series import write_dicom_series  # noqa: E402
from ICHVolumeLib.synthetic.sample import make_sample  # noqa: E402
from ICHVolumeLib.workflow.cohort import run_cohort  # noqa: E402
from ICHVolumeLib.workflow.cohort_case import CohortJob  # noqa: E402
from ICHVolumeLib.workflow.cohort_dask import LocalWorkers, OnThisComputer  # noqa: E402
from ICHVolumeLib.workflow.cohort_inputs import cohort_cases  # noqa: E402

TARGET, LOAD = 0.9, 0.3


def say(words):
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def cases_an_hour(scans, out, workers, report):
    """Of workers with one thread each, once all of them are warm."""
    shutil.rmtree(out, ignore_errors=True)
    ends = []
    run_cohort(cohort_cases([scans], out)[0], CohortJob(out, device="cpu", report=report),
               OnThisComputer(LocalWorkers(workers, 1)), progress=lambda event: ends.append(time.perf_counter()))
    return 3600 * (len(ends) - workers) / (ends[-1] - ends[workers - 1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-report", dest="report", action="store_false")
    args = parser.parse_args()
    scans = args.folder / "scans"
    if not scans.is_dir():
        ct = make_sample(3).ct
        for number in range(args.cases):  # UIDs of their own: the same series twice is one case
            write_dicom_series(ct, scans / f"patient-{number:02d}", seed=number)
    load = os.getloadavg()[0]
    void = load > LOAD
    say(f"{args.cases} cases a round, load before {load:.2f}")
    rates: dict[int, list[float]] = {1: [], 2: []}
    for number in range(args.rounds):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            rates[workers].append(cases_an_hour(scans, args.folder / "out", workers, args.report))
            say(f"{workers} worker(s), 1 thread each: {rates[workers][-1]:.1f} cases an hour")
    share = median(rates[2]) / (2 * median(rates[1]))
    say(f"two workers reach {share:.3f} of ideal (target {TARGET}){'; VOID: other programs were running' * void}")
    raise SystemExit(void or share < TARGET)


if __name__ == "__main__":
    main()
