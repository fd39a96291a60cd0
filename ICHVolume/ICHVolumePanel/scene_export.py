"""Files from a segmentation node: surfaces (STL, OBJ, PLY) and the mask (.seg.nrrd).

Every file is written beside its final name and renamed, so a full disk leaves no half file.
"""

from pathlib import Path

import slicer
import vtk

from . import scene

FORMATS = ("STL", "OBJ", "PLY")
SPACES = ("LPS", "RAS")


def export_models(segmentation_node, folder, formats=("STL",), space="LPS", names=("ICH", "IVH"),
                  prefix="") -> list[Path]:
    """Write one surface per non-empty segment and format, mm, in the given space; returns the paths written.

    File names: <prefix><segment>.stl; the surface is in world coordinates, as Slicer's own export.
    Raises ValueError (unknown format or space, nothing to export) and OSError with a sentence for the user.
    """
    raise NotImplementedError


def export_mask(segmentation_node, path) -> Path:
    """Write the segmentation as .seg.nrrd (names, colours, codes, the CT's grid); returns the path written.

    Raises OSError with a sentence for the user.
    """
    raise NotImplementedError
