"""What is noticed about the CT: what may spoil the numbers above them, routine remarks below the result."""

from ICHVolumeLib.core.findings import ERROR, WARNING, Finding

from . import headline
from .colors import colors_for
from .translation import tr as _

REMARKS_SHOWN = 2


class FindingsView:
    """label: errors and warnings; remarks_label: everything else."""

    def __init__(self, label, remarks_label):
        self._label, self._remarks_label = label, remarks_label

    def show(self, case, problem: str, is_refused: bool) -> None:
        """problem: why nothing can be segmented, or ""; is_refused: because of the volume that was chosen."""
        colors = colors_for(self._label)
        findings = list(case.result.findings if case and case.result else case.noticed if case else [])
        findings = [finding for finding in findings if finding.code not in headline.SAID_BY_THE_HEADLINE]
        if problem and not findings and is_refused:
            findings = [Finding("unusable", ERROR, problem)]
        serious = [finding for finding in findings if finding.severity in (ERROR, WARNING)]
        text = headline.findings_html(serious, colors) if findings else problem
        if case is not None and not case.is_checked:
            text = "<br>".join(filter(None, (text, _("Checking the CT \u2026"))))
        _fill(self._label, text, headline.findings_html(serious, colors, len(serious)))
        remarks = [finding for finding in findings if finding not in serious]
        _fill(self._remarks_label, headline.findings_html(remarks, colors, REMARKS_SHOWN),
              headline.findings_html(remarks, colors, len(remarks)))


def _fill(label, text, in_full):
    label.text, label.toolTip = text, in_full
    label.setVisible(bool(text))
