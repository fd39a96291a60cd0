"""A small stand-in for slicer.parameterNodeWrapper: typed properties kept in a vtkMRMLScriptedModuleNode.

Types: str, bool, int, float and MRML node classes. Widgets (by the dynamic property SlicerParameterName):
qMRMLNodeComboBox, QCheckBox, QLineEdit, ctkPathLineEdit; as in Slicer, any other pairing is refused.
"""

import typing
from pathlib import Path

import vtk

from .pythonqt import Proxy, errors


def parameterNodeWrapper(cls):  # noqa: N802
    hints = typing.get_type_hints(cls)
    defaults = {name: getattr(cls, name, None) for name in hints}
    for name, kind in hints.items():
        setattr(cls, name, _property(name, kind, defaults[name]))

    def initialize(self, node, prefix=None):
        self.parameterNode = node
        self._links = {}

    cls.__init__ = initialize
    cls.connectGui = lambda self, gui: _connect_gui(self, gui, hints)
    cls.disconnectGui = _disconnect_gui
    cls.AddObserver = lambda self, event, callback, priority=0.0: self.parameterNode.AddObserver(event, callback)
    cls.RemoveObserver = lambda self, tag: self.parameterNode.RemoveObserver(tag)
    return cls


def _is_node(kind):
    return isinstance(kind, type) and issubclass(kind, vtk.vtkObject)


def _property(name, kind, default):
    if _is_node(kind):
        return property(lambda self: self.parameterNode.GetNodeReference(name),
                        lambda self, node: self.parameterNode.SetNodeReferenceID(name, node.GetID() if node else None))
    default = kind() if default is None else default

    def read(self):
        text = self.parameterNode.GetParameter(name)
        if text == "" and self.parameterNode.GetParameterCount() is not None and name not in \
                self.parameterNode.GetParameterNames():
            return default
        return text == "True" if kind is bool else kind(text)

    def write(self, value):
        if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
            raise TypeError(f"{name} takes {kind.__name__}, not {value!r}")
        self.parameterNode.SetParameter(name, str(value))
    return property(read, write)


_LINKS = {  # (widget class, is node) -> (read, write, signal signature)
    "qMRMLNodeComboBox": (lambda w: w.currentNode(), lambda w, v: w.setCurrentNode(v),
                          "currentNodeChanged(vtkMRMLNode*)"),
    "QCheckBox": (lambda w: w.checked, lambda w, v: setattr(w, "checked", v), "toggled(bool)"),
    "QLineEdit": (lambda w: w.text, lambda w, v: setattr(w, "text", v), "textChanged(QString)"),
    "ctkPathLineEdit": (lambda w: Path(w.currentPath), lambda w, v: setattr(w, "currentPath", str(v)),
                        "currentPathChanged(QString)"),
}
_KINDS = {"QCheckBox": bool, "QLineEdit": str, "ctkPathLineEdit": Path}


def _connect_gui(self, gui, hints):
    tag = len(self._links) + 1
    links = []
    for widget in vars(gui).values():
        name = widget.property("SlicerParameterName") if isinstance(widget, Proxy) else None
        if not name:
            continue
        if name not in hints:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        kind, class_name = hints[name], widget.className()
        fits = _is_node(kind) if class_name == "qMRMLNodeComboBox" else kind in _tuple(_KINDS.get(class_name, ()))
        if not fits:
            raise RuntimeError(f"Unable to create GUI connector from datatype '{kind}' to widget '{class_name}'")
        links.append((name, widget, *_LINKS[class_name]))
    self._links[tag] = _Binding(self, links)
    return tag


def _tuple(value):
    return value if isinstance(value, tuple) else (value,)


class _Binding:
    def __init__(self, wrapper, links):
        self._wrapper, self._links, self._busy = wrapper, links, False
        self._slots = []
        self.refresh()
        for name, widget, read, _, signature in links:
            slot = self._writer(name, widget, read)
            widget.connect(signature, slot)
            self._slots.append((widget, signature, slot))
        self._tag = wrapper.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self.refresh())

    def _writer(self, name, widget, read):
        def write():
            if not self._busy:
                setattr(self._wrapper, name, read(widget))
        return write

    def refresh(self):
        if self._busy:
            return
        self._busy = True
        try:
            for name, widget, _, write, _ in self._links:
                write(widget, getattr(self._wrapper, name))
        except Exception as error:
            errors.append(repr(error))
        finally:
            self._busy = False

    def close(self):
        self._wrapper.parameterNode.RemoveObserver(self._tag)
        for widget, signature, slot in self._slots:
            widget.disconnect(signature, slot)


def _disconnect_gui(self, tag):
    self._links.pop(tag).close()
