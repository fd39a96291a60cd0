"""result.json and result.csv: what they hold and how they are read back."""

import csv
import io
import json
from pathlib import Path

from ..core.errors import InputError
from ..core.result import Result, VolumeMl
from ..core.text import shown_values

RESULT_JSON, RESULT_CSV, REPORT_HTML = "result.json", "result.csv", "report.html"
MASK_NRRD, SURFACE_STL = "mask.seg.nrrd", "ich.stl"
DICOM_SEG, DICOM_SR = "ich.seg.dcm", "ich.sr.dcm"


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

    Units are part of the column names. Every number is the one of result.json, unrounded.
    """
    volume, abc2, score = result.volume_ml, result.abc2, result.ich_score
    low, high = result.interval_ml or (None, None)
    before = result.automatic_volume_ml
    abc2_fields = ("a_mm", "b_mm", "c_mm", "coniglobus_ml", "kothari_ml", "abc3_ml", "two_thirds_sh_ml",
                   "shape_class", "expected_error_percent")
    return {
        "source": result.provenance.source,
        "series_uid": result.provenance.series_uid,
        "found": "yes" if result.found else "no",
        "volume_total_ml": volume.total,
        "volume_ich_ml": volume.ich,
        "volume_ivh_ml": volume.ivh,
        "volume_paper_formula_ml": volume.paper_formula,
        "volume_total_low_ml": low,
        "volume_total_high_ml": high,
        "automatic_volume_total_ml": before.total if before else None,
        **{(f"abc2_{name}"): getattr(abc2, name) if abc2 else None for name in abc2_fields},
        "abc2_slice_index": abc2.slice_index if abc2 else None,
        "components": len(result.components),
        "ich_score": score.score,
        **_span("ich_score", score),
        "mortality_30d_percent": score.mortality_30d_percent,
        **_span("max_ich", result.max_ich),
        **_span("func", result.func),
        "slices": result.geometry.slices,
        "tilt_deg": result.geometry.tilt_deg,
        "findings": " ".join(finding.code for finding in result.findings),
        "software": result.provenance.software,
        "model": result.provenance.model,
        "model_sha256": result.provenance.model_sha256,
        "engine": result.provenance.engine,
        "device": result.provenance.device,
    }


def _span(name, score) -> dict:
    low, high = score.range if score.applies else (None, None)
    return {f"{name}_lowest": low, f"{name}_highest": high}


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
