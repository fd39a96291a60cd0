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
UNDO_STEPS = 20


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

    A child process makes it (seconds) and the window answers meanwhile. Raises RuntimeError when that fails.
    """
    from ICHVolumePanel.child_process import make_sample_and_wait
    from ICHVolumePanel.scene_lines import show_slice
    from ICHVolumePanel.scene_volume import BRAIN_WINDOW, show_window

    ct = make_sample_and_wait(LIBRARY_HOME, slicer.app.processEvents, SAMPLE_PIXELS)
    node = slicer.util.addVolumeFromArray(ct.hu, ijkToRAS=ct.ijk_to_ras, name=SAMPLE_NAME)
    show_window(node, BRAIN_WINDOW)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActiveVolumeID(node.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()
    show_slice(node, len(ct.hu) // 2)
    return [node]


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


class ICHVolumeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the .ui, ties it to the parameter node and the scene's life; the work is ICHVolumePanel.panel's."""

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from ICHVolumePanel.child_process import QtChild
        from ICHVolumePanel.panel import Panel
        from ICHVolumePanel.worker_client import WorkerClient
        from slicer import packaging

        self.logic = ICHVolumeLogic()
        self.parameters = None
        self._guiTag = None
        self._volume = None
        self._entered = False
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/ICHVolume.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.editor = self._makeEditor()
        for selector in (self.ui.inputSelector, self.ui.segmentationSelector):
            selector.setMRMLScene(slicer.mrmlScene)
        client = WorkerClient(lambda: QtChild(LIBRARY_HOME), _call_later)
        self.panel = Panel(self.ui, self.editor, client, packaging, _call_later, self._showSegmentation)
        self._connectChoices()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneReady)
        self.addObserver(scene, scene.EndImportEvent, self._onSceneReady)
        self._follow()

    def cleanup(self):
        """Slicer exits or the module is reloaded."""
        self._unfollow()
        self.removeObservers()
        self.panel.close()
        self.editor.setSegmentationNode(None)
        self.editor.setMRMLSegmentEditorNode(None)
        self.editor.removeViewObservations()

    def enter(self):
        self._entered = True
        self._follow()
        self.editor.setupViewObservations()
        self.editor.installKeyboardShortcuts()

    def exit(self):
        self._entered = False
        self.panel.leave()
        self.editor.setActiveEffect(None)
        self.editor.uninstallKeyboardShortcuts()
        self.editor.removeViewObservations()

    def onReload(self):
        """Reload the panel's and the library's files too, not only this one."""
        for name in [name for name in sys.modules if name.split(".")[0] in ("ICHVolumePanel", "ICHVolumeLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _makeEditor(self):
        """Slicer's own segment editor, on a parameter set of its own so that the Segment Editor module keeps its."""
        editor = slicer.qMRMLSegmentEditorWidget()
        editor.setMaximumNumberOfUndoStates(UNDO_STEPS)
        editor.setMRMLSegmentEditorNode(self._editorNode())  # before the scene, which selects nodes by itself
        editor.setMRMLScene(slicer.mrmlScene)
        editor.segmentationNodeSelectorVisible = False
        editor.sourceVolumeNodeSelectorVisible = False
        editor.switchToSegmentationsButtonVisible = False
        self.ui.editorBox.layout().addWidget(editor)
        return editor

    def _connectChoices(self):
        """Choices that parameterNodeWrapper has no connector for."""
        from ICHVolumePanel.export_view import SPACES
        from ICHVolumePanel.panel import DEVICES

        ui = self.ui
        self._combos = ((ui.deviceCombo, "device", DEVICES), (ui.spaceCombo, "space", SPACES))
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
        self.editor.setMRMLSegmentEditorNode(self._editorNode())
        if self.parameters.inputVolume is None:
            volume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
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

    @staticmethod
    def _editorNode():
        node = slicer.mrmlScene.GetSingletonNode("ICHVolume", "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag("ICHVolume")
            node = slicer.mrmlScene.AddNode(node)
        return node

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
        self.editor.setSegmentationNode(None)
        self.editor.removeViewObservations()

    def _onSceneReady(self, caller, event):
        self._unfollow()
        if self._entered:
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
        from ICHVolumePanel.case import Case
        from ICHVolumePanel.child_process import segment_and_wait
        from ICHVolumePanel.scene import find_segmentations_for

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
        self.setUp()
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
