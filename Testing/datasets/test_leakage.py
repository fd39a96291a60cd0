"""Scans in two sets: found after every way in which a scan is saved again, and not where they only look alike."""

import numpy as np
import pytest
from command_line import ichvolume
from dataset_fakes import MATRIX, blocks, head, write_bhsd, write_dicom, write_hemseg_list, write_nifti

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets import registry
from ICHVolumeLib.datasets.leakage import DICOM, ScanMarks, duplicates, slice_marks
from ICHVolumeLib.datasets.registry import load_cases
from ICHVolumeLib.evaluation.dataset_survey import survey
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.read_ct import read_ct

STUDY = "1111bbbb22"
HU = head(3)
MARKS = slice_marks(HU)


def other_air(hu):
    return np.where(hu == -1000, -2000, hu).astype(np.int16)


SAVED_AGAIN = {
    "flipped": HU[::-1, ::-1, ::-1], "transposed": HU.transpose(0, 2, 1), "cropped": HU[:, 2:26, 2:22],
    "padded": np.pad(HU, ((0, 0), (5, 9), (7, 1)), constant_values=-1000), "other air": other_air(HU),
    "clipped to 0..80": np.clip(HU, 0, 80), "as real numbers": HU.astype(np.float32)}


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_a_slice_is_recognized_however_it_was_saved_again(how):
    assert len(set(MARKS)) == 4
    assert set(slice_marks(SAVED_AGAIN[how])) == set(MARKS)


def test_one_hu_more_on_a_few_pixels_is_another_slice():
    changed = HU.copy()
    changed[:, 10, 5:8] += 1
    assert not set(slice_marks(changed)) & set(MARKS)


def test_slices_with_hardly_any_brain_are_not_compared():
    assert slice_marks(np.full((3, 40, 40), -1000, np.int16)) == ()
    assert slice_marks(np.full((3, 17, 17), 30, np.int16)) == ()


def test_dicom_is_recognized_as_nifti_and_nrrd(tmp_path):
    ct, _ = write_dicom(tmp_path / "dicom", HU)
    write_nifti(tmp_path / "scan.nii.gz", HU[:, ::-1], np.diag([-8.0, 8.0, 5.0, 1.0]))
    write_nrrd(tmp_path / "scan.nrrd", HU, MATRIX, {})
    for path in ("dicom", "scan.nii.gz", "scan.nrrd"):
        assert set(slice_marks(read_ct(tmp_path / path).hu)) == set(MARKS), path


def marks(group, case, slices=(), **more):
    return ScanMarks(group, case, tuple(slices), **more)


def test_every_pair_is_named_with_what_it_shares():
    scans = [marks("train", "a", "stuv"), marks("train", "b", "wx"), marks("test", "c", "tu"), marks("test", "d", "x"),
             marks("test", "e", "yz")]
    found = duplicates(scans)
    assert [(pair.first.case, pair.second.case, pair.why) for pair in found] == [
        ("a", "c", "2 of 2 slices have the same pixels"), ("b", "d", "1 of 1 slices have the same pixels")]
    assert all(pair.is_leak for pair in found)


def test_a_study_counts_everywhere_a_patient_only_across_groups_of_one_numbering():
    scans = [marks("train", "a", study="1", people="RSNA", patient="p"),
             marks("train", "b", study="1", people="RSNA", patient="p"),
             marks("test", "c", people="RSNA", patient="p"),
             marks("cts", "d", people=DICOM, patient="p"),
             marks("far", "e", people="other hospital", patient="p"),
             marks("own", "f", patient="p")]
    assert [(pair.first.case + pair.second.case, pair.why) for pair in duplicates(scans)] == [
        ("ac", "the same patient"), ("ad", "the same patient"), ("bc", "the same patient"),
        ("bd", "the same patient"), ("cd", "the same patient"), ("de", "the same patient"), ("ab", "the same study")]


def test_two_data_sets_made_from_one_are_told_from_independent_ones(tmp_path):
    write_bhsd(tmp_path / "bhsd", [f"ID_0000aaaa_ID_{STUDY}", "ID_0000cccc_ID_3333dddd44"], seed=7)
    write_dicom(tmp_path / "hemseg" / "stage_2_train", head(7), name="ID_00000000{}.dcm", patient="ID_0000aaaa")
    write_hemseg_list(tmp_path / "hemseg", STUDY, [f"00000000{k}" for k in range(4)])
    write_nifti(tmp_path / "hemseg" / "label" / f"{STUDY}.nii.gz", blocks(1))
    write_nifti(tmp_path / "own" / "images" / "p1.nii.gz", head(99))
    done = ichvolume("datasets", f"bhsd={tmp_path / 'bhsd'}", f"hemseg={tmp_path / 'hemseg'}", tmp_path / "own", "-o",
                   tmp_path / "out")
    assert done.returncode == 1
    assert (f"in two sets: bhsd ID_0000aaaa_ID_{STUDY} and hemseg {STUDY}: 4 of 4 slices have the same pixels, "
            "the same study, the same patient") in done.stdout
    assert done.stdout.count("in two sets") == 1
    assert "bhsd: 2 scans, 2 with a truth, 5.1 mL ICH, 5.1 mL IVH, 15.4 mL outside the brain" in done.stdout
    assert "own: 1 scans, 0 with a truth" in done.stdout
    assert done.stderr == ("ichvolume: 1 pair of scans in two sets; leave one of each out of training or of the "
                           "test.\n")
    table = (tmp_path / "out" / "duplicates.csv").read_text(encoding="utf-8").splitlines()
    assert table[1] == f"bhsd,ID_0000aaaa_ID_{STUDY},hemseg,{STUDY},4,4,yes,yes"
    assert len((tmp_path / "out" / "datasets.csv").read_text(encoding="utf-8").splitlines()) == 1 + 4


def test_the_splits_of_one_set_are_compared_and_a_bad_scan_is_named_and_passed_over(tmp_path):
    for split, seeds in (("train", (1, 2)), ("test", (2, 3))):
        for seed in seeds:
            write_nifti(tmp_path / split / "images" / f"{split}{seed}.nii.gz", head(seed))
    (tmp_path / "train" / "images" / "broken.nii.gz").write_bytes(b"not a scan")
    done = ichvolume("datasets", f"folder={tmp_path}")
    assert done.returncode == 1
    assert "in two sets: folder test test2 and folder train train2: 4 of 4" in done.stdout
    assert "cannot be read: " in done.stdout and "broken.nii.gz" in done.stdout
    assert "folder: 4 scans, 0 with a truth, 2 test, 2 train" in done.stdout


def test_any_two_folder_trees_are_compared_and_no_patient_id_is_shown(tmp_path):
    write_dicom(tmp_path / "a" / "one", head(1), patient="SECRET7")
    write_dicom(tmp_path / "a" / "two", head(2), patient="SECRET8", seed=2)
    write_dicom(tmp_path / "b" / "later", head(3), patient="SECRET7", seed=3)
    done = ichvolume("datasets", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
    assert done.returncode == 1 and "in two sets: a one and b later: the same patient" in done.stdout
    written = done.stdout + done.stderr + "".join(path.read_text(encoding="utf-8")
                                                  for path in (tmp_path / "out").iterdir())
    assert "SECRET" not in written


def test_without_doubles_that_is_said_and_without_sets_the_known_ones_are_listed(tmp_path):
    for number in (1, 2):
        write_nifti(tmp_path / f"s{number}" / "scan.nii.gz", head(number))
    done = ichvolume("datasets", tmp_path / "s1", tmp_path / "s2")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "No scan and no patient twice.")
    listed = ichvolume("datasets")
    assert listed.returncode == 0 and "bhsd" in listed.stdout and "RSNA 2019" in listed.stdout


@pytest.mark.parametrize(("given", "words"), [(["nowhere"], "There is no folder nowhere"), ([".", "."], "Two sets"),
                                              (["cq500=."], "holds no folder like")])
def test_a_set_that_is_none_takes_a_sentence(tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    done = ichvolume("datasets", *given)
    assert done.returncode == 2 and words in done.stderr and len(done.stderr.splitlines()) == 1


def test_noise_free_phantoms_of_two_shapes_are_two_scans():
    flat = [np.full((3, 40, 40 + more), 30, np.int16) for more in (0, 1)]
    first, second = (marks(str(more), "x", slice_marks(hu)) for more, hu in enumerate(flat))
    assert duplicates([first, second]) == []


def test_a_damaged_patient_is_named_and_those_after_it_are_read(tmp_path):
    from ct_ich_files import write_slice

    for name in ("p001_s00", "p001_s01", "p002_s00", "p002_s01", "p003_s00", "p003_s01"):
        write_slice(tmp_path / f"{name}.jpg")
    (tmp_path / "p002_s00.jpg").write_bytes(b"cut short")
    done = ichvolume("datasets", f"ct_ich={tmp_path}")
    assert done.returncode == 0 and "ct_ich: 2 scans, 2 with a truth" in done.stdout
    assert "p002_s00.jpg cannot be read as an image" in done.stdout


def test_where_a_reader_ends_with_its_first_bad_case_it_is_said(monkeypatch, tmp_path):
    def damaged(where):
        yield next(load_cases("bhsd", where))
        raise InputError("the second one is damaged")

    monkeypatch.setitem(registry._DATASETS, "short", registry.Dataset("short", "a test", "", damaged))
    found = survey([f"short={write_bhsd(tmp_path)}"])
    assert len(found.rows) == 1
    assert found.problems["short"] == [
        "the second one is damaged", "what comes after this one was not read; mend it, or take it out, and look again"]
