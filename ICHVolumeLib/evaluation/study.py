"""A study from the results of `evaluate`: the paper's tables and figures, and everything to make them again.

    OUT/study.md              all tables, and which figure shows what
    OUT/tables/NAME.csv .md .tex
    OUT/figures/NAME.pdf .png
    OUT/data/SET.jsonl        the rows that everything is made from
    OUT/study.json            versions, seed, commands, SHA-256 of data, weights and of every file here
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.text import shown_values
from ..io.folder_lock import FolderLock
from ..io.written_files import sha256_of
from ..workflow.make_result import SOFTWARE, installed_versions
from .paper_tables import Table, study_tables
from .study_figures import Drawn, draw_figures
from .study_inputs import TestSet, read_test_sets
from .study_record import PACKAGES, now
from .table_files import csv_text, latex_table, markdown_table, write_text

RECORD, PAGE, TABLES, FIGURES, DATA, LOCK = ("study.json", "study.md", "tables", "figures", "data", ".ichvolume-lock")
SCHEMA = "ichvolume-study/1"
_HEAD = """\
# Study

Research use only; not a medical device. {sets}. Made by {software}; seed {seed}, {repeats} draws of patients.
Everything here follows from `data/`; `ichvolume study --verify` on this folder makes the tables again and says what
differs.
"""


@dataclass(frozen=True)
class Study:
    sets: list[TestSet]
    tables: list[Table]
    figures: list[Drawn]


def make_study(folders: list[tuple[str, Path]], out: Path, *, repeats: int = 2000, seed: int = 0, command: str = "",
               weights: dict[str, Path] | None = None, figures: bool = True, progress=None) -> Study:
    """Tables, figures and the record from output folders of `evaluate`, named.

    weights: model -> folder whose files are listed with their SHA-256. figures: draw them, too (matplotlib). A figure
    that cannot be drawn (its masks are gone) is left out, and why stands in study.md.
    Raises InputError for folders that cannot be used and an OUT that cannot be written.
    """
    sets, hashes = read_test_sets(folders), _hashes_of(weights or {})
    out, lock = Path(out), None
    try:
        for folder in (out, out / TABLES, out / FIGURES, out / DATA):
            folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(out / LOCK, out)
        tables = study_tables(sets, repeats=repeats, seed=seed)
        files = _write_tables(tables, out) + _write_data(sets, out)
        drawn = draw_figures(sets, out / FIGURES, progress) if figures else []
        files += [file for one in drawn for file in one.files]
        write_text(out / PAGE, _page(sets, tables, drawn, repeats, seed))
        listed = {file.relative_to(out).as_posix(): sha256_of(file) for file in [*files, out / PAGE]}
        _remove_earlier(out, set(listed))
        write_text(out / RECORD, _json({
            "schema": SCHEMA, "software": SOFTWARE, "versions": installed_versions(PACKAGES), "made_at": now(),
            "command": command, "repeats": repeats, "seed": seed, "weights": hashes,
            "sets": [{"name": one.name, "data": f"{DATA}/{_data_name(number, one)}", "has_masks": one.has_masks,
                      "models": one.models, "records": one.records} for number, one in enumerate(sets, 1)],
            "files": listed}))
        return Study(sets, tables, drawn)
    except OSError as error:
        raise InputError(f"Cannot write into {out} ({error.strerror or error}); choose a folder that you may write to, "
                         "with room.") from error
    finally:
        if lock is not None:
            lock.release()


def _write_tables(tables, out) -> list[Path]:
    files = []
    for table in tables:
        texts = {"csv": csv_text([dict(zip(table.head, row, strict=True)) for row in table.rows], table.head),
                 "md": f"**{table.title}**\n\n{markdown_table(table.head, table.rows)}\n\n{table.note}",
                 "tex": latex_table(table.head, table.rows, f"{table.title}. {table.note}".rstrip(". ") + ".",
                                    table.name)}
        for ending, text in texts.items():
            files.append(out / TABLES / f"{table.name}.{ending}")
            write_text(files[-1], text)
    return files


def _write_data(sets, out) -> list[Path]:
    files = []
    for number, one in enumerate(sets, 1):
        files.append(out / DATA / _data_name(number, one))
        write_text(files[-1], "\n".join(json.dumps(row) for row in one.rows))
    return files


def _data_name(number: int, one: TestSet) -> str:
    plain = re.sub(r"[^\w.-]+", "_", one.name).strip("._")
    return f"set{number}_{plain}.jsonl"


def _remove_earlier(out: Path, kept: set[str]) -> None:
    """Files that an earlier study here wrote and this one does not: they would be taken for its own."""
    try:
        listed = json.loads((out / RECORD).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for name, sha256 in listed.items():
        file = out / name
        if name not in kept and ".." not in Path(name).parts and file.is_file() and sha256_of(file) == sha256:
            file.unlink()


def _hashes_of(weights: dict[str, Path]) -> dict[str, dict[str, str]]:
    """Model -> file -> SHA-256."""
    found = {}
    for model, folder in weights.items():
        if not Path(folder).is_dir():
            raise InputError(f"There is no folder {folder} with the weights of {model}; check the path.")
        found[model] = {file.relative_to(folder).as_posix(): sha256_of(file)
                        for file in sorted(Path(folder).rglob("*")) if file.is_file()}
    return found


def _page(sets, tables, drawn, repeats, seed) -> str:
    what = "; ".join(f"{one.name}: {len(one.cases)} cases, models {', '.join(one.models)}" for one in sets)
    parts = [_HEAD.format(sets=what, software=SOFTWARE, seed=seed, repeats=repeats)]
    if any(not one.has_masks for one in sets):
        parts.append("Synthetic patients show what a network can do on the generator's kind of bleed; they say nothing "
                     "about real ones.\n")
    for table in tables:
        parts += [f"## {table.title}\n", markdown_table(table.head, table.rows), "", table.note, ""]
    if drawn:
        parts.append("## Figures\n")
    for one in drawn:
        if one.files:
            parts += [f"![{one.title}]({FIGURES}/{one.name}.png)", "", f"*{one.title}.* {one.words}", ""]
        else:
            parts += [f"*{one.title}*: left out: {one.words}", ""]
    return "\n".join(parts)


def _json(values: dict) -> str:
    return json.dumps(shown_values(values), indent=1, ensure_ascii=False, allow_nan=False)
