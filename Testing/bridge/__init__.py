"""A test bridge: the panel's real code and .ui on PySide6 and the real MRML scene, without the application.

`install()` puts `qt`, `ctk` and what `slicer` lacks in place. Faithful where the application surprised: the segment
editor's selectors, shortcuts and effects, strokes by the mouse, the module's parent, the 3D views' first camera. Not
faithful, and so never called Slicer: slice controllers, module discovery and reload, translation, Qt 5.
"""

import ctypes
import importlib.util
import os
import sys
import types
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def install():
    """Put the bridge in place once; returns the namespace (slicer, app, pythonqt, slicer_app)."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if "qt" in sys.modules and hasattr(sys.modules["qt"], "_bridge"):
        return sys.modules["qt"]._bridge
    _make_constants_immortal()
    from bare_slicer import require_slicer
    from PySide6 import QtCore, QtWidgets

    slicer = require_slicer()
    from . import pythonqt, segment_editor_widget, slicer_app, widgets

    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["bridge"])
    app.setQuitOnLastWindowClosed(False)
    qt, ctk = pythonqt.make_qt_module(), types.ModuleType("ctk")
    sys.modules["qt"], sys.modules["ctk"] = qt, ctk
    for stand_in in (*widgets.STAND_INS, *segment_editor_widget.STAND_INS):
        name = stand_in.__name__
        setattr(ctk if name.startswith("ctk") else slicer, name, pythonqt.register(name, stand_in))
    slicer_app.extend(slicer, app)

    def turn():
        """One turn of the application's event loop; processEvents alone leaves what deleteLater was called for."""
        app.processEvents()
        app.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)

    qt._bridge = types.SimpleNamespace(slicer=slicer, app=app, turn=turn, pythonqt=pythonqt, slicer_app=slicer_app,
                                       qt=qt)
    return qt._bridge


def _make_constants_immortal():
    """PySide6 6.12 gives back one reference to None, True or False too many per call of some methods. Python 3.12,
    which Slicer has, never counts them; on 3.11 the interpreter would abort after some ten thousand calls."""
    if sys.version_info < (3, 12):
        for constant in (None, True, False):
            ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40


def load_module(bridge, name="ICHVolume"):
    """Import the scripted module's file as Slicer does: only its own folder is on sys.path."""
    folder = REPOSITORY / name
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    path = folder / f"{name}.py"
    bridge.slicer_app.register_module(bridge.slicer, name, path)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
