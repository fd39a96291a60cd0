"""The Export section: what is wished is written in short turns, the report by the child process."""

import logging
from pathlib import Path

from ICHVolumeLib.core.atomic_files import replace_file
from ICHVolumeLib.core.errors import InputError

from . import exporting
from .translation import tr as _
from .worker_client import Callbacks

SPACES = ("LPS", "RAS")


class ExportView:
    """turns: Turns; client: WorkerClient."""

    def __init__(self, ui, turns, client):
        self._ui, self._turns, self._client = ui, turns, client
        self._case = self._job = None
        self._is_writing = False
        ui.exportLabel.setVisible(False)  # takes no room before it says something
        ui.exportButton.connect("clicked(bool)", self.export)

    def show(self, case) -> None:
        self._case = case
        has_result = case is not None and case.result is not None
        button = self._ui.exportButton
        button.enabled = has_result and not self._is_writing
        button.toolTip = _("Write the chosen files into the folder") if has_result else \
            _("Nothing to export yet: segment a CT, or mark the bleed by hand")

    def export(self) -> None:
        if self._is_writing:
            return
        ui = self._ui
        boxes = (ui.exportStlCheckBox, ui.exportObjCheckBox, ui.exportPlyCheckBox)
        wishes = exporting.Wishes(
            formats=tuple(name for name, box in zip(exporting.FORMATS, boxes, strict=True) if box.checked),
            space=SPACES[ui.spaceCombo.currentIndex], mask=ui.exportMaskCheckBox.checked,
            table=ui.exportTableCheckBox.checked, report=ui.exportReportCheckBox.checked,
            dicom=ui.exportDicomCheckBox.checked)
        self._job = job = exporting.Export(self._case, ui.exportFolderEdit.currentPath, wishes)
        self._set_writing(True)
        ui.exportLabel.setVisible(True)
        ui.exportLabel.text = _("Writing \u2026")
        self._turns.add(job.write_in_steps(), lambda _nothing: self._dicom(job),
                        lambda error: self._failed(job, error))

    def close(self) -> None:
        """The panel is going away: what is not written yet is not written."""
        if self._job is not None:
            self._job.give_up()

    def _dicom(self, job):
        """By the child: reading the headers of a series again takes a second."""
        if not job.wishes.dicom:
            self._report(job)
            return
        self._ui.exportLabel.text = _("Writing DICOM \u2026")

        def done(output, _event):
            try:
                job.take_dicom(output)
            except (OSError, InputError) as error:
                self._failed(job, error)
                return
            self._report(job)

        self._client.dicom(job.ct, job.mask, job.result, job.dicom_source, Callbacks(
            done=done, failed=lambda sentence, _kind: self._failed(job, InputError(sentence))))

    def _report(self, job):
        """The 3D picture in it can take long, so the child writes it; then all files come into the folder."""
        if not job.wants_report:
            self._finished(job)
            return
        self._ui.exportLabel.text = _("Writing the report \u2026")

        def done(output, _event):
            try:
                replace_file(job.report_path, output.read_bytes())
                self._finished(job)
            except (OSError, InputError) as error:
                self._failed(job, error)

        self._client.report(job.ct, job.mask, job.result, outside=job.outside, callbacks=Callbacks(
            done=done, failed=lambda sentence, _kind: self._failed(job, InputError(sentence))))

    def _finished(self, job):
        try:
            job.commit()
        except InputError as error:
            self._failed(job, error)
            return
        self._set_writing(False)
        self._ui.exportFolderEdit.addCurrentPathToHistory()
        models = _(" Models are in mm, {space}.").format(space=job.wishes.space) if job.has_models() else ""
        self._ui.exportLabel.text = _("Written to {folder}: {names}.{models}").format(
            folder=Path(job.folder), names=exporting.names_of(job.written), models=models)

    def _failed(self, job, error):
        self._set_writing(False)
        said = job.sentence(error) if isinstance(error, (InputError, OSError, ValueError)) else ""
        job.give_up()
        if said:
            self._ui.exportLabel.text = said
            return
        logging.error("ICHVolume", exc_info=error)  # unforeseen: the log has the details, the surgeon a sentence
        self._ui.exportLabel.text = _("Export failed ({error}); details are in the error log.").format(error=error)

    def _set_writing(self, is_writing):
        self._is_writing = is_writing
        self.show(self._case)
