"""Edits as the Segment Editor's effects make them: through the real vtkSlicerSegmentEditorLogic, with its undo."""

import numpy as np


class Editor:
    """Paint, erase and undo on one segmentation of one CT; masks are uint8 or bool (slices, rows, columns)."""

    def __init__(self, slicer, segmentation_node, volume_node):
        self._slicer = slicer
        self._segmentation_node, self._volume_node = segmentation_node, volume_node
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.logic.SetSegmentEditorNode(node)
        self.logic.SetSegmentationNode(segmentation_node)
        self.logic.SetSourceVolumeNode(volume_node)
        self.logic.SetMaximumNumberOfUndoStates(10)

    def paint(self, segment_id, marked):
        self._modify(segment_id, marked, self.logic.ModificationModeAdd)

    def erase(self, segment_id, marked):
        self._modify(segment_id, marked, self.logic.ModificationModeRemove)

    def undo(self):
        self.logic.Undo()

    def _modify(self, segment_id, marked, mode):
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        matrix = vtk.vtkMatrix4x4()
        self._volume_node.GetIJKToRASMatrix(matrix)
        modifier = self._slicer.vtkOrientedImageData()
        modifier.SetDimensions(marked.shape[::-1])
        modifier.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(marked, np.uint8).ravel(), deep=True))
        modifier.SetGeometryFromImageToWorldMatrix(matrix)
        self.logic.SetCurrentSegmentID(segment_id)
        self.logic.SaveStateForUndo()
        self.logic.ModifySegmentByLabelmap(self._segmentation_node, segment_id, modifier, mode, False, False)
