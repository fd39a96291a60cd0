"""Tables to files: CSV, Markdown and LaTeX from the same rows of texts."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..core.atomic_files import replace_file
from ..core.text import shown

_LATEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
          "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "≥": r"$\geq$", "–": "--"}
_FORMULA = ("=", "+", "-", "@")  # with one of these first a spreadsheet takes a text for a formula


def csv_text(rows: Iterable[dict], head: Sequence[str] = ()) -> str:
    """A header (head, else the first row's names) and a line each; None is empty, numbers keep their digits."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(head or rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells):
        return "| " + " | ".join(shown(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def latex_table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, label: str) -> str:
    """A table environment for the package booktabs."""
    def line(cells):
        return " & ".join(latex_text(cell) for cell in cells) + r" \\"

    return "\n".join([r"\begin{table}[htbp]", r"\centering", rf"\caption{{{latex_text(caption)}}}",
                      rf"\label{{tab:{label}}}", rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", r"\toprule",
                      line(head), r"\midrule", *map(line, rows), r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def latex_text(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in shown(text))


def write_text(path: Path, text: str) -> None:
    """UTF-8, the whole file or none of it."""
    replace_file(path, (text.rstrip("\n") + "\n").encode("utf-8", "replace") if text else b"")
