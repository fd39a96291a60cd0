"""The page: plain functions that each return one part of the HTML; html_parts.text escapes what comes from outside."""

from ..clinical.scores import CARE_NOTE
from ..core.result import Result, Score
from .details import details
from .html_parts import finding_item, page_margins, text
from .mass_effect_words import mass_effect_rows, with_midline
from .pictures import Pictures
from .printed import picture_mm
from .site_words import site_remark, site_sentence
from .style import CSS
from .summary import (
    RESEARCH_USE,
    alternative_text,
    difference_text,
    headline,
    interval_text,
    items_to_confirm,
    ml,
    mortality_text,
    paper_formula_differs,
    paper_remark,
    score_text,
    unknown_items,
)


def report_page(result: Result, pictures: Pictures, made_at) -> str:
    """The whole HTML document."""
    header, findings = _header(result, made_at), _findings_that_matter(result)
    cards = [_volume_card(result), _abc2_card(result), _score_card(result.ich_score)] if result.found else []
    parts = (header,
             findings,
             _numbers(cards, pictures) if result.found else _nothing_found(result),
             _large_pictures(result, pictures, picture_mm(header, findings, cards, bool(pictures.ruler))),
             _mass_effect(result, pictures),
             _areas(pictures),
             _small_pictures(result, pictures),
             details(result),
             _footer())
    return ("<!DOCTYPE html>\n"
            '<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{text(headline(result))} - ICHVolume</title><style>{CSS}{_page_margins(result)}</style>"
            "</head><body><main>"
            f'<div class="notice"><strong>{RESEARCH_USE}</strong></div>'
            f'<div class="body">{"".join(parts)}</div></main></body></html>\n')


def _page_margins(result):
    """On every printed page: whose it is, and the page number (CSS Paged Media; where a browser knows it)."""
    source = result.provenance
    named = ("patient_key", "Patient "), ("series_uid", "Series ")
    whose = ", ".join(words + str(getattr(source, name)) for name, words in named if getattr(source, name, ""))
    return page_margins(whose or source.source)


def _header(result, made_at):
    source = result.provenance
    series = f"<br>Series {text(source.series_uid)}" if source.series_uid else ""
    origin = f"{text(source.source)}{series}<br>{made_at:%Y-%m-%d %H:%M}, {text(source.software)}"
    bleed = "Intraventricular" if result.is_ivh_only else "Intracerebral"
    title = "Head CT searched for hemorrhage" if not result.found or result.is_probably_noise else \
        f"{bleed} hemorrhage on head CT"
    where = f'<p class="site"><b>{text(with_midline(site_sentence(result), result))}</b> ' \
        f'<small>{text(site_remark(result))}</small></p>' if site_sentence(result) else ""
    said = headline(result) if where else with_midline(headline(result), result)
    return (f"<header><div><h1>{title}</h1><p>{text(said)}</p>{where}</div>"
            f'<div class="origin">{origin}</div></header>')


def _findings_that_matter(result):
    """Warnings stand before the numbers they put in doubt; the notes come with the details."""
    items = [finding_item(finding) for finding in result.findings if finding.severity != "info"]
    return f'<ul class="findings">{"".join(items)}</ul>' if items else ""


def _numbers(cards, pictures):
    ruler = f'<div class="ruler">{pictures.ruler}</div>' if pictures.ruler else ""
    return f'<div class="cards">{"".join(cards)}</div>{ruler}'


def _volume_card(result):
    """The ICH in large digits, which ABC/2 and the scores are about, or the IVH where there is nothing else."""
    volume, lines = result.volume_ml, []
    title, large = ("IVH volume", volume.ivh) if result.is_ivh_only else ("ICH volume", volume.ich)
    interval_ml = (result.interval_ivh_ml or result.interval_ml) if result.is_ivh_only else result.interval_ich_ml
    if interval_ml:
        said = interval_text(result, interval_ml)
        lines.append(f"<p>{text(said[0].upper() + said[1:])}</p>")
    if result.is_ivh_only:
        lines.append("<p>No blood is marked in the brain tissue (ICH)</p>")
    elif volume.ivh:
        share = 100 * volume.ich / volume.total
        lines.append(f'<div class="split"><i class="bg-ich" style="width:{share:.1f}%"></i>'
                     f'<i class="bg-ivh" style="width:{100 - share:.1f}%"></i></div>'
                     f'<p><span class="dot bg-ich"></span>In the brain tissue (ICH) <b>{ml(volume.ich)}</b><br>'
                     f'<span class="dot bg-ivh"></span>In the ventricles (IVH) <b>{ml(volume.ivh)}</b><br>'
                     f'<span class="dot"></span>Total <b>{ml(volume.total)}</b></p>')
    if result.outside_brain_ml:
        lines.append(f'<p><span class="dot bg-outside"></span>Outside the brain <b>{ml(result.outside_brain_ml)}</b>, '
                     "not counted</p>")
    if result.automatic_volume_ml:
        before = result.automatic_volume_ml.total
        lines.append(f"<p>Edited mask; the model had marked <b>{ml(before)}</b> in total "
                     f"({volume.total - before:+.1f} mL by editing)</p>")
    if paper_formula_differs(volume):
        lines.append(f"<p>Paper's formula <b>{ml(volume.paper_formula)}</b>: {text(paper_remark(volume))}</p>")
    return f'<div class="card main"><h3>{title}</h3>{_big(large)}{"".join(lines)}</div>'


def _abc2_card(result):
    abc2 = result.abc2
    if abc2 is None:
        return '<div class="card"><h3>ABC/2</h3><p>No intracerebral part is marked, so ABC/2 does not apply.</p></div>'
    which = f"Sum over {abc2.pieces} pieces, the largest: " if abc2.pieces > 1 else ""
    return (f'<div class="card"><h3>ABC/2 of the ICH</h3>{_big(abc2.coniglobus_ml, "second")}'
            f"<p><b>{text(difference_text(result))}</b> against the measured ICH volume</p>"
            f"<p>{which}A <b>{abc2.a_mm:.1f}</b> × B <b>{abc2.b_mm:.1f}</b> × C <b>{abc2.c_mm:.1f}</b> mm, "
            f"measured on slice {abc2.slice_index + 1}</p>"
            f"<p>Published mean error for {text(abc2.shape_class)} shapes: "
            f"{abc2.expected_error_percent:.1f} %</p></div>")


def _score_card(score: Score):
    if not score.applies:
        return f'<div class="card"><h3>ICH score</h3><p>{text(score.note)}</p></div>'
    low, high = score.range
    pips = "".join(f'<i class="{"sure" if pip <= low else "open" if pip <= high else ""}"></i>' for pip in range(1, 7))
    lines = [f"<p><b>{text(mortality_text(score))}</b></p>"]
    if unknown_items(score):
        lines.append(f"<p>Unknown: {text(', '.join(unknown_items(score)))}</p>")
    if items_to_confirm(score):
        lines.append(f"<p>Suggested by the mask, to be confirmed: {text(', '.join(items_to_confirm(score)))}</p>")
    if score.alternative:
        other = alternative_text(score)
        lines.append(f"<p>{text(other[0].upper() + other[1:])}</p>")
    number = text(score_text(score))
    return (f'<div class="card"><h3>ICH score</h3><div class="big second">{number} <small>of 6</small></div>'
            f'<div class="pips">{pips}</div>{"".join(lines)}</div>')


def _nothing_found(result):
    if result.provenance.engine == "none":
        said = "Nothing is marked in the mask, so there is nothing to measure or to score."
    elif result.outside_brain_ml:
        said = (f"The model marked no bleed in the brain in {result.geometry.slices} slices, and about "
                f"<b>{ml(result.outside_brain_ml)} outside it</b>, outlined below. A person must read the scan.")
    else:
        said = (f"The model marked nothing in {result.geometry.slices} slices. <b>This does not mean that the scan is "
                "normal</b>: small, faint or old bleeds and blood outside the brain can be missed, and other disease "
                "is not looked for. A person must read the scan.")
    return (f'<div class="card main"><h3>Result</h3><div class="big second">{text(headline(result))}</div>'
            f"<p>{said}</p></div>")


def _large_pictures(result, pictures, printed_mm):
    if not result.found:
        return ""
    where = f"Slice {pictures.large_slice + 1} of {result.geometry.slices}"
    lines = ", with the lines A and B of ABC/2" if result.abc2 else ""
    in_3d = "".join(pictures.in_3d) or f'<div class="absent">{text(pictures.in_3d_caption)}</div>'
    caption = f"{text(pictures.in_3d_caption)}. {_legend(result)}" if pictures.in_3d else _legend(result)
    return (f'<h2>The bleed</h2><div class="pictures" style="--printed-mm:{printed_mm:g}mm">'
            f'<figure><div class="dark">{pictures.large}</div><figcaption>{where}{lines}. Seen from below, as '
            "radiologists do; window 0 to 80 HU.</figcaption></figure>"
            f'<figure><div class="dark views">{in_3d}</div><figcaption>{caption}</figcaption></figure></div>')


def _mass_effect(result, pictures):
    """Midline shift and lateral ventricles, with the line drawn on its slice; or why they were not measured."""
    rows = mass_effect_rows(result)
    if not rows:
        return ""
    said = "".join(f"<p>{text(row.name)} <b>{text(row.value)}</b>: {text(row.remark)}</p>" for row in rows)
    shown = result.midline_shift
    figure = "" if not pictures.midline else (
        f'<figure><div class="dark">{pictures.midline}</div><figcaption>Slice {shown.slice_index + 1}: the line '
        f"between both ends of the falx, and the distance of the {text(shown.landmark)} from it.</figcaption></figure>")
    return (f'<div class="keep"><h2>Mass effect</h2><div class="pictures">{figure}'
            f'<div class="card" style="align-self:start">{said}</div></div></div>')


def _legend(result):
    parts = [f'<span class="dot bg-{name.lower()}"></span>{name}' for name, value in
             (("ICH", result.volume_ml.ich), ("IVH", result.volume_ml.ivh)) if value]
    if result.outside_brain_ml:
        parts.append('<span class="dot bg-outside"></span>Outside the brain, not counted')
    return f'<span class="whole">{" &nbsp; ".join(parts)}</span>'


def _small_pictures(result, pictures):
    count = len(pictures.small)
    columns = 4 if count in (3, 4, 7, 8) else min(count, 6) if count < 7 else 5
    printed = count if count >= 4 else 6  # one row on paper, which it fills
    figures = []
    for k, svg in pictures.small:
        largest = result.found and k == pictures.large_slice
        figures.append(f'<figure{" class=largest" if largest else ""}><div class="dark">{svg}</div>'
                       f"<figcaption>Slice {k + 1}{', shown above' if largest else ''}</figcaption></figure>")
    title = "From the lowest to the highest slice of the bleed" if result.found else "Slices through the head"
    return (f'<h2>Key slices <small>{title}</small></h2>'
            f'<div class="strip" style="--columns:{max(columns, 1)};--printed:{printed}">{"".join(figures)}</div>')


def _areas(pictures):
    if not pictures.areas:
        return ""
    return ('<div class="keep"><h2>Marked area, slice by slice <small>a bar is as wide as its slice is high, so its '
            f'area is its volume</small></h2><div class="areas">{pictures.areas}</div></div>')


def _footer():
    return f"<footer><p><b>{RESEARCH_USE}</b></p><p>ICH score: {CARE_NOTE}</p></footer>"


def _big(value, size=""):
    digits = f"{value:.2f}" if value < 1 else f"{value:.1f}"
    return f'<div class="big {size}">{digits} <small>mL</small></div>'

