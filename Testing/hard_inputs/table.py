"""Print what comes of every hard input as a Markdown table: case, expected, observed, finding; then the counts.

`make hard-inputs` runs this. The exit code is 1 when a case did not end as expected.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TESTING = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTING.parent), str(TESTING)]

from hard_inputs.all_cases import all_cases  # noqa: E402
from hard_inputs.hard_input import HardInput, Outcome, outcome_of  # noqa: E402

HEAD = "| case | expected | observed | finding |\n|---|---|---|---|"


def outcomes():
    """(case, outcome) of every case."""
    for case in all_cases():
        with tempfile.TemporaryDirectory() as folder:
            yield case, outcome_of(case, Path(folder))


def line(case: HardInput, outcome: Outcome) -> str:
    expected = case.expected.replace(":", ": ") + (f", {case.true_ml:.1f} mL" if case.true_ml is not None else "")
    observed = outcome.words + ("" if outcome.meets(case) else " **NOT AS EXPECTED**")
    cells = (case.name, expected, observed, outcome.sentence)
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def counts_line(counts: Counter, failed: int, seconds: float) -> str:
    """counts: of the first words of what was expected, among the cases that ended so."""
    return (f"{counts.total() + failed} cases: {counts['right']} measured right, {counts['warned']} warned, "
            f"{counts['refused']} refused; {failed} not as expected. {seconds:.0f} s of processor time.")


def main() -> int:
    counts: Counter = Counter()
    failed = 0
    print(HEAD)
    for case, outcome in outcomes():
        print(line(case, outcome), flush=True)
        if outcome.meets(case):
            counts[case.expected.partition(":")[0]] += 1
        else:
            failed += 1
    print("\n" + counts_line(counts, failed, time.process_time()))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
