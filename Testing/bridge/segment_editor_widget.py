"""Stand-in for qMRMLSegmentEditorWidget, as Slicer 5.13 has it where a panel can tell the difference.

It has node selectors of its own (segmentationNode() is what its selector shows, not what was set last), changes the
source volume to the segmentation's reference volume, keeps the active effect in the parameter node, observes the views
only while an effect is active, and puts its one-key shortcuts on the main window, where they start an effect as long as
a segmentation exists. Pixel, stroke: mouse_effects.py.
"""

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Signal

from .widgets import _SceneWidget, _stored, qMRMLNodeComboBox

# The toolbar's order; its first place (index 0) is the arrow, no effect
EFFECTS = ("Threshold", "Paint", "Draw", "Erase", "Level tracing", "Grow from seeds", "Fill between slices", "Margin",
           "Hollow", "Smoothing", "Scissors", "Islands", "Logical operators", "Mask volume")
COLUMNS = 8


class Effect(QtCore.QObject):
    def __init__(self, name, parent):
        super().__init__(parent)
        self.setObjectName(name)


class qMRMLSegmentEditorWidget(_SceneWidget):  # noqa: N801
    """Undo and edits on the real vtkSlicerSegmentEditorLogic; effects by mouse_effects.Mouse."""

    segmentationNodeChanged = Signal(object)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        self._node = self._node_tag = None
        self._shortcuts, self._effects = [], [Effect(name, self) for name in EFFECTS]
        self._active = self._last_active = self._segmentation = self._source = None
        self.views_observed = False
        self._lay_out()

    def _lay_out(self):
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._selectors = {}
        for class_name in ("vtkMRMLSegmentationNode", "vtkMRMLScalarVolumeNode"):
            selector = self._selectors[class_name] = qMRMLNodeComboBox()
            selector.setProperty("nodeTypes", [class_name])
            selector.currentNodeChanged.connect(self._selected)
            column.addWidget(selector)
        self._list = QtWidgets.QLabel("(segment editor)")
        self._list.setTextFormat(QtCore.Qt.RichText)
        column.addWidget(self._list)
        grid = QtWidgets.QGridLayout()
        grid.setSpacing(2)
        column.addLayout(grid)
        for number, text in enumerate(("None", *EFFECTS)):
            button = QtWidgets.QToolButton(text=text[:2], toolTip=text)
            button.clicked.connect(lambda _checked=False, n=number: self.setActiveEffect(self.effectByIndex(n)))
            grid.addWidget(button, number // COLUMNS, number % COLUMNS)
        undo = QtWidgets.QHBoxLayout()
        self._show_3d = QtWidgets.QToolButton(text="Show 3D")
        for button, slot in ((self._show_3d, self._toggle_surface), (QtWidgets.QToolButton(text="Undo"), self.undo),
                             (QtWidgets.QToolButton(text="Redo"), self.redo)):
            button.clicked.connect(slot)
            undo.addWidget(button)
        column.addLayout(undo)

    def setMRMLScene(self, scene):  # noqa: N802
        for selector in self._selectors.values():
            blocked = selector.blockSignals(True)
            selector.setMRMLScene(scene)
            selector.blockSignals(blocked)
        super().setMRMLScene(scene)
        self._logic.SetMRMLScene(scene)

    def setMRMLSegmentEditorNode(self, node):  # noqa: N802
        if self._node is not None:
            self._node.RemoveObserver(self._node_tag)
        self._node = node
        self._logic.SetSegmentEditorNode(node)
        if node is not None:
            self._node_tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self.updateWidgetFromMRML())
        self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self):  # noqa: N802
        return self._node

    def setSegmentationNode(self, node):  # noqa: N802
        if self._node is None:
            if node is not None:
                raise RuntimeError("setSegmentationNode before setMRMLSegmentEditorNode: the real widget logs an error")
            return
        if self._node.GetSegmentationNode() is node:
            self._show_segments(node)
            return
        self.setActiveEffect(None)
        self._node.SetAndObserveSegmentationNode(node)
        reference = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) if node else None
        if reference is not None:
            self.setSourceVolumeNode(reference)

    def segmentationNode(self):  # noqa: N802
        return self._selectors["vtkMRMLSegmentationNode"].currentNode()

    def setSourceVolumeNode(self, node):  # noqa: N802
        if self._node is not None:
            self._node.SetAndObserveSourceVolumeNode(node)

    def sourceVolumeNode(self):  # noqa: N802
        return self._source

    def _selected(self, _node):
        if self._node is not None:  # else the real one complains in the log
            self.setSegmentationNode(self.segmentationNode())

    def updateWidgetFromMRML(self):  # noqa: N802
        node = self._node
        segmentation = node.GetSegmentationNode() if node else None
        if self._segmentation is not segmentation:
            self._segmentation = segmentation
            self._logic.SetSegmentationNode(segmentation)
            if segmentation is not None and segmentation.GetSegmentation().GetNumberOfSegments():
                self._logic.SetCurrentSegmentID(segmentation.GetSegmentation().GetNthSegmentID(0))
            self._show_segments(segmentation)
            selector = self._selectors["vtkMRMLSegmentationNode"]
            blocked = selector.blockSignals(True)
            selector.setCurrentNode(segmentation)
            selector.blockSignals(blocked)
            self.segmentationNodeChanged.emit(segmentation)
        source = node.GetSourceVolumeNode() if node else None
        if self._source is not source:
            self._source = source
            self._logic.SetSourceVolumeNode(source)
            self._selectors["vtkMRMLScalarVolumeNode"].setCurrentNode(source)
        active = self.effectByName(node.GetActiveEffectName() if node else "")
        if active is not self._active:
            self.views_observed = active is not None
            self._last_active, self._active = self._active, active

    def _show_segments(self, segmentation):
        segments = segmentation.GetSegmentation() if segmentation else None
        rows = [(segments.GetNthSegment(i).GetName(), segments.GetNthSegment(i).GetColor())
                for i in range(segments.GetNumberOfSegments())] if segments else []
        self._list.setText("&nbsp;&nbsp; ".join(
            f'<span style="color:{QtGui.QColor.fromRgbF(*color).name()}">\u25a0</span> {name}' for name, color in rows)
            or "(no segmentation)")

    def setCurrentSegmentID(self, segment_id):  # noqa: N802
        self._logic.SetCurrentSegmentID(segment_id)

    def currentSegmentID(self):  # noqa: N802
        return self._logic.GetCurrentSegmentID()

    def activeEffect(self):  # noqa: N802
        return self._active

    def setActiveEffect(self, effect):  # noqa: N802
        if self._node is not None and (effect is None or self._node.GetSegmentationNode() is not None):
            self._node.SetActiveEffectName(effect.objectName() if effect else "")

    def setActiveEffectByName(self, name):  # noqa: N802
        self.setActiveEffect(self.effectByName(name))

    def effectByName(self, name):  # noqa: N802
        return next((effect for effect in self._effects if effect.objectName() == (name or "")), None)

    def effectByIndex(self, index):  # noqa: N802
        return self._effects[index - 1] if 0 < index <= len(self._effects) else None

    def saveStateForUndo(self):  # noqa: N802
        self._logic.SaveStateForUndo()

    def undo(self):
        self._logic.Undo()

    def redo(self):
        self._logic.Redo()

    def setMaximumNumberOfUndoStates(self, count):  # noqa: N802
        self._logic.SetMaximumNumberOfUndoStates(count)

    def _toggle_surface(self):
        """The button's second press removes the surface, whatever else shows it."""
        segmentation = self._node and self._node.GetSegmentationNode()
        if segmentation and segmentation.GetSegmentation().ContainsRepresentation("Closed surface"):
            segmentation.GetSegmentation().RemoveRepresentation("Closed surface")
        elif segmentation:
            segmentation.GetSegmentation().CreateRepresentation("Closed surface")

    def installKeyboardShortcuts(self, parent=None):  # noqa: N802
        self.uninstallKeyboardShortcuts()
        window = parent or slicer.util.mainWindow()._object
        wanted = [(str(number % 10), lambda n=number: self._toggle(self.effectByIndex(n))) for number in range(1, 11)]
        wanted += [("Esc", lambda: self.setActiveEffect(None)), ("Space", lambda: self.setActiveEffect(
            self._last_active)), ("Z", self.undo), ("Y", self.redo), ("Q", lambda: self.selectSegmentAtOffset(-1)),
            ("W", lambda: self.selectSegmentAtOffset(1)), ("I", self.toggleSourceVolumeIntensityMaskEnabled)]
        for key, slot in wanted:
            shortcut = QtGui.QShortcut(QtGui.QKeySequence(key), window)
            shortcut.activated.connect(slot)
            self._shortcuts.append(shortcut)

    def uninstallKeyboardShortcuts(self):  # noqa: N802
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def _toggle(self, effect):
        self.setActiveEffect(None if effect is self._active else effect)

    def selectSegmentAtOffset(self, offset):  # noqa: N802
        self._logic.SelectSegmentAtOffset(offset)

    def toggleSourceVolumeIntensityMaskEnabled(self):  # noqa: N802
        self._node.SetSourceVolumeIntensityMask(not self._node.GetSourceVolumeIntensityMask())

    def setupViewObservations(self):  # noqa: N802
        self.views_observed = True

    def removeViewObservations(self):  # noqa: N802
        self.views_observed = False

    segmentationNodeSelectorVisible = _stored(
        bool, "seg_visible", True,
        lambda self: self._selectors["vtkMRMLSegmentationNode"].setVisible(self._seg_visible))
    sourceVolumeNodeSelectorVisible = _stored(
        bool, "source_visible", True,
        lambda self: self._selectors["vtkMRMLScalarVolumeNode"].setVisible(self._source_visible))
    switchToSegmentationsButtonVisible = _stored(bool, "switch_visible", True)
    addRemoveSegmentButtonsVisible = _stored(bool, "add_visible", True)
    show3DButtonVisible = _stored(bool, "show3d_visible", True,
                                  lambda self: self._show_3d.setVisible(self._show3d_visible))
    undoEnabled = _stored(bool, "undo_enabled", True)


STAND_INS = (qMRMLSegmentEditorWidget,)
