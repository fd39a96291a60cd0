"""The results table as plain rows: what the model measured, what stands now, and what a clinician corrected.

No Qt here: `make_rows` says what each cell shows, `parse_entry` reads what was typed into one.
"""

from dataclasses import dataclass

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import OUTSIDE_BRAIN
from ICHVolumeLib.core.result import Abc2, Result, Score, VolumeMl
from ICHVolumeLib.report.mass_effect_words import shift_remark

from .corrections import SITES, Corrections
from .translation import tr as _

TYPED, CHOICE = "typed", "choice"
UNKNOWN = "\u2013"
RESET_MARK = "\u21ba"
NUMBERS = {"a_mm": float, "b_mm": float, "c_mm": float, "age_years": float, "gcs": int, "nihss": int}


@dataclass(frozen=True)
class Row:
    """One line. key: the Corrections field that the edited cell sets, or a name of its own; entry: TYPED, CHOICE or "".

    note stands beside the edited value; a corrected cell's note gives the automatic value and resets it.
    """

    key: str
    name: str
    ai: str
    edited: str
    note: str = ""
    entry: str = ""
    corrected: bool = False
    important: bool = False
    tooltip: str = ""
    label: str = ""  # the segment whose colour stands in front


def choices(key: str) -> list[tuple[object, str]]:
    """(value, text) pairs of a CHOICE cell, unknown first."""
    if key == "site":
        names = {"lobar": _("lobar"), "deep": _("deep"), "infratentorial": _("infratentorial"),
                 "supratentorial": _("supratentorial")}
        return [(None, _("unknown")), *((site, names[site]) for site in SITES)]
    return [(None, _("automatic") if key == "ivh" else _("unknown")), (False, _("no")), (True, _("yes"))]


def parse_entry(key: str, text: str):
    """What was typed into a cell: a number, or None for an empty cell (automatic or unknown).

    Raises InputError with a sentence for the user.
    """
    text = text.strip().replace(",", ".").removesuffix("mm").strip()
    if text in ("", UNKNOWN, "?"):
        return None
    try:
        number = float(text)
        return int(number) if NUMBERS[key] is int and number == int(number) else number
    except (ValueError, OverflowError):  # int() takes neither nan nor infinity
        sentence = _("\u201c{text}\u201d is not a number; the value stays as it was.").format(text=text)
        raise InputError(sentence) from None


def make_rows(now: Result, automatic_abc2: Abc2 | None, corrections: Corrections, ai_volume_ml: VolumeMl | None = None,
              ai_abc2: Abc2 | None = None, scan_age_years: float | None = None,
              ai_outside_ml: float | None = None) -> list[Row]:
    """All rows, most important first.

    now: the result with every correction applied; automatic_abc2: measured on the present mask, not corrected;
    ai_*: what the model's own mask gave, None when there was no model run; ai_outside_ml: outside the brain.
    """
    return [*_volume_rows(now, ai_volume_ml), *_outside_rows(now, ai_outside_ml), *_paper_rows(now, ai_volume_ml),
            *_abc2_rows(now, automatic_abc2, corrections, ai_abc2),
            *_mass_effect_rows(now, corrections), *_other_formulas(now, ai_abc2),
            *_clinical_rows(now, corrections, scan_age_years),
            *_score_rows(now.ich_score)]


def _volume_rows(now, ai):
    volume = now.volume_ml
    change = _("{change:+.1f} by editing").format(change=volume.total - ai.total) \
        if ai and abs(volume.total - ai.total) >= 0.05 else ""
    own = now.label_intervals_ml
    rows = [Row(f"{key}_ml", name, _ml(ai and getattr(ai, key)), _ml(getattr(volume, key)),
                _short_interval(now, own.get(key.upper())), important=key == "ich", label=key.upper())
            for key, name in (("ich", _("ICH, mL")), ("ivh", _("IVH, mL")))]
    of_total_ml = now.interval_ml if volume.ivh or not own else None  # without IVH the total is the ICH
    rows.append(Row("volume", _("Total, mL"), _ml(ai and ai.total), _ml(volume.total),
                    change or _short_interval(now, of_total_ml),
                    tooltip=" ".join((_("Area of every slice times its own height."), interval_text(now))).strip()))
    return rows


def _outside_rows(now, ai_ml):
    if not now.outside_brain_ml and not ai_ml:
        return []
    return [Row("outside", _("Outside"), _ml(ai_ml), _ml(now.outside_brain_ml), _("mL, not counted"),
                tooltip=_("Blood inside the skull but outside the brain (subdural, epidural, subarachnoid), as the "
                          "model sees it; in no volume and no score"), label=OUTSIDE_BRAIN.name)]


def _paper_rows(now, ai):
    volume = now.volume_ml
    if not volume.total or abs(volume.paper_formula - volume.total) <= 0.01 * volume.total:
        return []
    return [Row("paper", _("  paper\u2019s way, mL"), _ml(ai and ai.paper_formula), _ml(volume.paper_formula),
                _("not used"),
                tooltip=_("One slice thickness for all slices (the paper's formula); the slices of this scan "
                          "differ, so the total above is the right one"))]


def _abc2_rows(now, automatic, corrections, ai):
    abc2 = now.abc2
    rows = [Row("abc2", _("ABC/2, mL"), _ml(ai and ai.coniglobus_ml), _ml(abc2 and abc2.coniglobus_ml),
                difference_text(now), important=True, tooltip=_abc2_tooltip(abc2))]
    for key, letter in (("a_mm", "A"), ("b_mm", "B"), ("c_mm", "C")):
        line = getattr(corrections, key[0] + "_line_ras", None)
        corrected = abc2 is not None and (getattr(corrections, key) is not None or line is not None)
        note = _reset_note(_mm(getattr(automatic, key))) if corrected else ""
        name = _("  {letter}, mm").format(letter=letter)
        rows.append(Row(key, name, _mm(ai and getattr(ai, key)), _mm(abc2 and getattr(abc2, key)), note,
                        TYPED if abc2 else "", corrected))
    return rows


def _mass_effect_rows(now, corrections):
    """Midline shift and lateral ventricles; the note says where, or why they were not measured."""
    rows, shift, ventricles = [], now.midline_shift, now.ventricles
    if shift is not None:
        corrected = corrections.midline_points_ras is not None and shift.shift_mm is not None
        where = {"left": _("to the left"), "right": _("to the right"), "": ""}[shift.direction]
        note = _("drawn by hand  {mark}").format(mark=RESET_MARK) if corrected else where or shift.reason
        rows.append(Row("midline_points_ras", _("Midline shift, mm"), "", _mm(shift.shift_mm), note, "", corrected,
                        tooltip=_("Largest distance of the septum pellucidum from the line between both ends of the "
                                  "falx; drag either line to correct it. {remark}").format(
                                      remark=shift_remark(shift))))
    if ventricles is not None:
        rows.append(Row("ventricles", _("Lateral ventricles, mL"), "", _ml(ventricles.total_ml),
                        _("left {left:.1f}, right {right:.1f}").format(left=ventricles.left_ml,
                                                                       right=ventricles.right_ml)
                        if ventricles.total_ml is not None else ventricles.reason))
    return rows


def difference_text(result: Result) -> str:
    """"+13.9 (+51 %) to ICH": ABC/2 less the measured ICH volume, mL."""
    difference_ml, percent = result.abc2_minus_ich_ml, result.abc2_minus_ich_percent
    if difference_ml is None or percent is None:
        return ""
    return _("{ml:+.1f} ({percent:+.0f} %) to ICH").format(ml=difference_ml, percent=percent)


def _abc2_tooltip(abc2) -> str:
    text = _("Coniglobus: C is the number of bleeding slices times their spacing. Beside it: how far it lies from the "
             "measured ICH volume.")
    if abc2:
        text += _(" Published mean error for {shape} shapes, of other patients: {percent:.0f} %").format(
            shape=abc2.shape_class, percent=abc2.expected_error_percent)
    return text


def _site_row(now: Result, corrections):
    """The suggested side and site, for as long as nobody answered; the answer's points then."""
    site, tooltip = now.site, _("Where the bleed began; infratentorial counts one point")
    note = _with_points(now.ich_score, "infratentorial")
    if site is not None and site.location is not None:
        where = _("{side} {site}").format(side=side_word(site.side), site=site_word(site.site))
        tooltip += ". " + _("Suggested from the place inside the skull: {where} ({certainty} certainty). Please "
                            "confirm or correct it").format(where=where, certainty=certainty_word(site.certainty_word))
        if corrections.site is None:
            note = _("{answer}? confirm").format(answer=where)
    return Row("site", _("Site"), "", dict(choices("site"))[corrections.site], note, CHOICE, tooltip=tooltip)


def site_word(site: str) -> str:
    return {"lobar": _("lobar"), "deep": _("deep"), "brain stem": _("brain stem"), "cerebellum": _("cerebellum")}[site]


def side_word(side: str) -> str:
    return {"left": _("left"), "right": _("right"), "midline": _("midline"), "both": _("both sides")}[side]


def certainty_word(word: str) -> str:
    return {"high": _("high"), "moderate": _("moderate"), "low": _("low")}[word]


def _clinical_rows(now: Result, corrections, scan_age):
    score = now.ich_score
    ivh = score.inputs["ivh"]
    suggested = ivh["value"] if ivh["source"] == "mask" else None
    age_is_scans = corrections.age_years is None and scan_age is not None
    values = {"gcs": corrections.gcs, "age_years": scan_age if age_is_scans else corrections.age_years}
    rows = [Row("ivh", _("IVH"), "", dict(choices("ivh"))[corrections.ivh],
                _("{answer}? confirm").format(answer=_("yes") if suggested else _("no"))
                if corrections.ivh is None else _with_points(score, "ivh", RESET_MARK),
                CHOICE, corrections.ivh is not None, tooltip=_("Blood in the ventricles: suggested by the mask")),
            _site_row(now, corrections)]
    for key, name, tooltip in (("gcs", _("GCS"), _("Glasgow Coma Scale, 3 to 15; never guessed")),
                               ("age_years", _("Age"), _("Years; 80 and more count one point"))):
        value = values[key]
        corrected = key == "age_years" and scan_age is not None and not age_is_scans
        note = _reset_note(f"{scan_age:g}") if corrected else _with_points(score, key) or _("type it in")
        rows.append(Row(key, name, f"{scan_age:g}" if key == "age_years" and scan_age is not None else "",
                        UNKNOWN if value is None else f"{value:g}", note, TYPED, corrected, tooltip=tooltip))
    return rows


def _score_rows(score: Score):
    remark = mortality_text(score) if score.applies else _("needs an ICH")
    text, missing = score_text(score), nothing_entered(score) if score.applies else ""
    if missing:
        text, remark = UNKNOWN, _("enter {items}").format(items=missing)
    rows = [Row("ich_score", _("ICH score"), "", text, remark, important=True, tooltip=score.note)]
    if score.alternative and not missing:
        rows.append(Row("ich_score_abc2", _("  by ABC/2"), "", _span(score.alternative["range"]),
                        _("other side of 30 mL"), corrected=False, tooltip=score.note))
    return rows


def _other_formulas(now, ai):
    abc2, rows = now.abc2, []
    for key, name, tooltip in (
            ("kothari_ml", _("  Kothari, mL"), _("ABC/2; its C counts a slice whole, half or not at all, by area")),
            ("abc3_ml", _("  ABC/3, mL"), _("For irregular and anticoagulated bleeds")),
            ("two_thirds_sh_ml", _("  2/3 S h, mL"), _("S: the largest area; h: the height C"))):
        note = _("its C {mm:.1f} mm").format(mm=abc2.c_kothari_mm) if abc2 and key == "kothari_ml" else ""
        rows.append(Row(key, name, _ml(ai and getattr(ai, key)), _ml(abc2 and getattr(abc2, key)), note,
                        tooltip=tooltip))
    return rows


def nothing_entered(score: Score) -> str:
    """What to enter, while nothing that only a clinician knows is known; a range over all of it says nothing."""
    names = {"gcs": _("GCS"), "age_years": _("age"), "infratentorial": _("site")}
    is_empty = all(score.inputs[name]["source"] != "entered" for name in names)
    return ", ".join(names.values()) if is_empty else ""


def score_text(score: Score) -> str:
    """"3", "2\u20134" while an item is unknown, "3 (2\u20134)" while one is only suggested or uncertain, or a dash
    where it does not apply."""
    if not score.applies:
        return UNKNOWN
    span = _span(score.range)
    return span if score.score is None or score.range[0] == score.range[1] else f"{score.score} ({span})"


def interval_text(result: Result) -> str:
    """"90 % interval 44\u201356 mL" of all that is marked: a bare interval would be read as a 95 % confidence interval.
    Where one label alone is marked, it is that label's own, which stands in its row."""
    if not result.interval_ml:
        return ""
    volume = result.volume_ml
    low, high = (not volume.ivh and result.interval_ich_ml) or (not volume.ich and result.interval_ivh_ml) \
        or result.interval_ml
    if not result.interval_coverage:
        return _("interval {low:.0f}\u2013{high:.0f} mL").format(low=low, high=high)
    return _("{percent:.0f} % interval {low:.0f}\u2013{high:.0f} mL").format(
        percent=100 * result.interval_coverage, low=low, high=high)


def _short_interval(result, interval_ml) -> str:
    """"90 %: 44\u201356 mL", for a narrow column; empty without one."""
    if not (interval_ml and result.interval_coverage):
        return interval_text(result) if interval_ml else ""
    return _("{percent:.0f} %: {low:.0f}\u2013{high:.0f} mL").format(
        percent=100 * result.interval_coverage, low=interval_ml[0], high=interval_ml[1])


def mortality_text(score: Score) -> str:
    """30-day mortality, short: "26 % (13\u201345)", or the range over what is unknown."""
    low, high = score.range
    if score.mortality_30d_percent is not None and low == high:
        ends = score.mortality_30d_ci95
        return _("30 d: {percent:.0f} % ({low:.0f}\u2013{high:.0f})").format(
            percent=score.mortality_30d_percent, low=ends[0], high=ends[1])
    if score.mortality_30d_range is not None:
        ends = score.mortality_30d_range
        return _("30 d: {low:.0f}\u2013{high:.0f} %").format(low=ends[0], high=ends[1])
    return ""


def _span(low_high):
    low, high = low_high
    return f"{low}" if low == high else f"{low}\u2013{high}"


def _with_points(score, item, suffix=""):
    points = score.inputs[item]["points"]
    text = "" if points is None else _("{points} pt").format(points=points)
    return f"{text}  {suffix}".strip()


def _reset_note(automatic: str) -> str:
    return _("auto {value}  {mark}").format(value=automatic, mark=RESET_MARK)


def ml_text(value: float) -> str:
    """One decimal; two below 1 mL, where the second is a tenth of a small bleed."""
    return f"{value:.2f}" if 0 < value < 1 else f"{value:.1f}"


def _ml(value):
    return UNKNOWN if value is None else ml_text(value)


def _mm(value):
    return UNKNOWN if value is None else f"{value:.1f}"
