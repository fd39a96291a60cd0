"""Strokes land in the slice that is seen: while an effect of any Segment Editor is active on a mask under a warp, the
CT, its masks and their lines are held outside the warp (see scene_transforms), and put back when the effect ends.
"""

import slicer
import vtk

from . import scene, scene_lines
from .scene_midline import midline_lines
from .scene_transforms import hold, is_held, is_warped, parent_of, release
from .translation import tr as _

EDITOR_CLASS = "vtkMRMLSegmentEditorNode"
BEFORE_THE_EDITOR = 10.0  # observer priority: the scan lies right when the effect starts
_shared = []


def start(say=None) -> "Editing":
    """The one Editing of this process, watching the scene. say(sentence) tells why an effect was refused."""
    if not _shared:
        _shared.append(Editing())
    _shared[0].start()
    if say is not None:
        _shared[0].say = say
    return _shared[0]


class Editing:
    """Watches every segment-editor parameter node of the scene, Slicer's own module's included."""

    def __init__(self):
        self.say = lambda _sentence: None
        self._observed = []
        self._is_busy = False

    def start(self) -> None:
        if self._observed:
            return
        here = slicer.mrmlScene
        for event, action in ((here.StartSaveEvent, self.release_all), (here.EndSaveEvent, self.sync),
                              (here.EndImportEvent, self._watch_all)):
            self._observed.append((here, here.AddObserver(event, lambda *_nothing, act=action: act())))
        self._observed.append((here, here.AddObserver(here.NodeAddedEvent, self._node_added)))
        self._watch_all()

    def stop(self) -> None:
        """Everything back in its place; nothing is watched any more."""
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed = []
        self.say = lambda _sentence: None
        self.release_all()

    def sync(self) -> None:
        """Hold what is painted on, release the rest."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            painted_on = []
            for node in slicer.util.getNodesByClass(EDITOR_CLASS):
                if node.GetActiveEffectName() and node.GetSegmentationNode() is not None:
                    painted_on += self._hold_for(node)
            self._release([node for node in _held_nodes() if node not in painted_on])
        finally:
            self._is_busy = False

    def release_all(self) -> None:
        self._release(_held_nodes())

    def _hold_for(self, editor_node) -> list:
        """The CT and the masks that are held for this editor."""
        mask = editor_node.GetSegmentationNode()
        if not (is_warped(mask) or is_held(mask)):
            return []
        volume = scene.volume_of(mask) or editor_node.GetSourceVolumeNode()
        if volume is None or parent_of(volume) is not parent_of(mask):
            editor_node.SetActiveEffectName("")
            self.say(_("{mask} cannot be painted on: it lies under a warp, and the CT does not. Put both under the "
                       "same transform.").format(mask=mask.GetName()))
            return []
        together = [node for node in {mask.GetID(): mask, **{node.GetID(): node for node in
                    scene.find_segmentations_for(volume)}}.values() if parent_of(node) is parent_of(volume)]
        moved = [node for node in [volume, *together] if is_warped(node)]
        if moved:
            with _Lines(volume, scene.find_segmentations_for(volume)):
                hold(moved)
        return [volume, *together]

    def _release(self, nodes):
        volumes = [node for node in nodes if node.IsA("vtkMRMLVolumeNode")]
        for volume in volumes:
            with _Lines(volume, scene.find_segmentations_for(volume)):
                for node in nodes:
                    if node is volume or scene.volume_of(node) is volume:
                        release(node)
        for node in nodes:
            release(node)

    def _watch_all(self):
        watched = [node for node, _tag in self._observed]
        for node in slicer.util.getNodesByClass(EDITOR_CLASS):
            if node not in watched:
                self._watch(node)
        self.sync()

    def _watch(self, editor_node):
        self._observed.append((editor_node, editor_node.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda *_nothing: self.sync(), BEFORE_THE_EDITOR)))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_added(self, _caller, _event, node):
        if node.IsA(EDITOR_CLASS):
            self._watch(node)


class _Lines:
    """The masks' lines keep their place on the scan while it is moved."""

    def __init__(self, volume_node, segmentation_nodes):
        self._volume_node = volume_node
        self._points = [(line, scene_lines.line_points(line, volume_node))
                        for node in segmentation_nodes
                        for line in (*(scene_lines.ab_lines(node) or ()), *(midline_lines(node) or ()))]

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for line, points in self._points:
            scene_lines.place_line(line, self._volume_node, points)


def _held_nodes() -> list:
    return [node for class_name in ("vtkMRMLVolumeNode", "vtkMRMLSegmentationNode")
            for node in slicer.util.getNodesByClass(class_name) if is_held(node)]
