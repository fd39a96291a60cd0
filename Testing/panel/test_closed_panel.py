"""A panel that was closed is gone: nothing keeps it, and nothing in the scene or the application still calls it."""

import gc
import weakref

import pytest


@pytest.fixture
def closed_panel(open_panel, sample):
    """Opens a panel, works with it and closes it; returns what it was made of (weakly), and what it was told of before
    and is told of after."""
    def close(how):
        panel = open_panel(checks_in_child=True, own_child=True)
        volume = panel.choose_ct(sample.ct)
        panel.take(sample)
        panel.widget.editor.setActiveEffectByName("Paint")
        panel.ui.growButton.click()
        panel.type_into("c_mm", "30")
        panel.ui.drawMidlineButton.click()
        panel.settle()
        widget, events = panel.widget, events_of(panel, volume)
        made_of = [weakref.ref(one) for one in (
            widget, widget.panel, widget.panel.case, widget.panel._turns, widget.panel._watching, widget.panel._run,
            widget.panel._review, widget.panel._client, widget.editorView, widget.ui, widget.editor._object,
            widget.ui.inputSelector._object, widget.parameters)]
        was_told = {name: node.HasObserver(event) for name, (node, event) in events.items()}
        how(panel)
        panel.widget = panel.ui = panel.slicer.modules.ichvolume.widget = None
        return made_of, was_told, {name: node.HasObserver(event) for name, (node, event) in events.items()}

    return close


def events_of(panel, volume):
    """Name -> node and event, of what only a panel observes here: every scene's own logics observe the rest."""
    slicer, scene = panel.slicer, panel.slicer.mrmlScene
    editor = panel.widget.editor._object.mrmlSegmentEditorNode()
    choices = panel.widget.parameters.parameterNode
    return {"saving": (scene, scene.StartSaveEvent), "choices": (choices, "ModifiedEvent"),
            "voxels": (volume, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent), "effect": (editor, "ModifiedEvent")}


def leave(panel):
    panel.leave()


def reload(panel):
    """As Slicer does it: the widget's cleanup, then whatever lies in its parent goes, and the parent stays."""
    parent = panel.widget.parent
    panel.widget.cleanup()
    for child in parent._object.children():
        if child.isWidgetType():
            child.deleteLater()
    panel._open = False
    panel.spin(1.0)  # the child process ends
    parent.deleteLater()


@pytest.mark.parametrize("how", [leave, reload])
def test_nothing_keeps_or_calls_a_panel_that_was_closed(bridge, closed_panel, how):
    made_of, was_told, is_told = closed_panel(how)
    bridge.turn()
    gc.collect()
    assert [type(one()).__name__ for one in made_of if one() is not None] == []
    assert all(was_told.values()) and not any(is_told.values()), (was_told, is_told)
    bridge.slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    bridge.turn()
    assert not bridge.pythonqt.errors
