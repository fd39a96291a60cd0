"""Masks that other programs write: a label is understood, assumed aloud, or asked for, and none is dropped silently."""

import gzip

import numpy as np
import pytest
from bare_slicer import require_slicer
from mask_case import SMALL, only
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import ICH
from ICHVolumeLib.io.masks import read_mask, read_mask_and_findings
from ICHVolumeLib.io.nrrd import write_nrrd


@pytest.fixture
def segments(case, tmp_path):
    """Write a .seg.nrrd with values 1, 2, ... named so; more: further keys of the first segment."""
    ct, mask = case

    def write(*names, values=mask, **more):
        keys = {}
        for index, name in enumerate(names):
            keys |= {f"Segment{index}_ID": f"Segment_{index + 1}", f"Segment{index}_Name": name,
                     f"Segment{index}_Layer": 0, f"Segment{index}_LabelValue": index + 1}
        keys |= {f"Segment0_{key}": value for key, value in more.items()}
        write_nrrd(tmp_path / "m.seg.nrrd", values, ct.ijk_to_ras, keys)
        return tmp_path / "m.seg.nrrd"

    return write


def layered(path, ct, layers, keys):
    """A .seg.nrrd with a layer for each of `layers` (slices, rows, columns), as 3D Slicer lays them out."""
    vectors = ["(" + ",".join(repr(float(value)) for value in column) + ")" for column in ct.ijk_to_ras[:3].T]
    stacked = np.stack(layers, axis=-1).astype(np.uint8)
    sizes = " ".join(map(str, ct.hu.shape[::-1]))
    lines = "".join(f"{key}:={value}\n" for key, value in keys.items())
    header = (f"NRRD0004\ntype: unsigned char\ndimension: 4\nspace: right-anterior-superior\nsizes: {len(layers)} "
              f"{sizes}\nspace directions: none {' '.join(vectors[:3])}\nkinds: list domain domain domain\n"
              f"encoding: gzip\nspace origin: {vectors[3]}\n{lines}\n")
    path.write_bytes(header.encode() + gzip.compress(stacked.tobytes()))
    return path


# Layers and segment lists


def test_a_layer_without_a_number_is_that_of_its_segment(case, tmp_path):
    ct, mask = case
    keys = {"Segment0_ID": "a", "Segment0_Name": "IVH", "Segment1_ID": "b", "Segment1_Name": "Edema",
            "Segment2_ID": "c", "Segment2_Name": "ICH"}
    path = layered(tmp_path / "m.seg.nrrd", ct, [mask == 2, mask > 5, mask == 1], keys)
    assert np.array_equal(read_mask(path, ct), mask)


def test_slicer_reads_layers_without_numbers_as_this_program_does(tmp_path):
    slicer = require_slicer()
    from vtkmodules.util.numpy_support import vtk_to_numpy

    ct = ellipsoid_ct("oblique", **SMALL).ct
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[4:9, 20:30, 20:40], mask[4:9, 20:24, 20:24] = 1, 2
    keys = {"Segment0_ID": "ICH", "Segment0_Name": "ICH", "Segment1_ID": "IVH", "Segment1_Name": "IVH"}
    path = layered(tmp_path / "m.seg.nrrd", ct, [mask == 1, mask == 2], keys)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    read = read_mask(path, ct)
    for value, name in ((1, "ICH"), (2, "IVH")):
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(name, image)
        assert np.count_nonzero(vtk_to_numpy(image.GetPointData().GetScalars())) == (read == value).sum() > 0
    slicer.mrmlScene.RemoveNode(storage)
    slicer.mrmlScene.RemoveNode(node)


def test_a_segmentation_that_slicer_saved_without_voxels_is_an_empty_mask(case, tmp_path):
    slicer = require_slicer()
    ct, _ = case
    for names in ([], ["ICH"], ["ICH", "IVH"]):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        for name in names:
            node.GetSegmentation().AddEmptySegment(name, name)
        storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
        storage.SetFileName(str(tmp_path / f"{len(names)}.seg.nrrd"))
        assert storage.WriteData(node)
        assert not read_mask(tmp_path / f"{len(names)}.seg.nrrd", ct).any()
        slicer.mrmlScene.RemoveNode(storage)
        slicer.mrmlScene.RemoveNode(node)


def test_one_voxel_without_a_mark_is_an_empty_mask_wherever_it_lies(case, tmp_path):
    ct, _ = case
    write_nrrd(tmp_path / "m.seg.nrrd", np.zeros((1, 1, 1), np.uint8), np.eye(4) * 7)
    assert not read_mask(tmp_path / "m.seg.nrrd", ct).any()
    write_nrrd(tmp_path / "m.seg.nrrd", np.ones((1, 1, 1), np.uint8), np.eye(4) * 7)
    with pytest.raises(InputError, match="does not fit this CT"):
        read_mask(tmp_path / "m.seg.nrrd", ct)


def test_a_segment_without_id_or_label_value_counts(case, tmp_path):
    ct, mask = case
    for value in (1, 255):
        keys = {"Segment0_Name": "ICH", "Segment0_Layer": "0"}
        write_nrrd(tmp_path / "m.seg.nrrd", (mask == 1).astype(np.uint8) * np.uint8(value), ct.ijk_to_ras, keys)
        assert np.array_equal(read_mask(tmp_path / "m.seg.nrrd", ct), mask == 1)


def test_segments_that_share_a_layer_without_label_values_are_asked_for(case, tmp_path):
    ct, mask = case
    keys = {"Segment0_ID": "a", "Segment0_Name": "ICH", "Segment1_ID": "b", "Segment1_Name": "Edema"}
    write_nrrd(tmp_path / "m.seg.nrrd", mask, ct.ijk_to_ras, keys)
    with pytest.raises(InputError, match=r"value 1 \(of no segment\), value 2.*--label 1=ich"):
        read_mask(tmp_path / "m.seg.nrrd", ct)
    read = read_mask(tmp_path / "m.seg.nrrd", ct, {1: "ich", "2": "ivh"})
    assert np.array_equal(read, mask)


def test_voxels_of_no_segment_are_asked_for_not_dropped(case, segments):
    ct, mask = case
    path = segments("ICH")
    with pytest.raises(InputError, match=r"value 2 \(of no segment\).*for example: --label 2=ivh"):
        read_mask(path, ct)
    read, findings = read_mask_and_findings(path, ct, {"2": "ignore"})
    assert np.array_equal(read, mask == 1) and "value 2" in only(findings, "mask-left-out").message


# What segments mean


def test_an_unknown_name_is_asked_for_and_then_believed(case, segments):
    ct, mask = case
    path = segments("Lesion 1", "Lesion 2")
    with pytest.raises(InputError, match=r'Lesion 1, Lesion 2.*example: --label "Lesion 1=ich" --label "Lesion 2=ig'):
        read_mask(path, ct)
    read, findings = read_mask_and_findings(path, ct, {"lesion 1": "ich", "Segment_2": "ivh"})
    assert np.array_equal(read, mask)
    assert "Lesion 1 as ICH; Lesion 2 as IVH" in only(findings, "mask-labels").message


def test_an_empty_segment_needs_no_name(case, segments):
    ct, mask = case
    assert np.array_equal(read_mask(segments("ICH", "IVH", "some target"), ct), mask)


@pytest.mark.parametrize("other", ["Subdural hematoma", "perihematomal edema", "Brain", "skull_1", "SAH"])
def test_what_is_not_measured_is_left_out_with_its_name_and_size(case, segments, other):
    ct, mask = case
    read, findings = read_mask_and_findings(segments("ICH", other), ct)
    assert np.array_equal(read, mask == 1)
    volume_ml = (mask == 2).sum() * ct.voxel_volumes_mm3[0] / 1000
    assert f"{other} ({volume_ml:.1f} mL)" in only(findings, "mask-left-out").message


def test_a_subdural_alone_is_no_ich(case, segments):
    ct, mask = case
    read, findings = read_mask_and_findings(segments("SDH", values=(mask == 1).astype(np.uint8)), ct)
    assert not read.any() and "SDH" in only(findings, "mask-left-out").message


def test_codes_decide_where_the_name_does_not(case, segments):
    ct, mask = case
    tags = f"Segmentation.Status:inprogress|TerminologyEntry:{ICH.terminology}|"
    assert np.array_equal(read_mask(segments("Segment_1", "IVH", Tags=tags), ct), mask)
    with pytest.raises(InputError, match="Subdural.*--label Subdural=ich"):
        read_mask(segments("Subdural", "IVH", Tags=tags), ct)


def test_the_only_segment_without_a_telling_name_is_counted_as_ich_aloud(case, segments):
    ct, mask = case
    read, findings = read_mask_and_findings(segments("Segment_1", values=(mask == 1).astype(np.uint8)), ct)
    assert np.array_equal(read, mask == 1)
    finding = only(findings, "mask-labels")
    assert finding.severity == "warning" and "Segment_1" in finding.message and "ICH" in finding.message
    with pytest.raises(InputError, match="Segment_1, Segment_2"):
        read_mask(segments("Segment_1", "Segment_2"), ct)
    with pytest.raises(InputError, match="hematoma"):
        read_mask(segments("hematoma", values=(mask == 1).astype(np.uint8)), ct)


def test_the_word_of_the_user_overrules_the_name(case, segments):
    ct, mask = case
    read = read_mask(segments("ICH", "SDH"), ct, {"ICH": "ignore", "SDH": "ivh"})
    assert np.array_equal(read, np.where(mask == 2, 2, 0))


def test_a_label_that_the_mask_does_not_have_is_noticed(case, segments):
    ct, _ = case
    _, findings = read_mask_and_findings(segments("ICH", "IVH"), ct, {"Lesoin": "ich"})
    assert "lesoin" in only(findings, "mask-labels").message and "ICH, IVH" in findings[-1].message


def test_an_overlap_of_both_counts_once_and_is_named(case, tmp_path):
    ct, mask = case
    keys = {"Segment0_ID": "a", "Segment0_Name": "IVH", "Segment1_ID": "b", "Segment1_Name": "ICH"}
    path = layered(tmp_path / "m.seg.nrrd", ct, [mask == 2, mask > 0], keys)
    read, findings = read_mask_and_findings(path, ct)
    assert np.array_equal(read, mask) and "counted as IVH" in only(findings, "mask-overlap").message


# Files


def test_a_fifo_an_empty_folder_and_a_folder_of_several_files_are_refused(case, tmp_path):
    import os

    ct, mask = case
    os.mkfifo(tmp_path / "m.nrrd")
    with pytest.raises(InputError, match="no mask file"):
        read_mask(tmp_path / "m.nrrd", ct)
    (tmp_path / "folder").mkdir()
    for count in range(2):
        with pytest.raises(InputError, match=f"folder with {2 * count} entries"):
            read_mask(tmp_path / "folder", ct)
        for name in ("a.nrrd", "b.nrrd"):
            write_nrrd(tmp_path / "folder" / name, mask, ct.ijk_to_ras)


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


def test_segments_beside_ich_are_left_out_by_name(case, tmp_path):
    ct, mask = case
    keys = {}
    for index, name in enumerate(("ICH", "Edema")):
        keys |= {f"Segment{index}_ID": name, f"Segment{index}_Name": name, f"Segment{index}_LabelValue": index + 1}
    write_nrrd(tmp_path / "m.seg.nrrd", mask, ct.ijk_to_ras, keys)
    read, findings = read_mask_and_findings(tmp_path / "m.seg.nrrd", ct)
    assert np.array_equal(read, (mask == 1).astype(np.uint8))
    assert [finding.code for finding in findings] == ["mask-left-out"] and "Edema" in findings[0].message


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
