"""The hematoma as a closed surface for 3D viewers and printers: STL, OBJ and PLY in mm."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .volume import CTVolume


@dataclass(frozen=True, eq=False)
class Surface:
    """points_ras: (n, 3) mm; triangles: (m, 3) point numbers, counter-clockwise seen from outside.

    volume_ml is the mesh's; voxel_volume_ml the mask's, which is the one to report.
    """

    points_ras: np.ndarray
    triangles: np.ndarray
    volume_ml: float
    voxel_volume_ml: float


def hematoma_surface(mask: np.ndarray, ct: CTVolume, label: int | None = None, *, smoothing: float = 0.5,
                     max_triangles: int = 100_000) -> Surface:
    raise NotImplementedError


def write_surface(surface: Surface, path: str | Path, space: str = "LPS") -> Path:
    raise NotImplementedError
