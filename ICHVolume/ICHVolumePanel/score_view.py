"""The ICH score section: GCS by its parts, mortality, and the folded max-ICH and FUNC."""

from ICHVolumeLib.clinical.scores import gcs_total

from . import headline
from .results_table import parse_entry

_ANSWERS = (None, False, True)  # the combo boxes' order: unknown, no, yes


class ScoreView:
    """on_correct(**values of Corrections) when something is chosen."""

    def __init__(self, ui, on_correct):
        self._ui, self._on_correct = ui, on_correct
        self._parts = ((ui.gcsEyesCombo, 4), (ui.gcsVerbalCombo, 5), (ui.gcsMotorCombo, 6))
        for combo, _highest in self._parts:
            combo.connect("activated(int)", self._gcs_chosen)
        ui.anticoagulationCombo.connect("activated(int)", lambda i: on_correct(oral_anticoagulation=_ANSWERS[i]))
        ui.cognitiveCombo.connect("activated(int)", lambda i: on_correct(cognitive_impairment=_ANSWERS[i]))
        ui.nihssEdit.connect("editingFinished()", self._nihss_typed)

    def show(self, case) -> None:
        ui = self._ui
        result = case.result if case else None
        found = result is not None and result.found
        ui.mortalityLabel.text = headline.mortality_sentence(result.ich_score) if found else ""
        ui.careLabel.text = result.ich_score.note if found and result.ich_score.applies else ""
        ui.otherScoresLabel.text = headline.other_scores_text(result) if found else ""
        for widget in (ui.gcsEyesCombo, ui.gcsVerbalCombo, ui.gcsMotorCombo, ui.nihssEdit, ui.anticoagulationCombo,
                       ui.cognitiveCombo):
            widget.enabled = case is not None
        if case is None:
            self._clear_parts()  # the next patient's Glasgow total must not be added up from this one's eyes
            return
        entered = case.corrections
        ui.anticoagulationCombo.setCurrentIndex(_ANSWERS.index(entered.oral_anticoagulation))
        ui.cognitiveCombo.setCurrentIndex(_ANSWERS.index(entered.cognitive_impairment))
        ui.nihssEdit.text = "" if entered.nihss is None else str(entered.nihss)
        if self._total() not in (None, entered.gcs):  # another total was typed, or another patient is shown
            self._clear_parts()

    def _clear_parts(self):
        for combo, _highest in self._parts:
            combo.setCurrentIndex(0)

    def _total(self):
        """The Glasgow total of the three boxes, whose second entry is the best answer; None while one is open."""
        points = [highest + 1 - combo.currentIndex if combo.currentIndex else None for combo, highest in self._parts]
        return None if None in points else gcs_total(*points)

    def _gcs_chosen(self):
        total = self._total()
        if total is not None:
            self._on_correct(gcs=total)

    def _nihss_typed(self):
        self._on_correct(nihss=lambda: parse_entry("nihss", self._ui.nihssEdit.text))
