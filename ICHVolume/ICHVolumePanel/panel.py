"""The panel's conductor: buttons in, case and child process at work, views out. No science, no MRML of its own."""

import logging

from ICHVolumeLib.anatomy.head_frame import HeadFrame
from ICHVolumeLib.anatomy.mass_effect import read_mass_effect
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.findings import WARNING, Finding
from ICHVolumeLib.quality.checks import check_without_image
from ICHVolumeLib.worker.npz_files import read_segmentation

from . import headline, packages, scene, scene_lines, scene_views
from .case import Case, ct_of_in_steps
from .export_view import ExportView
from .findings_view import FindingsView
from .follow_up_view import FollowUpView
from .headline_view import HeadlineView
from .results_table import parse_entry
from .results_view import ResultsView
from .review_view import ReviewView
from .run_view import RunView
from .score_view import ScoreView
from .sections import one_open
from .translation import tr as _
from .turns import Turns
from .watching import Watching
from .window_view import WindowView
from .worker_client import Callbacks

DEVICES = ("auto", "cpu", "cuda")
# Work that newer work replaces
OPENING, MEASURING, COMPARING, BY_HAND = "opening", "measuring", "comparing", "by hand"


class Panel:
    """client: WorkerClient; packaging: slicer.packaging; call_later(milliseconds, function).

    on_segmentation(node or None) is called when a run or "by hand" made another segmentation the current one.
    """

    def __init__(self, ui, editor, client, packaging, call_later, on_segmentation):
        self._ui, self._client, self._packaging = ui, client, packaging
        self._call_later, self._on_segmentation = call_later, on_segmentation
        self._turns = Turns(call_later)
        self._case = None
        self._wanted = (None, None)  # the CT and the segmentation that the choices name
        self._problem = ""
        self._result_of = (None, None)  # the segmentation and the model's record of the result that is shown
        self._refused = None  # a volume that was read and is no CT, and its signature then
        self._watching = Watching(call_later, *(lambda action=action: self._said(action) for action in (
            self._reread_volume, self._measure_again, self._take_lines)))
        self._closed = False
        self._run = RunView(ui, self.segment, self.cancel)
        self._results = ResultsView(ui.resultsTable, self._entered, self._chosen, self._reset_one)
        self._review = ReviewView(ui, editor, self._run.say, self._turns, self._say_error)
        self._score = ScoreView(ui, self._correct)
        self._export = ExportView(ui, self._turns, client)
        self._follow_up = FollowUpView(ui, self._turns, client)
        one_open(ui.followUpSection, ui.exportSection, ui.settingsSection)
        self._window = WindowView(ui)
        self._headline = HeadlineView(ui)
        self._findings = FindingsView(ui.findingsLabel, ui.remarksLabel)
        for button, slot in ((ui.resetButton, self._reset), (ui.automaticLinesButton, self._reset_lines),
                             (ui.drawByHandButton, self._by_hand), (ui.drawMidlineButton, self._draw_midline)):
            button.connect("clicked(bool)", slot)
        self.look_at(None, None)

    @property
    def case(self):
        return self._case

    def look_at(self, volume_node, segmentation_node) -> None:
        """Show this CT and this segmentation of it (either may be None), soon; nothing happens when they are shown."""
        opening = self._turns.has(OPENING) and self._wanted[0] is volume_node
        self._wanted = (volume_node, segmentation_node)
        if opening:
            return  # what was asked for last is chosen when the CT has been read
        case = self._case
        if case is None and volume_node is not None and self._refused == (volume_node, scene.signature_of(volume_node)):
            self._refresh()  # reading it again would not change its values
        elif case is None or case.volume_node is not volume_node:
            self._open(volume_node)
        elif case.segmentation_node is not segmentation_node:
            self._choose()
        else:
            self._watch()
            self._refresh()

    def segment(self) -> None:
        case = self._case  # the question about packages lets events through
        if case is None or self._client.is_busy:
            return
        device = DEVICES[self._ui.deviceCombo.currentIndex]
        try:
            if packages.ensure(self._packaging, device):
                self._client.renew()  # a child that started before does not see what was installed
        except packages.Refused as error:
            self._run.complain(str(error))
            return
        if self._closed or case is not self._case or self._client.is_busy:
            return
        self._run.started()
        self._client.segment(case.ct, Callbacks(
            progress=self._run.progress, done=lambda output, _event: self._done(case, output),
            cancelled=lambda: self._run.idle(_("Cancelled. Nothing was changed.")), failed=self._failed),
            device=device, weights_dir=self._ui.weightsFolderEdit.currentPath.strip() or None)

    def complain(self, sentence) -> None:
        """Say in the status line why something was refused."""
        self._run.complain(sentence)

    def cancel(self) -> None:
        if self._client.is_busy:
            self._run.cancelling()
            self._client.cancel()

    def forget(self) -> None:
        """The scene is closing: let go of every node; a running segmentation is cancelled."""
        self.cancel()
        self.look_at(None, None)

    def leave(self) -> None:
        """Another module is shown: no tool waits for a click."""
        self._review.leave()

    def close(self) -> None:
        """The panel is going away (reload, exit)."""
        self._closed = True
        self.leave()
        self._turns.stop()
        self._export.close()
        self._client.close()
        self._run.close()
        self._watching.stop()

    def _open(self, volume_node):
        """Read the CT in short turns, show it, and have the child check it."""
        for key in (OPENING, MEASURING, COMPARING, BY_HAND):
            self._turns.drop(key)
        self._ui.reviewSection.collapsed = True  # until there is something to review
        self._case, self._problem = None, scene.problem_with_volume(volume_node) or ""
        if volume_node is not None and not self._client.is_busy:
            self._run.say("")
        if not self._problem:
            self._problem = _("Reading the CT \u2026")
            self._turns.add(ct_of_in_steps(volume_node), lambda ct: self._opened(volume_node, ct),
                            lambda error: self._not_opened(volume_node, error), OPENING)
        self._watch()
        self._refresh()

    def _opened(self, volume_node, ct):
        self._case = Case(volume_node, ct)
        self._problem = headline.errors_of(self._case.noticed)
        self._window.suit(volume_node)
        scene_views.show_volume(volume_node)
        self._client.check(ct, Callbacks(
            done=lambda _output, event: self._checked(ct, [Finding(**finding) for finding in event["findings"]],
                                                      event.get("head_frame"), event.get("mass_effect")),
            failed=lambda sentence, _kind: self._checked(ct, [*check_without_image(ct), Finding(
                "not-checked", WARNING, _("The image could not be checked for contrast, metal and the like. {reason}")
                .format(reason=sentence))])))
        self._choose()
        self._refresh()

    def _not_opened(self, volume_node, error):
        self._problem = str(error)
        if scene.is_in_scene(volume_node):
            self._refused = (volume_node, scene.signature_of(volume_node))
        if not isinstance(error, InputError):
            logging.error("ICHVolume", exc_info=error)
            self._problem = _("This volume cannot be read ({error}).").format(error=error)
        self._refresh()

    def _checked(self, ct, findings, head_frame=None, mass_effect=None):
        if self._closed or self._case is None or self._case.ct is not ct:
            return
        self._case.checked(findings, head_frame and HeadFrame.from_plain(head_frame), read_mass_effect(mass_effect))
        self._problem = headline.errors_of(findings)
        if self._problem:
            self.cancel()  # asked for before the check had ended
        self._refresh(lines=self._case.result is not None and self._case.result.midline_shift is not None)
        self._measure_mass_effect()

    def _choose(self):
        """Measure the wanted segmentation of the open case."""
        case, segmentation_node = self._case, self._wanted[1]
        self._turns.drop(MEASURING)
        self._turns.add(case.choose_in_steps(segmentation_node), self._chosen_now, self._say_error, MEASURING)

    def _chosen_now(self, _nothing):
        if self._case.unreadable:
            self._run.complain(self._case.unreadable)
        self._measured()

    def _measured(self, _nothing=None):
        self._watch()
        self._refresh()
        self._measure_mass_effect()

    def _measure_mass_effect(self):
        """With the marked IVH as ventricle, by the child process."""
        case = self._case
        if case is None or not case.mass_effect.is_missing(case):
            return
        mask = case.mask

        def take(measured):
            if not self._closed and case is self._case:
                case.mass_effect_measured(mask, measured)
                self._refresh()

        self._client.mass_effect(case.ct, mask, case.result, case.head_frame, Callbacks(
            done=lambda _output, event: take(read_mass_effect(event["mass_effect"])),
            failed=lambda sentence, _kind: take(sentence)))

    def _done(self, case, output):
        try:
            segmentation = read_segmentation(output)
        except InputError as error:
            self._failed(str(error), "internal")
            return
        seconds, kept = self._run.seconds(), case.segmentation_node
        self._run.finishing()
        self._turns.drop(MEASURING)
        self._turns.add(case.take_in_steps(segmentation), lambda record: self._taken(case, record, kept, seconds),
                        lambda error: (self._run.idle(), self._say_error(error)))

    def _taken(self, case, record, kept, seconds):
        message = headline.run_sentence(record, seconds)
        if scene.is_in_scene(kept) and (kept is not case.segmentation_node or not record.has_segments):
            message += " " + headline.kept_sentence(kept.GetName(), record)
        self._run.idle(message)
        if case is self._case:
            self._turns.drop(MEASURING)  # asked for while the new mask was put in place; it has been measured
            self._on_segmentation(case.segmentation_node)
            self._measured()
            self._review.jump()
            scene_views.center_3d()

    def _failed(self, sentence, kind):
        if kind == "packages":
            self._client.renew()
        self._run.idle()
        self._run.complain(sentence)
        logging.error("ICHVolume: %s", sentence)

    def _refresh(self, lines=True):
        """Every view from the case as it stands."""
        case, ui = self._case, self._ui
        self._run.can_segment(self._problem)
        is_refused = self._wanted[0] is not None and not self._turns.has(OPENING)
        self._findings.show(case, self._problem, is_refused)
        self._headline.show(case)
        has_result = case is not None and case.result is not None
        self._run.follow_result(has_result)
        ui.headlineBox.setVisible(has_result)
        self._open_review(case if has_result else None)
        found = has_result and case.result.found
        ui.resultsSection.setVisible(found or has_result and bool(case.result.outside_brain_ml))
        ui.scoreSection.setVisible(found)
        ui.reviewSection.enabled = case is not None
        self._export.show(case)
        self._follow_up.show(case)
        self._window.show(case)
        ui.resetButton.enabled = has_result and case.corrections != case.corrections.without_measured()
        ui.engineLabel.text = headline.engine_sentence(case.record) if case else ""
        self._results.show(case.rows() if case else [])
        self._score.show(case)
        self._review.show(case)
        if lines and has_result and case.segmentation_node is not None:
            case.draw()
            self._watching.follow_lines(case.segmentation_node)
            self._review.apply_line_visibility()

    def _open_review(self, case):
        """A result that was not shown before is looked at next; who folds the section then has folded it."""
        result_of = (case.segmentation_node, case.record) if case else (None, None)
        is_new = any(one is not other for one, other in zip(result_of, self._result_of, strict=True))
        self._result_of = result_of
        if case and is_new:
            self._ui.reviewSection.collapsed = False

    def _watch(self):
        """Also a CT that was refused: its values may be put right."""
        self._watching.follow(self._wanted[0], self._case and self._case.segmentation_node)

    def _measure_again(self):
        case = self._case
        if case is None or case.segmentation_node is not self._wanted[1]:
            return  # another one is about to be chosen, and measured then
        if case.segmentation_node is None or scene.is_in_scene(case.segmentation_node):
            self._turns.drop(MEASURING)
            self._turns.add(case.measure_in_steps(), self._measured, self._say_error, MEASURING)

    def _take_lines(self):
        if self._case is not None and self._case.lines_were_dragged():
            self._refresh()

    def _reread_volume(self):
        case = self._case
        if case is None:
            self.look_at(*self._wanted)  # being read, which sees to itself, or refused as it was
        elif case.may_have_changed():
            self._turns.drop(COMPARING)
            self._turns.add(case.is_same_ct_in_steps(), lambda is_same: None if is_same else self._reopen(case),
                            self._say_error, COMPARING)

    def _reopen(self, case):
        if case is self._case:
            self._open(case.volume_node)

    def _correct(self, **values):
        """values may be functions that read a value, so that a mistake in typing is said like any other."""
        self._change(lambda: self._case.correct(**{n: v() if callable(v) else v for n, v in values.items()}))

    def _change(self, action):
        if self._case is not None and not self._closed:  # a cell that was being typed in hands its text over last
            self._said(action)
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
        self._change(lambda: self._case.reset())

    def _reset_lines(self):
        self._change(lambda: self._case.reset_lines())

    def _draw_midline(self):
        case = self._case
        if case is not None and case.result is not None and scene.is_in_scene(case.segmentation_node):
            scene_lines.show_slice(case.volume_node, case.midline.start(case))
            self._refresh()
            self._run.say(_("Drag both ends of the yellow midline to where the falx meets the skull, and its middle to "
                            "the septum pellucidum; go to another slice first and press again to draw it there."))

    def _by_hand(self):
        case = self._case
        if case is not None and not self._turns.has(BY_HAND):
            self._turns.add(case.start_by_hand_in_steps(), lambda _nothing: self._started_by_hand(case),
                            self._say_error, BY_HAND)

    def _started_by_hand(self, case):
        self._turns.drop(MEASURING)  # asked for meanwhile; it has been measured
        self._ui.reviewSection.collapsed = False
        self._on_segmentation(case.segmentation_node)
        self._measured()

    def _said(self, action, *arguments):
        """Do it; what goes wrong becomes a sentence in the panel, which goes on working."""
        try:
            action(*arguments)
        except Exception as error:
            self._say_error(error)

    def _say_error(self, error):
        if isinstance(error, InputError):
            self._run.complain(str(error))
        else:  # unforeseen: the log has the details, the surgeon a sentence
            logging.error("ICHVolume", exc_info=error)
            self._run.complain(_("Something went wrong ({error}). The mask and the numbers so far are kept; details "
                                 "are in the error log.").format(error=error))
        self._refresh(lines=False)
