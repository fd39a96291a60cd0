"""ABC/2 lines, slice views and the table node."""

import numpy as np
import pytest
from mrml_phantoms import add_ct, add_linear_transform, add_slice_views, rigid_matrix
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.labels import LABELS
from ICHVolumeLib.measure import abc2_from_lines, measure_mask


@pytest.fixture
def lines(slicer):
    from ICHVolumePanel import scene_lines

    return scene_lines


def segmented(slicer, grid, registered=True):
    """(phantom, volume node, segmentation node), under a registration."""
    from ICHVolumePanel import scene

    phantom = ellipsoid_ct(grid, pixel_mm=2.0, columns=96, rows=104, step_mm=5.0, head=False)
    volume = add_ct(slicer, phantom.ct)
    if registered:
        registration = add_linear_transform(slicer, rigid_matrix())
        (volume.GetParentTransformNode() or volume).SetAndObserveTransformNodeID(registration.GetID())
    return phantom, volume, scene.new_segmentation(volume, phantom.mask, LABELS)


@pytest.mark.parametrize("grid", GRIDS)
def test_lines_lie_where_the_measurement_puts_them_and_give_the_same_numbers(slicer, lines, grid):
    phantom, volume, segmentation = segmented(slicer, grid)
    abc2 = measure_mask(phantom.ct, phantom.mask).abc2
    line_a, line_b = lines.set_ab_lines(segmentation, volume, abc2.a_line_ras, abc2.b_line_ras)
    assert lines.ab_lines(segmentation) == (line_a, line_b)
    np.testing.assert_allclose(lines.line_points(line_a, volume), abc2.a_line_ras, atol=1e-6)
    assert line_a.GetLineLengthWorld() == pytest.approx(abc2.a_mm)
    assert line_b.GetLineLengthWorld() == pytest.approx(abc2.b_mm)
    world = rigid_matrix() @ np.append(abc2.a_line_ras[0], 1)
    np.testing.assert_allclose(line_a.GetNthControlPointPositionWorld(0), world[:3], atol=1e-6)
    again = abc2_from_lines(abc2, lines.line_points(line_a, volume), lines.line_points(line_b, volume))
    assert again.coniglobus_ml == pytest.approx(abc2.coniglobus_ml)


def test_dragging_a_line_is_seen_and_setting_it_puts_it_back(slicer, lines):
    phantom, volume, segmentation = segmented(slicer, "tilted")
    abc2 = measure_mask(phantom.ct, phantom.mask).abc2
    line_a, line_b = lines.set_ab_lines(segmentation, volume, abc2.a_line_ras, abc2.b_line_ras)
    calls = []
    observation = lines.observe_ab_lines(segmentation, lambda: calls.append(1))
    line_a.SetNthControlPointPositionWorld(0, 1.0, 2.0, 3.0)
    assert calls
    labels = {line_a.GetNthControlPointLabel(index) for index in range(2)}
    assert labels == {f"A {line_a.GetLineLengthWorld():.1f} mm", ""}
    assert lines.line_points(line_a, volume)[0] != pytest.approx(abc2.a_line_ras[0])
    assert lines.set_ab_lines(segmentation, volume, abc2.a_line_ras, abc2.b_line_ras) == (line_a, line_b)
    np.testing.assert_allclose(lines.line_points(line_a, volume), abc2.a_line_ras, atol=1e-6)
    observation.stop()
    calls.clear()
    line_b.SetNthControlPointPosition(1, 0.0, 0.0, 0.0)
    assert not calls


def test_a_deleted_line_is_missed_and_drawn_anew(slicer, lines):
    phantom, volume, segmentation = segmented(slicer, "regular")
    points = ((0, 0, 0), (10, 0, 0)), ((0, 0, 0), (0, 5, 0))
    line_a, _ = lines.set_ab_lines(segmentation, volume, *points)
    slicer.mrmlScene.RemoveNode(line_a)
    assert lines.ab_lines(segmentation) is None
    lines.set_ab_lines(segmentation, volume, *points)[1].RemoveNthControlPoint(0)
    assert lines.ab_lines(segmentation) is None
    lines.remove_ab_lines(segmentation)
    assert not slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode")


def test_lines_can_be_hidden(slicer, lines):
    _, volume, segmentation = segmented(slicer, "regular")
    drawn = lines.set_ab_lines(segmentation, volume, ((0, 0, 0), (10, 0, 0)), ((0, 0, 0), (0, 5, 0)))
    lines.show_ab_lines(segmentation, False)
    assert not any(line.GetDisplayNode().GetVisibility() for line in drawn)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_red_view_shows_the_true_slice_and_the_others_its_middle(slicer, lines, grid):
    phantom, volume, _ = segmented(slicer, grid)
    views = add_slice_views(slicer)
    slice_index = lines.largest_slice(phantom.mask)
    lines.show_slice(volume, slice_index)
    to_ras = slicer.util.arrayFromVTKMatrix(views["Red"].GetSliceToRAS())
    corners = lines.slice_corners_world(volume, slice_index)
    true = np.append(phantom.ct.voxel_to_ras((slice_index, 0, 0)), 1)
    np.testing.assert_allclose(corners[0], (rigid_matrix() @ true)[:3], atol=1e-5)
    np.testing.assert_allclose((corners - to_ras[:3, 3]) @ to_ras[:3, 2], 0, atol=1e-4)
    assert to_ras[0, 0] < -0.5 and to_ras[2, 2] > 0.5  # patient's left on the right, seen from the feet
    middle = corners.mean(axis=0)
    for name, axis in (("Yellow", 0), ("Green", 1)):
        assert views[name].GetSliceToRAS().GetElement(axis, 3) == pytest.approx(middle[axis], abs=1e-4)


def test_walking_through_slices_keeps_zoom_and_pan(slicer, lines):
    _, volume, _ = segmented(slicer, "tilted")
    red = add_slice_views(slicer)["Red"]
    lines.show_slice(volume, 10)
    red.SetFieldOfView(80, 80, 1)
    before = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS()).copy()
    before[:3, 3] += 7 * before[:3, 0]
    red.GetSliceToRAS().DeepCopy(before.ravel())
    red.UpdateMatrices()
    lines.show_slice(volume, 12)
    after = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS())
    step = after[:3, 3] - before[:3, 3]
    np.testing.assert_allclose(np.cross(step, after[:3, 2]), 0, atol=1e-5)  # only along the normal
    assert red.GetFieldOfView()[0] == 80


def test_an_empty_mask_has_no_largest_slice(lines):
    assert lines.largest_slice(np.zeros((4, 5, 6), np.uint8)) is None
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[1:3, 2] = 2
    assert lines.largest_slice(mask) == 1


def test_the_table_is_written_again_in_place(slicer, lines):
    _, _, segmentation = segmented(slicer, "regular")
    table = lines.write_table(segmentation, ["", "AI", "edited"], [["volume (mL)", "1.0", "2.0"], ["A (mm)", "3", "4"]])
    assert lines.write_table(segmentation, ["", "AI"], [["volume (mL)", "5.5"]]) is table
    assert (table.GetNumberOfColumns(), table.GetNumberOfRows()) == (2, 1)
    assert [table.GetCellText(0, 0), table.GetCellText(0, 1)] == ["volume (mL)", "5.5"]
    assert table.GetColumnName(1) == "AI"
    assert lines.table_of(segmentation) is table
