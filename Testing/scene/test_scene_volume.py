"""The CT node as plain values: geometry as scanned, and a sentence for every node that is no CT."""

import numpy as np
import pytest
from mrml_phantoms import add_acquisition_transform, add_ct, add_linear_transform, rigid_matrix
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume, ScanInfo


def small(grid, **kwargs):
    return ellipsoid_ct(grid, pixel_mm=3.0, columns=64, rows=70, step_mm=7.5, **kwargs)


def as_ct(node):
    from ICHVolumePanel import scene

    arrays = scene.ct_arrays(node)
    return CTVolume(arrays["hu"], arrays["ijk_to_ras"], arrays["slice_origins_ras"], ScanInfo(**arrays["info"]))


@pytest.mark.parametrize("grid", GRIDS)
def test_a_ct_comes_out_of_the_scene_as_it_went_in(slicer, grid):
    expected = small(grid).ct
    ct = as_ct(add_ct(slicer, expected))
    np.testing.assert_array_equal(ct.hu, expected.hu)
    np.testing.assert_allclose(ct.ijk_to_ras, expected.ijk_to_ras, atol=1e-9)
    np.testing.assert_allclose(ct.slice_origins_ras, expected.slice_origins_ras, atol=1e-6)
    assert ct.tilt_deg == pytest.approx(expected.tilt_deg, abs=1e-6)
    assert ct.info.source == "Head CT"


def test_the_voxels_are_a_copy(slicer):
    from ICHVolumePanel import scene

    node = add_ct(slicer, small("regular").ct)
    before = slicer.util.arrayFromVolume(node).copy()
    scene.ct_arrays(node)["hu"][:] = 7
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), before)


def test_float_voxels_are_rounded_and_not_a_number_is_air(slicer):
    from ICHVolumePanel import scene

    hu = small("regular").ct.hu.astype(np.float32) + 0.4
    hu[0, 0, 0], hu[0, 0, 1] = np.nan, 1e6
    node = slicer.util.addVolumeFromArray(hu, ijkToRAS=np.eye(4))
    voxels = scene.ct_arrays(node)["hu"]
    assert voxels.dtype == np.int16
    assert (voxels[0, 0, 0], voxels[0, 0, 1]) == (-1024, 32767)
    np.testing.assert_array_equal(voxels[1:], small("regular").ct.hu[1:])


def test_a_registration_changes_no_number(slicer):
    from ICHVolumePanel import scene

    expected = small("tilted").ct
    node = add_ct(slicer, expected)
    stretch = rigid_matrix() @ np.diag([1.2, 0.9, 1.1, 1])
    transform = add_linear_transform(slicer, stretch)
    node.SetAndObserveTransformNodeID(transform.GetID())
    np.testing.assert_allclose(as_ct(node).slice_origins_ras, expected.slice_origins_ras, atol=1e-6)
    assert scene.frame_of(node) is transform
    assert scene.ct_arrays(node)["findings"] == []


def test_uneven_slices_under_a_registration_keep_their_true_positions(slicer):
    from ICHVolumePanel import scene

    expected = small("tilted-uneven").ct
    node = add_ct(slicer, expected)
    registration = add_linear_transform(slicer, rigid_matrix())
    node.GetParentTransformNode().SetAndObserveTransformNodeID(registration.GetID())
    np.testing.assert_allclose(as_ct(node).slice_steps_mm, expected.slice_steps_mm, atol=1e-6)
    assert scene.frame_of(node) is registration


def test_a_warp_that_bends_slices_is_left_out_and_said(slicer):
    from ICHVolumePanel import scene

    expected = small("regular").ct
    node = add_ct(slicer, expected)
    warp = add_acquisition_transform(slicer, node, expected.slice_origins_ras)
    slicer.util.arrayFromGridTransform(warp)[:, 0, 0] += 8.0
    slicer.util.arrayFromGridTransformModified(warp)
    arrays = scene.ct_arrays(node)
    np.testing.assert_allclose(arrays["slice_origins_ras"], expected.slice_origins_ras, atol=1e-9)
    assert [code for code, _, _ in arrays["findings"]] == ["warp-ignored"]
    assert scene.frame_of(node) is warp


def _mr(slicer):
    node = add_ct(slicer, small("regular").ct, "T1")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)  # the application does this by itself
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "MR")
    return node


def _from_array(slicer, voxels, **kwargs):
    return slicer.util.addVolumeFromArray(voxels, **kwargs)


def _deleted(slicer):
    node = add_ct(slicer, small("regular").ct)
    slicer.mrmlScene.RemoveNode(node)
    return node


def _flat(slicer):
    node = _from_array(slicer, np.arange(-500, 500, dtype=np.int16).reshape(10, 10, 10))
    node.SetSpacing(1.0, 1.0, 0.0)
    return node


BAD_NODES = {
    "nothing": (lambda slicer: None, "Choose a head CT"),
    "deleted": (_deleted, "deleted"),
    "MR by its DICOM modality": (_mr, "T1 is MR"),
    "MR without DICOM": (lambda s: _from_array(s, np.arange(1000, dtype=np.int16).reshape(10, 10, 10)), "Hounsfield"),
    "8-bit": (lambda s: _from_array(s, (np.arange(1000) % 256).astype(np.uint8).reshape(10, 10, 10)), "Hounsfield"),
    "RGB": (lambda s: _from_array(s, np.zeros((4, 8, 8, 3), np.uint8), nodeClassName="vtkMRMLVectorVolumeNode"),
            "colour"),
    "one slice": (lambda s: _from_array(s, np.full((1, 8, 8), -5, np.int16)), "single slice"),
    "one value": (lambda s: _from_array(s, np.full((4, 8, 8), -5, np.int16)), "every voxel is -5"),
    "labelmap": (lambda s: _from_array(s, np.ones((4, 8, 8), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode"),
                 "labelmap"),
    "no voxels": (lambda s: s.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "x"), "no voxels"),
    "a model": (lambda s: s.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "x"), "not a volume"),
    "no spacing": (_flat, "spacing"),
}


@pytest.mark.parametrize("case", BAD_NODES)
def test_a_node_that_is_no_ct_is_refused_in_one_sentence(slicer, case):
    from ICHVolumePanel import scene

    make, expected = BAD_NODES[case]
    node = make(slicer)
    with pytest.raises(ValueError, match=r".+") as refused:
        scene.ct_arrays(node)
    sentence = str(refused.value)
    assert expected in sentence
    assert sentence.endswith(".")
    assert scene.problem_with_volume(node) in (sentence, None)  # None: only the values tell


def test_a_ct_has_no_problem(slicer):
    from ICHVolumePanel import scene

    assert scene.problem_with_volume(add_ct(slicer, small("regular").ct)) is None


class FakeDicomDatabase:
    """The two members of ctkDICOMDatabase that the adapter uses."""

    isOpen = True  # noqa: N815

    def __init__(self, values):
        self.values = values

    def instanceValue(self, uid, tag):  # noqa: N802
        return self.values.get(tag, "") if uid == "1.2.3" else ""


@pytest.mark.parametrize(("age", "years"), [("067Y", 67), ("018M", 1.5), ("", None), ("old", None)])
def test_what_the_dicom_database_knows_is_told(slicer, monkeypatch, age, years):
    database = FakeDicomDatabase({"0008,0060": "CT", "0010,1010": age, "0018,0050": "5.0", "0018,1210": "H31s"})
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    node = add_ct(slicer, small("regular").ct)
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    info = as_ct(node).info
    assert (info.patient_age_years, info.slice_thickness_mm, info.kernel) == (years, 5.0, "H31s")


def test_a_real_tilted_uneven_scan_keeps_its_geometry_and_its_mask(slicer, tilted_uneven_folder):
    from ICHVolumePanel import scene

    from ICHVolumeLib.core.labels import LABELS
    from ICHVolumeLib.io.read_ct import read_ct

    expected = read_ct(tilted_uneven_folder)
    node = add_ct(slicer, expected)
    ct = as_ct(node)
    np.testing.assert_allclose(ct.slice_steps_mm, expected.slice_steps_mm, atol=1e-3)
    assert ct.tilt_deg == pytest.approx(expected.tilt_deg, abs=0.01)
    bone = (expected.hu > 700).astype(np.uint8)
    segmentation = scene.new_segmentation(node, bone, LABELS)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, node), bone)


def test_a_volume_loaded_from_a_file_gets_the_findings_about_that_file(slicer, tmp_path):
    from ICHVolumePanel.case import ct_of_in_steps
    from ICHVolumePanel.turns import at_once
    from nifti_files import nifti_bytes

    ct = small("regular").ct
    mirrored = np.diag([-1.0, 1, 1, 1]) @ ct.ijk_to_ras
    path = tmp_path / "head.nii"
    path.write_bytes(nifti_bytes(ct.hu, mirrored, qform=1, quaternion=(0, 0, 1), pixdim=(1, 3, 3, 7.5)))
    node = add_ct(slicer, ct)
    assert "even-spacing-assumed" not in [finding.code for finding in at_once(ct_of_in_steps(node)).findings]
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    node.SetAndObserveStorageNodeID(storage.GetID())
    found = {finding.code: finding.message for finding in at_once(ct_of_in_steps(node)).findings}
    assert "one (qform)" in found["affine-conflict"] and "even-spacing-assumed" in found
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    assert "even-spacing-assumed" not in [finding.code for finding in at_once(ct_of_in_steps(node)).findings]
