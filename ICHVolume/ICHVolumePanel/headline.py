"""The first thing one reads: the volume, the score, and one line below. Plain text in, plain text out."""

from html import escape

from ICHVolumeLib.core.findings import ERROR, WARNING

from .results_table import (
    interval_text,
    ml_text,
    mortality_text,
    nothing_entered,
    score_text,
)
from .translation import tr as _

FINDINGS_SHOWN = 4
SAID_BY_THE_HEADLINE = ("no-bleed", "no-bleed-found", "empty-mask")
_MARKS = {ERROR: "\u2716", WARNING: "\u26a0"}


def volume_line(case) -> str:
    result = case.result
    if result is None:
        return ""
    if result.found and result.is_probably_noise:
        return _("{ml:.1f} mL:\nprobably noise").format(ml=result.volume_ml.total)
    if result.found:  # ABC/2 and the scores are about the ICH alone
        volume = result.volume_ml
        return _("{ml} mL ICH").format(ml=ml_text(volume.ich)) if volume.ich else \
            _("{ml} mL IVH").format(ml=ml_text(volume.ivh))
    if case.was_not_found and result.outside_brain_ml:
        return _("No bleed found in the brain, but blood outside it")
    return _("No bleed found by the model") if case.was_not_found else _("Nothing marked")


def score_line(case) -> str:
    result = case.result
    if result is None or not result.found:
        return ""
    if not result.ich_score.applies:
        return _("IVH only:\nno ICH score")
    missing = nothing_entered(result.ich_score)
    if missing:
        return _("ICH score:\nenter {items}").format(items=missing)
    text = _("ICH score {score}").format(score=score_text(result.ich_score))
    alternative = result.ich_score.alternative
    if alternative:
        low, high = alternative["range"]
        text += _("\n(by ABC/2: {score})").format(score=low if low == high else f"{low}\u2013{high}")
    return text


def detail_html(case, swatches) -> str:
    """detail_line with every label in front of its number in its colour. swatches: {label's name: "#rrggbb"}."""
    text = escape(detail_line(case))
    if case.result is None or not case.result.found or case.uncounted_segments():
        return text
    for name, color in swatches.items():
        text = text.replace(f"{name} ", f'<span style="color:{color}">\u25a0</span>\u00a0{name}\u00a0', 1)
    return text


def detail_line(case) -> str:
    result = case.result
    if result is None:
        return ""
    uncounted = case.uncounted_segments()
    if uncounted:
        return _("Not counted: {names}. Only the segments ICH and IVH are measured.").format(names=", ".join(uncounted))
    if not result.found:
        return _("This does not mean that the scan is normal: small or faint bleeds can be missed. You can mark one by "
                 "hand below.") if case.was_not_found else _("Paint the bleed in the segment editor below.")
    volume = result.volume_ml
    parts = [_("ICH {ml}").format(ml=ml_text(volume.ich)), _("IVH {ml}").format(ml=ml_text(volume.ivh)),
             _("total {ml} mL").format(ml=ml_text(volume.total))]
    if result.interval_ml and not case.is_edited:
        parts[-1] += " (" + interval_text(result) + ")"
    if result.abc2 and result.abc2_minus_ich_percent is not None:
        parts.append(_("ABC/2 {ml:.1f} mL ({percent:+.0f} %)").format(ml=result.abc2.coniglobus_ml,
                                                                    percent=result.abc2_minus_ich_percent))
    if case.is_edited and case.record:
        parts.append(_("edited by hand, AI said {ml:.1f} mL").format(ml=case.record.volume_ml.total))
    return " \u00b7 ".join(parts)


def findings_html(findings, colors, most=FINDINGS_SHOWN) -> str:
    """Short sentences, the serious ones first and in colors[severity]; remarks beyond `most` are only counted."""
    order = {ERROR: 0, WARNING: 1}
    findings = sorted(findings, key=lambda f: order.get(f.severity, 2))
    serious = sum(finding.severity in order for finding in findings)
    shown = findings[:max(most, serious)]
    lines = []
    for finding in shown:
        color = colors.get(finding.severity)
        style = f' style="color:{color}"' if color else ""
        mark = _MARKS.get(finding.severity, "\u2022")
        lines.append(f"<span{style}>{mark} {escape(finding.message)}</span>")
    if len(findings) > len(shown):
        lines.append(_("<i>and {count} more: point here</i>").format(count=len(findings) - len(shown)))
    return "<br>".join(lines)


def errors_of(findings) -> str:
    """Why this CT must not be segmented, or ""."""
    return " ".join(finding.message for finding in findings if finding.severity == ERROR)


def mortality_sentence(score) -> str:
    short = mortality_text(score).removeprefix("30 d: ")
    if not short:
        return score.note
    open_items = [name for name, item in score.inputs.items() if item["source"] == "unknown"]
    names = {"gcs": _("GCS"), "age_years": _("age"), "infratentorial": _("site"), "ivh": _("IVH"),
             "volume_ml": _("volume")}
    text = _("<b>30-day mortality {text}</b>").format(text=escape(short))
    if open_items:
        text += _(" \u2013 unknown: {items}").format(items=", ".join(names.get(name, name) for name in open_items))
    return text


def other_scores_text(result) -> str:
    scores = [score for score in (result.max_ich, result.func) if score.applies]
    return " \u00b7 ".join(f"{score.name}: {score_text(score)}" for score in scores)


def run_sentence(record, seconds: float) -> str:
    run = record.segmentation
    return _("Done in {seconds:.1f} s on {device} ({engine}).").format(seconds=seconds, device=run.device,
                                                                      engine=run.engine)


def kept_sentence(name: str, record) -> str:
    """That a corrected mask is still there after the run of this record."""
    if record.volume_ml.total > 0:
        return _("The corrected mask was kept as \u201c{name}\u201d.").format(name=name)
    return _("No bleed found by the model in this run; the corrected mask \u201c{name}\u201d was kept.").format(
        name=name)


def engine_sentence(record) -> str:
    if record is None:
        return ""
    run = record.segmentation
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in run.seconds.items())
    return _("Last run: model {model}, {engine} on {device}: {steps}").format(
        model=run.model, engine=run.engine, device=run.device, steps=steps)
