"""The mouse in a slice view: Paint, Erase and Draw of the editor whose effect is active.

A point goes from the view to the mask's index the way the application's effects send it, through the real
vtkSlicerSegmentEditorLogic: XyzToIjk for Paint and Erase, AppendPolyMask for Draw. Both know linear transforms only;
under any other they go on with the identity, so that a stroke lands elsewhere.
"""

import numpy as np
import slicer
import vtk

EDGES = 24


def press(editor, slice_node, world, radius_mm=4.0) -> bool:
    """A short stroke of the editor's active effect round a world point (RAS mm) in a slice view; False when no effect
    takes it. editor: the qMRMLSegmentEditorWidget, seen through PythonQt or not."""
    editor = getattr(editor, "_object", editor)
    effect = editor.activeEffect()
    name = effect.objectName() if effect and editor.views_observed else ""
    if name not in ("Paint", "Erase", "Draw"):
        return False
    logic, segmentation = editor._logic, editor.mrmlSegmentEditorNode().GetSegmentationNode()
    logic.UpdateReferenceGeometryImage()
    logic.ResetModifierLabelmapToDefault()
    modifier = logic.GetModifierLabelmap()
    stroke = _draw if name == "Draw" else _paint
    stroke(modifier, slice_node, segmentation, _to_view(slice_node, world), radius_mm)
    modifier.Modified()
    logic.SaveStateForUndo()
    mode = logic.ModificationModeRemove if name == "Erase" else logic.ModificationModeAdd
    logic.ModifySegmentByLabelmap(segmentation, logic.GetCurrentSegmentID(), modifier, mode, False, False)
    return True


def _paint(modifier, slice_node, segmentation, center, radius_mm):
    voxels = vtk.util.numpy_support.vtk_to_numpy(modifier.GetPointData().GetScalars())
    voxels = voxels.reshape(modifier.GetDimensions()[::-1])
    extent = modifier.GetExtent()
    radius = radius_mm / _mm_per_pixel(slice_node)
    for x, y in np.stack(np.meshgrid(*2 * [np.arange(-radius, radius + 1)]), -1).reshape(-1, 2):
        index = [0, 0, 0]
        if np.hypot(x, y) <= radius:
            slicer.vtkSlicerSegmentEditorLogic.XyzToIjk([center[0] + x, center[1] + y, 0.0], index, slice_node,
                                                        modifier, segmentation.GetParentTransformNode())
            i, j, k = (index[axis] - extent[2 * axis] for axis in range(3))
            if all(0 <= at < size for at, size in zip((k, j, i), voxels.shape, strict=True)):
                voxels[k, j, i] = 1


def _draw(modifier, slice_node, segmentation, center, radius_mm):
    points, cell = vtk.vtkPoints(), vtk.vtkCellArray()
    radius = radius_mm / _mm_per_pixel(slice_node)
    cell.InsertNextCell(EDGES)
    for turn in np.linspace(0, 2 * np.pi, EDGES, endpoint=False):
        cell.InsertCellPoint(points.InsertNextPoint(center[0] + radius * np.cos(turn),
                                                    center[1] + radius * np.sin(turn), 0.0))
    outline = vtk.vtkPolyData()
    outline.SetPoints(points)
    outline.SetLines(cell)
    slicer.vtkSlicerSegmentEditorLogic.AppendPolyMask(modifier, outline, slice_node, segmentation)


def _to_view(slice_node, world):
    to_view = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(slice_node.GetXYToRAS(), to_view)
    return to_view.MultiplyPoint([*map(float, world), 1.0])[:3]


def _mm_per_pixel(slice_node):
    return float(np.linalg.norm(slicer.util.arrayFromVTKMatrix(slice_node.GetXYToRAS())[:3, 0]))
