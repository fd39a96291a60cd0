"""`qt` as Slicer's PythonQt shows it, on top of PySide6.

Properties are attributes, signals connect by their C++ signature, every name is checked against the real class:
a name the real class lacks raises AttributeError, a real one that a stand-in does not have NotImplementedError.
An exception in a callback does not travel through Qt: PythonQt prints it; here it is kept in `errors` for the test.
"""

import inspect
import re
import traceback
import types

import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from . import api

errors: list[str] = []
_stand_ins: dict[str, type] = {}  # class name -> PySide6 class, for ctk* and qMRML*
_ITEMS = (QtCore.QObject, QtWidgets.QTableWidgetItem)


def wrap(value):
    if isinstance(value, _ITEMS):
        return Proxy(value)
    if isinstance(value, list):
        return [wrap(item) for item in value]
    return value


def unwrap(value):
    if isinstance(value, Proxy):
        return value._object
    if isinstance(value, (list, tuple)):
        return type(value)(unwrap(item) for item in value)
    return value


def api_class(python_class) -> str | None:
    """Its name when the API file lists it; None for others (QFile, QHeaderView, ...), whose names are not checked."""
    return python_class.__name__ if python_class.__name__ in api.classes() else None


def guarded(function):
    """Call a Python callback as PythonQt does: with no more arguments than it takes, and never raising into Qt."""
    most = _most_arguments(function)

    def call(*arguments):
        try:
            return function(*[wrap(argument) for argument in arguments[:most]])
        except Exception:
            errors.append(traceback.format_exc())
            traceback.print_exc()
            return None
    return call


def _most_arguments(function):
    if not isinstance(function, (types.FunctionType, types.MethodType)):
        return None
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


_connections: dict = {}  # id of QObject -> {(signal name, callback): what was really connected}, while it lives


def _connections_of(qobject):
    key = id(qobject)
    if key not in _connections:
        _connections[key] = {}
        qobject.destroyed.connect(lambda *_: _connections.pop(key, None))
    return _connections[key]


class Signal:
    """`widget.clicked`, with connect, disconnect and emit."""

    def __init__(self, qobject, name):
        self._qobject, self._name = qobject, name

    def connect(self, function):
        signal = getattr(self._qobject, self._name, None)
        if signal is None:
            raise NotImplementedError(f"the stand-in {type(self._qobject).__name__} has no signal {self._name}")
        target = guarded(unwrap(function) if not isinstance(function, Signal) else function.emit)
        _connections_of(self._qobject)[self._name, function] = target
        signal.connect(target)
        return True

    def disconnect(self, function):
        target = _connections_of(self._qobject).pop((self._name, function), None)
        if target is None:
            return False
        getattr(self._qobject, self._name).disconnect(target)
        return True

    def emit(self, *arguments):
        getattr(self._qobject, self._name).emit(*[unwrap(argument) for argument in arguments])

    __call__ = emit


class Proxy:
    """One Qt object seen through PythonQt's eyes."""

    __slots__ = ("_object", "__weakref__")

    def __init__(self, qobject):
        object.__setattr__(self, "_object", qobject)

    def __eq__(self, other):
        return isinstance(other, Proxy) and self._object is other._object

    def __hash__(self):
        return id(self._object)

    def __repr__(self):
        return f"<{type(self._object).__name__} on the test bridge>"

    def __getattr__(self, name):
        qobject = self._object
        if not shiboken6.isValid(qobject):
            raise ValueError(f"the C++ object of this {type(qobject).__name__} is gone")
        name = "objectName" if name == "name" else name
        if name == "className":
            return lambda: api_class(type(qobject)) or type(qobject).__name__
        if name == "connect" or name == "disconnect":
            return lambda signature, function: getattr(self._signal(signature), name)(function)
        known = self._known(name)
        if name in known["properties"]:
            return wrap(self._property(name))
        if name in known["signals"]:
            return Signal(qobject, name)
        if name in known["enums"]:
            return getattr(type(qobject), name)
        return self._method(name)

    def __setattr__(self, name, value):
        qobject = self._object
        name = "objectName" if name == "name" else name
        if name not in self._known(name)["properties"]:
            raise AttributeError(f"{type(qobject).__name__} has no property {name!r}")
        index = qobject.metaObject().indexOfProperty(name)
        if index < 0:
            raise NotImplementedError(f"the stand-in {type(qobject).__name__} does not have property {name!r}")
        if not qobject.metaObject().property(index).isWritable():
            raise AttributeError(f"{type(qobject).__name__}.{name} is read-only")
        if not qobject.setProperty(name, unwrap(value)):
            raise ValueError(f"{type(qobject).__name__}.{name} does not take {value!r}")

    def _known(self, name):
        class_name = api_class(type(self._object))
        if class_name is None:
            is_property = isinstance(self._object, QtCore.QObject) and \
                self._object.metaObject().indexOfProperty(name) >= 0
            return {"properties": (name,) if is_property else (), "signals": (), "enums": (), "methods": (name,)}
        known = api.names_of(class_name)
        if not any(name in names for names in known.values()):
            raise AttributeError(f"{class_name} has no {name!r} in Slicer")
        return known

    def _property(self, name):
        if self._object.metaObject().indexOfProperty(name) < 0:
            raise NotImplementedError(f"the stand-in {type(self._object).__name__} does not have property {name!r}")
        return self._object.property(name)

    def _method(self, name):
        method = getattr(self._object, name, None)
        if method is None:
            raise NotImplementedError(f"the stand-in {type(self._object).__name__} does not have {name}()")
        class_name = api_class(type(self._object))
        counts = api.argument_counts(class_name, name) if class_name else None

        def call(*arguments):
            if counts and not any(fewest <= len(arguments) <= most for fewest, most in counts):
                raise TypeError(f"{class_name}.{name}() takes {counts} arguments, not {len(arguments)}")
            given = [guarded(a) if callable(a) and not isinstance(a, (Proxy, type)) else unwrap(a) for a in arguments]
            return wrap(method(*given))
        return call

    def _signal(self, signature):
        name = re.match(r"\s*(\w+)\s*\(", signature)
        if not name:
            raise ValueError(f"{signature!r} is not a signal's signature such as 'clicked(bool)'")
        name = name.group(1)
        if name not in self._known(name)["signals"]:
            raise AttributeError(f"{type(self._object).__name__} has no signal {signature!r}")
        own = type(self._object).__name__ in _stand_ins
        normal = QtCore.QMetaObject.normalizedSignature(signature).data().decode()
        if not own and self._object.metaObject().indexOfSignal(normal) < 0:
            raise AttributeError(f"{type(self._object).__name__} has no signal {signature!r}")
        return Signal(self._object, name)


class ProxyClass:
    """`qt.QPushButton`: makes proxies; its enums and static methods are the real ones."""

    def __init__(self, python_class):
        self._class = python_class

    def __call__(self, *arguments):
        return Proxy(self._class(*[unwrap(argument) for argument in arguments]))

    def __getattr__(self, name):
        value = getattr(self._class, name)
        if not callable(value) or inspect.isclass(value):
            return value

        def call(*arguments):
            given = [guarded(a) if isinstance(a, (types.FunctionType, types.MethodType)) else unwrap(a)
                     for a in arguments]
            return wrap(value(*given))
        return call


class UiLoader(QtUiTools.QUiLoader):
    """Reads .ui files; ctk* and qMRML* become stand-ins, unknown classes raise instead of becoming a plain QWidget."""

    def createWidget(self, class_name, parent=None, name=""):
        if class_name in _stand_ins:
            widget = _stand_ins[class_name](parent)
            widget.setObjectName(name)
            return widget
        if class_name not in self.availableWidgets():
            errors.append(f"the .ui uses {class_name}, which the bridge does not know")
        return super().createWidget(class_name, parent, name)


def register(name: str, python_class: type) -> ProxyClass:
    """Make a stand-in known; its name must be a real class's."""
    if name not in api.classes():
        raise AttributeError(f"Slicer has no widget class {name}")
    _stand_ins[name] = python_class
    return ProxyClass(python_class)


def make_qt_module() -> types.ModuleType:
    module = types.ModuleType("qt")
    module.Qt = QtCore.Qt
    module.QUiLoader = ProxyClass(UiLoader)
    for source in (QtCore, QtGui, QtWidgets):
        for name in dir(source):
            value = getattr(source, name)
            if name.startswith("Q") and inspect.isclass(value) and not hasattr(module, name):
                is_object = issubclass(value, _ITEMS) and (name in api.classes() or name == "QFile")
                setattr(module, name, ProxyClass(value) if is_object else value)
    return module
