"""Writes Resources/Results.md: what result.json and result.csv hold, from the table of columns in the library."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ICHVolumeLib.io.result_columns import columns_markdown  # noqa: E402

TEXT = """# result.json and result.csv

`result.json` holds every number, finding and setting of one case. Its fields are described by a JSON Schema that is
part of the package: `ICHVolumeLib/io/schemas/ichvolume-result-1.schema.json`. Floats are rounded to 4 decimals, the
geometry to 6. Slice indices (`slice_index`, `slice_range`, `slices` of a clean-up step) count from 0; `marked_slices`
counts from 1, as the report does. Fields may be added; none is renamed. In files of earlier versions a clean-up step
without `added_ml` has one number: `removed_ml` is negative where more was added than removed.

`result.csv` is the same case as one row, so that many cases make one table. Comma separated, UTF-8, the point as
decimal mark whatever the computer's language (in a spreadsheet of another language, import it as text/CSV with the
point as decimal mark). An empty cell is unknown or does not apply. Every cell is rounded by itself: ICH and IVH may
differ from their total by 0.1. A text that begins with =, +, - or @ gets an apostrophe in front, so that no
spreadsheet takes it for a formula.

`site` is where the bleed probably lies: side and part of the brain, from the places of its ICH voxels inside the skull,
which is fitted to an average one. It is a suggestion; nothing was recognised in the brain itself. `shares` says how
much of the blood lies in which region, `certainty` is the share of 26 displacements of the head by 4 mm under which
side and site stay the same. It is null where nothing is marked or the skull does not fit (`fit_mm` above 2.5, less than
half of the vault seen, no human proportions). In the scores its items have the source "mask" until they are entered.

The intervals of the total, the ICH and the IVH are calibrated each for itself, that of a label on the patients in whom
it was marked (`label_intervals_ml`). Where the weights were not calibrated for ICH, its interval is the total's less
the marked IVH, which is then taken as right, and IVH has none.

`patient_key` is off by default. With `--patient-key SALT_FILE` it is "p-" and the first 16 hexadecimal digits of
HMAC-SHA256(salt, PatientID): the same for every scan of a patient within a study that uses one salt file. Keep the
file apart from the results: whoever has it can find out whether a known patient ID is among them. Make it once:

    python -c "import secrets; print(secrets.token_hex(32))" > salt.txt

## Columns of result.csv

"""

if __name__ == "__main__":
    (ROOT / "Resources" / "Results.md").write_text(TEXT + columns_markdown(), encoding="utf-8", newline="\n")
