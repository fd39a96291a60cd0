"""Midline shift and lateral ventricles in words."""

from typing import NamedTuple

from ..core.result import MidlineShift, Result, Ventricles

NOT_MEASURED = "not measured"
CLEAR_QUALITY = 0.6


class MassEffectRow(NamedTuple):
    name: str
    value: str
    remark: str = ""


def midline_words(result: Result) -> str:
    """"midline shift 6 mm to the right", to end a sentence with; empty where it was not measured."""
    shift = result.midline_shift
    if shift is None or shift.shift_mm is None:
        return ""
    if shift.shift_mm < 0.5:
        return "no midline shift"
    return f"midline shift {shift.shift_mm:.0f} mm to the {shift.direction}"


def with_midline(sentence: str, result: Result) -> str:
    """"Left lobar hemorrhage, 27 mL; midline shift 6 mm to the right"."""
    return "; ".join(part for part in (sentence, midline_words(result)) if part)


def mass_effect_rows(result: Result) -> list[MassEffectRow]:
    """One row each for shift and ventricles; none where nothing was marked or the file is older."""
    rows = []
    if result.midline_shift is not None:
        rows.append(MassEffectRow("Midline shift", shift_value(result.midline_shift),
                                  shift_remark(result.midline_shift)))
    if result.ventricles is not None:
        rows.append(MassEffectRow("Lateral ventricles", ventricles_value(result.ventricles),
                                  ventricles_remark(result.ventricles)))
    return rows


def shift_value(shift: MidlineShift) -> str:
    return NOT_MEASURED if shift.shift_mm is None else f"{shift.shift_mm:.1f} mm"


def shift_remark(shift: MidlineShift) -> str:
    if shift.shift_mm is None:
        return shift.reason
    where = f"to the {shift.direction}, " if shift.direction else ""
    on_slice = "" if shift.slice_index is None else f", slice {shift.slice_index + 1}"
    doubt = "" if shift.quality >= CLEAR_QUALITY else "; not clearly seen, please check"
    return f"{where}{shift.landmark}{on_slice}{doubt}"


def ventricles_value(ventricles: Ventricles) -> str:
    return NOT_MEASURED if ventricles.total_ml is None else f"{ventricles.total_ml:.1f} mL"


def ventricles_remark(ventricles: Ventricles) -> str:
    if ventricles.total_ml is None:
        return ventricles.reason
    doubt = "" if ventricles.quality >= CLEAR_QUALITY else "; partly beside where they are expected, please check"
    return f"left {ventricles.left_ml:.1f}, right {ventricles.right_ml:.1f} mL{doubt}"
