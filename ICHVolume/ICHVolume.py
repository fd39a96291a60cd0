"""ICHVolume: segment and measure intracerebral hemorrhage on head CT in 3D Slicer. Research use only."""

import sys
from pathlib import Path

import ctk
import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

try:
    import ICHVolumeLib
except ImportError:  # run from the source tree: Slicer puts only this file's folder on the path
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    import ICHVolumeLib

LIBRARY_HOME = Path(ICHVolumeLib.__file__).resolve().parent.parent
SAMPLE_NAME = "ICHVolume sample head CT"
SAMPLE_PIXELS = 512


class ICHVolume(ScriptedLoadableModule):
    """What Slicer's module list shows."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("ICH Volume")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation"),
                             translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = ["Segmentations", "SubjectHierarchy", "Markups", "Tables", "SampleData"]
        parent.contributors = ["ICHVolume contributors"]
        parent.helpText = _(
            "Segments intracerebral hemorrhage (ICH) and its blood in the ventricles (IVH) on a non-contrast head CT, "
            "and measures volume, ABC/2 and the ICH score. Choose a CT, press <b>Segment ICH</b>, look at the mask, "
            "correct it, and the table follows.<br><br><b>Research use only. Not a medical device.</b> Nothing is "
            "uploaded: the network runs on this computer. A sample CT is in the module Sample Data.")
        parent.acknowledgementText = _(
            "The network is AttFocusNet (Peng et al. 2022). ABC/2: Kothari et al. 1996, doi:10.1161/01.STR.27.8.1304. "
            "ICH score: Hemphill et al. 2001, doi:10.1161/01.str.32.4.891.")
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data():
    """One entry in Sample Data; the patient is made on the spot by the library, so nothing is downloaded."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=_("ICHVolume"), sampleName=SAMPLE_NAME, uris="", fileNames="", nodeNames=SAMPLE_NAME,
        loadFileType="", thumbnailFileName=str(Path(__file__).with_name("Resources") / "Icons" / "ICHVolume.png"),
        customDownloader=load_sample)


def load_sample(_source=None):
    """Make the sample patient and put its CT into the scene; returns a list with the volume node.

    For scripts: `ICHVolume.load_sample()`. The button in Sample Data calls this; SampleData.downloadSample(name) does
    not, as it only knows what is downloaded. A child process makes it (seconds) and the window answers meanwhile.
    Raises RuntimeError when that fails.
    """
    from ICHVolumePanel.child_process import make_sample_and_wait
    from ICHVolumePanel.scene_lines import show_slice
    from ICHVolumePanel.scene_views import show_volume
    from ICHVolumePanel.scene_volume import BRAIN_WINDOW, show_window

    ct = make_sample_and_wait(LIBRARY_HOME, slicer.app.processEvents, SAMPLE_PIXELS)
    node = slicer.util.addVolumeFromArray(ct.hu, ijkToRAS=ct.ijk_to_ras, name=SAMPLE_NAME)
    show_window(node, BRAIN_WINDOW)
    show_volume(node)
    show_slice(node, len(ct.hu) // 2)
    return [node]


def first_ct():
    """The scene's first scalar volume that can be a head CT, or None; labelmaps are a kind of scalar volume, too."""
    from ICHVolumePanel.scene_volume import problem_with_volume

    kind = "vtkMRMLScalarVolumeNode"
    return next((node for node in slicer.util.getNodesByClass(kind)
                 if node.GetClassName() == kind and not problem_with_volume(node)), None)


@parameterNodeWrapper
class ICHVolumeParameterNode:
    """The panel's choices, saved with the scene. What belongs to a CT or a mask is kept with that node instead.

    device: "auto", "cpu" or "cuda"; space: of exported models, "LPS" or "RAS".
    """

    inputVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    device: str = "auto"
    weightsFolder: str = ""
    exportFolder: str = ""
    space: str = "LPS"
    exportStl: bool = True
    exportObj: bool = False
    exportPly: bool = False
    exportMask: bool = True
    exportTable: bool = True
    exportReport: bool = True
    exportDicom: bool = False


class ICHVolumeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the .ui, ties it to the parameter node and the scene's life; the work is ICHVolumePanel.panel's."""

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from ICHVolumePanel import scene_editing
        from ICHVolumePanel.child_process import QtChild
        from ICHVolumePanel.editor_view import EditorView
        from ICHVolumePanel.panel import Panel
        from ICHVolumePanel.worker_client import WorkerClient
        from slicer import packaging

        self.logic = ICHVolumeLogic()
        self.parameters = None
        self._guiTag = None
        self._volume = None
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/ICHVolume.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.editorView = EditorView(self.ui, uiWidget)
        self.editor = self.editorView.editor
        for selector in (self.ui.inputSelector, self.ui.segmentationSelector, self.ui.earlierSelector):
            selector.setMRMLScene(slicer.mrmlScene)
        client = WorkerClient(lambda: QtChild(LIBRARY_HOME), _call_later)
        self.panel = Panel(self.ui, self.editor, client, packaging, _call_later, self._showSegmentation)
        self.editing = scene_editing.start(self.panel.complain)
        self._connectChoices()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneReady)
        self.addObserver(scene, scene.EndImportEvent, self._onSceneReady)
        self._follow()
        if self._isShown():  # reloaded while it is shown: nobody calls enter
            self.editorView.enter()

    def cleanup(self):
        """Slicer exits or the module is reloaded."""
        self._unfollow()
        self.removeObservers()
        self.panel.close()
        self.editorView.close()
        self.editing.stop()

    def enter(self):
        self._follow()
        self.editorView.enter()

    def exit(self):
        self.panel.leave()
        self.editorView.exit()

    def _isShown(self):
        """A widget that a script made has a parent that nobody enters."""
        return getattr(self.parent, "isEntered", False)

    def onReload(self):
        """Reload the panel's and the library's files too, not only this one."""
        for name in [name for name in sys.modules if name.split(".")[0] in ("ICHVolumePanel", "ICHVolumeLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _connectChoices(self):
        """Choices that parameterNodeWrapper has no connector for."""
        from ICHVolumePanel.export_view import SPACES
        from ICHVolumePanel.panel import DEVICES

        ui = self.ui
        self._combos = ((ui.deviceCombo, "device", DEVICES), (ui.spaceCombo, "space", SPACES))
        ui.earlierFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        self._paths = ((ui.weightsFolderEdit, "weightsFolder"), (ui.exportFolderEdit, "exportFolder"))
        for combo, name, values in self._combos:
            combo.connect("currentIndexChanged(int)", lambda index, n=name, v=values: self._keep(n, v[index]))
        for edit, name in self._paths:
            edit.filters = ctk.ctkPathLineEdit.Dirs
            edit.connect("currentPathChanged(QString)", lambda path, n=name: self._keep(n, path))

    def _keep(self, name, value):
        if self.parameters is not None and getattr(self.parameters, name) != value:
            setattr(self.parameters, name, value)

    def _follow(self):
        """Tie the panel to the scene's parameter node, made when there is none."""
        if self.parameters is not None:
            return
        self.parameters = self.logic.getParameterNode()
        self.editorView.use_scene_node()
        if self.parameters.inputVolume is None:
            volume = first_ct()
            if volume is not None:
                self.parameters.inputVolume = volume
        for combo, name, values in self._combos:
            value = getattr(self.parameters, name)
            combo.setCurrentIndex(values.index(value) if value in values else 0)
        for edit, name in self._paths:
            if getattr(self.parameters, name):  # an empty one leaves what this computer remembers
                edit.currentPath = getattr(self.parameters, name)
        self._guiTag = self.parameters.connectGui(self.ui)
        self.addObserver(self.parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters)
        self._onParameters()

    def _unfollow(self):
        if self.parameters is None:
            return
        self.parameters.disconnectGui(self._guiTag)
        self.removeObserver(self.parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters)
        self.parameters, self._volume = None, None

    def _onParameters(self, caller=None, event=None):
        from ICHVolumePanel.scene import find_segmentations_for

        if self.parameters is None or slicer.mrmlScene.IsImporting():
            return
        volume = self.parameters.inputVolume
        if volume is not self._volume:  # another CT: show the newest mask that was made from it
            self._volume = volume
            made = find_segmentations_for(volume)
            if self.parameters.segmentation not in made:
                self.parameters.segmentation = made[-1] if made else None
        self.panel.look_at(volume, self.parameters.segmentation)

    def _showSegmentation(self, node):
        if self.parameters is not None:
            self.parameters.segmentation = node

    def _onSceneStartClose(self, caller, event):
        self._unfollow()
        self.panel.forget()
        self.editorView.let_go()

    def _onSceneReady(self, caller, event):
        self._unfollow()
        if self._isShown():  # also after a reload, which does not enter again
            self._follow()


class ICHVolumeLogic(ScriptedLoadableModuleLogic):
    """The panel's work for scripts, without a window."""

    def getParameterNode(self):
        return ICHVolumeParameterNode(super().getParameterNode())

    def segment(self, volumeNode, device="auto", weightsFolder=None):
        """Segment a head CT and wait; returns the vtkMRMLSegmentationNode, or None when no bleed was found.

        device: "auto", "cpu", "cuda". One of this CT that nobody edited is replaced or goes, an edited one is kept.
        Raises ICHVolumeLib.core.errors.InputError for a volume, weights or packages that cannot be used.
        """
        from ICHVolumePanel import scene_editing
        from ICHVolumePanel.case import Case
        from ICHVolumePanel.child_process import segment_and_wait
        from ICHVolumePanel.scene import find_segmentations_for

        scene_editing.start()  # the mask may be painted on without the panel
        case = Case.open(volumeNode)
        made = find_segmentations_for(volumeNode)
        if made:
            case.choose(made[-1])
        case.take(segment_and_wait(case.ct, LIBRARY_HOME, device, weightsFolder))
        case.draw()
        return case.segmentation_node if case.result.found else None

    def measure(self, segmentationNode, volumeNode=None):
        """ICHVolumeLib.core.result.Result of this mask as it stands, corrections included."""
        return self._case(segmentationNode, volumeNode).result

    def export(self, segmentationNode, folder, formats=("STL",), space="LPS", volumeNode=None):
        """Write models, mask, table and report; returns the paths written."""
        from ICHVolumePanel.exporting import Wishes, export_case

        return export_case(self._case(segmentationNode, volumeNode), folder, Wishes(tuple(formats), space))

    @staticmethod
    def _case(segmentationNode, volumeNode):
        from ICHVolumePanel.case import Case
        from ICHVolumePanel.scene import volume_of

        case = Case.open(volumeNode or volume_of(segmentationNode))
        case.choose(segmentationNode)
        return case


class ICHVolumeTest(ScriptedLoadableModuleTest):
    """Run in Slicer: Reload and Test, or `Slicer --testing --python-code ...`."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        from ICHVolumePanel import packages
        from slicer import packaging

        self.setUp()
        missing = packages.missing(packaging, "auto")
        if missing:  # a build machine: nothing is installed there, and that is no failure
            self.delayDisplay("Not run: " + ", ".join(missing) + " is missing; press Segment ICH once to install it")
            return
        self.test_a_sample_patient_is_segmented_measured_and_edited()

    def test_a_sample_patient_is_segmented_measured_and_edited(self):
        from ICHVolumePanel import scene

        self.delayDisplay("Making the sample patient")
        volume = load_sample()[0]
        logic = ICHVolumeLogic()
        self.delayDisplay("Segmenting in the child process")
        segmentation = logic.segment(volume)
        self.assertTrue(segmentation is not None)
        before = logic.measure(segmentation).volume_ml
        self.assertGreater(before.total, 1.0)
        self.assertTrue(segmentation.GetSegmentation().ContainsRepresentation("Closed surface"))
        self.delayDisplay("Erasing the IVH and half of the ICH segment")
        mask = scene.mask_from_segmentation(segmentation, volume)
        mask[mask.shape[0] // 2:] = 0
        name = scene.segment_ids(segmentation)[0][0]
        slicer.util.updateSegmentBinaryLabelmapFromArray((mask == 1).astype("uint8"), segmentation, name, volume)
        after = logic.measure(segmentation)
        self.assertGreater(before.ich, after.volume_ml.ich)
        self.assertEqual(after.automatic_volume_ml.total, before.total)
        self.delayDisplay("Passed")


def _call_later(milliseconds, function):
    qt.QTimer.singleShot(milliseconds, function)
