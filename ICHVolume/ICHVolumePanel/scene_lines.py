"""What is drawn over the scan: the ABC/2 lines, the slice views' position, the table node.

RAS points here are in the CT's measuring frame (see scene_volume), the coordinates that ICHVolumeLib works in.
"""

import numpy as np
import slicer
import vtk

from .scene_transforms import map_points, matrix_of, measured_to_shown, shown_to_measured
from .scene_volume import is_in_scene, put_beside, require_in_scene
from .scene_watch import Observation

LINE_ROLES = ("ICHVolume.lineA", "ICHVolume.lineB")  # node references from the segmentation
LINE_NAMES = ("A", "B")
OTHER_LINE_ROLES = ("ICHVolume.midline", "ICHVolume.midlineShift")  # see scene_midline
LINE_COLORS = ((0.20, 0.85, 0.95), (0.75, 0.95, 0.35))  # cyan and lime, seen on grey, on red and on orange
LABEL_HEIGHT_MM = 8.0  # with a whole head in view
TABLE_ROLE = "ICHVolume.table"
SCAN_PLANE_VIEW = "Red"  # the slice view that shows the scan's own plane
PARALLEL = 1e-4  # radians; planes nearer than this are the same


def set_ab_lines(segmentation_node, volume_node, a_line_ras, b_line_ras):
    """Draw A and B (each two RAS points in mm) as draggable Markups lines; returns (line A node, line B node).

    Lines that this segmentation already has are moved, else made. They lie on the CT as it is shown and are found
    again by ab_lines, also after loading a scene.
    """
    require_in_scene(segmentation_node, "The segmentation")
    lines = []
    for role, name, color, points in zip(LINE_ROLES, LINE_NAMES, LINE_COLORS, (a_line_ras, b_line_ras), strict=True):
        line = segmentation_node.GetNodeReference(role)
        if line is None:
            line = new_line(name, color, volume_node)
            segmentation_node.SetNodeReferenceID(role, line.GetID())
        place_line(line, volume_node, points)
        lines.append(line)
    _label(segmentation_node)
    return tuple(lines)


def place_line(line, volume_node, points_ras) -> None:
    """Both ends of a Markups line at two RAS points (mm, measuring frame), on the CT as it is shown."""
    points, above = measured_to_shown(points_ras, volume_node)
    line.SetAndObserveTransformNodeID(above.GetID() if above else None)
    while line.GetNumberOfControlPoints() < 2:
        line.AddControlPoint([0.0, 0.0, 0.0])
    for index, point in enumerate(points):
        line.SetNthControlPointPosition(index, *map(float, point))


def ab_lines(segmentation_node):
    """(line A node, line B node) of this segmentation, or None when either is missing or has not two points."""
    if not is_in_scene(segmentation_node):
        return None
    lines = tuple(segmentation_node.GetNodeReference(role) for role in LINE_ROLES)
    complete = all(line is not None and line.GetNumberOfDefinedControlPoints() == 2 for line in lines)
    return lines if complete else None


def remove_ab_lines(segmentation_node) -> None:
    for role in LINE_ROLES:
        line = segmentation_node.GetNodeReference(role)
        if line is not None:
            slicer.mrmlScene.RemoveNode(line)


def remove_segmentation(segmentation_node) -> None:
    """Take it out of the scene, with its lines and its table."""
    remove_ab_lines(segmentation_node)
    for role in OTHER_LINE_ROLES:
        line = segmentation_node.GetNodeReference(role)
        if line is not None:
            slicer.mrmlScene.RemoveNode(line)
    for node in (segmentation_node.GetNodeReference(TABLE_ROLE), segmentation_node):
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)


def show_ab_lines(segmentation_node, shown: bool) -> None:
    for role in LINE_ROLES:
        line = segmentation_node.GetNodeReference(role)
        if line is not None:
            line.GetDisplayNode().SetVisibility(shown)


def line_points(line_node, volume_node):
    """The line's two end points, ((R, A, S), (R, A, S)) in mm, in the CT's measuring frame."""
    world = np.array([line_node.GetNthControlPointPositionWorld(index) for index in range(2)])
    return tuple(tuple(map(float, point)) for point in shown_to_measured(world, volume_node))


def onto_slice(points, ct, slice_index: int):
    """RAS points (mm, measuring frame) moved along the slice's normal into slice k of the CT: a line dragged in the 3D
    view stays a diameter of its slice. ct: CTVolume."""
    along_i, along_j = ct.ijk_to_ras[:3, 0], ct.ijk_to_ras[:3, 1]
    normal = np.cross(along_i, along_j)
    normal = normal / np.linalg.norm(normal)
    off = (np.asarray(points, float) - ct.slice_origins_ras[slice_index]) @ normal
    return tuple(tuple(map(float, point)) for point in np.asarray(points, float) - off[:, None] * normal)


def observe_ab_lines(segmentation_node, callback) -> Observation:
    """Call callback() while and after either line is dragged, also when set_ab_lines moves it; labels follow."""
    def label_and_call():
        _label(segmentation_node)
        callback()

    observation = Observation(label_and_call)
    events = slicer.vtkMRMLMarkupsNode
    for line in ab_lines(segmentation_node) or ():
        observation.watch(line, events.PointModifiedEvent, events.PointEndInteractionEvent, events.PointRemovedEvent)
    return observation


def show_slice(volume_node, slice_index: int, point_ras=None) -> None:
    """Show slice k of the CT: the red view is turned into the scan's own plane (a tilted scan shows its true slices,
    patient's left on the right), the other views go to point_ras (default: the slice's middle).
    """
    corners = slice_corners_world(volume_node, slice_index)
    middle = corners.mean(axis=0)
    target = middle if point_ras is None else map_points(*measured_to_shown([point_ras], volume_node), None)[0]
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if view.GetLayoutName() == SCAN_PLANE_VIEW:
            _turn_into_plane(view, corners, middle)
            view.JumpSliceByOffsetting(*middle)
        else:
            view.JumpSliceByOffsetting(*target)


def shown_slice(volume_node, ct) -> int | None:
    """The slice k of the CT that the red view shows, or None where there is no such view. ct: CTVolume."""
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if view.GetLayoutName() == SCAN_PLANE_VIEW:
            at = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, 3]
            at = shown_to_measured(np.array([at]), volume_node)[0]
            return int(np.argmin(np.abs((ct.slice_origins_ras - at) @ ct.slice_normal_ras)))
    return None


def slice_corners_world(volume_node, slice_index: int) -> np.ndarray:
    """(4, 3) world RAS mm of the corner voxels of slice k at its true position, in the order round the slice."""
    columns, rows, _ = volume_node.GetImageData().GetDimensions()
    last_i, last_j = columns - 1, rows - 1
    index = np.array([(0, 0), (last_i, 0), (last_i, last_j), (0, last_j)])
    homogeneous = np.column_stack([index, np.full(4, slice_index), np.ones(4)])
    return map_points((homogeneous @ matrix_of(volume_node).T)[:, :3], volume_node.GetParentTransformNode(), None)


def largest_slice(mask) -> int | None:
    """The slice index with most marked voxels (lowest on a tie), or None for an empty mask."""
    marked = np.count_nonzero(mask, axis=(1, 2))
    return int(marked.argmax()) if marked.any() else None


def write_table(segmentation_node, columns, rows, name="ICHVolume results"):
    """Fill this segmentation's vtkMRMLTableNode (made on first use) and return it.

    columns: titles; rows: lists of str, one per row. Saved with the scene; Slicer shows and exports it.
    """
    table = table_of(segmentation_node)
    if table is None:
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name))
        segmentation_node.SetNodeReferenceID(TABLE_ROLE, table.GetID())
        put_beside(table, segmentation_node)
    was_modifying = table.StartModify()
    table.RemoveAllColumns()
    table.SetUseColumnTitleAsColumnHeader(True)
    for index, title in enumerate(columns):
        column = vtk.vtkStringArray()
        column.SetName(title or "Item")  # a saved table with an empty title is not read back
        for row in rows:
            column.InsertNextValue(str(row[index]))
        table.AddColumn(column)
    table.EndModify(was_modifying)
    return table


def table_of(segmentation_node):
    """The table node that write_table made for this segmentation, or None."""
    return segmentation_node.GetNodeReference(TABLE_ROLE) if is_in_scene(segmentation_node) else None


def _label(segmentation_node):
    """Write "A 42.1 mm" at the end that is on the right of the screen (text runs to the right, off the bleed; in the
    middle, where markups put it, A and B cross), B's at its other end where the two would touch.
    """
    lines = ab_lines(segmentation_node)
    if lines is None:
        return
    ends = [[np.array(line.GetNthControlPointPosition(index)) for index in range(2)] for line in lines]
    chosen = [int(last[0] < first[0]) for first, last in ends]
    if np.linalg.norm(ends[0][chosen[0]] - ends[1][chosen[1]]) < LABEL_HEIGHT_MM:
        chosen[1] = 1 - chosen[1]
    for name, line, (first, last), labelled in zip(LINE_NAMES, lines, ends, chosen, strict=True):
        for index in range(2):
            text = f"{name} {np.linalg.norm(last - first):.1f} mm" if index == labelled else ""
            if line.GetNthControlPointLabel(index) != text:  # setting it calls the observers again
                line.SetNthControlPointLabel(index, text)


def new_line(name, color, volume_node):
    """A Markups line beside the CT, without points yet."""
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", slicer.mrmlScene.GenerateUniqueName(name))
    put_beside(line, volume_node)
    line.CreateDefaultDisplayNodes()
    display = line.GetDisplayNode()
    display.SetColor(*color)
    display.SetSelectedColor(*color)
    display.SetPointLabelsVisibility(True)
    display.SetPropertiesLabelVisibility(False)
    display.SetTextScale(3.5)
    display.SetGlyphScale(2.0)
    display.SetSnapMode(display.SnapModeUnconstrained)  # the default drags an end onto the bleed's surface
    display.SetOccludedVisibility(True)  # seen through the surface in 3D
    display.SetOccludedOpacity(0.6)
    return line


def _turn_into_plane(view, corners, middle):
    """Turn a slice view into the slice's plane, keeping its zoom and, when it already lies so, its pan."""
    along_i, along_j = corners[1] - corners[0], corners[3] - corners[0]
    normal = np.cross(along_i, along_j)
    normal *= np.sign(normal[np.abs(normal).argmax()]) / np.linalg.norm(normal)  # towards the patient's head
    sides = [side / np.linalg.norm(side) * sign for side in (along_i, along_j) for sign in (1, -1)]
    right = min(sides, key=lambda side: side[0])  # radiological: the patient's left is on the right
    to_ras = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
    if np.arccos(np.clip([to_ras[:3, 2] @ normal, to_ras[:3, 0] @ right], -1, 1)).max() > PARALLEL:
        view.SetSliceToRASByNTP(*normal, *right, *middle, 0)
