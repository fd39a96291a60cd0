"""Phantoms in the MRML scene, as Slicer's DICOM reader would leave them there."""

import numpy as np


def add_ct(slicer, ct, name="Head CT"):
    """A scalar volume node with the CT's voxels and matrix; uneven slices get an acquisition transform."""
    node = slicer.util.addVolumeFromArray(ct.hu, ijkToRAS=ct.ijk_to_ras, name=name)
    if ct.is_uneven:
        add_acquisition_transform(slicer, node, ct.slice_origins_ras)
    return node


def add_acquisition_transform(slicer, volume_node, slice_origins_ras):
    """The grid transform of Slicer's DICOMScalarVolumePlugin: one displacement per slice, at the slice's corners."""
    import vtk

    columns, rows, slices = volume_node.GetImageData().GetDimensions()
    spacing = volume_node.GetSpacing()
    grid = vtk.vtkImageData()
    grid.SetOrigin(volume_node.GetOrigin())
    grid.SetDimensions(2, 2, slices)
    grid.SetSpacing(spacing[0] * columns, spacing[1] * rows, spacing[2])
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    transform = slicer.vtkOrientedGridTransform()
    direction = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASDirectionMatrix(direction)
    transform.SetGridDirectionMatrix(direction)
    transform.SetDisplacementGridData(grid)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode",
                                              f"{volume_node.GetName()} acquisition transform")
    node.SetAndObserveTransformToParent(transform)
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    matrix = slicer.util.arrayFromVTKMatrix(matrix)
    regular = matrix[:3, 3] + np.arange(slices)[:, None] * matrix[:3, 2]
    displacements = vtk.util.numpy_support.vtk_to_numpy(grid.GetPointData().GetScalars()).reshape(slices, 2, 2, 3)
    displacements[:] = (slice_origins_ras - regular)[:, None, None]
    grid.GetPointData().GetScalars().Modified()
    volume_node.SetAndObserveTransformNodeID(node.GetID())
    return node


def add_linear_transform(slicer, matrix, name="Registration", parent=None):
    """A linear transform node, optionally under another transform node."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(vtk_matrix(slicer, matrix))
    node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    return node


def rigid_matrix(angle_deg=25.0, shift_mm=(12.0, -30.0, 45.0)):
    """Turn about an oblique axis, then shift."""
    axis = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.radians(angle_deg)
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    matrix[:3, 3] = shift_mm
    return matrix


def vtk_matrix(slicer, array):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, np.asarray(array, float))
    return matrix


def add_slice_views(slicer):
    """{"Red", "Yellow", "Green": slice node}: axial, sagittal and coronal, as the application has them."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene)
    views = {}
    for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
        view = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSliceNode")  # knows the presets; a bare node does not
        view.UnRegister(None)
        view.SetName(name)
        view.SetLayoutName(name)
        views[name] = slicer.mrmlScene.AddNode(view)
        view.SetOrientation(orientation)
    return views
