"""The list of a cohort as one HTML page: a picture and the numbers of each patient, sorted and searched in the browser.

It works from a file and needs no network; pictures and reports lie beside it, in the cases' own folders. The table
itself is plain HTML, so that it can also be read where scripts do not run.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from ..core.findings import INFO, Finding
from ..core.text import shown
from ..io.cohort_files import PROBLEMS_CSV, RESULTS_CSV, CaseRow
from ..io.result_files import REPORT_HTML
from .charts import volume_histogram
from .cohort_style import COHORT_CSS, COHORT_SCRIPT
from .html_parts import text
from .style import CSS
from .summary import RESEARCH_USE

MOST_CHIPS = 2
# key of the sort, words in the head, css class
_HEADS = (("", "", "pic"), ("patient", "Patient", "who"), ("ich", "ICH<i>mL</i>", "n"), ("ivh", "IVH<i>mL</i>", "n"),
          ("total", "Total<i>mL</i>", "n"), ("abc2", "ABC/2<i>mL</i>", "n"), ("score", "ICH score", "n"),
          ("findings", "Findings", "f"))


def cohort_page(rows: list[CaseRow], problems: list[tuple[str, str, str]], remarks: list[str], *, still_open: int,
                cases: str, thumbnail: str, report: bool, made_at: datetime, software: str) -> str:
    """The whole HTML document.

    problems: (patient, source, sentence); still_open: patients that the run has not come to.
    cases: the folder of the cases beside the page; thumbnail: the picture's name in each; report: there are reports.
    """
    total = len(rows) + len(problems) + still_open
    parts = (_header(rows, problems, total, made_at, software),
             _open(still_open), _remarks(remarks), _problems(problems),
             _distribution(rows), _tools(rows), _table(rows, cases, thumbnail, report),
             f"<footer><p><b>{RESEARCH_USE}</b></p><p>All columns: <a href=\"{RESULTS_CSV}\">{RESULTS_CSV}</a>. "
             "Volumes are mL; an interval is where the true volume is expected in 90 of 100 cases like those that the "
             "model was calibrated on. \u201cNo bleed\u201d never means that a scan is normal.</p></footer>")
    return shown("<!DOCTYPE html>\n"
                 '<html lang="en"><head><meta charset="utf-8">'
                 '<meta name="viewport" content="width=device-width, initial-scale=1">'
                 f"<title>{_count(total, 'patient')} - ICHVolume</title><style>{CSS}{COHORT_CSS}</style></head>"
                 f'<body class="cohort"><main><div class="notice"><strong>{RESEARCH_USE}</strong></div>'
                 f'<div class="body">{"".join(parts)}</div></main><script>{COHORT_SCRIPT}</script></body></html>\n')


def _header(rows, problems, total, made_at, software):
    found = sum(row.values.get("found") == "yes" for row in rows)
    facts = [f"{_count(len(rows), 'scan')} measured", f"{found:,} with a bleed marked"]
    if problems:
        facts.append(f"{len(problems):,} not measured")
    return (f"<header><div><h1>{_count(total, 'patient')}</h1><p>{', '.join(facts)}</p></div>"
            f'<div class="origin">{made_at:%Y-%m-%d %H:%M}<br>{text(software)}</div></header>')


def _open(still_open):
    if not still_open:
        return ""
    return ('<ul class="findings"><li class="warning"><span class="tag">Not finished</span>'
            f"{_count(still_open, 'patient')} open; run the same command again to go on.</li></ul>")


def _remarks(remarks):
    items = "".join(f'<li class="warning"><span class="tag">Check</span>{text(remark)}</li>' for remark in remarks)
    return f'<ul class="findings">{items}</ul>' if items else ""


def _problems(problems):
    if not problems:
        return ""
    items = "".join(f"<tr><td>{text(patient)}</td><td>{text(sentence)}</td></tr>" for patient, _, sentence in problems)
    return ('<details class="problems"><summary><span class="tag">Not measured</span>'
            f"{_count(len(problems), 'patient')} <small>also in {PROBLEMS_CSV}</small></summary>"
            f"<table><tbody>{items}</tbody></table></details>")


def _distribution(rows):
    volumes_ml = [row.number("volume_ich_ml") or 0.0 for row in rows]
    if not any(volumes_ml):
        return ""
    return ('<h2>ICH volume <small>patients by the volume of their ICH; those from 30 mL on are darker</small></h2>'
            f'<div class="histogram">{volume_histogram(volumes_ml)}</div>')


def _tools(rows):
    codes = Counter(code for row in rows for code in {finding.code for finding in row.findings})
    options = "".join(f'<option value="{text(code)}">{text(_words(code))} ({count:,})</option>'
                      for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0])))
    return ('<div class="tools"><label>Find <input id="find" type="search" placeholder="patient" '
            'autocomplete="off"></label><label>Finding <select id="finding"><option value="">any</option>'
            f'{options}</select></label><label class="box"><input id="bleeds" type="checkbox"> with a bleed only'
            f'</label><span id="shown" role="status">{len(rows):,} shown</span></div>')


def _table(rows: Iterable[CaseRow], cases, thumbnail, report):
    heads = "".join(f'<th class="{css}" scope="col"' + (' aria-sort="ascending"' if key == "patient" else "")
                    + (f'><button type="button" data-key="{key}">{words}</button></th>' if key else "></th>")
                    for key, words, css in _HEADS)
    body = "".join(_row(number, row, cases, thumbnail, report) for number, row in enumerate(rows))
    return f'<table id="cases"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _row(number, row, cases, thumbnail, report):
    folder = f"{cases}/{quote(row.folder)}"
    found, values = row.values.get("found") == "yes", row.values
    serious = [finding for finding in row.findings if finding.severity != INFO]
    keys = {"patient": number, "ich": row.number("volume_ich_ml"), "ivh": row.number("volume_ivh_ml"),
            "total": row.number("volume_total_ml"), "abc2": row.number("abc2_coniglobus_ml"),
            "score": row.number("ich_score_highest"), "findings": len(serious) * 100 + len(row.findings)}
    data = "".join(f' data-{name}="{value:g}"' for name, value in keys.items() if value is not None)
    codes = " ".join(dict.fromkeys(finding.code for finding in row.findings))
    name = text(row.patient)
    picture = f'<img src="{folder}/{quote(thumbnail)}" alt="" loading="lazy" decoding="async">'
    if report:
        name = f'<a href="{folder}/{REPORT_HTML}">{name}</a>'
        picture = f'<a href="{folder}/{REPORT_HTML}" tabindex="-1">{picture}</a>'
    ich = f"<b>{values['volume_ich_ml']}</b>{_interval(values)}" if found else '<span class="none">no bleed</span>'
    cells = ("pic", picture), ("who", f"{name}{_slices(values)}"), ("n", ich), \
        ("n", values["volume_ivh_ml"] if found else ""), ("n", values["volume_total_ml"] if found else ""), \
        ("n", f"{values['abc2_coniglobus_ml']}{_difference(row)}"), ("n", _score(values)), \
        ("f", _chips(serious, len(row.findings) - len(serious)))
    return (f'<tr{data} data-found="{int(found)}" data-codes=" {text(codes)} " data-name="{text(row.patient.lower())}">'
            + "".join(f'<td class="{css}">{cell}</td>' for css, cell in cells) + "</tr>")


def _interval(values):
    low, high = values["volume_ich_low_ml"], values["volume_ich_high_ml"]
    return f"<small>{low} to {high}</small>" if low and high else ""


def _slices(values):
    height = values["slice_height_max_mm"]
    return f"<small>{values['slices']} slices{f', {float(height):.3g} mm' if height else ''}</small>"


def _difference(row):
    percent = row.number("abc2_minus_ich_percent")
    return "" if percent is None else f"<small>{percent:+.0f} %</small>".replace("-", "\u2212")


def _score(values):
    low, high = values["ich_score_lowest"], values["ich_score_highest"]
    return low if low == high else f"{low}\u2013{high}"


def _chips(serious: list[Finding], notes: int):
    codes = list(dict.fromkeys(finding.code for finding in serious))
    chips = [f'<span class="chip {text(finding.severity)}" title="{text(finding.message)}">{text(_words(finding.code))}'
             "</span>" for finding in {one.code: one for one in reversed(serious)}.values()][::-1][:MOST_CHIPS]
    if len(codes) > MOST_CHIPS:
        chips.append(f'<span class="chip more" title="{text(", ".join(map(_words, codes[MOST_CHIPS:])))}">'
                     f"+{len(codes) - MOST_CHIPS}</span>")
    if notes:
        chips.append(f"<small>{_count(notes, 'note')}</small>")
    return "".join(chips)


def _words(code: str) -> str:
    return code.replace("-", " ").replace(" ml", " mL")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
