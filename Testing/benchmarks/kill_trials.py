"""kill -9 at random moments of `measure` and `compare`: the output folder holds the old files or the new, no mixture.

    python Testing/benchmarks/kill_trials.py [--trials 200] [--seed 0] [--commands measure,compare]

A small phantom; every trial runs the command into a folder with a good older result, and kills it after a random share
of the time that it takes. Then `verify` must say that the files belong together, and what they say must be the old
numbers or the new. Prints one line a trial that fails, and the counts; ends with 1 when any failed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing"), str(ROOT)]

from follow_up_patients import measured, scan_of_head  # noqa: E402
from phantoms import ellipsoid_ct  # noqa: E402

from ICHVolumeLib.io.nrrd import write_nrrd  # noqa: E402
from ICHVolumeLib.workflow.verify import verify  # noqa: E402


def measure_commands(folder: Path):
    """(old, new): the two commands without OUT, whose masks differ."""
    phantom = ellipsoid_ct("regular", pixel_mm=4.0, step_mm=10.0)
    write_nrrd(folder / "ct.nrrd", phantom.ct.hu, phantom.ct.ijk_to_ras)
    names = ["old.nrrd", "new.nrrd"]
    for name, mask in zip(names, (phantom.mask, phantom.mask * 2), strict=True):
        write_nrrd(folder / name, mask, phantom.ct.ijk_to_ras)
    return [["measure", str(folder / "ct.nrrd"), str(folder / name)] for name in names]


def compare_commands(folder: Path):
    cases = []
    for number, ml in enumerate((20, 32, 26)):
        ct, mask, _ = scan_of_head(ml)
        cases.append(measured(folder / str(number), ct, mask, when=f"2026010{number + 1}T080000"))
    return [["compare", str(cases[0]), str(case)] for case in cases[1:]]


COMMANDS = {"measure": (measure_commands, "result.json"), "compare": (compare_commands, "compare.json")}


def start(arguments, out):
    return subprocess.Popen([sys.executable, "-m", "ICHVolumeLib", *arguments, "-o", str(out)], start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})


def numbers(out: Path, record: str) -> str:
    values = json.loads((out / record).read_text(encoding="utf-8"))
    return json.dumps([values.get(name) for name in ("volume_ml", "expansion", "total_ml")], sort_keys=True)


def trials(name: str, count: int, random_: random.Random) -> tuple[dict, int]:
    """({"old": n, "new": n}, failures)."""
    make, record = COMMANDS[name]
    seen, failures = {"old": 0, "new": 0}, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        old, new = make(folder)
        for arguments, where in ((old, "kept"), (new, "other")):
            started = time.perf_counter()
            if start(arguments, folder / where).wait() != 0:
                raise SystemExit(f"{name}: the command itself fails; nothing was tried")
        took_s = time.perf_counter() - started
        told = {numbers(folder / "kept", record): "old", numbers(folder / "other", record): "new"}
        for trial in range(count):
            out = folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(folder / "kept", out)
            process = start(new, out)
            try:
                process.wait(random_.uniform(0, 1.1) * took_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            checked = verify(out)
            state = told.get(numbers(out, record))
            if checked.belongs_together and state:
                seen[state] += 1
            else:
                failures += 1
                print(f"{name} {trial}: {[row for row in checked.rows if row.state != 'unchanged']}", flush=True)
    return seen, failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200, help="of all commands together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    chosen = parser.parse_args()
    chosen_commands = chosen.commands.split(",")
    failed = 0
    for command in chosen_commands:
        states, wrong = trials(command, chosen.trials // len(chosen_commands), random.Random(chosen.seed))
        failed += wrong
        print(f"{command}: {states}, {wrong} failed", flush=True)
    sys.exit(1 if failed else 0)
