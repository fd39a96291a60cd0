"""What is drawn over the scan: the ABC/2 lines, the slice views' position, the table node.

RAS points here are in the CT's measuring frame (see scene), the coordinates that ICHVolumeLib works in.
"""

import numpy as np
import slicer
import vtk

from . import scene


def set_ab_lines(segmentation_node, volume_node, a_line_ras, b_line_ras):
    """Draw A and B (each two RAS points in mm) as draggable Markups lines; returns (line A node, line B node).

    Lines that this segmentation already has are moved, else made. They follow the CT's transform and are found again
    by ab_lines, also after loading a scene.
    """
    raise NotImplementedError


def ab_lines(segmentation_node):
    """(line A node, line B node) of this segmentation, or None when either is missing or has not two points."""
    raise NotImplementedError


def remove_ab_lines(segmentation_node) -> None:
    raise NotImplementedError


def show_ab_lines(segmentation_node, shown: bool) -> None:
    raise NotImplementedError


def line_points(line_node, volume_node):
    """The line's two end points, ((R, A, S), (R, A, S)) in mm, in the CT's measuring frame."""
    raise NotImplementedError


def observe_ab_lines(segmentation_node, callback) -> scene.Observation:
    """Call callback() while and after either line is dragged, also when set_ab_lines moves it."""
    raise NotImplementedError


def show_slice(volume_node, slice_index: int, point_ras=None) -> None:
    """Show slice k of the CT: the red view is turned into the scan's own plane (a tilted scan shows its true slices,
    radiological side), the other views go to point_ras (default: the slice's middle)."""
    raise NotImplementedError


def largest_slice(mask) -> int | None:
    """The slice index with most marked voxels (lowest on a tie), or None for an empty mask."""
    raise NotImplementedError


def write_table(segmentation_node, columns, rows, name="ICHVolume results"):
    """Fill this segmentation's vtkMRMLTableNode (made on first use) and return it.

    columns: titles; rows: lists of str, one per row. Saved with the scene; Slicer shows and exports it.
    """
    raise NotImplementedError


def table_of(segmentation_node):
    """The table node that write_table made for this segmentation, or None."""
    raise NotImplementedError
