"""The panel's conductor: buttons in, case and child process at work, views out. No science, no MRML of its own."""

import logging
from pathlib import Path

from ICHVolumeLib.errors import InputError
from ICHVolumeLib.exchange import read_segmentation
from ICHVolumeLib.findings import ERROR

from . import exporting, headline, packages, scene, scene_lines
from .case import Case
from .results_table import parse_entry
from .results_view import ResultsView
from .review_view import ReviewView
from .run_view import RunView
from .score_view import ScoreView
from .translation import tr as _
from .worker_client import Callbacks

EDIT_SETTLE_MS = 80  # an edit fires several events; the table follows within 300 ms
DRAG_SETTLE_MS = 40
DEVICES = ("auto", "cpu", "cuda")
SPACES = ("LPS", "RAS")
FORMATS = ("STL", "OBJ", "PLY")


class Panel:
    """client: WorkerClient; packaging: slicer.packaging; call_later(milliseconds, function).

    on_segmentation(node or None) is called when a run or "by hand" made another segmentation the current one.
    """

    def __init__(self, ui, editor, client, packaging, call_later, on_segmentation):
        self._ui, self._client, self._packaging = ui, client, packaging
        self._call_later, self._on_segmentation = call_later, on_segmentation
        self._case = None
        self._problem = ""
        self._observations = []
        self._line_observation, self._watched_lines = None, None
        self._waiting = set()  # what a timer will do soon
        self._closed = False
        self._run = RunView(ui, self.segment, self.cancel)
        self._results = ResultsView(ui.resultsTable, self._entered, self._chosen, self._reset_one)
        self._review = ReviewView(ui, editor, self._run.say)
        self._score = ScoreView(ui, self._correct)
        for button, slot in ((ui.resetButton, self._reset), (ui.automaticLinesButton, self._reset_lines),
                             (ui.drawByHandButton, self._by_hand), (ui.exportButton, self._export)):
            button.connect("clicked(bool)", slot)
        self.look_at(None, None)

    @property
    def case(self):
        return self._case

    def look_at(self, volume_node, segmentation_node) -> None:
        """Show this CT and this segmentation of it (either may be None); nothing happens when they are shown."""
        case = self._case
        if case is None or case.volume_node is not volume_node:
            self._open(volume_node)
        case = self._case
        if case is not None and (case.segmentation_node is not segmentation_node or case.result is None):
            self._said(case.choose, segmentation_node)
        self._watch()
        self._refresh()

    def segment(self) -> None:
        if self._case is None or self._client.is_busy:
            return
        device = DEVICES[self._ui.deviceCombo.currentIndex]
        try:
            if packages.ensure(self._packaging, device):
                self._client.close()  # a child that started before does not see what was installed
        except packages.Refused as error:
            self._run.idle(str(error))
            return
        case = self._case
        self._run.started()
        self._client.segment(case.ct, Callbacks(
            progress=self._run.progress, done=lambda output, _event: self._done(case, output),
            cancelled=lambda: self._run.idle(_("Cancelled. Nothing was changed.")), failed=self._failed),
            device=device, weights_dir=self._ui.weightsFolderEdit.currentPath.strip() or None)

    def cancel(self) -> None:
        if self._client.is_busy:
            self._run.cancelling()
            self._client.cancel()

    def forget(self) -> None:
        """The scene is closing: let go of every node; a running segmentation is cancelled."""
        self.cancel()
        self.look_at(None, None)

    def close(self) -> None:
        """The panel is going away (reload, exit)."""
        self._closed = True
        self._client.close()
        self._run.stop()
        self._stop_watching()

    def _open(self, volume_node):
        self._case = None
        problem = scene.problem_with_volume(volume_node)
        if problem is None:
            try:
                self._case = Case(volume_node)
            except InputError as error:
                problem = str(error)
        errors = [finding.message for finding in self._case.noticed if finding.severity == ERROR] if self._case else []
        self._problem = problem or " ".join(errors)
        if volume_node is not None and not self._client.is_busy:
            self._run.say("")

    def _done(self, case, output):
        segmentation = read_segmentation(output)
        self._call_later(0, lambda: self._said(self._take, case, segmentation))  # one short turn of the loop each

    def _take(self, case, segmentation):
        if self._closed:
            return
        seconds = self._run.seconds()
        kept = case.segmentation_node
        try:
            case.take(segmentation)
        except InputError as error:
            self._run.idle(str(error))
            return
        message = headline.run_sentence(case.record, seconds)
        if kept is not None and scene.is_in_scene(kept) and kept is not case.segmentation_node:
            message += _(" The corrected mask was kept as \u201c{name}\u201d.").format(name=kept.GetName())
        self._run.idle(message)
        if case is self._case:
            self._on_segmentation(case.segmentation_node)
            self._watch()
            self._refresh()
            self._review.jump()

    def _failed(self, sentence, kind):
        if kind == "packages":
            self._client.close()
        self._run.idle(sentence)
        logging.error("ICHVolume: %s", sentence)

    def _refresh(self, lines=True):
        """Every view from the case as it stands."""
        case, ui = self._case, self._ui
        self._run.can_segment(self._problem)
        self._show_findings()
        ui.volumeLabel.text = headline.volume_line(case) if case else ""
        ui.scoreLabel.text = headline.score_line(case) if case else ""
        ui.detailLabel.text = headline.detail_line(case) if case else ""
        has_result = case is not None and case.result is not None
        ui.headlineBox.setVisible(has_result)
        found = has_result and case.result.found
        ui.resultsSection.setVisible(found)
        ui.scoreSection.setVisible(found)
        ui.reviewSection.enabled = case is not None
        ui.exportButton.enabled = has_result
        ui.exportButton.toolTip = _("Write the chosen files into the folder") if has_result else \
            _("Nothing to export yet: segment a CT, or mark the bleed by hand")
        ui.resetButton.enabled = has_result and case.corrections != case.corrections.without_measured()
        ui.engineLabel.text = headline.engine_sentence(case.record) if case else ""
        self._results.show(case.rows() if case else [])
        self._score.show(case)
        self._review.show(case)
        if lines and has_result and case.segmentation_node is not None:
            case.draw()
            self._watch_lines()
            self._review.apply_line_visibility()

    def _show_findings(self):
        case, label = self._case, self._ui.findingsLabel
        findings = list(case.result.findings if case and case.result else case.noticed if case else [])
        findings = [finding for finding in findings if finding.code not in headline.SAID_BY_THE_HEADLINE]
        text = headline.findings_html(findings) if findings else self._problem
        label.text = text
        label.toolTip = headline.findings_html(findings, len(findings))
        label.setVisible(bool(text))

    def _watch(self):
        self._stop_watching()
        case = self._case
        if case is None:
            return
        self._observations.append(scene.observe_volume(case.volume_node, self._volume_changed))
        if case.segmentation_node is not None:
            self._observations.append(scene.observe_mask_edits(case.segmentation_node, self._mask_edited))
            self._watch_lines()

    def _watch_lines(self):
        node = self._case.segmentation_node
        lines = scene_lines.ab_lines(node) if node is not None else None
        if lines == self._watched_lines and self._line_observation is not None:
            return
        if self._line_observation is not None:
            self._line_observation.stop()
        self._line_observation = scene_lines.observe_ab_lines(node, self._line_moved) if lines else None
        self._watched_lines = lines

    def _stop_watching(self):
        for observation in [*self._observations, self._line_observation]:
            if observation is not None:
                observation.stop()
        self._observations, self._line_observation, self._watched_lines = [], None, None

    def _mask_edited(self):
        self._soon(EDIT_SETTLE_MS, self._measure_again)

    def _line_moved(self):
        self._soon(DRAG_SETTLE_MS, self._take_lines)

    def _volume_changed(self):
        self._soon(EDIT_SETTLE_MS, self._reread_volume)

    def _soon(self, milliseconds, action):
        """Run the action once, this much later, however often it is asked for until then."""
        if action in self._waiting:
            return
        self._waiting.add(action)

        def run():
            self._waiting.discard(action)
            if not self._closed and self._case is not None and scene.is_in_scene(self._case.volume_node):
                self._said(action)

        self._call_later(milliseconds, run)

    def _measure_again(self):
        if self._case.segmentation_node is None or scene.is_in_scene(self._case.segmentation_node):
            self._case.measure()
            self._refresh()

    def _take_lines(self):
        if self._case.lines_were_dragged():
            self._refresh(lines=False)

    def _reread_volume(self):
        """The CT got other voxels, another matrix or transform: measure what is there now."""
        volume_node, segmentation_node = self._case.volume_node, self._case.segmentation_node
        if not self._case.is_same_ct():
            self._case = None
            self.look_at(volume_node, segmentation_node)

    def _correct(self, **values):
        """values may be functions that read a value, so that a mistake in typing is said like any other."""
        if self._case is not None:
            self._said(lambda: self._case.correct(**{n: v() if callable(v) else v for n, v in values.items()}))
            self._refresh()

    def _entered(self, key, text):
        values = {key: lambda: parse_entry(key, text)}
        if key in ("a_mm", "b_mm"):
            values[key[0] + "_line_ras"] = None
        self._correct(**values)

    def _chosen(self, key, value):
        self._correct(**{key: value})

    def _reset_one(self, key):
        self._correct(**{key: None}, **({key[0] + "_line_ras": None} if key in ("a_mm", "b_mm") else {}))

    def _reset(self):
        if self._case is not None:
            self._said(self._case.reset)
            self._refresh()

    def _reset_lines(self):
        if self._case is not None:
            self._said(self._case.reset_lines)
            self._refresh()

    def _by_hand(self):
        if self._case is None:
            return
        self._said(self._case.start_by_hand)
        self._on_segmentation(self._case.segmentation_node)
        self._ui.reviewSection.collapsed = False
        self._watch()
        self._refresh()

    def _export(self):
        ui = self._ui
        boxes = (ui.exportStlCheckBox, ui.exportObjCheckBox, ui.exportPlyCheckBox)
        wishes = exporting.Wishes(
            formats=tuple(name for name, box in zip(FORMATS, boxes, strict=True) if box.checked),
            space=SPACES[ui.spaceCombo.currentIndex], mask=ui.exportMaskCheckBox.checked,
            table=ui.exportTableCheckBox.checked, report=ui.exportReportCheckBox.checked)
        folder = ui.exportFolderEdit.currentPath
        try:
            written = exporting.export_case(self._case, folder, wishes)
        except InputError as error:
            ui.exportLabel.text = str(error)
            return
        except Exception as error:  # unforeseen: the log has the details, the surgeon a sentence
            logging.exception("ICHVolume")
            ui.exportLabel.text = _("Export failed ({error}); details are in the error log.").format(error=error)
            return
        ui.exportFolderEdit.addCurrentPathToHistory()
        models = _(" Models are in mm, {space}.").format(space=wishes.space) if wishes.formats else ""
        ui.exportLabel.text = _("Written to {folder}: {names}.{models}").format(
            folder=Path(folder), names=exporting.names_of(written), models=models)

    def _said(self, action, *arguments):
        """Do it; what goes wrong becomes a sentence in the panel, which goes on working."""
        try:
            action(*arguments)
        except InputError as error:
            self._run.say(str(error))
        except Exception as error:  # unforeseen: the log has the details, the surgeon a sentence
            logging.exception("ICHVolume")
            self._run.say(_("Something went wrong ({error}). The mask and the numbers so far are kept; details are in "
                            "the error log.").format(error=error))
