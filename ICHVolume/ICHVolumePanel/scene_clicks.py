"""A click in a slice view, out of the scene: Slicer's own place mode, asked for one point."""

import slicer

from . import scene
from .scene_watch import Observation

POINT_NAME = "ICHVolume click"
ATTRIBUTE = "ICHVolume.click"


class PointPlacing:
    """Waits for one click in a slice view: Slicer's own place mode, with a point node that goes afterwards.

    on_point(world RAS, mm) is called once; on_end() when the user left the place mode without a click.
    """

    def __init__(self, on_point, on_end):
        self._on_point, self._on_end = on_point, on_end
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", POINT_NAME)
        node.SetAttribute(ATTRIBUTE, "1")
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        self._node = node
        logic = slicer.app.applicationLogic()
        selection, self._interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
        selection.SetActivePlaceNodeID(node.GetID())
        self._interaction.SetPlaceModePersistence(0)
        self._interaction.SetCurrentInteractionMode(self._interaction.Place)
        self._points, self._mode = Observation(self._placed), Observation(self._mode_changed)
        self._points.watch(node, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent)
        self._mode.watch(self._interaction, self._interaction.InteractionModeChangedEvent)

    @property
    def node(self):
        return self._node

    def stop(self) -> None:
        """Back to looking; nothing is called any more."""
        node, self._node = self._node, None
        if node is None:
            return
        self._points.stop()
        self._mode.stop()
        if self._interaction.GetCurrentInteractionMode() == self._interaction.Place:
            self._interaction.SetCurrentInteractionMode(self._interaction.ViewTransform)
        if scene.is_in_scene(node):
            slicer.mrmlScene.RemoveNode(node)

    def _placed(self):
        if self._node is None or not self._node.GetNumberOfDefinedControlPoints():
            return
        point = [0.0, 0.0, 0.0]
        self._node.GetNthControlPointPositionWorld(0, point)
        self._on_point(tuple(point))

    def _mode_changed(self):
        if self._node is not None and not self._node.GetNumberOfDefinedControlPoints() \
                and self._interaction.GetCurrentInteractionMode() != self._interaction.Place:
            self._on_end()
