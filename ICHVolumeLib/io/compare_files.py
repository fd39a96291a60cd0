"""compare.json and compare.csv: a comparison of two scans as files."""

import csv
import io
from pathlib import Path

from ..core.comparison import Comparison
from ..core.text import shown_values
from .result_files import write_json
from .written_files import sealed

COMPARE_SCHEMA = Path(__file__).with_name("schemas") / "ichvolume-compare-1.schema.json"
COMPARE_JSON, COMPARE_CSV, COMPARE_HTML = COMPARE_FILES = ("compare.json", "compare.csv", "compare.html")


def write_compare_json(folder: Path, comparison: Comparison) -> dict[str, str]:
    """The last of all: seals the folder's other files by their SHA-256, which it returns."""
    values = sealed(comparison.to_dict(), folder, COMPARE_JSON)
    write_json(folder / COMPARE_JSON, values)
    return values["files"]


def compare_row(comparison: Comparison) -> dict:
    """One comparison as one flat row; units are part of the column names, unknown values are None."""
    row: dict = {}
    for name in ("earlier", "later"):
        scan = getattr(comparison, name)
        row |= {f"{name}_source": scan.source, f"{name}_series_uid": scan.series_uid,
                f"{name}_scanned_at": scan.scanned_at or None, f"{name}_ich_ml": scan.volume_ml.ich,
                f"{name}_ivh_ml": scan.volume_ml.ivh, f"{name}_total_ml": scan.volume_ml.total,
                f"{name}_slab_height_mm": scan.slab_height_mm[0], f"{name}_mask_origin": scan.mask_origin}
    change, quality = comparison.expansion, comparison.registration
    return row | {
        "hours_between": comparison.hours_between,
        "ich_change_ml": change.ich_ml, "ich_change_percent": change.ich_percent,
        "ivh_change_ml": change.ivh_ml, "ivh_change_percent": comparison.ivh_percent,
        "total_change_ml": comparison.total_ml, "total_change_percent": comparison.total_percent,
        "new_ivh": _yes(change.new_ivh), "expanded": _yes(change.expanded),
        "expanded_revised": _yes(change.expanded_revised),
        "residual_ich_ml": comparison.residual_ich_ml, "residual_ich_percent": comparison.residual_ich_percent,
        "patient": comparison.patient, "registration_good": _yes(quality.good),
        "registration_correlation": quality.correlation, "registration_skull_dice": quality.skull_dice,
        "findings": " ".join(dict.fromkeys(finding.code for finding in comparison.findings)),
        "software": comparison.software,
    }


def write_compare_csv(folder: Path, comparison: Comparison) -> None:
    """A header and one row, UTF-8, comma separated."""
    row, text = compare_row(comparison), io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow({name: "" if value is None else shown_values(value) for name, value in row.items()})
    (folder / COMPARE_CSV).write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
