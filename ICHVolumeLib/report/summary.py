"""A result in words: the same rows for the command line's table and for the report.

Slices are counted from 1 here, as people do; `slice_index` in result.json counts from 0.
"""

from typing import NamedTuple

from ..core.findings import Finding
from ..core.result import Geometry, Result, Score, VolumeMl
from ..quality.checks import spacing_words
from .mass_effect_words import mass_effect_rows

RESEARCH_USE = "Research use only. Not a medical device. Not for diagnosis or treatment decisions."
PAPER_FORMULA_DIFFERS = 0.01  # shown beside the volume from here on (share of the volume)


class Row(NamedTuple):
    name: str
    value: str
    remark: str = ""


def summary_rows(result: Result) -> list[Row]:
    """Volumes, ABC/2 and scores of one case; one row each: the ICH, which ABC/2 and the scores are about, first."""
    if not result.found:
        return [Row("Volume", ml(0.0), "nothing to measure or score"), *_outside_rows(result)]
    volume = result.volume_ml
    rows = [Row("ICH volume", ml(volume.ich), ich_remark(result))]
    if volume.ivh:
        rows += [Row("IVH volume", ml(volume.ivh), interval_text(result, result.interval_ivh_ml)),
                 Row("Total volume", ml(volume.total), interval_text(result, result.interval_ml))]
    rows += _outside_rows(result)
    if paper_formula_differs(result.volume_ml):
        rows.append(Row("Paper's formula", ml(result.volume_ml.paper_formula), paper_remark(result.volume_ml)))
    if result.automatic_volume_ml:
        rows.append(Row("Before editing", ml(result.automatic_volume_ml.total), before_editing_remark(result)))
    if result.abc2:
        rows.append(Row("ABC/2", ml(result.abc2.coniglobus_ml), abc2_remark(result)))
    rows += [Row(*row) for row in mass_effect_rows(result)]
    return [*rows, *(_score_row(score) for score in (result.ich_score, result.max_ich, result.func))]


def headline(result: Result) -> str:
    """One sentence: found or not."""
    if result.found:
        slices = sorted(k for piece in result.components for k in range(piece.slice_range[0], piece.slice_range[1] + 1))
        what = "Probably not a hemorrhage: noise" if result.is_probably_noise else \
            "Ventricular blood only (no ICH)" if result.is_ivh_only else "Bleed"
        return f"{what} marked on slices {slices[0] + 1} to {slices[-1] + 1} of {result.geometry.slices}"
    if result.provenance.engine == "none":
        return "The mask is empty"
    return "No bleed found in the brain, but blood outside it" if result.outside_brain_ml else \
        "No bleed found by the model"


def _outside_rows(result: Result) -> list[Row]:
    if not result.outside_brain_ml:
        return []
    return [Row("Outside the brain", ml(result.outside_brain_ml), "not counted: subdural, epidural or subarachnoid")]


def ich_remark(result: Result) -> str:
    noise = "probably noise, not a hemorrhage" if result.is_probably_noise else ""
    if result.is_ivh_only:
        return "; ".join(part for part in (noise, "IVH only, no ICH") if part)
    parts = [noise, interval_text(result, result.interval_ich_ml), "" if result.volume_ml.ivh else "no IVH marked"]
    return "; ".join(part for part in parts if part)


def before_editing_remark(result: Result) -> str:
    before = result.automatic_volume_ml
    if before is None:
        return ""
    return f"the model's total: ICH {ml(before.ich)}, IVH {ml(before.ivh)}"


def interval_text(result: Result, interval_ml: tuple[float, float] | None) -> str:
    """ "90 % interval 20.1 to 34.2 mL, calibrated on synthetic patients"; empty without one."""
    if not interval_ml:
        return ""
    low, high = interval_ml
    calibrated = f", calibrated on {result.interval_calibrated_on}" if result.interval_calibrated_on else ""
    return f"{interval_name(result)} {low:.1f} to {ml(high)}{calibrated}"


def interval_name(result: Result) -> str:
    """ "90 % interval": a bare "interval" would be read as a 95 % confidence interval."""
    return f"{result.interval_coverage:.0%} interval".replace("%", " %") if result.interval_coverage else "interval"


def paper_formula_differs(volume: VolumeMl) -> bool:
    return volume.total > 0 and abs(volume.paper_formula - volume.total) > PAPER_FORMULA_DIFFERS * volume.total


def paper_remark(volume: VolumeMl) -> str:
    percent = 100 * (volume.paper_formula / volume.total - 1)
    return f"one slice thickness for all slices, {percent:+.0f} %; the total above takes each slice's own height"


def abc2_remark(result: Result) -> str:
    """Its real difference first; what was published of other patients last."""
    abc2 = result.abc2
    if abc2 is None:
        return ""
    which = f"sum over {abc2.pieces} pieces, the largest: " if abc2.pieces > 1 else ""
    return (f"{difference_text(result)} against the ICH volume; "
            f"{which}A {abc2.a_mm:.1f} x B {abc2.b_mm:.1f} x C {abc2.c_mm:.1f} mm, slice {abc2.slice_index + 1}; "
            f"published mean error for {abc2.shape_class} shapes {abc2.expected_error_percent:.1f} %")


def difference_text(result: Result) -> str:
    """ "+13.8 mL (+51 %)": ABC/2 less the measured ICH volume."""
    difference_ml, percent = result.abc2_minus_ich_ml, result.abc2_minus_ich_percent
    if difference_ml is None or percent is None:
        return ""
    digits = 2 if abs(difference_ml) < 1 else 1
    return f"{difference_ml:+.{digits}f} mL ({percent:+.0f} %)"


def score_text(score: Score) -> str:
    """"3", "2 to 4" while an item is unknown, "3 (2 to 4)" while one is only suggested or uncertain."""
    if not score.applies:
        return "does not apply"
    low, high = score.range
    span = f"{low} to {high}"
    if low == high:
        return str(low)
    return span if score.score is None else f"{score.score} ({span})"


def mortality_text(score: Score) -> str:
    """30-day mortality with its interval, over the range while the score is open; empty when there is none."""
    if score.mortality_30d_percent is not None and score.mortality_30d_ci95 and score.range[0] == score.range[1]:
        low, high = score.mortality_30d_ci95
        return f"30-day mortality {score.mortality_30d_percent:.0f} % (95 % CI {low:.0f} to {high:.0f} %)"
    if score.mortality_30d_range is not None:
        low, high = score.mortality_30d_range
        return f"30-day mortality {low:.0f} to {high:.0f} %"
    return ""


def unknown_items(score: Score) -> list[str]:
    return [words(name) for name, item in score.inputs.items() if item["source"] == "unknown"]


def items_to_confirm(score: Score) -> list[str]:
    """Items that the mask suggests and a person has not answered; its volume needs no answer."""
    return [words(name) for name, item in score.inputs.items() if item["source"] == "mask" and name != "volume_ml"]


def score_remark(score: Score) -> str:
    if not score.applies:
        return score.note
    unknown, to_confirm = unknown_items(score), items_to_confirm(score)
    parts = [mortality_text(score)]
    parts += ["unknown: " + ", ".join(unknown)] if unknown else []
    parts += ["suggested by the mask, to be confirmed: " + ", ".join(to_confirm)] if to_confirm else []
    parts += [alternative_text(score)] if score.alternative else []
    return "; ".join(part for part in parts if part)


def alternative_text(score: Score) -> str:
    """The score by ABC/2 where that lies on the other side of 30 mL."""
    other = score.alternative
    if other is None:
        return ""
    low, high = other["range"]
    number = f"{low} to {high}" if other["score"] is None else str(other["score"])
    return f"by ABC/2 ({ml(other['volume_ml'])}), on the other side of 30 mL, the score would be {number}"


_WORDS = {"gcs": "GCS", "ivh": "IVH", "nihss": "NIHSS", "age_years": "age", "volume_ml": "volume",
          "infratentorial": "infratentorial origin"}


def words(name: str) -> str:
    """"oral_anticoagulation" -> "oral anticoagulation"."""
    return _WORDS.get(name, name.replace("_", " "))


def geometry_line(geometry: Geometry) -> str:
    tilt = f", gantry tilt {geometry.tilt_deg:.1f} degrees" if geometry.tilt_deg >= 0.1 else ""
    rows, columns = geometry.pixel_spacing_mm
    return (f"{geometry.slices} slices of {geometry.rows} x {geometry.columns} pixels, "
            f"{rows:.3f} x {columns:.3f} mm, slice heights {spacing_words(geometry.slab_heights_mm)}{tilt}"
            f"{counting_words(geometry)}")


def counting_words(geometry: Geometry) -> str:
    """From which end slices are counted; empty where an older file does not say."""
    lowest = geometry.first_slice_lowest
    return "" if lowest is None else f", slice 1 is the {'lowest' if lowest else 'uppermost'} one"


def finding_lines(noticed: list[Finding]) -> list[str]:
    if not noticed:
        return ["  nothing noticed"]
    return [f"  {finding.severity:<8} {finding.message}" for finding in noticed]


def ml(value: float) -> str:
    """Two digits behind the point below 1 mL, one above."""
    return f"{value:.2f} mL" if value < 1 else f"{value:.1f} mL"


def _score_row(score: Score) -> Row:
    return Row(score.name, score_text(score), score_remark(score))
