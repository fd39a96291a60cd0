"""Masks as files: what is written opens elsewhere on the same grid, and what others write is understood."""

import gzip

import numpy as np
import pytest
from bare_slicer import require_slicer
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import ICH, IVH
from ICHVolumeLib.io.nrrd import read_nrrd, write_nrrd
from ICHVolumeLib.io.segmentation_nrrd import read_mask, read_mask_and_findings, write_mask_seg_nrrd

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0, "head": False}


@pytest.fixture(scope="module")
def case():
    phantom = ellipsoid_ct("tilted", **SMALL)
    mask = phantom.mask.copy()
    mask[9:11, 30:33, 20:40] = 2
    return phantom.ct, mask


def nhdr_keys(path):
    return read_nrrd(path).header


@pytest.mark.parametrize("grid", GRIDS)
def test_a_mask_comes_back_as_it_was_on_every_grid(grid, tmp_path):
    phantom = ellipsoid_ct(grid, **SMALL)
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", phantom.mask, phantom.ct)
    assert np.array_equal(read_mask(tmp_path / "m.seg.nrrd", phantom.ct), phantom.mask)
    assert read_nrrd(tmp_path / "m.seg.nrrd").matrix == pytest.approx(phantom.ct.ijk_to_ras, abs=1e-12)


def test_simpleitk_reads_the_mask_where_it_can_hold_the_grid(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    phantom = ellipsoid_ct("oblique", **SMALL)
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", phantom.mask, phantom.ct)
    image = sitk.ReadImage(str(tmp_path / "m.seg.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), phantom.mask)
    for ijk in [(0, 0, 0), (10, 20, 5)]:
        lps = np.array(image.TransformIndexToPhysicalPoint(ijk))
        assert lps * [-1, -1, 1] == pytest.approx((phantom.ct.ijk_to_ras @ [*ijk, 1])[:3], abs=1e-6)


@pytest.mark.parametrize("empty", [False, True])
def test_slicer_opens_named_coloured_coded_segments_on_the_sheared_grid(case, tmp_path, empty):
    slicer = require_slicer()
    import vtk
    from slicer.util import arrayFromVTKMatrix

    ct, mask = case
    mask = mask * (not empty)
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask, ct, algorithm_type="SEMIAUTOMATIC")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "m.seg.nrrd"))
    assert storage.ReadData(node)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    for label in (ICH, IVH):
        segment = segmentation.GetSegment(label.name)
        assert segment.GetName() == label.name
        assert segment.GetColor() == pytest.approx(label.color)
        tag = vtk.reference("")
        assert segment.GetTag("TerminologyEntry", tag) and str(tag) == label.terminology
        assert segment.GetTag("DICOM.SegmentAlgorithmType", tag) and str(tag) == "SEMIAUTOMATIC"
        assert segment.GetLabelValue() == label.value
        if not empty:
            assert np.array_equal(segment_array(slicer, node, label.name, ct), mask == label.value)
    if not empty:
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(ICH.name, image)
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        assert arrayFromVTKMatrix(matrix) == pytest.approx(ct.ijk_to_ras, abs=1e-6)
    slicer.mrmlScene.RemoveNode(storage)
    slicer.mrmlScene.RemoveNode(node)


def segment_array(slicer, node, name, ct):
    from vtkmodules.util.numpy_support import vtk_to_numpy

    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(name, image)
    low = np.array(image.GetExtent()[::2])
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    whole = np.zeros(ct.hu.shape, bool)
    whole[tuple(slice(start, start + size) for start, size in zip(low[::-1], values.shape, strict=True))] = values > 0
    return whole


def test_a_segmentation_saved_by_slicer_is_read(case, tmp_path):
    slicer = require_slicer()
    ct, mask = case
    write_mask_seg_nrrd(tmp_path / "a.seg.nrrd", mask, ct)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "a.seg.nrrd"))
    storage.ReadData(node)
    for crop in (False, True):
        storage.SetCropToMinimumExtent(crop)
        storage.SetFileName(str(tmp_path / "b.seg.nrrd"))
        assert storage.WriteData(node)
        assert (read_nrrd(tmp_path / "b.seg.nrrd").array.shape != mask.shape) == crop
        assert np.array_equal(read_mask(tmp_path / "b.seg.nrrd", ct), mask)
    slicer.mrmlScene.RemoveNode(storage)
    slicer.mrmlScene.RemoveNode(node)


def test_both_segments_are_declared_even_when_the_mask_is_empty(case, tmp_path):
    ct, mask = case
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask * 0, ct)
    keys = nhdr_keys(tmp_path / "m.seg.nrrd")
    assert (keys["Segment0_Name"], keys["Segment1_Name"]) == ("ICH", "IVH")
    assert keys["Segment0_Extent"] == "0 -1 0 -1 0 -1"
    assert not read_mask(tmp_path / "m.seg.nrrd", ct).any()


def test_segment_extents_are_the_bounds_of_the_voxels(case, tmp_path):
    ct, mask = case
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask, ct)
    assert nhdr_keys(tmp_path / "m.seg.nrrd")["Segment1_Extent"] == "20 39 30 32 9 10"


def test_the_same_mask_gives_the_same_bytes(case, tmp_path):
    ct, mask = case
    for name in ("a.seg.nrrd", "b.seg.nrrd"):
        write_mask_seg_nrrd(tmp_path / name, mask, ct)
    assert (tmp_path / "a.seg.nrrd").read_bytes() == (tmp_path / "b.seg.nrrd").read_bytes()


def test_an_unwritable_place_is_refused_and_leaves_nothing(case, tmp_path):
    ct, mask = case
    (tmp_path / "m.seg.nrrd").mkdir()
    with pytest.raises(InputError, match="Cannot write"):
        write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask, ct)
    with pytest.raises(InputError, match="Cannot write"):
        write_mask_seg_nrrd(tmp_path / "nowhere" / "m.seg.nrrd", mask, ct)
    assert [path.name for path in tmp_path.iterdir()] == ["m.seg.nrrd"]


def test_a_mask_of_another_shape_or_with_unknown_values_is_a_programming_error(case, tmp_path):
    ct, mask = case
    with pytest.raises(ValueError, match="differ in shape"):
        write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask[1:], ct)
    with pytest.raises(ValueError, match="has no label"):
        write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask + 3, ct)


def test_segments_are_found_by_name_in_any_order_and_layer(case, tmp_path):
    ct, mask = case
    header = ("NRRD0004\ntype: unsigned char\ndimension: 4\nspace: right-anterior-superior\n"
              f"sizes: 2 {mask.shape[2]} {mask.shape[1]} {mask.shape[0]}\nspace directions: none "
              + " ".join("(" + ",".join(map(repr, map(float, ct.ijk_to_ras[:3, axis]))) + ")" for axis in range(3))
              + "\nkinds: list domain domain domain\nencoding: gzip\nspace origin: ("
              + ",".join(map(repr, map(float, ct.ijk_to_ras[:3, 3]))) + ")\n"
              "Segment0_ID:=x\nSegment0_Name:=ivh\nSegment0_Layer:=1\nSegment0_LabelValue:=5\n"
              "Segment1_ID:=y\nSegment1_Name:=Edema\nSegment1_Layer:=0\nSegment1_LabelValue:=7\n"
              "Segment2_ID:=z\nSegment2_Name:=Intracerebral hemorrhage\nSegment2_Layer:=0\nSegment2_LabelValue:=3\n")
    layers = np.stack([np.where(mask == 1, 3, 7), np.where(mask == 2, 5, 0)], axis=-1).astype(np.uint8)
    (tmp_path / "m.seg.nrrd").write_bytes(header.encode() + b"\n" + gzip.compress(layers.tobytes()))
    assert np.array_equal(read_mask(tmp_path / "m.seg.nrrd", ct), mask)


def test_segments_of_other_names_are_all_counted_as_ich(case, tmp_path):
    ct, mask = case
    keys = {}
    for index, value in enumerate((1, 2)):
        keys |= {f"Segment{index}_ID": f"s{value}", f"Segment{index}_Name": f"Lesion {value}",
                 f"Segment{index}_LabelValue": value, f"Segment{index}_Layer": 0}
    write_nrrd(tmp_path / "m.seg.nrrd", mask, ct.ijk_to_ras, keys)
    read, findings = read_mask_and_findings(tmp_path / "m.seg.nrrd", ct)
    assert np.array_equal(read, (mask > 0).astype(np.uint8))
    assert [finding.code for finding in findings] == ["mask-labels"]
    assert "Lesion 1, Lesion 2" in findings[0].message


def test_segments_beside_ich_are_left_out_by_name(case, tmp_path):
    ct, mask = case
    keys = {}
    for index, name in enumerate(("ICH", "Edema")):
        keys |= {f"Segment{index}_ID": name, f"Segment{index}_Name": name, f"Segment{index}_LabelValue": index + 1}
    write_nrrd(tmp_path / "m.seg.nrrd", mask, ct.ijk_to_ras, keys)
    read, findings = read_mask_and_findings(tmp_path / "m.seg.nrrd", ct)
    assert np.array_equal(read, (mask == 1).astype(np.uint8))
    assert [finding.code for finding in findings] == ["mask-left-out"] and "Edema" in findings[0].message


def test_our_own_mask_needs_no_remark(case, tmp_path):
    ct, mask = case
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask, ct)
    assert read_mask_and_findings(tmp_path / "m.seg.nrrd", ct)[1] == []


def test_a_labelmap_with_one_foreign_value_is_ich_and_more_are_refused(case, tmp_path):
    ct, mask = case
    write_nrrd(tmp_path / "m.nrrd", (mask > 0).astype(np.uint8) * np.uint8(255), ct.ijk_to_ras)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), (mask > 0).astype(np.uint8))
    write_nrrd(tmp_path / "m.nrrd", mask * np.uint8(3), ct.ijk_to_ras)
    with pytest.raises(InputError, match="values 3, 6; a mask has 1 for ICH and 2 for IVH"):
        read_mask(tmp_path / "m.nrrd", ct)
    write_nrrd(tmp_path / "m.nrrd", mask * np.float32(0.5), ct.ijk_to_ras)
    with pytest.raises(InputError, match="fractions"):
        read_mask(tmp_path / "m.nrrd", ct)
    write_nrrd(tmp_path / "m.nrrd", mask.astype(np.float32), ct.ijk_to_ras)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), mask)


@pytest.mark.parametrize(("order", "flips"), [((0, 1, 2), (2,)), ((0, 1, 2), (0, 1)), ((2, 1, 0), ()),
                                              ((1, 2, 0), (1,)), ((2, 0, 1), (0, 1, 2))])
def test_the_same_grid_stored_in_another_axis_order_is_put_right(case, tmp_path, order, flips):
    ct, mask = case
    turned, matrix = np.flip(mask.transpose(order), flips), np.eye(4)
    kji_step = {axis: ct.ijk_to_ras[:3, 2 - axis] for axis in range(3)}
    matrix[:3, 3] = ct.ijk_to_ras[:3, 3]
    for new_axis, old_axis in enumerate(order):
        sign = -1 if new_axis in flips else 1
        matrix[:3, 2 - new_axis] = sign * kji_step[old_axis]
        if sign < 0:
            matrix[:3, 3] += (mask.shape[old_axis] - 1) * kji_step[old_axis]
    write_nrrd(tmp_path / "m.nrrd", np.ascontiguousarray(turned), matrix)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), mask)


def test_a_cropped_mask_is_put_back_into_its_place(case, tmp_path):
    ct, mask = case
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] = (ct.ijk_to_ras @ [5, 7, 3, 1])[:3]
    write_nrrd(tmp_path / "m.nrrd", mask[3:16, 7:, 5:60], matrix)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), mask)


def test_a_mask_on_another_grid_is_refused_with_both_grids(case, tmp_path):
    ct, mask = case
    wider = ct.ijk_to_ras @ np.diag([1, 1, 1.05, 1])
    moved = ct.ijk_to_ras.copy()
    moved[0, 3] += 1.0
    straight = ct.ijk_to_ras.copy()
    straight[:3, 2] = ct.slice_normal_ras * ct.slab_heights_mm[0]
    far_away = ct.ijk_to_ras.copy()
    far_away[:3, 3] += 100 * ct.ijk_to_ras[:3, 0]
    for matrix in (wider, moved, straight, far_away):
        write_nrrd(tmp_path / "m.nrrd", mask, matrix)
        with pytest.raises(InputError, match=r"another grid.*mask 64 x 72 x 19 voxels.*CT 64 x 72 x 19 voxels"):
            read_mask(tmp_path / "m.nrrd", ct)
    write_nrrd(tmp_path / "m.nrrd", np.repeat(mask, 2, 2), ct.ijk_to_ras @ np.diag([0.5, 1, 1, 1]))
    with pytest.raises(InputError, match="another grid"):
        read_mask(tmp_path / "m.nrrd", ct)


def test_labelled_voxels_outside_the_ct_are_not_dropped_silently(case, tmp_path):
    ct, mask = case
    shifted = ct.ijk_to_ras.copy()
    shifted[:3, 3] += 30 * ct.ijk_to_ras[:3, 0]
    write_nrrd(tmp_path / "m.nrrd", mask, shifted)
    with pytest.raises(InputError, match="another grid"):
        read_mask(tmp_path / "m.nrrd", ct)


@pytest.mark.parametrize(("key", "value", "reason"), [("Layer", "x", "damaged segment list"), ("Layer", "1", "a layer"),
                                                      ("LabelValue", "one", "damaged segment list")])
def test_a_damaged_segment_list_is_refused(case, tmp_path, key, value, reason):
    ct, mask = case
    write_nrrd(tmp_path / "m.seg.nrrd", mask, ct.ijk_to_ras, {"Segment0_ID": "a", f"Segment0_{key}": value})
    with pytest.raises(InputError, match=reason):
        read_mask(tmp_path / "m.seg.nrrd", ct)


def test_missing_foreign_and_geometry_free_mask_files_are_refused(case, tmp_path):
    ct, mask = case
    with pytest.raises(InputError, match="no mask file"):
        read_mask(tmp_path / "none.nrrd", ct)
    (tmp_path / "m.png").write_bytes(b"x")
    with pytest.raises(InputError, match="not a mask file"):
        read_mask(tmp_path / "m.png", ct)
    (tmp_path / "m.nrrd").write_bytes(b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n12345678")
    with pytest.raises(InputError, match="where its voxels lie"):
        read_mask(tmp_path / "m.nrrd", ct)
