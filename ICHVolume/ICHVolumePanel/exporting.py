"""Export one case: 3D models, mask, table, report. The panel collects the wishes; a script calls export_case."""

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from ICHVolumeLib.core.atomic_files import replace_file
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.output_folder import OutputFolder
from ICHVolumeLib.io.result_files import DICOM_SEG, DICOM_SR, csv_text
from ICHVolumeLib.report import write_report
from ICHVolumeLib.workflow.dicom_files import write_dicom_files
from ICHVolumeLib.workflow.history import this_version

from . import scene_export
from .scene_export import FORMATS
from .scene_volume import dicom_folder
from .translation import tr as _
from .turns import at_once

__all__ = ["FORMATS", "Export", "Wishes", "export_case", "names_of"]


@dataclass(frozen=True)
class Wishes:
    """formats: of FORMATS; space: "LPS" or "RAS"."""

    formats: tuple[str, ...] = ("STL",)
    space: str = "LPS"
    mask: bool = True
    table: bool = True
    report: bool = True
    dicom: bool = False  # Segmentation and structured report


def export_case(case, folder, wishes: Wishes) -> list[Path]:
    """Write what is wished into the folder, named after the CT; returns the paths written.

    All files come into the folder together, or none. Raises InputError with a sentence for the user (read-only folder,
    full disk, nothing measured, ...).
    """
    export = Export(case, folder, wishes)
    try:
        at_once(export.write_in_steps())
        if wishes.dicom:
            with tempfile.TemporaryDirectory() as made:
                write_dicom_files(Path(made), export.ct, export.mask, export.result, export.dicom_source)
                export.take_dicom(Path(made))
        if export.wants_report:
            write_report(export.report_path, export.ct, export.mask, export.result, outside=export.outside)
        return export.commit()
    except (InputError, OSError, ValueError) as error:
        raise InputError(export.sentence(error)) from error
    finally:
        export.give_up()


def names_of(paths) -> str:
    return ", ".join(path.name for path in paths)


class Export:
    """One export of a case as it stands now: later edits do not change it.

    Files are written beside and come into the folder by `commit`, in place of an earlier export's; until then, and
    after `give_up`, the folder is as it was. written: the files that are there by now.
    """

    def __init__(self, case, folder, wishes: Wishes):
        self.folder, self.wishes, self.written = folder, wishes, []
        self.ct, self.mask, self.result = (case.ct, case.mask, case.result) if case else (None, None, None)
        self.outside = case.outside_mask() if case else None
        self._node = case.segmentation_node if case else None
        self._prefix = re.sub(r"[^\w.-]+", "_", case.volume_node.GetName()).strip("_.") + "_" if case else ""
        self.dicom_source = dicom_folder(case.volume_node) if case else ""
        self._place = None

    @property
    def wants_report(self) -> bool:
        return self.wishes.report

    @property
    def report_path(self) -> Path:
        """Where the report is to be written once the other files are."""
        return self._place.staging / f"{self._prefix}report.html"

    def write_in_steps(self):
        """Generator that writes everything but the report. Raises InputError, OSError or ValueError; see sentence."""
        wishes = self.wishes
        if self.result is None:
            raise InputError(_("There is nothing to export yet: segment a CT, or mark the bleed by hand."))
        if not str(self.folder).strip():
            raise InputError(_("Choose a folder to write into."))
        models = wishes.formats if self.result.found else ()
        mask = wishes.mask and self._node is not None
        if not (models or mask or wishes.table or wishes.report or wishes.dicom):
            raise InputError(_("Choose at least one kind of file to export."))
        if wishes.dicom and not self.dicom_source:
            raise InputError(_("This CT was not loaded from the DICOM database, so a DICOM segmentation could not say "
                               "on which images it was drawn; load the series with Slicer's DICOM module, or untick "
                               "DICOM."))
        self._place = OutputFolder(self.folder, self._names(), ours=lambda _out, names: set(names))
        beside = self._place.staging
        yield
        if models:
            for _path in scene_export.export_models_in_steps(self._node, beside, models, wishes.space,
                                                             prefix=self._prefix):
                yield
        if mask:
            scene_export.export_mask(self._node, beside / f"{self._prefix}mask.seg.nrrd")
            yield
        if wishes.table:
            row_of = self.result if self.result.history else replace(self.result, history=[this_version(self.result)])
            replace_file(beside / f"{self._prefix}result.csv", csv_text(row_of).encode("utf-8"))  # with its date

    def take_dicom(self, made: Path) -> None:
        """The files that write_dicom_files made in a folder, beside the others. Raises InputError."""
        for path in made.iterdir():
            replace_file(self._place.staging / f"{self._prefix}{path.name}", path.read_bytes())

    def commit(self) -> list[Path]:
        """Bring the files into the folder, all together; returns them. Raises InputError."""
        names = self._place.commit()
        self.written = [self._place.out / name for name in names if not name.endswith(".mtl")]
        self.give_up()
        return self.written

    def give_up(self) -> None:
        """Remove what was not committed; does nothing after commit."""
        place, self._place = self._place, None
        if place is not None:
            place.__exit__(None, None, None)

    def sentence(self, error) -> str:
        """What went wrong, in words for the user."""
        if self.result is None or isinstance(error, InputError) and error.__cause__ is None and self._place is None:
            return str(error)
        reason = getattr(error.__cause__ or error, "strerror", None) or str(error)
        is_place = isinstance(error.__cause__ or error, OSError)  # and not the mask or the child process
        advice = _(" Choose another folder or free some space.") if is_place else ""
        return _("Export into {folder} failed: {reason}. Nothing in it was changed.{advice}").format(
            folder=self.folder, reason=reason.rstrip("."), advice=advice)

    def has_models(self) -> bool:
        return any(path.suffix[1:].upper() in FORMATS for path in self.written)

    def _names(self) -> tuple[str, ...]:
        """Of all files that these wishes can lead to: one that this case lacks (IVH.stl) goes, when an earlier export
        left it."""
        wishes, names = self.wishes, []
        for extension in (name.lower() for name in wishes.formats):
            names += [f"{label}.{part}" for label in ("ICH", "IVH")
                      for part in ((extension, "mtl") if extension == "obj" else (extension,))]
        names += ["mask.seg.nrrd"] * wishes.mask + ["result.csv"] * wishes.table + ["report.html"] * wishes.report
        names += [DICOM_SEG, DICOM_SR] if wishes.dicom else []
        return tuple(self._prefix + name for name in names)
