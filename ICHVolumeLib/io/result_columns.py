"""The columns of result.csv in one table: name, meaning, decimals and value. The dictionary in Resources/Results.md is
written from it.

Names carry their units. Numbers are rounded to what they mean; slices are counted from 1, as in the report.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..core.result import Result, clean_up_change_ml

Value = float | int | str | bool | None
ML = -1  # decimals of a volume: one from 10 mL on, two below
MM, DEGREES, PERCENT = 1, 1, 1


@dataclass(frozen=True)
class Column:
    """value(result): None where it is unknown or does not apply; decimals: of a float."""

    name: str
    meaning: str
    value: Callable[[Result], Value]
    decimals: int | None = None


def cell(column: Column, result: Result) -> float | int | str | None:
    """What stands in the table: a rounded number, a text that no spreadsheet takes for a formula, or None."""
    value = column.value(result)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, float) and column.decimals is not None:
        decimals = (1 if round(abs(value), 2) >= 10 else 2) if column.decimals == ML else column.decimals
        return round(value, decimals) + 0.0  # no -0.0
    return value


def _plain_text(value: str) -> str | None:
    """One line; a leading =, +, - or @ would make it a formula, so that an apostrophe goes before."""
    value = " ".join(value.split())
    return (f"'{value}" if value.startswith(("=", "+", "-", "@")) else value) or None


def _part(*names: str) -> Callable[[Result], Value]:
    """result.a.b.c, or None where one of them is None; a number among the names picks from a tuple."""
    def value(result: Result) -> Value:
        found = result
        for name in names:
            if found is None:
                return None
            found = found[int(name)] if name.isdigit() else getattr(found, name)  # type: ignore[index]
        return found  # type: ignore[return-value]
    return value


def _from_1(index: int | None) -> int | None:
    return None if index is None else index + 1


def _entered(score: str, item: str) -> Callable[[Result], Value]:
    """What a person entered; never what the mask suggests."""
    def value(result: Result) -> Value:
        entry = getattr(result, score).inputs.get(item, {})
        return entry.get("value") if entry.get("source") == "entered" else None
    return value


def _possible(score: str, end: int) -> Callable[[Result], Value]:
    return lambda result: getattr(result, score).range[end] if getattr(result, score).applies else None


def _clean_up(end: int) -> Callable[[Result], Value]:
    def value(result: Result) -> Value:
        steps = result.provenance.clean_up
        return float(sum(clean_up_change_ml(step)[end] for step in steps)) if steps else None
    return value


_INTERVAL = "lower end of the interval that holds the true {} with the probability interval_coverage"
COLUMNS = (
    Column("source", "the scan as it was given", _part("provenance", "source")),
    Column("series_uid", "DICOM SeriesInstanceUID", _part("provenance", "series_uid")),
    Column("patient_key", "pseudonym, the same for every scan of a patient with the same salt file; empty unless "
           "--patient-key was given and the series names a patient", _part("provenance", "patient_key")),
    Column("scanned_at", "date and time of the scan as the series says it (ISO 8601, the scanner's clock); empty in a "
           "de-identified series", _part("provenance", "scanned_at")),
    Column("measured_at", "when this row was measured (ISO 8601 with time zone)",
           lambda result: result.history[-1].made_at if result.history else None),
    Column("mask_origin", "model: as the network and the clean-up made it; edited: a corrected mask of the model; "
           "foreign: drawn by hand or by another program", _part("mask_origin")),
    Column("found", "yes or no: something is marked", _part("found")),
    Column("volume_ich_ml", "blood in the brain tissue: marked area times each slice's own height",
           _part("volume_ml", "ich"), ML),
    Column("volume_ich_low_ml", _INTERVAL.format("ICH volume"),
           _part("interval_ich_ml", "0"), ML),
    Column("volume_ich_high_ml", "upper end, as above", _part("interval_ich_ml", "1"), ML),
    Column("volume_ivh_ml", "blood in the ventricles", _part("volume_ml", "ivh"), ML),
    Column("volume_ivh_low_ml", _INTERVAL.format("IVH volume"), _part("interval_ivh_ml", "0"), ML),
    Column("volume_ivh_high_ml", "upper end, as above", _part("interval_ivh_ml", "1"), ML),
    Column("volume_total_ml", "ICH and IVH together", _part("volume_ml", "total"), ML),
    Column("volume_total_low_ml", _INTERVAL.format("total"), _part("interval_ml", "0"), ML),
    Column("volume_total_high_ml", "upper end, as above", _part("interval_ml", "1"), ML),
    Column("interval_coverage", "0.9: nine of ten cases like the calibration patients", _part("interval_coverage"), 2),
    Column("interval_calibrated_on", "what the calibration patients were", _part("interval_calibrated_on")),
    Column("volume_paper_formula_ml", "total by one slice thickness for all slices (the paper's equation 1)",
           _part("volume_ml", "paper_formula"), ML),
    Column("outside_brain_ml", "blood inside the skull but outside the brain, as the model sees it: in no volume and "
           "no score; empty where it was not looked for", _part("outside_brain_ml"), ML),
    Column("automatic_volume_total_ml", "total of the model's own mask, where this one is a corrected one",
           _part("automatic_volume_ml", "total"), ML),
    Column("automatic_volume_ich_ml", "its ICH", _part("automatic_volume_ml", "ich"), ML),
    Column("automatic_volume_ivh_ml", "its IVH", _part("automatic_volume_ml", "ivh"), ML),
    Column("abc2_coniglobus_ml", "ABC/2 of the ICH with the paper's C (every slice counted)",
           _part("abc2", "coniglobus_ml"), ML),
    Column("abc2_minus_ich_ml", "ABC/2 less volume_ich_ml, from unrounded values", _part("abc2_minus_ich_ml"), ML),
    Column("abc2_minus_ich_percent", "the same in percent of volume_ich_ml", _part("abc2_minus_ich_percent"), PERCENT),
    Column("abc2_expected_error_percent", "published mean error for the shape class, of other patients",
           _part("abc2", "expected_error_percent"), PERCENT),
    Column("abc2_shape_class", "regular, irregular or multilobular", _part("abc2", "shape_class")),
    Column("abc2_a_mm", "A, the longest line on the slice with the largest area", _part("abc2", "a_mm"), MM),
    Column("abc2_b_mm", "B, the longest line at a right angle to A", _part("abc2", "b_mm"), MM),
    Column("abc2_c_mm", "C, every slice with ICH counted", _part("abc2", "c_mm"), MM),
    Column("abc2_c_kothari_mm", "Kothari's C: a slice counts whole, half or not at all, by its area",
           _part("abc2", "c_kothari_mm"), MM),
    Column("abc2_kothari_ml", "ABC/2 with Kothari's C", _part("abc2", "kothari_ml"), ML),
    Column("abc2_abc3_ml", "ABC/3", _part("abc2", "abc3_ml"), ML),
    Column("abc2_two_thirds_sh_ml", "2/3 S h: S the largest area, h the height", _part("abc2", "two_thirds_sh_ml"), ML),
    Column("abc2_slice_from_1", "slice that A and B lie on, counted from 1 as in the report",
           lambda result: result.abc2.slice_index + 1 if result.abc2 else None),
    Column("site_side", "suggested: left or right (the patient's), midline or both; this and the next six are empty "
           "where the skull could not be fitted well", _part("site", "side")),
    Column("site_suggested", "suggested: lobar, deep, brain stem, cerebellum, or ventricle (no ICH)",
           _part("site", "site")),
    Column("site_structure", "part of it that lies nearest: putamen, thalamus, caudate, pons, midbrain or medulla",
           _part("site", "structure")),
    Column("site_infratentorial", "yes or no, suggested", _part("site", "infratentorial")),
    Column("site_certainty", "share of small displacements of the head's frame under which side and site stay the same",
           _part("site", "certainty"), 2),
    Column("site_certainty_word", "high from 0.9 on, moderate from 0.65 on, else low",
           _part("site", "certainty_word")),
    Column("skull_fit_mm", "mean distance of the inner skull surface from the fitted model, in the model's mm",
           _part("site", "fit_mm"), MM),
    Column("midline_shift_mm", "largest distance of the septum pellucidum from the ideal midline; empty: not measured, "
           "see midline_reason", _part("midline_shift", "shift_mm"), MM),
    Column("midline_direction", "left or right, the patient's", _part("midline_shift", "direction")),
    Column("midline_slice_from_1", "slice it was measured on, counted from 1 as in the report",
           lambda result: _from_1(result.midline_shift.slice_index if result.midline_shift else None)),
    Column("midline_landmark", "septum pellucidum or drawn by hand (earlier versions: or third ventricle)",
           _part("midline_shift", "landmark")),
    Column("midline_quality", "0 to 1, how clearly that was seen", _part("midline_shift", "quality"), 2),
    Column("midline_reason", "why the shift was not measured", _part("midline_shift", "reason")),
    Column("lateral_ventricles_ml", "both lateral ventricles, fluid and marked IVH; empty: not measured",
           _part("ventricles", "total_ml"), ML),
    Column("left_ventricle_ml", "the patient's left one", _part("ventricles", "left_ml"), ML),
    Column("right_ventricle_ml", "the patient's right one", _part("ventricles", "right_ml"), ML),
    Column("ventricles_quality", "0 to 1, the share that lies where the head's frame leads one to expect it",
           _part("ventricles", "quality"), 2),
    Column("ventricles_reason", "why they were not measured", _part("ventricles", "reason")),
    Column("components", "connected pieces of the mask", lambda result: len(result.components)),
    Column("first_marked_slice_from_1", "lowest slice with a mark, counted from 1 as in the report",
           _part("marked_slices", "0")),
    Column("last_marked_slice_from_1", "highest slice with a mark, counted from 1", _part("marked_slices", "1")),
    Column("input_age_years", "as entered; empty: unknown", _entered("ich_score", "age_years"), 1),
    Column("input_gcs", "Glasgow Coma Scale as entered, 3 to 15", _entered("ich_score", "gcs")),
    Column("input_infratentorial", "yes or no as entered", _entered("ich_score", "infratentorial")),
    Column("input_ivh", "yes or no as entered; what the mask suggests is not counted here",
           _entered("ich_score", "ivh")),
    Column("input_nihss", "NIH Stroke Scale as entered, 0 to 42", _entered("max_ich", "nihss")),
    Column("input_oral_anticoagulation", "yes or no as entered", _entered("max_ich", "oral_anticoagulation")),
    Column("input_location", "lobar, deep or infratentorial as entered", _entered("max_ich", "location")),
    Column("input_cognitive_impairment", "yes or no as entered", _entered("func", "cognitive_impairment")),
    Column("ich_score", "ICH score; empty while an item is unknown", _part("ich_score", "score")),
    Column("ich_score_lowest", "lowest score still possible", _possible("ich_score", 0)),
    Column("ich_score_highest", "highest score still possible", _possible("ich_score", 1)),
    Column("mortality_30d_percent", "published 30-day mortality at ich_score",
           _part("ich_score", "mortality_30d_percent"), PERCENT),
    Column("mortality_30d_ci95_low_percent", "its 95 % confidence interval, lower end",
           _part("ich_score", "mortality_30d_ci95", "0"), PERCENT),
    Column("mortality_30d_ci95_high_percent", "upper end", _part("ich_score", "mortality_30d_ci95", "1"), PERCENT),
    Column("mortality_30d_lowest_percent", "30-day mortality at ich_score_lowest",
           _part("ich_score", "mortality_30d_range", "0"), PERCENT),
    Column("mortality_30d_highest_percent", "30-day mortality at ich_score_highest",
           _part("ich_score", "mortality_30d_range", "1"), PERCENT),
    Column("max_ich_lowest", "max-ICH score, lowest still possible", _possible("max_ich", 0)),
    Column("max_ich_highest", "highest still possible", _possible("max_ich", 1)),
    Column("func_lowest", "FUNC score, lowest still possible", _possible("func", 0)),
    Column("func_highest", "highest still possible", _possible("func", 1)),
    Column("slices", "of the scan", _part("geometry", "slices")),
    Column("slice_thickness_mm", "the scanner's SliceThickness, the most common one; volumes do not use it",
           _part("geometry", "slice_thickness_mm"), 3),
    Column("slice_height_min_mm", "smallest height of a slice along its normal, from positions: what volumes use",
           lambda result: min(result.geometry.slab_heights_mm), 3),
    Column("slice_height_max_mm", "largest", lambda result: max(result.geometry.slab_heights_mm), 3),
    Column("tilt_deg", "gantry tilt, from positions", _part("geometry", "tilt_deg"), DEGREES),
    Column("clean_up_removed_ml", "what the clean-up took from the network's mask, all steps", _clean_up(0), ML),
    Column("clean_up_added_ml", "what the clean-up added to it, all steps", _clean_up(1), ML),
    Column("findings", "codes of what may spoil the numbers, in result.json in sentences",
           lambda result: " ".join(finding.code for finding in result.findings)),
    Column("software", "program and version", _part("provenance", "software")),
    Column("model", "version of the weights", _part("provenance", "model")),
    Column("model_sha256", "their SHA-256", _part("provenance", "model_sha256")),
    Column("engine", "what ran the network; none: no network ran", _part("provenance", "engine")),
    Column("device", "on which device", _part("provenance", "device")),
)


def columns_markdown() -> str:
    """The dictionary of columns as a table of Markdown."""
    rows = "".join(f"| `{column.name}` | {column.meaning} | {_rounding(column)} |\n" for column in COLUMNS)
    return f"| column | what it is | rounded to |\n|---|---|---|\n{rows}"


def _rounding(column: Column) -> str:
    if column.decimals is None:
        return ""
    return "0.1 from 10 mL on, 0.01 below" if column.decimals == ML else f"{10.0 ** -column.decimals:g}"
