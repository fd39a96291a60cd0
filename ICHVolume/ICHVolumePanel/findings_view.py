"""What is noticed about the CT, under its selector: short sentences, the serious ones first and coloured."""

from ICHVolumeLib.core.findings import ERROR, Finding

from . import headline
from .colors import colors_for
from .translation import tr as _


class FindingsView:
    def __init__(self, label):
        self._label = label

    def show(self, case, problem: str, is_refused: bool) -> None:
        """problem: why nothing can be segmented, or ""; is_refused: because of the volume that was chosen."""
        label, colors = self._label, colors_for(self._label)
        findings = list(case.result.findings if case and case.result else case.noticed if case else [])
        findings = [finding for finding in findings if finding.code not in headline.SAID_BY_THE_HEADLINE]
        if problem and not findings and is_refused:
            findings = [Finding("unusable", ERROR, problem)]
        text = headline.findings_html(findings, colors) if findings else problem
        if case is not None and not case.is_checked:
            text = "<br>".join(filter(None, (text, _("Checking the CT \u2026"))))
        label.text = text
        label.toolTip = headline.findings_html(findings, colors, len(findings))
        label.setVisible(bool(text))
