"""compare.html: one page with the numbers of a follow-up and both scans on the same slices."""

from datetime import datetime
from pathlib import Path

import numpy as np

from ..core.comparison import Comparison
from ..core.ct_volume import CTVolume
from ..core.text import shown
from .follow_up_pictures import Pair, pairs_of_slices
from .html_parts import definitions, finding_item, page_margins, text
from .style import CSS
from .summary import RESEARCH_USE

_MORE_CSS = """
.pairs { display: grid; grid-template-columns: 1fr 1fr; gap: 18px 22px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; break-inside: avoid; }
.pair.wide { grid-column: 1 / -1; gap: 14px; }
.pair .dark { position: relative; border-radius: 8px; }
.pair .over { position: absolute; inset: 0; }
.pair .over image { display: none; }
.pair .over path { stroke: #39c5d8 !important; stroke-dasharray: 4 3; }
.bg-before { background: #39c5d8; }
@media screen and (max-width: 760px) { .pairs { grid-template-columns: 1fr; } .pair.wide { grid-column: auto; } }
"""


def write_follow_up_page(path: Path, comparison: Comparison, earlier: CTVolume, earlier_mask: np.ndarray,
                         later: CTVolume, later_mask: np.ndarray) -> None:
    """Masks: uint8 (slices, rows, columns), each on its scan's grid. One self-contained HTML file."""
    pairs = []
    if comparison.registration.good:
        motion = np.array(comparison.registration.later_to_earlier_ras)
        pairs = pairs_of_slices(earlier, earlier_mask, later, later_mask, motion)
    page = shown(follow_up_page(comparison, pairs, datetime.now()))
    Path(path).write_text(page, encoding="utf-8", newline="\n")


def follow_up_page(comparison: Comparison, pairs: list[Pair], made_at: datetime) -> str:
    """The whole HTML document."""
    parts = (_header(comparison, made_at), _findings(comparison, "warning"), _cards(comparison), _rules(comparison),
             _side_by_side(comparison, pairs), _table(comparison), _findings(comparison, "info"), _footer())
    return ("<!DOCTYPE html>\n"
            '<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{text(headline(comparison))} - ICHVolume</title><style>{CSS}{_MORE_CSS}{_page_margins(comparison)}"
            "</style></head><body><main>"
            f'<div class="notice"><strong>{RESEARCH_USE}</strong></div>'
            f'<div class="body">{"".join(parts)}</div></main></body></html>\n')


def _page_margins(comparison):
    scans = comparison.earlier, comparison.later
    named = [f"{name} {scan.series_uid or scan.source}" for name, scan in zip(("Earlier", "Later"), scans, strict=True)]
    return page_margins("Series: " + ", ".join(named))


def headline(comparison: Comparison) -> str:
    """"ICH 12.3 to 20.1 mL: +7.8 mL (+63 %)"."""
    before, after, change = comparison.earlier.volume_ml, comparison.later.volume_ml, comparison.expansion
    return f"ICH {before.ich:.1f} to {after.ich:.1f} mL: {signed(change.ich_ml, change.ich_percent)}"


def signed(change_ml: float, percent: float | None) -> str:
    """"+7.8 mL (+63 %)"; two decimals below 1 mL, where they decide."""
    if abs(change_ml) < 0.005:
        return "\u00b10 mL"
    digits = 2 if abs(change_ml) < 1 else 1
    return f"{change_ml:+.{digits}f} mL" + ("" if percent is None else f" ({percent:+.0f} %)")


def rule_rows(comparison: Comparison) -> list[tuple[str, bool, str]]:
    """(rule, met, by what) of both definitions of expansion."""
    change = comparison.expansion
    percent = "no percentage from 0 mL" if change.ich_percent is None else f"{change.ich_percent:+.1f} %"
    ivh = "new intraventricular blood" if change.new_ivh else "no new intraventricular blood"
    return [("Expansion: ICH more than 6 mL or more than 33 % larger", change.expanded,
             f"ICH {change.ich_ml:+.2f} mL, {percent}"),
            ("Revised: that, or new IVH, or IVH at least 1 mL larger", change.expanded_revised,
             f"{ivh}, IVH {change.ivh_ml:+.2f} mL")]


def volume_rows(comparison: Comparison) -> list[tuple[str, float, float, str]]:
    """(what, earlier mL, later mL, change in words) of ICH, IVH and both."""
    before, after, change = comparison.earlier.volume_ml, comparison.later.volume_ml, comparison.expansion
    return [("ICH", before.ich, after.ich, signed(change.ich_ml, change.ich_percent)),
            ("IVH", before.ivh, after.ivh, signed(change.ivh_ml, comparison.ivh_percent)),
            ("Total", before.total, after.total, signed(comparison.total_ml, comparison.total_percent))]


def between(comparison: Comparison) -> str:
    """"24.0 h apart", or empty."""
    return "" if comparison.hours_between is None else f"{abs(comparison.hours_between):.1f} h apart"


def _header(comparison, made_at):
    one, other = comparison.earlier, comparison.later
    origin = (f"Earlier: {text(one.source)}<br>Later: {text(other.source)}<br>"
              f"{made_at:%Y-%m-%d %H:%M}, {text(comparison.software)}")
    apart = f"; {between(comparison)}" if between(comparison) else ""
    return (f"<header><div><h1>Follow-up of a hemorrhage on head CT</h1><p>{text(headline(comparison) + apart)}</p>"
            f'</div><div class="origin">{origin}</div></header>')


def _findings(comparison, severity):
    items = [finding_item(finding) for finding in comparison.findings if finding.severity == severity]
    return f'<ul class="findings">{"".join(items)}</ul>' if items else ""


def _cards(comparison):
    before, after, change = comparison.earlier.volume_ml, comparison.later.volume_ml, comparison.expansion
    rows = (("Intracerebral (ICH)", before.ich, after.ich, change.ich_ml, change.ich_percent),
            ("Intraventricular (IVH)", before.ivh, after.ivh, change.ivh_ml, comparison.ivh_percent),
            ("Total", before.total, after.total, comparison.total_ml, comparison.total_percent))
    cards = [f'<div class="card{" main" if not place else ""}"><h3>{name}</h3><div class="big second">{now:.1f} '
             f'<small>mL</small></div><p>before <b>{then:.1f} mL</b>, change '
             f'<b class="whole">{text(signed(ml, percent))}</b></p></div>'
             for place, (name, then, now, ml, percent) in enumerate(rows)]
    return f'<div class="cards">{"".join(cards)}</div>'


def _rules(comparison):
    rows = "".join(f"<tr><td>{text(rule)}</td><td><b>{'yes' if met else 'no'}</b></td><td>{text(why)}</td></tr>"
                   for rule, met, why in rule_rows(comparison))
    residual = "" if comparison.residual_ich_ml is None else (
        f'<p class="care">Residual ICH (evacuated or resolved): <b>{comparison.residual_ich_ml:.1f} mL</b>, '
        f"{comparison.residual_ich_percent:.0f} % of the earlier volume.</p>")
    return ('<div class="keep"><h2>Expansion</h2><div class="scroll"><table><thead><tr><th>Rule</th><th>Met</th>'
            f"<th>Because</th></tr></thead><tbody>{rows}</tbody></table></div>{residual}</div>")


def _side_by_side(comparison, pairs):
    if not comparison.registration.good:
        return ('<h2>Side by side</h2><p class="care">Not shown: the heads could not be brought onto each other well '
                "enough. See above.</p>")
    figures = [f'<div class="pair{" wide" if pair.is_main else ""}">'
               f'<figure><div class="dark">{pair.earlier}</div><figcaption>Earlier, on slice {pair.k + 1} of the later '
               f'scan</figcaption></figure><figure><div class="dark">{pair.later}<div class="over">{pair.outline}</div>'
               f"</div><figcaption>Later, slice {pair.k + 1}</figcaption></figure></div>" for pair in pairs]
    legend = ('<span class="dot bg-ich"></span>ICH &nbsp; <span class="dot bg-ivh"></span>IVH &nbsp; '
              '<span class="dot bg-before"></span>the earlier bleed, drawn dashed on the later scan')
    return (f'<h2>Side by side <small>{legend}</small></h2><div class="pairs">{"".join(figures)}</div>'
            '<p class="care">The earlier scan is turned and shifted as a rigid body so that the skulls match; the '
            "brain may have shifted within. Seen from below; window 0 to 80 HU. The volumes above are of the masks as "
            "drawn on each scan, not of these pictures.</p>")


def _table(comparison):
    quality = comparison.registration
    entries = [("Patient", f"{comparison.patient}: {comparison.patient_why}")]
    for name, scan in (("Earlier", comparison.earlier), ("Later", comparison.later)):
        median, low, high = scan.slab_height_mm
        entries.append((f"{name} scan", ", ".join(filter(None, (
            scan.scanned_at.replace("T", " "), f"{scan.slices} slices",
            f"{median:.2f} mm apart ({low:.2f} to {high:.2f})",
            f"tilt {scan.tilt_deg:.1f}°", f"mask {scan.mask_origin}" if scan.mask_origin else "",
            scan.model, f"series {scan.series_uid}" if scan.series_uid else "")))))
    entries.append(("Registration", f"correlation {quality.correlation:.3f}, skull overlap {quality.skull_dice:.3f}"
                                    f", turned by {quality.rotation_deg:.1f}°, {100 * quality.overlap:.0f} % of the "
                                    "head in both"))
    return f"<h2>How it was compared</h2>{definitions(entries)}"


def _footer():
    return f"<footer><p><b>{RESEARCH_USE}</b></p></footer>"
