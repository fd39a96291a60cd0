"""The bridge itself refuses what Slicer would refuse: this is what makes the other tests here worth something."""

import pytest


def test_properties_are_attributes_as_in_pythonqt(bridge):
    button = bridge.qt.QPushButton("Go")
    assert button.text == "Go"
    button.text = "Stop"
    button.setText("Halt")
    assert button.text == "Halt"
    with pytest.raises(TypeError):
        button.text()


def test_an_unknown_name_raises_attribute_error(bridge):
    label = bridge.qt.QLabel()
    with pytest.raises(AttributeError, match="has no 'caption'"):
        label.caption  # noqa: B018
    with pytest.raises(AttributeError, match="caption"):
        label.caption = "x"
    with pytest.raises(AttributeError, match="clicked"):
        label.connect("clicked(bool)", print)


def test_a_signal_with_the_wrong_arguments_is_refused(bridge):
    with pytest.raises(AttributeError, match="toggled"):
        bridge.qt.QPushButton().connect("toggled(QString)", print)


def test_a_real_name_that_the_stand_in_lacks_raises_not_implemented(bridge):
    editor = bridge.slicer.qMRMLSegmentEditorWidget()
    with pytest.raises(NotImplementedError):
        editor.rotateSliceViewsToSegmentation()
    with pytest.raises(NotImplementedError):
        editor.effectColumnCount = 3
    with pytest.raises(AttributeError):
        editor.rotateViews()


def test_the_wrong_number_of_arguments_is_refused(bridge):
    with pytest.raises(TypeError, match="setMRMLScene"):
        bridge.slicer.qMRMLWidget().setMRMLScene()


def test_an_exception_in_a_callback_is_kept_for_the_test(bridge):
    button = bridge.qt.QPushButton()
    button.connect("clicked(bool)", lambda: 1 / 0)
    button.click()
    assert "ZeroDivisionError" in bridge.pythonqt.errors.pop()


def test_a_deleted_widget_says_so(bridge):
    import shiboken6

    label = bridge.qt.QLabel()
    shiboken6.delete(label._object)
    with pytest.raises(ValueError, match="gone"):
        label.text  # noqa: B018


def test_a_stand_in_needs_the_name_of_a_real_class(bridge):
    with pytest.raises(AttributeError, match="no widget class"):
        bridge.pythonqt.register("qSlicerSegmentationsExportToFileWidget", object)


def test_a_collapsed_section_hides_its_rows(bridge, panel):
    assert panel.ui.exportSection.collapsed
    assert not panel.ui.exportButton.isVisibleTo(panel.widget.parent)
    panel.ui.exportSection.collapsed = False
    panel.spin(0.02)
    assert panel.ui.exportButton.isVisibleTo(panel.widget.parent)
