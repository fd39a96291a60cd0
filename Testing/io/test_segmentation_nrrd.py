"""Masks as files: what is written opens elsewhere, on the same grid, and comes back as it was."""

import numpy as np
import pytest
from bare_slicer import require_slicer
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import ICH, IVH
from ICHVolumeLib.io.masks import read_mask, read_mask_and_findings
from ICHVolumeLib.io.nrrd import read_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd

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


def test_our_own_mask_needs_no_remark(case, tmp_path):
    ct, mask = case
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", mask, ct)
    assert read_mask_and_findings(tmp_path / "m.seg.nrrd", ct)[1] == []
