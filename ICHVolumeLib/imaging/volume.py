"""Volume of marked voxels."""

import numpy as np


def volume_ml(marked: np.ndarray, voxel_volumes_mm3: np.ndarray) -> float:
    """mL of the true voxels of a bool array (slices, rows, columns); voxel_volumes_mm3 (slices,) as CTVolume has it."""
    return float(np.count_nonzero(marked, axis=(1, 2)) @ voxel_volumes_mm3) / 1000
