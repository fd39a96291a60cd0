"""Mask to segmentation node and back: same voxels, whatever the grid, the transform or the edit."""

import numpy as np
import pytest
from mrml_phantoms import add_acquisition_transform, add_ct, add_linear_transform, rigid_matrix
from phantoms import GRIDS, ellipsoid_ct
from segment_editor import Editor

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.labels import ICH, IVH, LABELS
from ICHVolumeLib.measure import measure_mask


@pytest.fixture
def scene(slicer):
    from ICHVolumePanel import scene

    return scene


def small(grid, **kwargs):
    return ellipsoid_ct(grid, pixel_mm=3.0, columns=64, rows=70, step_mm=7.5, head=False, **kwargs)


def two_label_mask(phantom):
    """The ellipsoid as ICH, its right third as IVH."""
    mask = phantom.mask.copy()
    columns = np.flatnonzero(mask.any(axis=(0, 1)))
    cut = columns[len(columns) // 3]
    mask[:, :, :cut] *= IVH.value
    return mask


@pytest.mark.parametrize("transform", ["none", "rigid", "stretched"])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_mask_comes_back_voxel_for_voxel(slicer, scene, grid, transform):
    phantom = small(grid)
    volume = add_ct(slicer, phantom.ct)
    if transform != "none":
        matrix = rigid_matrix() @ (np.eye(4) if transform == "rigid" else np.diag([1.3, 1, 0.8, 1]))
        node = add_linear_transform(slicer, matrix, parent=None)
        (volume.GetParentTransformNode() or volume).SetAndObserveTransformNodeID(node.GetID())
    mask = two_label_mask(phantom)
    segmentation = scene.new_segmentation(volume, mask, LABELS)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), mask)
    assert segmentation.GetTransformNodeID() == volume.GetTransformNodeID()


def test_segments_are_named_coloured_coded_and_seen_in_3d(slicer, scene):
    volume = add_ct(slicer, small("regular").ct)
    segmentation = scene.new_segmentation(volume, two_label_mask(small("regular")), LABELS, "CT ICH")
    import vtk

    assert segmentation.GetName() == "CT ICH"
    for label, ids in zip(LABELS, scene.segment_ids(segmentation), strict=True):
        segment = segmentation.GetSegmentation().GetSegment(ids[0])
        assert segment.GetName() == label.name
        assert segment.GetColor() == pytest.approx(label.color)
        tag = slicer.vtkSegment.GetTerminologyEntryTagName()
        value = vtk.reference("")
        assert segment.GetTag(tag, value) and str(value) == label.terminology
    assert segmentation.GetSegmentation().ContainsRepresentation("Closed surface")
    assert segmentation.GetDisplayNode().GetVisibility3D()
    assert segmentation.GetDisplayNode().GetOpacity2DFill() < 0.4  # the blood stays visible under the colour


def test_an_empty_mask_makes_empty_segments_ready_to_paint(slicer, scene):
    phantom = small("tilted")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, np.zeros_like(phantom.mask), LABELS)
    assert list(segmentation.GetSegmentation().GetSegmentIDs()) == ["ICH", "IVH"]
    assert not scene.mask_from_segmentation(segmentation, volume).any()
    Editor(slicer, segmentation, volume).paint("ICH", phantom.mask)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), phantom.mask)


def test_a_mask_of_another_shape_is_refused_and_nothing_is_added(slicer, scene):
    volume = add_ct(slicer, small("regular").ct)
    with pytest.raises(ValueError, match=r"The mask is \(2, 3, 4\) voxels"):
        scene.new_segmentation(volume, np.zeros((2, 3, 4), np.uint8), LABELS)
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


@pytest.mark.parametrize("grid", GRIDS)
def test_an_edit_is_measured_and_undo_takes_it_back(slicer, scene, grid):
    phantom = small(grid)
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    before = measure_mask(phantom.ct, scene.mask_from_segmentation(segmentation, volume)).volume_ml
    half = phantom.mask.astype(bool) & (np.arange(phantom.mask.shape[2]) < phantom.mask.shape[2] // 2)
    editor = Editor(slicer, segmentation, volume)
    editor.erase("ICH", half)
    editor.paint("IVH", half)
    mask = scene.mask_from_segmentation(segmentation, volume)
    np.testing.assert_array_equal(mask, np.where(half, IVH.value, phantom.mask))
    after = measure_mask(phantom.ct, mask).volume_ml
    assert after.total == pytest.approx(before.total)
    assert after.ivh == pytest.approx(before.total - after.ich)
    assert after.ivh > 0.3 * before.total
    assert scene.is_edited(segmentation, mask)
    editor.undo()
    editor.undo()
    mask = scene.mask_from_segmentation(segmentation, volume)
    np.testing.assert_array_equal(mask, phantom.mask)
    assert not scene.is_edited(segmentation, mask)


def test_each_edit_calls_the_observer_and_nothing_does_after_stop(slicer, scene):
    from ICHVolumePanel import scene_watch

    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    calls = []
    observation = scene_watch.observe_mask_edits(segmentation, lambda: calls.append(1))
    editor = Editor(slicer, segmentation, volume)
    for edit in (editor.paint, editor.erase):
        calls.clear()
        edit("ICH", np.roll(phantom.mask, 3, axis=2))
        assert calls
    calls.clear()
    segmentation.GetSegmentation().RemoveSegment("IVH")
    assert calls
    observation.stop()
    observation.stop()
    calls.clear()
    editor.paint("ICH", np.roll(phantom.mask, -3, axis=2))
    assert not calls


def test_an_observation_outlives_its_nodes(slicer, scene):
    from ICHVolumePanel import scene_watch

    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    calls = []
    observations = [scene_watch.observe_mask_edits(segmentation, lambda: None),
                    scene_watch.observe_volume(volume, lambda: calls.append(1))]
    volume.SetAndObserveTransformNodeID(add_linear_transform(slicer, rigid_matrix()).GetID())
    assert calls
    slicer.mrmlScene.Clear(False)
    for observation in observations:
        observation.stop()
    with pytest.raises(ValueError, match="no longer in the scene"):
        scene.mask_from_segmentation(segmentation, volume)


def test_renamed_split_and_missing_segments_are_still_understood(slicer, scene):
    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, two_label_mask(phantom), LABELS)
    segments = segmentation.GetSegmentation()
    segments.GetSegment("ICH").SetName("thalamic bleed")
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), two_label_mask(phantom))
    segments.RemoveSegment("IVH")
    mask = scene.mask_from_segmentation(segmentation, volume)
    np.testing.assert_array_equal(mask, two_label_mask(phantom) * (two_label_mask(phantom) == ICH.value))


def test_a_hand_made_segment_is_found_by_name_and_a_foreign_one_is_told(slicer, scene):
    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, 0 * phantom.mask, LABELS)
    segments = segmentation.GetSegmentation()
    segments.RemoveAllSegments()
    own = segments.AddEmptySegment("", "ich")
    foreign = segments.AddEmptySegment("", "oedema")
    segments.AddEmptySegment("", "empty")
    editor = Editor(slicer, segmentation, volume)
    editor.paint(own, phantom.mask)
    editor.paint(foreign, np.roll(phantom.mask, 2, axis=2))
    assert scene.uncounted_segments(segmentation) == ["oedema"]
    mask = scene.mask_from_segmentation(segmentation, volume)
    assert set(np.unique(mask)) == {0, ICH.value}


def test_where_segments_overlap_the_ventricle_wins(slicer, scene):
    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    editor = Editor(slicer, segmentation, volume)
    editor.logic.GetSegmentEditorNode().SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
    shifted = np.roll(phantom.mask, 4, axis=2).astype(bool)
    editor.paint("IVH", shifted)
    expected = np.where(shifted, IVH.value, phantom.mask)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), expected)


def test_what_is_painted_outside_the_ct_is_left_out(slicer, scene):
    phantom = small("tilted")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    wider = np.eye(4)
    wider[:3, 3] = -6, -5, -4  # voxels: the painted image starts outside the CT
    matrix = phantom.ct.ijk_to_ras @ wider
    marked = np.pad(phantom.mask, ((4, 9), (5, 8), (6, 7)), constant_values=1)
    bigger = add_ct(slicer, CTVolume.regular(marked.astype(np.int16), matrix), "bigger")
    Editor(slicer, segmentation, bigger).paint("ICH", marked)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), phantom.mask)


@pytest.mark.parametrize("grid", ["regular", "tilted", "oblique"])
def test_hardening_the_transform_of_the_ct_keeps_every_voxel(slicer, scene, grid):
    phantom = small(grid)
    volume = add_ct(slicer, phantom.ct)
    volume.SetAndObserveTransformNodeID(add_linear_transform(slicer, rigid_matrix()).GetID())
    segmentation = scene.new_segmentation(volume, two_label_mask(phantom), LABELS)
    volume.HardenTransform()
    assert volume.GetTransformNodeID() != segmentation.GetTransformNodeID()
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), two_label_mask(phantom))


@pytest.mark.parametrize(("warp_mm", "is_linear"), [(0.002, True), (0.09, True), (0.3, False)])
def test_under_a_negligible_warp_the_mask_lies_under_the_linear_part(slicer, scene, warp_mm, is_linear):
    """The DICOM reader warps from 0.001 mm on, and the Segment Editor cannot paint under a warp."""
    phantom = small("tilted")
    volume = add_ct(slicer, phantom.ct)
    positions = phantom.ct.slice_origins_ras.copy()
    positions[5, 2] += warp_mm
    warp = add_acquisition_transform(slicer, volume, positions)
    registration = add_linear_transform(slicer, rigid_matrix())
    warp.SetAndObserveTransformNodeID(registration.GetID())
    mask = two_label_mask(phantom)
    segmentation = scene.new_segmentation(volume, mask, LABELS)
    assert segmentation.GetParentTransformNode() is (registration if is_linear else warp)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), mask)
    scene.replace_mask(segmentation, mask, LABELS, volume)
    assert not scene.is_edited(segmentation, scene.mask_from_segmentation(segmentation, volume))


def test_a_mask_on_another_grid_is_resampled(slicer, scene):
    phantom = small("regular")
    finer = ellipsoid_ct("oblique", pixel_mm=2.0, columns=96, rows=104, step_mm=2.5, head=False)
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(add_ct(slicer, finer.ct, "finer"), finer.mask, LABELS)
    mask = scene.mask_from_segmentation(segmentation, volume)
    assert mask.shape == phantom.mask.shape
    assert dice(mask, phantom.mask) > 0.93


def test_a_mask_under_the_acquisition_transform_reaches_a_ct_that_has_lost_it(slicer, scene):
    phantom = ellipsoid_ct("uneven", pixel_mm=2.0, columns=96, rows=104, step_mm=2.5, head=False)
    uneven = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(uneven, phantom.mask, LABELS)
    regular = ellipsoid_ct("regular", pixel_mm=2.0, columns=96, rows=104, step_mm=2.5, head=False)
    other = add_ct(slicer, regular.ct, "regular")
    assert dice(scene.mask_from_segmentation(segmentation, other), regular.mask) > 0.9


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def test_a_second_mask_replaces_the_first_even_where_segments_trade_places(slicer, scene):
    phantom = small("uneven")
    volume = add_ct(slicer, phantom.ct)
    first = two_label_mask(phantom)
    segmentation = scene.new_segmentation(volume, first, LABELS)
    second = np.roll(np.select([first == 1, first == 2], [2, 1], 0).astype(np.uint8), 1, axis=1)
    scene.replace_mask(segmentation, second, LABELS, volume)
    mask = scene.mask_from_segmentation(segmentation, volume)
    np.testing.assert_array_equal(mask, second)
    assert not scene.is_edited(segmentation, mask)


def test_segmentations_are_found_by_their_ct(slicer, scene):
    phantom = small("regular")
    first, second = add_ct(slicer, phantom.ct, "one"), add_ct(slicer, phantom.ct, "two")
    of_first = [scene.new_segmentation(first, phantom.mask, LABELS) for _ in range(2)]
    of_second = scene.new_segmentation(second, phantom.mask, LABELS)
    assert scene.find_segmentations_for(first) == of_first
    assert [node.GetName() for node in of_first] == ["ICH", "ICH_1"]
    assert scene.volume_of(of_second) is second
    slicer.mrmlScene.RemoveNode(second)
    assert scene.volume_of(of_second) is None
    assert scene.find_segmentations_for(second) == []


def test_the_volume_of_a_tilted_bleed_is_right_where_the_product_of_spacings_is_not(slicer, scene):
    phantom = ellipsoid_ct("tilted", pixel_mm=1.0, step_mm=2.5, tilt_deg=20.0, head=False)
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    arrays = scene.ct_arrays(volume)
    ct = CTVolume(arrays["hu"], arrays["ijk_to_ras"], arrays["slice_origins_ras"])
    measured = measure_mask(ct, scene.mask_from_segmentation(segmentation, volume)).volume_ml
    assert measured.total == pytest.approx(phantom.volume_ml, rel=0.01)
    by_spacings = np.prod(volume.GetSpacing()) * np.count_nonzero(phantom.mask) / 1000
    assert by_spacings / phantom.volume_ml == pytest.approx(1.064, abs=0.01)


def test_a_mask_replaced_by_an_empty_one_is_told_like_any_edit(slicer, scene):
    from ICHVolumePanel import scene_watch

    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, two_label_mask(phantom), LABELS)
    calls = []
    observation = scene_watch.observe_mask_edits(segmentation, lambda: calls.append(1))
    scene.replace_mask(segmentation, phantom.mask * 0, LABELS, volume)
    assert calls and not scene.mask_from_segmentation(segmentation, volume).any()
    observation.stop()


@pytest.mark.parametrize("left", [0, 1, 2])
def test_the_surface_of_a_label_that_was_emptied_is_gone(slicer, scene, left):
    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    mask = two_label_mask(phantom)
    segmentation = scene.new_segmentation(volume, mask, LABELS)
    scene.replace_mask(segmentation, np.where(mask == left, mask, 0), LABELS, volume)
    for label in LABELS:
        surface = segmentation.GetClosedSurfaceInternalRepresentation(label.name)
        points = surface.GetNumberOfPoints() if surface is not None else 0
        assert (points > 0) == (label.value == left), label.name


def test_a_mask_is_put_onto_the_ct_wherever_linear_transforms_have_moved_either(slicer, scene):
    phantom = small("sheared" if "sheared" in GRIDS else "regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask * 0, LABELS)
    for node, matrix in ((volume, rigid_matrix()), (segmentation, rigid_matrix(-40.0, (5, 6, 7)))):
        node.SetAndObserveTransformNodeID(add_linear_transform(slicer, matrix).GetID())
        scene.replace_mask(segmentation, two_label_mask(phantom), LABELS, volume)
        np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), two_label_mask(phantom))


def test_a_mask_is_not_put_through_a_warp(slicer, scene):
    phantom = small("uneven")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    segmentation.SetAndObserveTransformNodeID(None)
    with pytest.raises(ValueError, match="warp lies between"):
        scene.replace_mask(segmentation, two_label_mask(phantom), LABELS, volume)


def test_segments_that_were_split_are_one_again_in_a_new_mask(slicer, scene):
    phantom = small("regular")
    volume = add_ct(slicer, phantom.ct)
    segmentation = scene.new_segmentation(volume, phantom.mask, LABELS)
    inside = segmentation.GetSegmentation()
    inside.CopySegmentFromSegmentation(inside, "ICH")  # the tag makes it count as ICH
    assert len(scene.segment_ids(segmentation)[0]) == 2
    half = phantom.mask * (np.arange(phantom.mask.shape[2]) < phantom.mask.shape[2] // 2)
    scene.replace_mask(segmentation, half, LABELS, volume)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), half)
