"""A corrected mask into the segmentation that is being corrected, and a click in a slice view out of the scene."""

import numpy as np
import slicer

from . import scene
from .scene_volume import frame_of, map_points, matrix_of, require_in_scene
from .scene_watch import Observation
from .translation import tr as _

POINT_NAME = "ICHVolume click"
ATTRIBUTE = "ICHVolume.click"


def write_mask(segmentation_node, mask, before, labels, volume_node) -> None:
    """Give the segments whose label differs between `before` and `mask` (uint8, on the CT's grid) their new voxels.

    Several segments of one label become one. Not marked as automatic: it is an edit. Raises ValueError when a node is
    gone, or the segmentation is not under the CT's transform.
    """
    require_in_scene(segmentation_node, "The segmentation")
    require_in_scene(volume_node, "The CT")
    if segmentation_node.GetTransformNodeID() != volume_node.GetTransformNodeID():
        raise ValueError(_("{mask} is not under the transform of {ct}; put both under the same one.").format(
            mask=segmentation_node.GetName(), ct=volume_node.GetName()))
    changed = [label for label in labels if np.any((mask == label.value) != (before == label.value))]
    box, marked = scene._marked_box(mask)
    images = [scene._oriented_image(marked == label.value, box, matrix_of(volume_node)) for label in changed]
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    ids = [scene._segment_for(segmentation_node, label) for label in changed]
    for of_label in scene.segment_ids(segmentation_node, [label.name for label in changed]):
        for segment_id in of_label:
            logic.ClearSegment(segmentation_node, segment_id)
    for label, segment_id, image in zip(changed, ids, images, strict=True):
        if image is not None and not logic.SetBinaryLabelmapToSegment(image, segmentation_node, segment_id):
            raise ValueError(_("3D Slicer refused the mask of segment {name}; see its error log.").format(
                name=label.name))
    if all(image is None for image in images):  # ClearSegment alone tells nobody
        segmentation_node.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)


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


def in_measuring_frame(volume_node, point_world) -> np.ndarray:
    """(3,) RAS mm of a world point in the coordinates that the CT is measured in."""
    return np.asarray(map_points([point_world], None, frame_of(volume_node)))[0]
