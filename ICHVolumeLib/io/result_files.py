"""result.json and result.csv: what they hold and how they are read back."""

import csv
import io
import json
from pathlib import Path

from ..core.errors import InputError
from ..core.result import Result, VolumeMl
from ..core.text import shown_values
from .result_columns import COLUMNS, cell

RESULT_JSON, RESULT_CSV, REPORT_HTML = "result.json", "result.csv", "report.html"
MASK_NRRD, OUTSIDE_NRRD, SURFACE_STL = "mask.seg.nrrd", "outside_brain.seg.nrrd", "ich.stl"
DICOM_SEG, DICOM_SR = "ich.seg.dcm", "ich.sr.dcm"
JSON_SCHEMA = Path(__file__).with_name("schemas") / "ichvolume-result-1.schema.json"

DECIMALS, GEOMETRY_DECIMALS = 4, 6  # 0.1 mm3; pixel sizes enter volumes twice


def rounded(values, decimals: int = DECIMALS):
    """The values of result.json with every float rounded: 45.8314, not 45.83142000000001."""
    if isinstance(values, float):
        return round(values, decimals)
    if isinstance(values, dict):
        return {name: rounded(value, GEOMETRY_DECIMALS if name == "geometry" else decimals)
                for name, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [rounded(value, decimals) for value in values]
    return values


def write_json(path: Path, values: dict) -> None:
    """UTF-8 JSON, two spaces; a NaN or infinity is a programming error and raises ValueError."""
    text = json.dumps(shown_values(values), indent=2, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_automatic(path: Path) -> tuple[VolumeMl, dict]:
    """Volumes of a result.json written earlier, and which model it names (fields of Provenance).

    Raises InputError when the file is not one.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        volume_ml = VolumeMl(**{name: float(values["volume_ml"][name]) for name in VolumeMl.__dataclass_fields__})
        if not all(0 <= value < 1e6 for value in vars(volume_ml).values()):  # NaN is none of these
            raise ValueError("a volume is no number")
        return volume_ml, {name: str(values["provenance"][name]) for name in ("model", "model_sha256", "training_data")}
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{path} is not a result.json written by ICHVolume; "
                         "give the one that stands beside the automatic mask.") from error


def csv_row(result: Result) -> dict:
    """One case as one flat row, so that many cases concatenate into one table; unknown values are empty.

    Units are part of the column names; numbers are rounded to what they mean, see result_columns.
    """
    return {column.name: cell(column, result) for column in COLUMNS}


def write_csv(path: Path, result: Result) -> None:
    """A header and one row, UTF-8, comma separated, point as decimal mark whatever the computer's language."""
    Path(path).write_text(csv_text(result), encoding="utf-8", newline="\n")


def csv_text(result: Result) -> str:
    """What write_csv writes."""
    row, text = csv_row(result), io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow({name: "" if value is None else shown_values(value) for name, value in row.items()})
    return text.getvalue()
