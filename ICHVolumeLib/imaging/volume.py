"""Volume of marked voxels."""

import numpy as np


def volume_ml(marked: np.ndarray, voxel_volumes_mm3: np.ndarray, value: int | None = None) -> float:
    """mL of the voxels of an array (slices, rows, columns) that are not 0, or of those with this value;
    voxel_volumes_mm3 (slices,) as CTVolume has it. Slice by slice: a scan of 300 slices is not copied."""
    counts = [np.count_nonzero(one if value is None else one == value) for one in marked]
    return float(np.array(counts) @ voxel_volumes_mm3) / 1000
