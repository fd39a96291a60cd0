"""The midline of one case: dragged by a person, or drawn from nothing where it was not measured."""

import numpy as np

from ICHVolumeLib.core.result import MidlineShift

from . import scene_lines, scene_midline

MIDDLE_MM = (0.0, 0.0, 14.0)  # MNI-like: of the septum pellucidum
FALX_ENDS_MM = ((0.0, 66.0, 14.0), (0.0, -100.0, 14.0))  # likewise, at the inner table
TISSUE_HU = -200
MOVED_MM = 0.5


class MidlineDrawing:
    """points: front and rear end of the midline and the middle structure (RAS mm, measuring frame) that a person was
    offered and has not placed yet, in slice_index; None where there is no such offer."""

    def __init__(self):
        self.points = self.slice_index = None

    def start(self, case) -> int:
        """Offer a line along the middle of the head to be dragged; returns the slice it lies in: the second time, the
        one that is looked at."""
        front, rear, middle, k = _along_the_frame(case) if case.head_frame and case.head_frame.good else \
            _along_the_image(case)
        shown = scene_lines.shown_slice(case.volume_node, case.ct) if self.points is not None else None
        k = k if shown is None else shown
        self.points, self.slice_index = scene_lines.onto_slice((front, rear, middle), case.ct, k), k
        return k

    def draw(self, case) -> None:
        """Both lines as they were measured, drawn or offered; none where there is nothing."""
        shift = case.result.midline_shift
        if shift is not None and shift.shift_mm is not None:
            self.points = None
        elif self.points is not None:
            front, rear, middle = self.points
            foot = _foot(front, rear, middle)
            shift = MidlineShift(0.0, "", self.slice_index, (front, rear), middle, foot)
        scene_midline.draw_midline(case.segmentation_node, case.volume_node, shift, is_offer=self.points is not None)

    def dragged(self, case) -> dict:
        """The corrections that follow from where the lines lie now; none while the middle was not placed."""
        lines = case.segmentation_node and scene_midline.midline_lines(case.segmentation_node)
        shift = case.result and case.result.midline_shift
        if not lines:
            return {}
        drawn = scene_midline.midline_points(lines, case.volume_node)
        if shift is not None and shift.shift_mm is not None:
            points = scene_lines.onto_slice(drawn, case.ct, shift.slice_index)
            before, k = (*shift.ideal_line_ras, shift.point_ras), shift.slice_index
            is_moved = np.abs(np.subtract(points, before)).max() > 0.01
        elif self.points is not None:
            points, k = scene_lines.onto_slice(drawn, case.ct, self.slice_index), self.slice_index
            is_moved = np.abs(np.subtract(points[2], self.points[2])).max() > MOVED_MM
            self.points = points[:2] + self.points[2:]
        else:
            return {}
        return {"midline_points_ras": points, "midline_slice": k} if is_moved else {}


def _along_the_frame(case):
    """(front, rear, middle, slice) from the fitted skull."""
    front, rear = case.head_frame.to_ras(np.array(FALX_ENDS_MM))
    middle = case.head_frame.to_ras(np.array(MIDDLE_MM))
    return front, rear, middle, _nearest_slice(case.ct, middle)


def _along_the_image(case):
    """Likewise from the outline of the head in the slice of the largest bleed."""
    k = case.largest_slice()
    k = len(case.ct.hu) // 2 if k is None else k
    rows, columns = np.nonzero(case.ct.hu[k][::4, ::4] > TISSUE_HU)
    if not len(rows):
        rows, columns = (np.array([0, size // 4]) for size in case.ct.hu.shape[1:])
    corners = case.ct.voxel_to_ras(np.array([(k, 4 * j, 4 * i) for j in (rows.min(), rows.max())
                                             for i in (columns.min(), columns.max())], float))
    middle = corners.mean(axis=0)
    half = np.array([0.0, np.ptp(corners[:, 1]) / 2, 0.0])
    return middle + 0.9 * half, middle - 0.9 * half, middle, k


def _nearest_slice(ct, point):
    return int(np.argmin(np.abs((ct.slice_origins_ras - point) @ ct.slice_normal_ras)))


def _foot(front, rear, point):
    front, rear, point = (np.asarray(one, float) for one in (front, rear, point))
    along = rear - front
    share = (point - front) @ along / max(float(along @ along), 1e-6)
    return tuple(float(value) for value in front + share * along)
