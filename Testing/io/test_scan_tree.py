"""Which scans a folder tree holds."""

import os

import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from ICHVolumeLib.io.scan_tree import find_scans


def dicom(path, study="1.2.3", name="CT1.dcm"):
    """One image's header, enough to be found."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, "1.2.3.4"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    tags = FileDataset(str(path / name), {}, file_meta=meta, preamble=b"\0" * 128)
    tags.StudyInstanceUID, tags.SOPClassUID, tags.Modality = study, CTImageStorage, "CT"
    path.mkdir(parents=True, exist_ok=True)
    tags.save_as(path / name, enforce_file_format=True)


def file(path, data=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def names(root, **more):
    found = find_scans(root, **more)
    assert not any(scan.problem for scan in found), found
    return [(scan.name, scan.path.relative_to(root).as_posix()) for scan in found]


def test_a_patients_series_are_one_scan_and_its_folder_names_it(tmp_path):
    for patient, study in (("p1", "1.1"), ("p2", "1.2")):
        for series in ("bone", "brain"):
            dicom(tmp_path / patient / "head" / series, study)
    assert names(tmp_path) == [("p1", "p1"), ("p2", "p2")]


def test_sites_above_the_patients_are_part_of_the_name(tmp_path):
    dicom(tmp_path / "north" / "p1", "1.1")
    dicom(tmp_path / "north" / "p2", "1.2")
    dicom(tmp_path / "south" / "p1" / "series", "1.3")
    file(tmp_path / "south" / "p9.nii.gz")
    assert names(tmp_path) == [("north/p1", "north/p1"), ("north/p2", "north/p2"), ("south/p1", "south/p1"),
                               ("south/p9", "south/p9.nii.gz")]


def test_two_studies_of_a_patient_are_two_scans(tmp_path):
    dicom(tmp_path / "p1" / "day0", "1.1")
    dicom(tmp_path / "p1" / "day1", "1.2")
    assert [name for name, _ in names(tmp_path)] == ["p1/day0", "p1/day1"]


def test_without_study_uids_no_two_folders_are_taken_for_one_patient(tmp_path):
    dicom(tmp_path / "site" / "p1", "")
    dicom(tmp_path / "site" / "p2", "")
    assert [name for name, _ in names(tmp_path)] == ["site/p1", "site/p2"]


def test_a_root_that_is_one_study_is_one_scan(tmp_path):
    dicom(tmp_path / "case" / "a")
    dicom(tmp_path / "case" / "b")
    assert names(tmp_path / "case") == [("case", ".")]
    dicom(tmp_path / "flat")
    assert names(tmp_path / "flat") == [("flat", ".")]


def test_one_patient_in_the_root_keeps_its_own_name(tmp_path):
    dicom(tmp_path / "scans" / "p1" / "series")
    assert names(tmp_path / "scans") == [("p1", "p1")]


def test_images_and_zips_are_scans_and_other_files_are_not(tmp_path):
    for name in ("a.nii", "b.nii.gz", "c.NRRD", "d.nhdr", "d.raw", "e.zip", "f.seg.nrrd", ".hidden.nii", "readme.txt",
                 "g.dcm.txt"):
        file(tmp_path / name)
    assert [name for name, _ in names(tmp_path)] == ["a", "b", "c", "d", "e"]


def test_voxels_that_begin_like_dicom_are_no_scan(tmp_path):
    file(tmp_path / "a.nhdr")
    file(tmp_path / "a.raw", b"\x08\x00" * 500)
    assert [name for name, _ in names(tmp_path)] == ["a"]


def test_the_output_folder_is_not_searched(tmp_path):
    file(tmp_path / "p1.nii.gz")
    file(tmp_path / "out" / "cases" / "p1" / "old.nii.gz")
    assert [name for name, _ in names(tmp_path, leave_out=tmp_path / "out")] == ["p1"]


def test_images_beside_other_studies_are_named_and_nothing_is_lost(tmp_path):
    dicom(tmp_path / "p1", "1.1")
    dicom(tmp_path / "p1" / "old", "1.2")
    found = {scan.name: scan.problem for scan in find_scans(tmp_path)}
    assert set(found) == {"p1", "p1/old"} and not found["p1/old"]
    assert "put each study into a folder of its own" in found["p1"]


def test_dicom_beside_an_image_file_is_not_passed_over_in_silence(tmp_path):
    dicom(tmp_path / "p1", "1.1")
    file(tmp_path / "p1" / "head.nii.gz")
    found = {scan.name: bool(scan.problem) for scan in find_scans(tmp_path)}
    assert found == {"p1": True, "p1/head": False}


def test_links_that_lead_back_end(tmp_path):
    file(tmp_path / "p1.nii.gz")
    try:
        os.symlink(tmp_path, tmp_path / "loop")
    except OSError:
        pytest.skip("no links here")
    assert [name for name, _ in names(tmp_path)] == ["p1"]


def test_an_empty_tree_holds_nothing(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_scans(tmp_path) == []
