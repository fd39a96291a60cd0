"""The ideal line in one slice: distances, feet and places, from plane geometry."""

import numpy as np
import pytest

from ICHVolumeLib.anatomy.midplane import IdealLine, SlicePlane

TILT = np.radians(18)
PLANE = SlicePlane(3, np.array([1.0, 2, 30]), np.array([0.0, np.cos(TILT), np.sin(TILT)]), np.array([1.0, 0.0, 0.0]))


def test_distances_are_perpendicular_and_positive_to_the_right():
    line = IdealLine(PLANE, (80.0, 0.0), (-80.0, 0.0), (9.0, 9.0))
    assert line.distance_mm([0.0, 10.0], [4.0, -6.0]) == pytest.approx([4.0, -6.0])
    oblique = IdealLine(PLANE, (80.0, 80.0), (-80.0, -80.0), (9.0, 9.0))
    assert oblique.distance_mm(0.0, 2.0) == pytest.approx(np.sqrt(2.0))


def test_the_foot_lies_on_the_line_as_far_away_as_the_distance_also_in_a_tilted_slice():
    line = IdealLine(PLANE, (80.0, 5.0), (-70.0, -3.0), (9.0, 9.0))
    point, foot = PLANE.ras(12.0, 9.0), PLANE.ras(*line.foot_mm(12.0, 9.0))
    front, rear = line.ends_ras
    assert (point - foot) @ (front - rear) == pytest.approx(0, abs=1e-9)
    assert np.linalg.norm(point - foot) == pytest.approx(line.distance_mm(12.0, 9.0))
    assert np.linalg.norm(np.cross(foot - rear, front - rear)) == pytest.approx(0, abs=1e-9)
