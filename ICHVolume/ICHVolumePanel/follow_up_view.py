"""The Follow-up section: the bleed against that of an earlier scan, which lies in the scene or in a result folder."""

import logging
from html import escape

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.findings import WARNING, Finding
from ICHVolumeLib.measure.expansion import GROWTH_ML, GROWTH_PERCENT, IVH_GROWTH_ML
from ICHVolumeLib.workflow.follow_up_findings import EARLIER_SCAN, LATER_SCAN

from . import headline, scene
from .case import Case, ct_of_in_steps
from .colors import colors_for
from .scene_volume import dicom_folder
from .translation import tr as _
from .worker_client import Callbacks

READING = "earlier scan"


class FollowUpView:
    """turns: Turns; client: WorkerClient."""

    def __init__(self, ui, turns, client):
        self._ui, self._turns, self._client = ui, turns, client
        self._case = self._compared = None
        self._result_then = self._volume_node = None
        ui.followUpLabel.setVisible(False)  # takes no room before it says something
        ui.compareButton.connect("clicked(bool)", self.compare)
        ui.earlierSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._mask_chosen)
        ui.earlierFolderEdit.connect("currentPathChanged(QString)", self._folder_chosen)

    def show(self, case) -> None:
        """What was said of another mask or scan goes, and so does what was chosen for another scan."""
        self._case = case
        result = case and case.result
        if case is not None and case.volume_node is not self._volume_node:
            self._volume_node = case.volume_node
            self._ui.earlierFolderEdit.currentPath = ""
            self._ui.earlierSelector.setCurrentNode(None)
        self._ui.compareButton.enabled = result is not None
        if result is None or self._compared is not None and (
                self._compared is not case or result.volume_ml != self._result_then.volume_ml):
            self._compared = None
            self._turns.drop(READING)
            self._say("")

    def _mask_chosen(self, node):
        """One of the two is meant, that chosen last."""
        if node is not None:
            self._ui.earlierFolderEdit.currentPath = ""

    def _folder_chosen(self, path):
        if path.strip():
            self._ui.earlierSelector.setCurrentNode(None)

    def compare(self) -> None:
        case, ui = self._case, self._ui
        if case is None or case.result is None:
            return
        folder, node = ui.earlierFolderEdit.currentPath.strip(), ui.earlierSelector.currentNode()
        if not folder and node is None:
            self._say(_("Choose the segmentation of the earlier scan, or its result folder."))
            return
        if not folder and node is case.segmentation_node:
            self._say(_("That is the segmentation that is looked at; choose that of the earlier scan."))
            return
        self._compared, self._result_then = case, case.result
        self._say(_("Comparing \u2026"))
        if folder:
            self._ask(case, folder, "")
        else:
            self._turns.add(_read(node), lambda earlier: self._ask(case, (earlier.ct, earlier.mask, earlier.result),
                                                                   dicom_folder(earlier.volume_node)),
                            self._failed, READING)

    def _ask(self, case, earlier, earlier_source):
        if self._compared is not case:
            return
        self._client.compare((case.ct, case.mask, case.result), earlier, Callbacks(
            done=lambda _output, event: self._done(case, event),
            failed=lambda sentence, _kind: self._done(case, sentence)),
            source=dicom_folder(case.volume_node), earlier_source=earlier_source)

    def _done(self, case, event):
        if self._compared is not case:
            return
        if isinstance(event, str):
            self._say(escape(event))
        else:
            colors = colors_for(self._ui.followUpLabel)
            self._say(in_words(event, colors), in_full(event, colors))

    def _failed(self, error):
        if not isinstance(error, (InputError, ValueError)):
            logging.error("ICHVolume", exc_info=error)
        self._say(escape(str(error)))

    def _say(self, text, in_detail=""):
        self._ui.followUpLabel.text, self._ui.followUpLabel.toolTip = text, in_detail
        self._ui.followUpLabel.setVisible(bool(text))


def _read(segmentation_node):
    """Generator of short steps; returns the measured Case of an earlier segmentation. Raises InputError."""
    volume_node = scene.volume_of(segmentation_node)
    if volume_node is None:
        raise InputError(_("{name} does not say which CT it was drawn on; choose another, or a result folder.").format(
            name=segmentation_node.GetName()))
    ct = yield from ct_of_in_steps(volume_node)
    case = Case(volume_node, ct)
    yield from case.choose_in_steps(segmentation_node)
    return case


def in_words(event, colors) -> str:
    """A comparison (requests.compare) as rich text of a few lines: volumes, growth, both rules, what puts them in
    doubt; in_full has the rest. colors: see colors_for."""
    comparison = event["comparison"]
    change, parts = comparison["expansion"], [_table(event["volumes"])]
    if comparison["hours_between"] is not None:
        parts.append(_("{hours:.1f} h apart").format(hours=abs(comparison["hours_between"])))
    for rule, met in ((_("expansion: more than {ml:g} mL or {percent:g} % larger"), change["expanded"]),
                      (_("revised: that, or new IVH, or {ivh:g} mL more IVH"), change["expanded_revised"])):
        said = rule.format(ml=GROWTH_ML, percent=GROWTH_PERCENT, ivh=IVH_GROWTH_ML)
        parts.append(f"<b>{_('yes') if met else _('no')}</b>&nbsp; {escape(said)}")
    if change["new_ivh"]:
        parts.append(f"<b>{_('New intraventricular blood')}</b>")
    if comparison["residual_ich_ml"] is not None:
        parts.append(_("Residual ICH {ml:.1f} mL, {percent:.0f} % of the earlier volume").format(
            ml=comparison["residual_ich_ml"], percent=comparison["residual_ich_percent"]))
    warnings = _warnings(comparison)
    of_both = [one for one in warnings if not one.message.startswith((EARLIER_SCAN, LATER_SCAN))]
    of_earlier = [one for one in warnings if one.message.startswith(EARLIER_SCAN)]
    parts += filter(None, [headline.findings_html(of_both, colors)])
    if of_earlier:  # those of the scan that is looked at stand at the panel's top
        parts.append(_("<i>and {count} about the earlier scan: point here</i>").format(count=len(of_earlier)))
    return parts[0] + "<br>".join(parts[1:])


def in_full(event, colors) -> str:
    """The rules with their reasons, and every warning."""
    rules = [f"{escape(rule)}: <b>{_('yes') if met else _('no')}</b>, {escape(why)}"
             for rule, met, why in event["rules"]]
    warnings = _warnings(event["comparison"])
    return "<br>".join([*rules, *filter(None, [headline.findings_html(warnings, colors, len(warnings))])])


def _warnings(comparison):
    return [one for one in (Finding(**finding) for finding in comparison["findings"]) if one.severity == WARNING]


def _table(volumes):
    rows = "".join(f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td align='right'>{then:.1f}</td>"
                   f"<td>&nbsp;\u2192&nbsp;</td><td align='right'>{now:.1f} mL&nbsp;&nbsp;</td>"
                   f"<td><b>{escape(change)}</b></td></tr>"
                   for name, then, now, change in volumes)
    return f"<table>{rows}</table>"
