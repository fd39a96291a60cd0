"""Print what comes of every hard input: case, expected, observed, finding. `make hard-inputs` runs this."""

import sys
import tempfile
from pathlib import Path

TESTING = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTING.parent), str(TESTING)]

from hard_inputs.all_cases import all_cases  # noqa: E402
from hard_inputs.hard_input import outcome_of  # noqa: E402


def rows():
    """(case, expected, observed, finding, as it must be) of every case."""
    for case in all_cases():
        with tempfile.TemporaryDirectory() as folder:
            outcome = outcome_of(case, Path(folder))
        wanted = case.expected + (f", {case.true_ml:.1f} mL" if case.true_ml is not None else "")
        yield case.name, wanted, outcome.words, outcome.sentence, outcome.meets(case)


def main() -> int:
    failed = 0
    print("| case | expected | observed | finding |\n|---|---|---|---|")
    for *cells, good in rows():
        failed += not good
        cells[2] += "" if good else " **NOT AS EXPECTED**"
        print("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |", flush=True)
    print(f"\n{failed} not as expected." if failed else "\nAll as expected.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
