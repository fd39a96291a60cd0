"""Stand-ins for the ctk and qMRML widgets that the panel uses, bound to the real MRML scene (the segment editor has a
file of its own, segment_editor_widget.py).

Only what the panel needs; a real name that is missing here raises NotImplementedError (see pythonqt).
"""

import enum

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal, Slot


def _stored(kind, name, default, changed=None):
    """A Qt property kept in the Python object; changed(self) runs after it is set."""
    def read(self):
        return self.__dict__.get("_" + name, default)

    def write(self, value):
        self.__dict__["_" + name] = value
        if changed:
            changed(self)
    return Property(kind, read, write)


class ctkCollapsibleButton(QtWidgets.QAbstractButton):  # noqa: N801  (the real names)
    contentsCollapsed = Signal(bool)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(lambda checked: self._set_collapsed(not checked))
        self._is_collapsed = self._is_forcing = False

    def _set_collapsed(self, collapsed):
        if collapsed == self._is_collapsed:
            return
        self._is_collapsed = collapsed
        self.setChecked(not collapsed)
        self._show_children()
        self.contentsCollapsed.emit(collapsed)

    def _show_children(self):
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            if child.property("_hiddenByCode") is None:
                child.setProperty("_hiddenByCode", child.isHidden())
                child.installEventFilter(self)
            self._show(child)
        self.updateGeometry()

    def _show(self, child):
        self._is_forcing = True
        child.setVisible(not self._is_collapsed and not child.property("_hiddenByCode"))
        self._is_forcing = False

    def event(self, event):
        if event.type() == QtCore.QEvent.Polish:
            self._show_children()
        return super().event(event)

    def eventFilter(self, child, event):  # noqa: N802
        """As the real one: what code shows or hides while collapsed counts when it is opened."""
        if event.type() in (QtCore.QEvent.ShowToParent, QtCore.QEvent.HideToParent) and not self._is_forcing:
            child.setProperty("_hiddenByCode", event.type() == QtCore.QEvent.HideToParent)
            self._show(child)
        return False

    def _header(self):
        return self.fontMetrics().height() + 8

    def sizeHint(self):
        layout = self.layout()
        height = self._header()
        if layout and not self._is_collapsed:
            height += layout.sizeHint().height()
        return QtCore.QSize(layout.sizeHint().width() if layout else 100, height)

    def minimumSizeHint(self):
        layout = self.layout()
        height = self._header() + (layout.minimumSize().height() if layout and not self._is_collapsed else 0)
        return QtCore.QSize(layout.minimumSize().width() if layout else 60, height)

    def resizeEvent(self, event):
        self.setContentsMargins(0, self._header(), 0, 0)
        super().resizeEvent(event)

    def hitButton(self, position):
        return position.y() < self._header()

    def paintEvent(self, event):
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), self._header())
        option.features = QtWidgets.QStyleOptionButton.Flat
        painter.fillRect(option.rect, self.palette().button().color().darker(106))
        painter.drawText(option.rect.adjusted(8, 0, 0, 0), QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft,
                         ("\u25b8 " if self._is_collapsed else "\u25be ") + self.text())

    collapsed = Property(bool, lambda self: self._is_collapsed, lambda self, value: self._set_collapsed(value))


class ctkPathLineEdit(QtWidgets.QWidget):  # noqa: N801
    class Filter(enum.Flag):  # QDir's
        Dirs, Files, Readable, Writable = 1, 2, 0x10, 0x20

    locals().update(Filter.__members__)  # ctkPathLineEdit.Dirs, as PythonQt has it
    currentPathChanged = Signal(str)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        self._edit = QtWidgets.QLineEdit()
        self._button = QtWidgets.QToolButton(text="\u2026")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._edit)
        row.addWidget(self._button)
        self._edit.textChanged.connect(self.currentPathChanged)

    @Slot(str)
    def setCurrentPath(self, path):  # noqa: N802
        self._edit.setText(path)

    def addCurrentPathToHistory(self):  # noqa: N802
        pass

    currentPath = Property(str, lambda self: self._edit.text(), setCurrentPath)
    settingKey = _stored(str, "setting_key", "")
    filters = _stored("QVariant", "filters", Filter.Dirs)


class _SceneWidget(QtWidgets.QWidget):
    mrmlSceneChanged = Signal(object)  # noqa: N815
    _scene = None

    def setMRMLScene(self, scene):  # noqa: N802
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self):  # noqa: N802
        return self._scene


class qMRMLWidget(_SceneWidget):  # noqa: N801
    pass


def _stop_observing(observed):
    while observed:
        scene, tag = observed.pop()
        scene.RemoveObserver(tag)


class qMRMLNodeComboBox(_SceneWidget):  # noqa: N801
    currentNodeChanged = Signal(object)  # noqa: N815
    currentNodeIDChanged = Signal(str)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        self._combo = QtWidgets.QComboBox()
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._combo)
        self._observed, self._node_id, self._attributes = [], "", []  # (scene, tag)
        self._combo.activated.connect(lambda index: self.setCurrentNodeID(self._combo.itemData(index)))
        observed = self._observed
        self.destroyed.connect(lambda *_: _stop_observing(observed))  # its own methods are not called any more then

    def setMRMLScene(self, scene):  # noqa: N802
        _stop_observing(self._observed)
        super().setMRMLScene(scene)
        if scene:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent):
                self._observed.append((scene, scene.AddObserver(event, lambda *_: self._refresh())))
        self._refresh()

    def addAttribute(self, node_type, name, value=None):  # noqa: N802
        self._attributes.append((name, value))

    def _candidates(self):
        if self._scene is None:
            return []
        found = []
        for class_name in self.nodeTypes:
            for index in range(self._scene.GetNumberOfNodesByClass(class_name)):
                node = self._scene.GetNthNodeByClass(index, class_name)
                exact = self.showChildNodeTypes or node.GetClassName() == class_name
                fits = all(node.GetAttribute(n) is not None and v in (None, node.GetAttribute(n))
                           for n, v in self._attributes)
                if exact and fits and node not in found and not node.GetHideFromEditors():
                    found.append(node)
        return found

    def _refresh(self):
        nodes = self._candidates()
        self._combo.clear()
        if self.noneEnabled or not nodes:
            self._combo.addItem(self.noneDisplay, "")
        for node in nodes:
            self._combo.addItem(node.GetName(), node.GetID())
        ids = [node.GetID() for node in nodes]
        if self._node_id not in ids:  # as the real one: the first node, or none
            self.setCurrentNodeID("" if self.noneEnabled or not ids else ids[0])
        self._combo.setCurrentIndex(max(0, self._combo.findData(self._node_id)))

    def currentNode(self):  # noqa: N802
        return self._scene.GetNodeByID(self._node_id) if self._scene and self._node_id else None

    def setCurrentNode(self, node):  # noqa: N802
        self.setCurrentNodeID(node.GetID() if node else "")

    @Slot(str)
    def setCurrentNodeID(self, node_id):  # noqa: N802
        node_id = node_id or ""
        if node_id == self._node_id:
            return
        self._node_id = node_id
        self._combo.setCurrentIndex(max(0, self._combo.findData(node_id)))
        self.currentNodeChanged.emit(self.currentNode())
        self.currentNodeIDChanged.emit(node_id)

    nodeTypes = _stored("QStringList", "node_types", [], lambda self: self._refresh())
    showChildNodeTypes = _stored(bool, "show_child", True, lambda self: self._refresh())
    noneEnabled = _stored(bool, "none_enabled", False, lambda self: self._refresh())
    noneDisplay = _stored(str, "none_display", "None", lambda self: self._refresh())
    addEnabled = _stored(bool, "add_enabled", True)
    removeEnabled = _stored(bool, "remove_enabled", True)
    renameEnabled = _stored(bool, "rename_enabled", False)
    editEnabled = _stored(bool, "edit_enabled", False)
    currentNodeID = Property(str, lambda self: self._node_id, setCurrentNodeID)


class qSlicerScriptedLoadableModuleWidget(QtWidgets.QWidget):  # noqa: N801
    """What Slicer's module panel hands a scripted module as its parent."""

    isEntered = _stored(bool, "is_entered", False)  # noqa: N815


STAND_INS = (ctkCollapsibleButton, ctkPathLineEdit, qMRMLWidget, qMRMLNodeComboBox,
             qSlicerScriptedLoadableModuleWidget)
