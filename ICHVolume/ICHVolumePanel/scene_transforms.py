"""Where a CT lies in the scene: its measuring frame, and how it is held while somebody paints on its mask.

The Segment Editor's effects know linear transforms only; under any other they paint into another slice. So a mask goes
under the linear part where the warp is negligible, and else CT and masks are taken out of the warp while an effect is
active (hold, release; scene_editing says when). A held node names the transform that it was taken out of: it is
measured at its true positions all the same, also when a scene was saved like that.
"""

import numpy as np
import slicer
import vtk

from .translation import tr as _

RIGID_SLICE_TOLERANCE_MM = 0.1  # DICOM rounds positions and directions; a warp bends a slice by more
NEGLIGIBLE_WARP_MM = 0.1  # the DICOM reader adds a warp from 0.001 mm on
HELD_ROLE = "ICHVolume.heldFrom"  # node reference: the transform that a node lies under when nobody paints


def matrix_of(volume_node) -> np.ndarray:
    """4x4, voxel index (i, j, k, 1) to RAS mm before any parent transform."""
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def vtk_matrix(array) -> vtk.vtkMatrix4x4:
    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, np.asarray(array, float))
    return matrix


def parent_of(node):
    """The transform node that this CT or mask belongs under, held or not; None for the world."""
    return node.GetNodeReference(HELD_ROLE) or node.GetParentTransformNode()


def is_held(node) -> bool:
    return node.GetNodeReference(HELD_ROLE) is not None


def frame_of(volume_node):
    """The transform node in whose coordinates this CT's numbers and lines are given, or None for the world."""
    return true_positions(volume_node)[1]


def true_positions(volume_node):
    """(slice origins (slices, 3) RAS mm, frame transform node or None, findings); see scene_volume's text."""
    origins, edges = _slices_of(volume_node)
    parent = parent_of(volume_node)
    warp = _topmost_warp(parent)
    if warp is None:
        return origins, parent, []
    frame = warp.GetParentTransformNode()
    corners = origins[:, None] + edges
    moved = map_points(corners.reshape(-1, 3), parent, frame).reshape(corners.shape)
    if np.abs(moved - moved[:, :1] - edges).max() <= RIGID_SLICE_TOLERANCE_MM:
        return moved[:, 0], frame, []
    return origins, parent, [(
        "warp-ignored", "warning",
        _("{name} lies under the warp {warp}; the numbers are those of the scan without it.").format(
            name=volume_node.GetName(), warp=warp.GetName()))]


def transform_matrix(from_transform, to_transform):
    """4x4 from one transform node's coordinates to another's (None for the world); None for a warp."""
    matrix = vtk.vtkMatrix4x4()
    if not slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(from_transform, to_transform, matrix):
        return None
    return slicer.util.arrayFromVTKMatrix(matrix)


def map_points(points, from_transform, to_transform) -> np.ndarray:
    """(n, 3) RAS mm from one transform node's coordinates to another's (None for the world), warps included."""
    between = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(from_transform, to_transform, between)
    return np.array([between.TransformPoint(point) for point in np.asarray(points, float)])


def mask_parent(volume_node):
    """The transform node that a mask of this CT belongs under: the CT's own, or its linear part where the warp moves
    nothing by more than NEGLIGIBLE_WARP_MM."""
    parent = parent_of(volume_node)
    if parent is None or parent.IsLinear() or parent is not _topmost_warp(parent):
        return parent
    frame = parent.GetParentTransformNode()
    origins, edges = _slices_of(volume_node)
    corners = (origins[:, None] + edges).reshape(-1, 3)
    return frame if np.abs(map_points(corners, parent, frame) - corners).max() <= NEGLIGIBLE_WARP_MM else parent


def put_with(segmentation_node, volume_node) -> None:
    """Put a mask where its CT lies, on the CT's grid, and hold it when the CT is held."""
    segmentation_node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    # after the transform: the reference grid is taken between the two nodes, and saving resamples the mask onto it
    segmentation_node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    parent = mask_parent(volume_node)
    if parent is not parent_of(volume_node):
        segmentation_node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    elif is_held(volume_node):
        segmentation_node.SetNodeReferenceID(HELD_ROLE, parent.GetID())


def is_warped(node) -> bool:
    """As it lies now, an effect of the Segment Editor would paint elsewhere."""
    parent = node.GetParentTransformNode()
    return parent is not None and not parent.IsTransformToWorldLinear()


def hold(nodes) -> None:
    """Take CT and masks out of their common warp, into the coordinates above it."""
    for node in nodes:
        parent = node.GetParentTransformNode()
        frame = _topmost_warp(parent).GetParentTransformNode()
        node.SetNodeReferenceID(HELD_ROLE, parent.GetID())  # first: whoever is told of the move finds it held
        node.SetAndObserveTransformNodeID(frame.GetID() if frame else None)


def release(node) -> None:
    """Put a held node back."""
    parent = node.GetNodeReference(HELD_ROLE)
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    node.SetNodeReferenceID(HELD_ROLE, None)


def shown_to_measured(world_points, volume_node) -> np.ndarray:
    """(n, 3) world RAS mm, as the views show the CT now, to its measuring frame."""
    frame = frame_of(volume_node)
    if not is_held(volume_node):
        return map_points(world_points, None, frame)
    own = map_points(world_points, None, volume_node.GetParentTransformNode())
    return map_points(own, parent_of(volume_node), frame)


def measured_to_shown(points, volume_node):
    """((n, 3) RAS mm, transform node or None): where points of the measuring frame are drawn now, below that node."""
    frame = frame_of(volume_node)
    if not is_held(volume_node):
        return np.asarray(points, float), frame
    return map_points(points, frame, parent_of(volume_node)), volume_node.GetParentTransformNode()


def _slices_of(volume_node):
    """(origins (slices, 3), the slice's corners from its origin (3, 3)) in RAS mm before any transform."""
    matrix = matrix_of(volume_node)
    columns, rows, slices = volume_node.GetImageData().GetDimensions()
    origins = matrix[:3, 3] + np.arange(slices)[:, None] * matrix[:3, 2]
    return origins, np.stack([0 * matrix[:3, 0], (columns - 1) * matrix[:3, 0], (rows - 1) * matrix[:3, 1]])


def _topmost_warp(transform_node):
    found = None
    while transform_node is not None:
        if not transform_node.IsLinear():
            found = transform_node
        transform_node = transform_node.GetParentTransformNode()
    return found
