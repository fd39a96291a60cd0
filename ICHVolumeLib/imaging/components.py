"""Connected components of a bool array (slices, rows, columns) or (rows, columns)."""

import numpy as np

from .boxes import bounding_box

FEW = 2**19  # voxels: the size of a slice and less


def connected_components(binary: np.ndarray, fully_connected: bool = True) -> tuple[np.ndarray, int]:
    """(numbered components, how many); 26-connected in 3D, 8 in 2D, or 6 / 4 when not fully connected."""
    import SimpleITK as sitk

    binary = np.asarray(binary, bool)
    near = bounding_box(binary, (0,) * binary.ndim)
    if near is None:  # ITK ends the process on an image without voxels
        return np.zeros(binary.shape, np.uint16), 0
    connect = sitk.ConnectedComponentImageFilter()
    connect.SetFullyConnected(fully_connected)
    if binary[near].size < FEW:
        connect.SetNumberOfWorkUnits(1)  # waking other threads takes longer than the work
    components = connect.Execute(sitk.GetImageFromArray(binary[near].view(np.uint8)))
    count = connect.GetObjectCount()
    numbered = np.zeros(binary.shape, np.uint16 if count < 2**16 else np.uint32)  # memory counts for 300 slices
    numbered[near] = sitk.GetArrayViewFromImage(components)
    return numbered, count


def component_boxes(components: np.ndarray, count: int) -> list[tuple[slice, ...]]:
    """The index box of each of the components that connected_components gave, 1..count in order."""
    import SimpleITK as sitk

    if not count:
        return []
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.Execute(sitk.GetImageFromArray(components))
    boxes = []
    for number in range(1, count + 1):
        box = shapes.GetBoundingBox(number)  # the first index of every axis, x first, then the sizes
        firsts, sizes = box[:components.ndim][::-1], box[components.ndim:][::-1]
        boxes.append(tuple(slice(first, first + size) for first, size in zip(firsts, sizes, strict=True)))
    return boxes


def largest_component(binary: np.ndarray) -> np.ndarray:
    """bool: the largest 26-connected component; nothing where there is none."""
    components, count = connected_components(binary)
    sizes = np.bincount(components.ravel(), minlength=count + 1)
    sizes[0] = 0
    return (components == np.argmax(sizes)) & (components > 0)


def component_volumes_mm3(components: np.ndarray, count: int, mm3: np.ndarray,
                          within: np.ndarray | None = None) -> np.ndarray:
    """(count + 1,) mm3 of the background and of each component; mm3 (slices,): of one voxel of each slice; within:
    count these voxels only."""
    volumes = np.zeros(count + 1)
    for k, (one, voxel_mm3) in enumerate(zip(components, mm3, strict=True)):
        counted = one.ravel() if within is None else one[within[k]]
        volumes += np.bincount(counted, minlength=count + 1) * voxel_mm3
    return volumes
