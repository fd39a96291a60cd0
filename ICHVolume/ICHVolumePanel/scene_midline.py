"""The ideal midline and the shift as draggable lines over the scan, kept with the segmentation.

RAS points are in the CT's measuring frame, as in scene_lines.
"""

import numpy as np
import slicer

from .scene_lines import OTHER_LINE_ROLES, line_points, new_line, place_line
from .scene_volume import is_in_scene
from .scene_watch import Observation
from .translation import tr as _

MIDLINE_ROLES = OTHER_LINE_ROLES  # node references from the segmentation
OFFER = "ICHVolume.offer"  # attribute of lines whose middle nobody has placed
MIDLINE_NAMES = ("midline", "shift")
MIDLINE_COLOR = (1.0, 0.85, 0.3)


def draw_midline(segmentation_node, volume_node, shift, is_offer=False) -> None:
    """Both lines where a core.result.MidlineShift says; none where it is None or was not measured.

    is_offer: nobody has placed its middle yet, so that its length says nothing.
    """
    if shift is None or shift.shift_mm is None or shift.ideal_line_ras is None:
        remove_midline(segmentation_node)
        return
    both = shift.ideal_line_ras, (shift.foot_ras, shift.point_ras)
    for role, name, points in zip(MIDLINE_ROLES, MIDLINE_NAMES, both, strict=True):
        line = segmentation_node.GetNodeReference(role)
        if line is None:
            line = new_line(name, MIDLINE_COLOR, volume_node)
            segmentation_node.SetNodeReferenceID(role, line.GetID())
        line.SetAttribute(OFFER, "1" if is_offer else None)
        place_line(line, volume_node, points)
    _label(segmentation_node)


def midline_lines(segmentation_node):
    """(ideal midline, shift) of this segmentation, or None when either is missing or has not two points."""
    if not is_in_scene(segmentation_node):
        return None
    lines = tuple(segmentation_node.GetNodeReference(role) for role in MIDLINE_ROLES)
    complete = all(line is not None and line.GetNumberOfDefinedControlPoints() == 2 for line in lines)
    return lines if complete else None


def midline_points(lines, volume_node):
    """Front and rear end of the ideal midline, and the middle structure: three RAS points in mm."""
    ideal, shift = (line_points(line, volume_node) for line in lines)
    return (*ideal, shift[1])


def remove_midline(segmentation_node) -> None:
    for role in MIDLINE_ROLES:
        line = segmentation_node.GetNodeReference(role)
        if line is not None:
            slicer.mrmlScene.RemoveNode(line)


def show_midline(segmentation_node, shown: bool) -> None:
    for role in MIDLINE_ROLES:
        line = segmentation_node.GetNodeReference(role)
        if line is not None:
            line.GetDisplayNode().SetVisibility(shown)


def observe_midline(segmentation_node, callback) -> Observation:
    """Call callback() while and after either line is dragged; the label follows."""
    def label_and_call():
        _label(segmentation_node)
        callback()

    observation = Observation(label_and_call)
    events = slicer.vtkMRMLMarkupsNode
    for line in midline_lines(segmentation_node) or ():
        observation.watch(line, events.PointModifiedEvent, events.PointEndInteractionEvent, events.PointRemovedEvent)
    return observation


def _label(segmentation_node):
    """"shift 6.2 mm" at the middle structure: its distance from the line through the ideal midline's ends."""
    lines = midline_lines(segmentation_node)
    if lines is None:
        return
    front, rear = (np.array(lines[0].GetNthControlPointPosition(index)) for index in range(2))
    away = np.array(lines[1].GetNthControlPointPosition(1)) - front
    along = (rear - front) / max(float(np.linalg.norm(rear - front)), 1e-6)
    distance_mm = float(np.linalg.norm(away - (away @ along) * along))
    at_middle = _("drag to the septum") if lines[1].GetAttribute(OFFER) else f"shift {distance_mm:.1f} mm"
    for line, index, text in ((lines[0], 0, "midline"), (lines[0], 1, ""), (lines[1], 0, ""), (lines[1], 1, at_middle)):
        if line.GetNthControlPointLabel(index) != text:  # setting it calls the observers again
            line.SetNthControlPointLabel(index, text)
