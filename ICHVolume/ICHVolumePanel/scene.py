"""The MRML scene as plain values: CT volume node to arrays, mask to segmentation node and back.

With scene_segments and scene_outside (a segmentation's parts), scene_volume (the CT), scene_transforms (where it lies),
scene_editing (painting under a warp), scene_clicks (a click in a view), scene_lines (ABC/2 lines, slice views, table),
scene_views (what is shown), scene_watch (observers), scene_export (files) and mask_images this is the one adapter that
speaks MRML. It imports only slicer, vtk and numpy, and runs the same in 3D Slicer and on slicer-core.
"""

import numpy as np
import slicer
import vtk

from . import mask_images, scene_outside
from .scene_segments import fingerprint, labelmap, recall, remember, segment_for, segment_ids, voxels_of
from .scene_transforms import (
    frame_of,
    mask_parent,
    matrix_of,
    parent_of,
    put_with,
    transform_matrix,
    vtk_matrix,
)
from .scene_volume import (
    ct_arrays,
    ct_arrays_in_steps,
    file_of,
    is_in_scene,
    problem_with_volume,
    put_beside,
    require_in_scene,
    signature_of,
)
from .translation import tr as _
from .turns import at_once

__all__ = [
    "ct_arrays", "ct_arrays_in_steps", "file_of", "find_segmentations_for", "frame_of", "is_edited",
    "is_in_scene", "is_outside_edited", "mark_automatic", "mask_from_segmentation", "new_segmentation",
    "new_segmentation_in_steps", "problem_with_volume", "put_images", "recall", "remember", "replace_mask",
    "replace_mask_in_steps", "segment_ids", "show_3d", "signature_of", "uncounted_segments", "volume_of",
]

SOURCE_ROLE = "ICHVolume.source"  # node reference from a segmentation to its CT
AUTOMATIC_KEY = "automaticMask"  # fingerprint of the mask as the model made it
FILL_OPACITY = 0.3  # the blood stays visible under the colour
SAME_GRID_TOLERANCE_VOXELS = 0.01
# Surface nets that smooth themselves: 5-12 ms where the default takes 50-90 ms, so views stay fluid during edits
SHOWN_SURFACE = {"Conversion method": "1", "SurfaceNets smoothing": "1", "Smoothing factor": "0.7"}


def new_segmentation(volume_node, mask, labels, name="ICH", outside=None):
    """What new_segmentation_in_steps returns, in one go."""
    return at_once(new_segmentation_in_steps(volume_node, mask, labels, name, outside))


def new_segmentation_in_steps(volume_node, mask, labels, name="ICH", outside=None):
    """Add a segmentation of the CT to the scene and return its vtkMRMLSegmentationNode.

    mask: uint8 (slices, rows, columns) on the CT's grid; labels: objects with value, name, color (0..1 RGB) and
    terminology (ICHVolumeLib.core.labels.LABELS). Every label gets a segment, empty or not, so it can be painted at
    once. outside: see scene_outside.
    Same grid as the CT, under the transform that mask_parent names; closed surface made and shown in 3D; mask noted as
    automatic (see is_edited) and the CT as the source (see volume_of).
    A generator of short steps; the node goes again when it is closed or fails before the end.
    Raises ValueError when the mask's shape is not the CT's or the CT is gone.
    """
    _require_same_shape(mask, volume_node)
    node = _new_node(volume_node, name)
    done = False
    try:
        yield
        yield from replace_mask_in_steps(node, mask, labels, volume_node, outside)
        yield
        require_in_scene(node, "The segmentation")
        show_3d(node)
        done = True
    finally:
        if not done and is_in_scene(node):
            slicer.mrmlScene.RemoveNode(node)
    return node


def _new_node(volume_node, name):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
    put_with(node, volume_node)
    node.SetNodeReferenceID(SOURCE_ROLE, volume_node.GetID())
    for parameter, value in SHOWN_SURFACE.items():
        node.GetSegmentation().SetConversionParameter(parameter, value)
    put_beside(node, volume_node)
    return node


def replace_mask(segmentation_node, mask, labels, volume_node, outside=None) -> None:
    """What replace_mask_in_steps does, in one go."""
    at_once(replace_mask_in_steps(segmentation_node, mask, labels, volume_node, outside))


def replace_mask_in_steps(segmentation_node, mask, labels, volume_node, outside=None):
    """Put a new automatic mask into an existing segmentation; missing segments are made, foreign ones are left.

    A generator of short steps: the new mask is made ready, then takes the old one's place in the last step, so that
    nobody finds half of it, even when the generator is closed. Raises ValueError as new_segmentation_in_steps and
    put_images.
    """
    _require_same_shape(mask, volume_node)
    images = yield from mask_images.images_in_steps(mask, labels)
    more_labels, more_images = yield from scene_outside.images_in_steps(outside)
    yield
    put_images(segmentation_node, [*images, *more_images], [*labels, *more_labels], volume_node)
    scene_outside.note(segmentation_node, more_labels)
    mark_automatic(segmentation_node, mask)


def put_images(segmentation_node, images, labels, volume_node) -> None:
    """Give the labels' segments these voxels (mask_images.images_in_steps), on the CT's grid wherever the two nodes
    lie now; several segments of one label become one. An edit: it is not marked as automatic.

    Raises ValueError when a node is gone, or a warp lies between mask and CT.
    """
    require_in_scene(volume_node, "The CT")
    require_in_scene(segmentation_node, "The segmentation")
    to_ct = _to_volume(segmentation_node, volume_node)
    if to_ct is None:
        raise ValueError(_("A warp lies between {mask} and {ct}; put both under the same transform.").format(
            mask=segmentation_node.GetName(), ct=volume_node.GetName()))
    mask_images.place(images, np.linalg.inv(to_ct) @ matrix_of(volume_node))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    ids = [segment_for(segmentation_node, label) for label in labels]
    for of_label in segment_ids(segmentation_node, [label.name for label in labels]):
        for segment_id in of_label:  # all first: segments may share one labelmap, where a new voxel unseats an old one
            logic.ClearSegment(segmentation_node, segment_id)
    for segment_id, label, image in zip(ids, labels, images, strict=True):
        if image is not None and not logic.SetBinaryLabelmapToSegment(image, segmentation_node, segment_id):
            raise ValueError(_("3D Slicer refused the mask of segment {name}; see its error log.").format(
                name=label.name))
    if all(image is None for image in images):  # ClearSegment alone tells nobody
        segmentation_node.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)


def mask_from_segmentation(segmentation_node, volume_node, names=("ICH", "IVH")) -> np.ndarray:
    """uint8 (slices, rows, columns) on the CT's grid: names[0] -> 1, names[1] -> 2, ...

    A segment is found by the mark new_segmentation put on it (so it may be renamed), else by its ID, else by its
    name in any case. A missing segment is empty; where segments overlap the later name wins. What was painted
    outside the CT is left out; another grid or another place in the world is resampled (nearest voxel).
    Raises ValueError when a node is gone.
    """
    require_in_scene(segmentation_node, "The segmentation")
    require_in_scene(volume_node, "The CT")
    mask = np.zeros(volume_node.GetImageData().GetDimensions()[::-1], np.uint8)
    for value, segment_ids_of_name in enumerate(segment_ids(segmentation_node, names), start=1):
        for segment_id in segment_ids_of_name:
            _paint(mask, value, segmentation_node, segment_id, volume_node)
    return mask


def uncounted_segments(segmentation_node, names=("ICH", "IVH")) -> list[str]:
    """Names of the non-empty segments that mask_from_segmentation leaves out, for a hint to the user; that of the blood
    outside the brain says so itself."""
    segmentation = segmentation_node.GetSegmentation()
    counted = {segment_id for ids in segment_ids(segmentation_node, names) for segment_id in ids}
    counted |= set(scene_outside.ids(segmentation_node))
    return [segmentation.GetSegment(segment_id).GetName() for segment_id in segmentation.GetSegmentIDs()
            if segment_id not in counted and labelmap(segmentation_node, segment_id) is not None]


def mark_automatic(segmentation_node, mask) -> None:
    """Note that this mask (uint8, on the CT's grid) is what the model made."""
    remember(segmentation_node, AUTOMATIC_KEY, fingerprint(mask))


def is_edited(segmentation_node, mask) -> bool:
    """True when the mask differs from the automatic one; undoing every edit makes it False again, saving keeps it."""
    return recall(segmentation_node, AUTOMATIC_KEY) != fingerprint(mask)


def is_outside_edited(segmentation_node) -> bool:
    """True where a person changed the blood outside the brain as the model showed it."""
    return scene_outside.is_edited(segmentation_node)


def volume_of(segmentation_node):
    """The CT this segmentation was made from, or None when it is not ours or the CT is gone."""
    return segmentation_node.GetNodeReference(SOURCE_ROLE) if is_in_scene(segmentation_node) else None


def find_segmentations_for(volume_node) -> list:
    """Segmentation nodes that new_segmentation made from this CT, oldest first (also after loading a scene)."""
    if not is_in_scene(volume_node):
        return []
    return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
            if node.GetNodeReferenceID(SOURCE_ROLE) == volume_node.GetID()]


def show_3d(segmentation_node, shown=True) -> None:
    """Show or hide the closed surface in the 3D views (made on first use)."""
    if shown and not all(labelmap(segmentation_node, segment_id) is None
                         for segment_id in segmentation_node.GetSegmentation().GetSegmentIDs()):
        segmentation_node.CreateClosedSurfaceRepresentation()
    segmentation_node.GetDisplayNode().SetVisibility3D(shown)


def _require_same_shape(mask, volume_node):
    require_in_scene(volume_node, "The CT")
    shape = volume_node.GetImageData().GetDimensions()[::-1]
    if mask.shape != shape:
        raise ValueError(_("The mask is {mask} voxels but {name} is {shape}; segment this CT again.").format(
            mask=mask.shape, name=volume_node.GetName(), shape=shape))


def _paint(mask, value, segmentation_node, segment_id, volume_node):
    """Set the segment's voxels to value in a mask on the CT's grid, in place."""
    image = labelmap(segmentation_node, segment_id)
    if image is None:
        return
    label_value = segmentation_node.GetSegmentation().GetSegment(segment_id).GetLabelValue()
    shift = _whole_voxel_shift(image, segmentation_node, volume_node)
    if shift is None:
        image = _resampled(image, segmentation_node, volume_node)
        shift = (0, 0, 0)
    extent = image.GetExtent()
    into, out_of = [], []
    for axis, size in zip((2, 1, 0), mask.shape, strict=True):  # extents are i, j, k; arrays k, j, i
        first = extent[2 * axis] + shift[axis]
        last = extent[2 * axis + 1] + shift[axis]
        start, stop = max(first, 0), min(last + 1, size)
        if start >= stop:
            return
        into.append(slice(start, stop))
        out_of.append(slice(start - first, stop - first))
    mask[tuple(into)][voxels_of(image)[tuple(out_of)] == label_value] = value


def _whole_voxel_shift(image, segmentation_node, volume_node):
    """(i, j, k) voxels from the image's index to the CT's when both lie on one grid in the world, else None."""
    to_ras = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_ras)
    image_to_ras, ct_to_ras = slicer.util.arrayFromVTKMatrix(to_ras), matrix_of(volume_node)
    to_ct = _to_volume(segmentation_node, volume_node)
    if to_ct is None:
        return None
    image_to_ras = to_ct @ image_to_ras
    index_to_index = np.linalg.inv(ct_to_ras) @ image_to_ras
    whole = np.eye(4)
    whole[:3, 3] = np.rint(index_to_index[:3, 3])
    reach = np.array([*np.abs(image.GetExtent()).reshape(3, 2).max(axis=1), 1.0])
    if (np.abs(index_to_index - whole) @ reach > SAME_GRID_TOLERANCE_VOXELS).any():
        return None
    return tuple(int(step) for step in whole[:3, 3])


def _to_volume(segmentation_node, volume_node):
    """4x4 from the mask's coordinates to the CT's, or None where a warp is between them that is not negligible."""
    parent = parent_of(segmentation_node)
    return np.eye(4) if parent is parent_of(volume_node) else transform_matrix(parent, mask_parent(volume_node))


def _resampled(image, segmentation_node, volume_node):
    """The image on the CT's own grid, nearest voxel, through whatever transforms lie between the two nodes."""
    reference = slicer.vtkOrientedImageData()
    reference.SetDimensions(volume_node.GetImageData().GetDimensions())
    reference.SetGeometryFromImageToWorldMatrix(vtk_matrix(matrix_of(volume_node)))
    reference.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    between = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        parent_of(segmentation_node), parent_of(volume_node), between)
    out = slicer.vtkOrientedImageData()
    done = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, reference, out, False, False, between)
    if not done:
        raise ValueError(_("The mask of {mask} cannot be brought onto the grid of {ct}; put both under the same "
                           "transform.").format(mask=segmentation_node.GetName(), ct=volume_node.GetName()))
    return out
