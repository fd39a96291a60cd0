"""A mask's labels as VTK images, cut to what is marked: what a segmentation takes."""

import numpy as np
import slicer
from vtk.util.numpy_support import numpy_to_vtk

from .scene_transforms import vtk_matrix


def images_in_steps(mask, labels):
    """Generator; returns for each label its vtkOrientedImageData (indices of the mask's grid, which place gives a
    matrix to), or None where nothing is marked."""
    box, marked = _marked_box(mask)
    images = []
    for label in labels:
        yield
        images.append(_image(marked == label.value, box))
    return images


def place(images, matrix) -> None:
    """matrix: 4x4, voxel index (i, j, k, 1) to the coordinates that the segmentation keeps its images in."""
    for image in images:
        if image is not None:
            image.SetGeometryFromImageToWorldMatrix(vtk_matrix(matrix))


def _marked_box(mask):
    """[(first, last)] along k, j, i of what is marked, and that part of the mask; an empty part when nothing is."""
    box = []
    for axis in range(3):  # cropping as we go spares most of the voxels
        where = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        if not where.size:
            return [(0, -1)] * 3, mask[:0, :0, :0]
        box.append((where[0], where[-1]))
        mask = mask[(slice(None),) * axis + (slice(where[0], where[-1] + 1),)]
    return box, mask


def _image(marked, box):
    """The boolean part of a mask that fills this box of it."""
    if not marked.any():
        return None
    voxels = np.ascontiguousarray(marked, np.uint8)
    image = slicer.vtkOrientedImageData()
    image.SetExtent([int(index) for first_last in reversed(box) for index in first_last])
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel(), deep=True))
    return image
