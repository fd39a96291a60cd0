"""Keys: a digit is a Glasgow score in the table, an effect only in the open review section."""

import pytest


@pytest.fixture
def ready(panel, sample):
    panel.volume = panel.choose_ct(sample.ct)
    panel.take(sample)
    panel.ui.reviewSection.collapsed = False
    panel.spin(0.05)
    return panel


@pytest.fixture
def window(bridge):
    from PySide6.QtTest import QTest

    window = bridge.slicer.util.mainWindow()._object
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window, 2000)
    return window


def look_at_the_views(bridge, window):
    window.centralWidget().setFocus()
    bridge.app.processEvents()


def type_key(bridge, window, key):
    """A key of the keyboard, to whatever has the focus."""
    from PySide6.QtTest import QTest

    QTest.keyClick(bridge.app.focusWidget() or window, key)
    bridge.app.processEvents()


def effect(panel):
    active = panel.widget.editor.activeEffect()
    return active.objectName if active else None


def click_cell(panel, key):
    from PySide6 import QtCore
    from PySide6.QtTest import QTest

    table = panel.ui.resultsTable._object
    cell = table.visualItemRect(table.item(panel.row_number(key), 2))
    QTest.mouseClick(table.viewport(), QtCore.Qt.LeftButton, pos=cell.center())
    panel.spin(0.02)


def test_a_digit_chooses_an_effect_while_one_looks_at_the_views(ready, bridge, window):
    look_at_the_views(bridge, window)
    type_key(bridge, window, "2")
    assert effect(ready) == "Paint"
    type_key(bridge, window, "2")
    assert effect(ready) is None


@pytest.mark.parametrize("is_open", [True, False])
def test_a_score_typed_at_a_clicked_cell_is_a_score_and_no_effect(ready, bridge, window, is_open):
    from PySide6 import QtCore

    look_at_the_views(bridge, window)
    ready.ui.reviewSection.collapsed = not is_open
    click_cell(ready, "gcs")
    for key in ("1", "2", QtCore.Qt.Key_Return):
        type_key(bridge, window, key)
    assert effect(ready) is None
    assert ready.rows()["gcs"][1] == "12"
    type_key(bridge, window, "3")  # again, on the cell that is still chosen
    assert effect(ready) is None


def test_a_digit_at_a_box_of_the_glasgow_scale_chooses_there(ready, bridge, window):
    ready.ui.scoreSection.collapsed = False
    ready.spin(0.02)
    ready.ui.gcsEyesCombo._object.setFocus()
    bridge.app.processEvents()
    type_key(bridge, window, "3")
    assert effect(ready) is None
    assert ready.ui.gcsEyesCombo.currentIndex == 2


def test_folding_the_section_ends_the_effect_and_takes_the_keys_away(ready, bridge, window):
    look_at_the_views(bridge, window)
    type_key(bridge, window, "4")
    assert effect(ready) == "Erase"
    ready.ui.reviewSection.collapsed = True
    ready.spin(0.02)
    assert effect(ready) is None
    type_key(bridge, window, "4")
    assert effect(ready) is None
    ready.ui.reviewSection.collapsed = False
    type_key(bridge, window, "4")
    assert effect(ready) == "Erase"


def test_another_module_has_the_keys_to_itself(ready, bridge, window):
    look_at_the_views(bridge, window)
    ready.widget.parent.isEntered = False
    ready.widget.exit()
    type_key(bridge, window, "2")
    assert effect(ready) is None
    ready.ui.reviewSection.collapsed = True
    ready.ui.reviewSection.collapsed = False
    type_key(bridge, window, "2")
    assert effect(ready) is None


def test_there_are_no_keys_before_the_first_result(panel, sample, bridge, window):
    panel.choose_ct(sample.ct)
    look_at_the_views(bridge, window)
    type_key(bridge, window, "2")
    assert effect(panel) is None


def test_a_reloaded_module_has_its_keys_although_nobody_enters_it_again(ready, bridge, window):
    ready.widget.cleanup()
    for child in ready.widget.parent._object.children():
        if child.isWidgetType():
            child.deleteLater()
    ready.widget = bridge.module.ICHVolumeWidget(ready.widget.parent)
    ready.widget.setup()
    ready.ui = ready.widget.ui
    ready.widget.panel._client.check = lambda ct, callbacks: callbacks.done(None, {"findings": []})
    ready.settle()
    ready.ui.reviewSection.collapsed = False
    look_at_the_views(bridge, window)
    type_key(bridge, window, "2")
    assert effect(ready) == "Paint"
    ready.slicer.mrmlScene.Clear(False)
    ready.settle()
    assert ready.widget.parameters is not None, "the module is shown: it has a parameter node again"


def test_the_views_are_observed_only_while_an_effect_is_active(ready):
    editor = ready.widget.editor
    assert not editor._object.views_observed
    editor.setActiveEffectByName("Paint")
    assert editor._object.views_observed
    editor.setActiveEffect(None)
    assert not editor._object.views_observed
