"""Being told when a CT, a mask or a line in the scene changes."""

import slicer
import vtk


class Observation:
    """Observers on MRML nodes that end together: stop() may be called twice and after the nodes are gone."""

    def __init__(self, callback):
        """callback: called without arguments."""
        self._callback = callback
        self._observed = []

    def watch(self, node, *events):
        """Add observers for these events; returns self."""
        for event in events:
            self._observed.append((node, node.AddObserver(event, lambda *_: self._callback())))
        return self

    def stop(self) -> None:
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed = []


def observe_mask_edits(segmentation_node, callback) -> Observation:
    """Call callback() after every edit, segment added, removed or renamed. One edit may call twice: debounce.

    The node's own ModifiedEvent does not fire on edits; these events of its vtkSegmentation do, on the node.
    """
    events = slicer.vtkSegmentation
    return Observation(callback).watch(segmentation_node, events.SourceRepresentationModified, events.SegmentAdded,
                                       events.SegmentRemoved, events.SegmentModified)


def observe_volume(volume_node, callback) -> Observation:
    """Call callback() when the CT's voxels, matrix, name or parent transform change."""
    return Observation(callback).watch(volume_node, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent,
                                       slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
                                       vtk.vtkCommand.ModifiedEvent)
