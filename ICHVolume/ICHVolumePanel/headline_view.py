"""The result in large: how much, what score, and what must be known with it."""

from ICHVolumeLib.core.findings import WARNING

from . import headline
from .colors import SWATCHES, colors_for

NUMBER, SENTENCE = "font-size: 24pt; font-weight: bold", "font-size: 15pt; font-weight: bold"
REQUEST = "font-size: 10pt; font-weight: normal"


class HeadlineView:
    def __init__(self, ui):
        self._ui = ui

    def show(self, case) -> None:
        ui, result = self._ui, case.result if case else None
        found = result is not None and result.found
        ui.volumeLabel.text = headline.volume_line(case) if case else ""
        ui.volumeLabel.styleSheet = NUMBER if found else SENTENCE
        ui.volumeLabel.wordWrap = not found
        ui.scoreLabel.text = headline.score_line(case) if case else ""
        ui.scoreLabel.styleSheet = REQUEST if found and headline.nothing_entered(result.ich_score) else ""
        ui.scoreLabel.setVisible(bool(ui.scoreLabel.text))
        ui.detailLabel.text = headline.detail_html(case, SWATCHES) if case else ""
        needs_care = result is not None and not found and case.was_not_found  # read with the headline, or not at all
        ui.detailLabel.styleSheet = f"color: {colors_for(ui.detailLabel)[WARNING]}; font-weight: bold" \
            if needs_care else ""
