"""What `slicer` lacks without the application: module base classes, application object, i18n, packaging."""

import os
import sys
import types
from pathlib import Path
from types import SimpleNamespace

from . import parameter_node, pythonqt

asked: list[str] = []  # every question and message that would have been a dialog
answers: list = []  # what the test's user answers next; an unexpected question raises
installed: list[str] = []  # packages that packaging.pip_ensure was asked for
missing_packages: set[str] = set()  # packages that the test declares absent
constraints: list[str] = []  # the constraints file's text at the last installation
resets_3d: list[bool] = []  # one entry for each layoutManager().resetThreeDViews()


class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title, parent.categories, parent.dependencies, parent.contributors = "", [], [], []
        parent.helpText = parent.acknowledgementText = ""

    def resourcePath(self, name):  # noqa: N802
        return os.path.join(os.path.dirname(self.parent.path), "Resources", name)

    def getDefaultModuleDocumentationLink(self, page=None):  # noqa: N802
        return ""


class ScriptedLoadableModuleWidget:
    def __init__(self, parent=None):
        super().__init__()  # as in Slicer: the next base (VTKObservationMixin) is ready before setup()
        import slicer

        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        qt = sys.modules["qt"]
        self.parent = parent
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
            self.parent.show()

    def resourcePath(self, name):  # noqa: N802
        import slicer

        return os.path.join(os.path.dirname(slicer.util.modulePath(self.moduleName)), "Resources", name)

    def setup(self):
        pass

    def cleanup(self):
        pass


class ScriptedLoadableModuleLogic:
    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):  # noqa: N802
        import slicer

        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node:
            if node.GetAttribute("ModuleName") != self.moduleName:  # lost when the scene was closed
                node.SetAttribute("ModuleName", self.moduleName)
            return node
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetNodeReferenceID("ModuleName", None)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(self.moduleName)
        return slicer.mrmlScene.AddNode(node)


class ScriptedLoadableModuleTest:
    def __init__(self, *_):
        self.messageDelay = 0

    def delayDisplay(self, message, *_, **__):  # noqa: N802
        asked.append(message)

    def assertTrue(self, value):  # noqa: N802
        if not value:
            raise AssertionError(f"{value!r} is not true")

    def assertEqual(self, first, second):  # noqa: N802
        if first != second:
            raise AssertionError(f"{first!r} != {second!r}")

    def assertGreater(self, first, second):  # noqa: N802
        if not first > second:
            raise AssertionError(f"{first!r} is not greater than {second!r}")


def _packaging_module():
    module = types.ModuleType("slicer.packaging")

    def pip_check(requirements):
        names = [requirements] if isinstance(requirements, str) else requirements
        return not any(name.split(">")[0].split("=")[0] in missing_packages for name in names)

    def ensure(requirements, constraints_file, requester):
        if pip_check(requirements):
            return None
        if not ask(f"{requester} needs {', '.join(requirements)}. Install?"):
            raise RuntimeError("User declined package installation")
        constraints[:] = [Path(constraints_file).read_text(encoding="utf-8")] if constraints_file else []
        installed.extend(requirements)
        missing_packages.clear()
        return None

    def pip_ensure(requirements, constraints=None, skip_packages=None, prompt_install=True, prompt_restart=True,
                   requester=None, skip_in_testing=True, show_progress=True):
        return ensure(requirements, constraints, requester)

    module.pip_check, module.pip_ensure = pip_check, pip_ensure
    return module


def ask(text, *_, **__):
    """A modal question: noted, and answered from `answers`."""
    asked.append(text)
    if not answers:
        raise AssertionError(f"the panel asked, and the test has no answer: {text}")
    return answers.pop(0)


def tell(text, *_, **__):
    asked.append(text)


def extend(slicer, app):
    """Add to the `slicer` module what the application would have."""
    def module(name, **members):
        made = types.ModuleType(name)
        vars(made).update(members)
        sys.modules[name] = made
        return made

    bases = {c.__name__: c for c in (ScriptedLoadableModule, ScriptedLoadableModuleWidget,
                                     ScriptedLoadableModuleLogic, ScriptedLoadableModuleTest)}
    slicer.ScriptedLoadableModule = module("slicer.ScriptedLoadableModule", __all__=list(bases), **bases)
    slicer.i18n = module("slicer.i18n", tr=lambda text: text, translate=lambda context, text: text)
    slicer.parameterNodeWrapper = module("slicer.parameterNodeWrapper",
                                         parameterNodeWrapper=parameter_node.parameterNodeWrapper)
    slicer.packaging = sys.modules["slicer.packaging"] = _packaging_module()
    slicer.app.processEvents = app.processEvents
    slicer.app.testingEnabled = lambda: False
    slicer.app.applicationName = "Bridge"
    slicer.app.slicerHome = ""
    manager = SimpleNamespace(resetThreeDViews=lambda: resets_3d.append(True))
    slicer.app.layoutManager = lambda: manager
    slicer.app.connect = lambda signature, slot: pythonqt.Proxy(app).connect(signature, slot)
    slicer.app.disconnect = lambda signature, slot: pythonqt.Proxy(app).disconnect(signature, slot)
    slicer.app.startupEnvironment = lambda: dict(os.environ)
    slicer.util.confirmYesNoDisplay = slicer.util.confirmOkCancelDisplay = ask
    slicer.util.errorDisplay = slicer.util.infoDisplay = slicer.util.warningDisplay = tell
    window = _main_window()
    slicer.util.mainWindow = lambda: window
    slicer.util.modulePath = lambda name: getattr(slicer.modules, name.lower()).path


def _main_window():
    """What has the application's shortcuts: a window with the module's panel beside one view."""
    from PySide6 import QtCore, QtWidgets

    window = QtWidgets.QMainWindow()
    window.setCentralWidget(QtWidgets.QWidget(objectName="view", focusPolicy=QtCore.Qt.ClickFocus))
    window.resize(900, 1200)
    window.show()
    window.activateWindow()
    return pythonqt.Proxy(window)


def module_parent(slicer):
    """The widget that the application makes for a scripted module, in the main window."""
    qt = sys.modules["qt"]
    parent = slicer.qSlicerScriptedLoadableModuleWidget(slicer.util.mainWindow())
    parent.setLayout(qt.QVBoxLayout())
    parent.resize(420, 1100)
    parent.show()
    return parent


def register_module(slicer, name: str, path: Path, widget=None):
    """What Slicer's module factory leaves in slicer.modules."""
    setattr(slicer.modules, name.lower(), SimpleNamespace(
        name=name, path=str(path), widgetRepresentation=lambda: SimpleNamespace(self=lambda: widget)))


__all__ = ["answers", "asked", "constraints", "extend", "installed", "missing_packages", "module_parent", "pythonqt",
           "register_module", "resets_3d"]
