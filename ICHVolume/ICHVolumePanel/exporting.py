"""Export one case: 3D models, mask, table, report. Headless; the panel only collects the wishes."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ICHVolumeLib.errors import InputError
from ICHVolumeLib.result_files import write_csv

from . import scene_export
from .translation import tr as _


@dataclass(frozen=True)
class Wishes:
    """formats: of scene_export.FORMATS; space: "LPS" or "RAS"."""

    formats: tuple[str, ...] = ("STL",)
    space: str = "LPS"
    mask: bool = True
    table: bool = True
    report: bool = True


def export_case(case, folder, wishes: Wishes) -> list[Path]:
    """Write what is wished into the folder, named after the CT; returns the paths written.

    Every file is complete or not there. Raises InputError with a sentence for the user (read-only folder, full disk,
    nothing measured, ...).
    """
    if case is None or case.result is None:
        raise InputError(_("There is nothing to export yet: segment a CT, or mark the bleed by hand."))
    if not str(folder).strip():
        raise InputError(_("Choose a folder to write into."))
    folder = Path(folder)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for write in _writers(case, folder, wishes):
            written += write()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        done = _(" Written before that: {names}.").format(names=names_of(written)) if written else ""
        raise InputError(_("Export into {folder} failed: {reason}.{done} Choose another folder or free some "
                           "space.").format(folder=folder, reason=reason.rstrip("."), done=done)) from error
    if not written:
        raise InputError(_("Choose at least one kind of file to export."))
    return written


def names_of(paths) -> str:
    return ", ".join(path.name for path in paths)


def _writers(case, folder, wishes):
    prefix = re.sub(r"[^\w.-]+", "_", case.volume_node.GetName()).strip("_.") + "_"
    node = case.segmentation_node
    if wishes.formats and case.result.found:
        yield lambda: list(scene_export.export_models(node, folder, wishes.formats, wishes.space, prefix=prefix))
    if wishes.mask and node is not None:
        yield lambda: [scene_export.export_mask(node, folder / f"{prefix}mask.seg.nrrd")]
    if wishes.table:
        yield lambda: [_beside(folder / f"{prefix}result.csv", lambda path: write_csv(path, case.result))]
    if wishes.report:
        from ICHVolumeLib.report import write_report

        yield lambda: [_beside(folder / f"{prefix}report.html",
                               lambda path: write_report(path, case.ct, case.mask, case.result))]


def _beside(path, write):
    """Write under another name, then rename: a full disk leaves no half file."""
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
