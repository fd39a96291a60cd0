"""Damaged files by the thousand: each must be read or refused in words, within 10 s and 2 GB, and touch nothing else.

    python Testing/fuzz/run.py --inputs 100000 --folder build/fuzz

Goes on where it stopped (state.json in the folder), prints what it did, and keeps every failing input and its traceback
in failures/. The same seed gives the same inputs on every machine. Exit code 1 when something failed.
"""

import argparse
import json
import os
import random
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent)]
KILL_AFTER = 90  # seconds without a line: the child's own alarm did not get through
START_WITHIN = 900  # seconds to the first line, on a busy machine: it makes the sound files and reads each
BATCH = 2000  # inputs a child tries before a fresh one takes over
KEPT_OF_A_KIND = 3


class Fuzz:
    """The state of a run, on disk: how many inputs were tried, what came of them, and which failed."""

    def __init__(self, folder, seed):
        self.folder, self.seed = Path(folder), seed
        self.folder.mkdir(parents=True, exist_ok=True)
        self.done, self.outcomes, self.failures = 0, Counter(), Counter()
        self._file = self.folder / "state.json"
        if self._file.is_file():
            state = json.loads(self._file.read_text(encoding="utf-8"))
            if state["seed"] == seed:
                self.done, self.outcomes = state["done"], Counter(state["outcomes"])
                self.failures = Counter(state["failures"])

    def save(self) -> None:
        state = {"seed": self.seed, "done": self.done, "outcomes": self.outcomes, "failures": self.failures}
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(state, indent=1), encoding="utf-8")
        os.replace(part, self._file)

    def note(self, number, target, outcome, signature="", details="") -> None:
        self.done = number + 1
        self.outcomes[f"{target}: {outcome}"] += 1
        if outcome == "failed":
            kind = f"{target}: {signature}"
            self.failures[kind] += 1
            if self.failures[kind] <= KEPT_OF_A_KIND:
                self._keep(number, target, kind, details)
        if self.done % 500 == 0:
            self.save()

    def _keep(self, number, target, kind, details):
        kept = self.folder / "failures"
        kept.mkdir(exist_ok=True)
        (kept / f"{number}.txt").write_text(f"{kind}\nseed {self.seed}, input {number} ({target})\n\n{details}\n",
                                            encoding="utf-8")

    def run(self, inputs, minutes=None) -> None:
        """Try inputs until `inputs` were tried in all, or `minutes` are over (a child's start does not count)."""
        left = 60 * minutes if minutes else None
        while self.done < inputs and (left is None or left > 0):
            used = self._run_child(self.done, min(self.done + BATCH, inputs), left)
            left = left and left - used
            self.save()

    def _run_child(self, first, last, limit) -> float:
        """Seconds from the first input on."""
        work = os.path.realpath(tempfile.mkdtemp(prefix="ichvolume-fuzz-"))
        command = [sys.executable, str(HERE / "child.py"), work, str(self.seed), str(first), str(last)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
                       "TMPDIR": work}
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                                 cwd=work, start_new_session=True)
        begun, started = None, None
        try:
            for line in _lines(child.stdout):
                if line is not None:
                    started = started or time.monotonic()
                if line is None or limit and time.monotonic() > started + limit:
                    break
                number, target, outcome, *more = json.loads(line)
                if outcome == "begun":
                    begun = number, target
                else:
                    self.note(number, target, outcome, *more)
                    begun = None
            else:
                line = ""
            if line is None and begun:
                self.note(*begun, "failed", f"no answer for {KILL_AFTER} s")
        finally:
            _kill_with_its_own(child)
            errors = child.communicate()[1]
            shutil.rmtree(work, ignore_errors=True)
        if line == "" and begun:
            self.note(*begun, "failed", f"the process died (exit {child.returncode})", errors[-3000:])
        if started is None:
            raise RuntimeError(f"The fuzzing process does not start:\n{errors}")
        return time.monotonic() - started

    def report(self) -> str:
        lines = [f"{self.done} inputs tried (seed {self.seed})"]
        targets = sorted({name.rpartition(": ")[0] for name in self.outcomes})
        for target in targets:
            counts = [self.outcomes[f"{target}: {outcome}"] for outcome in ("read", "refused", "failed")]
            lines.append(f"  {target:<16} read {counts[0]:>6}   refused {counts[1]:>6}   failed {counts[2]:>4}")
        lines += [f"FAILED {count:>5} x {kind}" for kind, count in self.failures.most_common()] or ["Nothing failed."]
        return "\n".join(lines)


def _lines(stream):
    """The child's lines as they come; None once it has been silent for KILL_AFTER, or START_WITHIN at first."""
    selector = selectors.DefaultSelector()
    selector.register(stream, selectors.EVENT_READ)
    pending, patience = b"", START_WITHIN
    while True:
        if not selector.select(patience):
            yield None
            return
        data, patience = os.read(stream.fileno(), 1 << 16), KILL_AFTER
        if not data:
            return
        *whole, pending = (pending + data).split(b"\n")
        yield from (line.decode() for line in whole)


def _kill_with_its_own(child) -> None:
    """The child and what it started: a picture's process would go on alone."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def write_input(folder, seed, number) -> Path:
    """The damaged file of one number, to look at: written into `folder`."""
    from fuzz.targets import make_targets

    with tempfile.TemporaryDirectory() as work:
        rng = random.Random(f"{seed}/{number}")
        targets = make_targets(Path(work))
        target = rng.choices(targets, [target.share for target in targets])[0]
        path = Path(folder) / f"{number}-{target.file.name}"
        path.write_bytes(target.damage(target.sound, rng, target.header_bytes))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many in all, those of earlier runs included")
    parser.add_argument("--minutes", type=float, help="stop after so long; the next run goes on from there")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, metavar="NUMBER", help="only write the damaged file of this number")
    options = parser.parse_args()
    if options.show is not None:
        print(write_input(options.folder, options.seed, options.show))
        return 0
    fuzz = Fuzz(options.folder, options.seed)
    fuzz.run(options.inputs, options.minutes)
    print(fuzz.report())
    return int(bool(fuzz.failures))


if __name__ == "__main__":
    sys.exit(main())
