"""Bool arrays made wider and narrower."""

import numpy as np


def dilated(binary: np.ndarray, reach: tuple[int, ...]) -> np.ndarray:
    """Grown by a box: so many voxels along each axis, diagonals included; beyond the edge there is nothing."""
    for axis, most in enumerate(reach):
        grown, size = binary.copy(), binary.shape[axis]
        for shift in range(1, min(most, size - 1) + 1):
            low, high = [slice(None)] * binary.ndim, [slice(None)] * binary.ndim
            low[axis], high[axis] = slice(None, size - shift), slice(shift, None)
            grown[tuple(high)] |= binary[tuple(low)]
            grown[tuple(low)] |= binary[tuple(high)]
        binary = grown
    return binary


def dilated_by_disk(area: np.ndarray, radius_px: int) -> np.ndarray:
    """One slice, bool (rows, columns), grown by a disk."""
    import SimpleITK as sitk

    image = sitk.BinaryDilate(sitk.GetImageFromArray(area.astype(np.uint8)), [radius_px] * 2)
    return sitk.GetArrayFromImage(image).astype(bool)


def opened(area: np.ndarray, radius_mm: float, spacing_mm: tuple[float, float]) -> np.ndarray:
    """An area of one slice without what is narrower than a disk of this radius."""
    import SimpleITK as sitk

    radius = [max(round(radius_mm / step), 1) for step in spacing_mm]
    wide = np.zeros(area.shape, bool)
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    if not len(rows):
        return wide
    near = (slice(max(rows[0] - radius[0] - 1, 0), rows[-1] + radius[0] + 2),  # the rest of the slice stays empty
            slice(max(columns[0] - radius[1] - 1, 0), columns[-1] + radius[1] + 2))
    image = sitk.GetImageFromArray(area[near].astype(np.uint8))
    wide[near] = sitk.GetArrayFromImage(sitk.BinaryMorphologicalOpening(image, radius[::-1], sitk.sitkBall)) > 0
    return wide
