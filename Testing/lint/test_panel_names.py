"""The panel uses only names that Slicer's widgets have, and the lint that says so notices when it does not."""

import ast
import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the lint looks into slicer-core's slicer.util")

sys.path.insert(0, str(Path(__file__).resolve().parent))

from panel_lint import lint_python, lint_ui, widgets_of  # noqa: E402

MODULE = Path(__file__).resolve().parents[2] / "ICHVolume"
UI = (MODULE / "Resources" / "UI" / "ICHVolume.ui").read_text(encoding="utf-8")
PYTHON = {path.relative_to(MODULE).as_posix(): path.read_text(encoding="utf-8")
          for path in [MODULE / "ICHVolume.py", *sorted((MODULE / "ICHVolumePanel").glob("*.py"))]}


def parameter_names():
    tree = ast.parse(PYTHON["ICHVolume.py"])
    parameters, = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "ICHVolumeParameterNode")
    return {field.target.id for field in parameters.body if isinstance(field, ast.AnnAssign)}


def test_the_ui_file_is_clean():
    assert lint_ui(UI, parameter_names()) == []


@pytest.mark.parametrize("name", PYTHON)
def test_the_python_files_are_clean(name):
    assert lint_python(PYTHON[name], widgets_of(UI)) == []


@pytest.mark.parametrize(("before", "after", "words"), [
    ('class="QProgressBar"', 'class="QProgressbar"', "no widget class QProgressbar"),
    ('<property name="wordWrap">', '<property name="wordwrap">', "no property wordwrap"),
    ("<string>exportStl</string>", "<string>exportStI</string>", "no exportStI"),
    ('name="cancelButton"', 'name="segmentButton"', "used twice"),
    ("<class>qMRMLNodeComboBox</class>", "<class>qMRMLComboBox</class>", "missing under customwidgets"),
    ("<connections/>", "<connections><connection><sender>x</sender></connection></connections>", "in Python"),
])
def test_a_wrong_ui_file_is_noticed(before, after, words):
    mutated = UI.replace(before, after, 1)
    assert mutated != UI
    assert any(words in problem for problem in lint_ui(mutated, parameter_names()))


@pytest.mark.parametrize(("file", "before", "after", "words"), [
    ("run_view.py", "self._ui.statusLabel.text =", "self._ui.stateLabel.text =", "no stateLabel"),
    ("run_view.py", "ui.cancelButton.enabled =", "ui.cancelButton.enable =", "no enable"),
    ("run_view.py", "ui.progressBar.setVisible(", "ui.progressBar.setShown(", "no setShown"),
    ("run_view.py", '"clicked(bool)", on_cancel', '"click(bool)", on_cancel', "no signal click(bool)"),
    ("run_view.py", '"timeout()"', '"timedOut()"', "no signal timedOut()"),
    ("review_view.py", "self._editor.setSegmentationNode(node)", "self._editor.setSegmentationNode()", "0 arguments"),
    ("export_view.py", "ui.exportStlCheckBox, ui", "ui.exportStlCheckbox, ui", "no exportStlCheckbox"),
    ("scene_volume.py", '_("Choose a head CT.")', '"Choose a head CT."', "goes through _()"),
    ("corrections.py", '_("Site {site} is not one of {sites}.")', 'f"Site {new.site} is none."', "goes through _()"),
    ("panel.py", "self._ui.reviewSection.collapsed = False", "self._ui.reviewSection.collapsed(False)", "a property"),
    ("panel.py", "self._ui.reviewSection.collapsed = False", "self._ui.reviewSection.show = False", "cannot be set"),
    ("panel.py", 'ui.engineLabel.text = headline.engine_sentence(case.record) if case else ""',
     'ui.engineLabel.text = "Ready"', "goes through _()"),
    ("panel.py", '_("Cancelled. Nothing was changed.")', '_(f"Cancelled. {self}")', "cannot be translated"),
    ("editor_view.py", "slicer.qMRMLSegmentEditorWidget()", "slicer.qMRMLSegmentsEditorWidget()", "no class"),
    ("ICHVolume.py", "slicer.util.loadUI(", "slicer.util.loadUi(", "slicer.util has no loadUi"),
    ("editor_view.py", "editor.sourceVolumeNodeSelectorVisible", "editor.sourceNodeSelectorVisible", "has no source"),
])
def test_a_wrong_name_in_the_code_is_noticed(file, before, after, words):
    name = next(path for path in PYTHON if path.endswith(file))
    mutated = PYTHON[name].replace(before, after, 1)
    assert mutated != PYTHON[name], "the mutation no longer fits the code"
    problems = lint_python(mutated, widgets_of(UI))
    assert any(words in problem for problem in problems)
