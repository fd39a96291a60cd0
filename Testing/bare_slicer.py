"""Make `import slicer` usable without the application: the real MRML scene of the slicer-core wheel.

(Not named slicer_core.py: that is the name of the wheel's own package.)
slicer-core carries the classes; the application object, the scene and the module logics are put together here, as
Slicer's own start-up does. Nothing is imitated except `slicer.app` and `slicer.modules`, which hold only what the
adapter and the panel use; any other name raises AttributeError.
"""

import importlib.util
import os
import tempfile
from types import SimpleNamespace

import pytest

LOGICS = {  # module name -> logic class, in the order in which the modules depend on each other
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "units": "vtkSlicerUnitsLogic",
    "colors": "vtkSlicerColorLogic",
    "transforms": "vtkSlicerTransformLogic",
    "volumes": "vtkSlicerVolumesLogic",
    "models": "vtkSlicerModelsLogic",
    "tables": "vtkSlicerTablesLogic",
    "texts": "vtkSlicerTextsLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
}


def require_slicer():
    """The ready `slicer` module; skips the calling test where the wheel is not installed."""
    if importlib.util.find_spec("slicer") is None:
        pytest.skip("slicer-core is not installed: pip install slicer-core==5.12.4.0 vtk==9.6.0")
    import slicer

    if not hasattr(slicer, "mrmlScene"):
        _start(slicer)
    return slicer


def _start(slicer):
    slicer.mrmlScene = scene = slicer.vtkMRMLScene()
    application_logic = slicer.vtkSlicerApplicationLogic()
    home = tempfile.TemporaryDirectory(prefix="ichvolume-tests-", ignore_cleanup_errors=True)  # removed at exit
    application_logic.SetHomeDirectory(home.name)  # where colour tables are looked for; there are none
    application_logic.SetShareDirectory("share")
    os.makedirs(os.path.join(home.name, "share", "ColorFiles"))
    application_logic.SetMRMLScene(scene)
    logics = {name: getattr(slicer, class_name)() for name, class_name in LOGICS.items()}
    for name, logic in logics.items():
        logic.SetMRMLApplicationLogic(application_logic)
        application_logic.SetModuleLogic(name.capitalize(), logic)
        logic.SetMRMLScene(scene)
    _allow_reading_scenes(slicer, scene, application_logic, home)
    slicer.modules = SimpleNamespace(**{name: SimpleNamespace(name=name, logic=lambda logic=logic: logic)
                                        for name, logic in logics.items()})
    slicer.app = SimpleNamespace(applicationLogic=lambda: application_logic, processEvents=lambda: None,
                                 temporaryPath=tempfile.gettempdir())


def _allow_reading_scenes(slicer, scene, application_logic, home):
    """A .mrb is read through the scene's data IO manager, which Slicer sets up at start-up."""
    io_logic = slicer.vtkDataIOManagerLogic()
    io_manager = slicer.vtkDataIOManager()
    cache = slicer.vtkCacheManager()
    cache_folder = os.path.join(home.name, "cache")
    os.mkdir(cache_folder)
    cache.SetRemoteCacheDirectory(cache_folder)
    io_manager.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(io_manager)
    io_logic.SetMRMLApplicationLogic(application_logic)
    io_logic.SetAndObserveDataIOManager(io_manager)
    application_logic.SetMRMLSceneDataIO(scene, None, io_logic)
    slicer._ichvolume_keep = (io_logic, io_manager, cache, home)  # the scene holds no reference to them
