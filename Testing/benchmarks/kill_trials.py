"""kill -9 at random moments of segment, measure, compare and the panel's export: the output folder holds the old files
or the new, no mixture.

    python Testing/benchmarks/kill_trials.py [--trials 200] [--seed 0] [--commands segment,measure,compare,export]

A small phantom and a network of a few channels; every trial runs the command into a folder with a good older result,
and kills it. The moment: in one trial of four anywhere in the run; in two of four anywhere in the writing, which begins
when the first file lies in the folder beside (seen within a millisecond) and whose length an earlier run told; in one
of four within 5 ms after the finished files begin to be brought into place. Then whoever looks next (`verify`; for an
export, which has no record, the next export's first step) must find files that belong together and are all the old
ones or all the new ones. Prints one line a trial that fails, and the counts; ends with 1 when any failed.
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
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing"), str(ROOT)]

from follow_up_patients import measured, scan_of_head  # noqa: E402
from phantoms import ellipsoid_ct  # noqa: E402

from ICHVolumeLib.io.nrrd import write_nrrd  # noqa: E402
from ICHVolumeLib.io.output_folder import COMMIT, finish_commit  # noqa: E402
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


def segment_commands(folder: Path):
    """Two sizes of bleed, marked by a network that thresholds."""
    from network_weights import thresholding_weights

    weights = thresholding_weights(folder / "weights", {"pixel_spacing_mm": {"native_range": [0.3, 5.0],
                                                                             "target": 4.0}})
    commands = []
    for name, semi_axes_mm in (("old", (30.0, 20.0, 20.0)), ("new", (36.0, 24.0, 20.0))):
        ct = ellipsoid_ct("regular", pixel_mm=4.0, step_mm=10.0, columns=64, rows=64, semi_axes_mm=semi_axes_mm).ct
        write_nrrd(folder / f"{name}.nrrd", ct.hu, ct.ijk_to_ras)
        commands.append(["segment", str(folder / f"{name}.nrrd"), "--weights", str(weights), "--device", "cpu"])
    return commands


def export_commands(folder: Path):
    """The panel's export of two masks, from a script; run by this file itself."""
    return [["export", "1.0"], ["export", "0.7"]]


def export(share: str, out: str) -> None:
    """What the child of an `export` trial does: everything the panel can write, of a bleed so large."""
    sys.path.insert(0, str(ROOT / "ICHVolume"))
    from bare_slicer import require_slicer

    slicer = require_slicer()
    from ICHVolumePanel import scene
    from ICHVolumePanel.case import Case
    from ICHVolumePanel.exporting import FORMATS, Wishes, export_case
    from ICHVolumePanel.turns import at_once

    from ICHVolumeLib.core.labels import LABELS

    phantom = ellipsoid_ct("regular", pixel_mm=4.0, step_mm=10.0, columns=64, rows=64,
                           semi_axes_mm=tuple(float(share) * mm for mm in (30.0, 20.0, 20.0)))
    node = slicer.util.addVolumeFromArray(phantom.ct.hu, ijkToRAS=phantom.ct.ijk_to_ras, name="CT")
    case = Case.open(node)
    case.choose(at_once(scene.new_segmentation_in_steps(node, phantom.mask, LABELS, "bleed")))
    export_case(case, out, Wishes(FORMATS))


COMMANDS = {"segment": (segment_commands, "result.json"), "measure": (measure_commands, "result.json"),
            "compare": (compare_commands, "compare.json"), "export": (export_commands, "")}
MODES = ("any moment", "writing", "writing", "bringing in")
BRINGING_IN_S = 0.005


def start(arguments, out):
    """The command in a process of its own."""
    own = [str(Path(__file__).resolve()), "--export", arguments[1], str(out)] if arguments[0] == "export" else \
        ["-m", "ICHVolumeLib", *arguments, "-o", str(out)]
    return subprocess.Popen([sys.executable, *own], start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
                                 "QT_QPA_PLATFORM": "offscreen"})


def is_writing(out: Path) -> bool:
    """A first file lies in the folder beside, or the files are being brought in."""
    return any(any(beside.iterdir()) for beside in out.glob(".ichvolume-writing-*")) or (out / COMMIT).exists()


def wait_for(process, condition) -> bool:
    """False when the process ended first."""
    while process.poll() is None:
        with suppress(OSError):  # it was moved away while it was looked at
            if condition():
                return True
        time.sleep(0.0005)
    return False


def timed(arguments, out) -> tuple[float, float]:
    """(seconds of the whole run, of its writing), into a folder with a good result."""
    started = time.perf_counter()
    process = start(arguments, out)
    wait_for(process, lambda: is_writing(out))
    wrote = time.perf_counter()
    if process.wait() != 0:
        raise SystemExit(f"{arguments}: the command itself fails; nothing was tried")
    return time.perf_counter() - started, time.perf_counter() - wrote


def killed(arguments, out, mode, random_, took_s, wrote_s) -> None:
    process = start(arguments, out)
    if mode == "any moment":
        wait_s = random_.uniform(0, 1.1) * took_s
    elif mode == "writing":
        wait_for(process, lambda: is_writing(out))
        wait_s = random_.uniform(0, 1.1) * wrote_s
    else:
        wait_for(process, (out / COMMIT).exists)
        wait_s = random_.uniform(0, BRINGING_IN_S)
    with suppress(subprocess.TimeoutExpired):
        process.wait(wait_s)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def numbers(out: Path, record: str) -> str:
    """What tells the old files from the new ones: the record's numbers, or every byte of an export's table and models
    (with its date, a table differs from run to run)."""
    if record:
        values = json.loads((out / record).read_text(encoding="utf-8"))
        return json.dumps([values.get(name) for name in ("volume_ml", "expansion", "total_ml")], sort_keys=True)
    finish_commit(out)
    names = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    row = (out / "CT_result.csv").read_text(encoding="utf-8").splitlines()
    volume_ml = dict(zip(row[0].split(","), row[1].split(","), strict=False))["volume_total_ml"]
    sizes = [f"{name} {(out / name).stat().st_size}" for name in names if name.endswith((".stl", ".ply", ".obj"))]
    page = (out / "CT_report.html").read_text(encoding="utf-8")
    return json.dumps([names, volume_ml, sizes, f"{float(volume_ml):.1f}" in page])


def trials(name: str, count: int, random_: random.Random) -> tuple[dict, int]:
    """({mode: {"old": n, "new": n}}, failures)."""
    make, record = COMMANDS[name]
    seen = {mode: {"old": 0, "new": 0} for mode in dict.fromkeys(MODES)}
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        old, new = make(folder)
        for arguments, where in ((old, "kept"), (new, "other"), (new, "other")):
            took_s, wrote_s = timed(arguments, folder / where)
        told = {numbers(folder / "kept", record): "old", numbers(folder / "other", record): "new"}
        print(f"{name}: {took_s:.1f} s, of it {wrote_s:.2f} s of writing", flush=True)
        for trial in range(count):
            out, mode = folder / "out", MODES[trial % len(MODES)]
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(folder / "kept", out)
            killed(new, out, mode, random_, took_s, wrote_s)
            checked = verify(out) if record else None
            state = told.get(numbers(out, record))
            if state and (checked is None or checked.belongs_together):
                seen[mode][state] += 1
            else:
                failures += 1
                rows = [row for row in checked.rows if row.state != "unchanged"] if checked else numbers(out, record)
                print(f"{name} {trial} ({mode}): {rows}", flush=True)
    return seen, failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200, help="of all commands together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--export", nargs=2, metavar=("SHARE", "OUT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.export:
        export(*chosen.export)
        sys.exit(0)
    chosen_commands = chosen.commands.split(",")
    failed = 0
    for command in chosen_commands:
        states, wrong = trials(command, chosen.trials // len(chosen_commands), random.Random(chosen.seed))
        failed += wrong
        print(f"{command}: {states}, {wrong} failed", flush=True)
    sys.exit(1 if failed else 0)
