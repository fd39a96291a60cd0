"""Public data sets as they lie on disk: volumes and kinds of blood of tiny fakes, and one sentence where they lack."""

import numpy as np
import pytest
from dataset_fakes import (
    BLOCK_ML,
    MATRIX,
    SHAPE,
    blocks,
    head,
    truth_ml,
    write_bhsd,
    write_cq500,
    write_ct_ich_nifti,
    write_dicom,
    write_hemseg_list,
    write_nifti,
)

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN, TEST, TRAIN, UNSURE
from ICHVolumeLib.datasets.registry import load_cases

STUDY = "1111bbbb22"


def test_bhsds_five_kinds_become_ich_ivh_and_blood_outside_the_brain(tmp_path):
    case, = load_cases("bhsd", write_bhsd(tmp_path))
    assert truth_ml(case) == pytest.approx({1: BLOCK_ML, 2: BLOCK_ML, OUTSIDE_BRAIN: 3 * BLOCK_ML})
    assert (case.patient, case.study) == ("ID_0000aaaa", "ID_1111bbbb22")  # as in the headers of RSNA 2019
    assert case.dataset == "bhsd" and "RSNA" in case.licence


def test_bhsd_is_found_one_folder_up_and_in_the_layout_of_nnu_net(tmp_path):
    write_bhsd(tmp_path / "as_released")
    assert len(list(load_cases("bhsd", tmp_path / "as_released"))) == 1
    for room, masks, number in (("imagesTr", "labelsTr", 1), ("imagesTs", "labelsTs", 2)):
        write_nifti(tmp_path / "nnunet" / room / f"ID_{number}_0000.nii.gz", head(number))
        write_nifti(tmp_path / "nnunet" / masks / f"ID_{number}.nii.gz", blocks(2))
    cases = list(load_cases("bhsd", tmp_path / "nnunet"))
    assert [(case.id, case.split) for case in cases] == [("ID_1", TRAIN), ("ID_2", TEST)]


def test_all_blood_of_instance_is_one_label_and_counts_as_ich(tmp_path):
    write_nifti(tmp_path / "train_2" / "data" / "007.nii.gz", head())
    write_nifti(tmp_path / "train_2" / "label" / "007.nii.gz", blocks(1, 1))
    case, = load_cases("instance2022", tmp_path)
    assert truth_ml(case) == pytest.approx({1: 2 * BLOCK_ML})


def test_in_ct_ich_the_kind_of_blood_comes_from_the_table_slice_by_slice(tmp_path):
    kinds = [(), ("Intraparenchymal",), ("Subdural", "Epidural"), ()]
    case, = load_cases("ct_ich_nifti", write_ct_ich_nifti(tmp_path, kinds, values=(255,)))
    assert truth_ml(case) == pytest.approx({1: BLOCK_ML / 2, OUTSIDE_BRAIN: BLOCK_ML / 2})
    assert case.patient == "p049"  # as in the slices of version 1.0


@pytest.mark.parametrize("here", [("Intraparenchymal", "Intraventricular"), ("Subdural", "Intraventricular"), ()])
def test_in_ct_ich_marked_voxels_of_several_kinds_or_none_are_unsure(tmp_path, here):
    kinds = [(), here, ("Intraventricular",), ()]
    case, = load_cases("ct_ich_nifti", write_ct_ich_nifti(tmp_path, kinds))
    assert truth_ml(case) == pytest.approx({2: BLOCK_ML / 2, UNSURE: BLOCK_ML / 2})


def test_a_table_of_ct_ich_with_other_slices_is_refused(tmp_path):
    write_ct_ich_nifti(tmp_path, [(), (), ()])
    with pytest.raises(InputError, match=r"049\.nii has 4 slices and hemorrhage_diagnosis_raw_ct\.csv 3 of patient"):
        next(load_cases("ct_ich_nifti", tmp_path))
    (tmp_path / "hemorrhage_diagnosis_raw_ct.csv").write_text("nothing\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as the table of slices"):
        load_cases("ct_ich_nifti", tmp_path)


def test_two_of_three_readers_of_cq500_decide_whether_a_scan_is_without_blood(tmp_path):
    cases = list(load_cases("cq500", write_cq500(tmp_path, {2: (1, 1, 0), 10: (1, 0, 0)})))
    assert [(case.id, case.bleeds) for case in cases] == [("CQ500-CT-2", None), ("CQ500-CT-10", False)]
    assert all((case.ct.hu == head(number)).all() for case, number in zip(cases, (2, 10), strict=True))
    assert all(case.study.startswith("2.25.") for case in cases)


def test_cq500_without_a_row_or_a_table_is_refused(tmp_path):
    write_cq500(tmp_path, {2: (0, 0, 0)})
    (tmp_path / "qct01" / "CQ500CT3 CQ500CT3").mkdir()
    with pytest.raises(InputError, match=r"reads\.csv has no row for CQ500-CT-3"):
        load_cases("cq500", tmp_path)
    (tmp_path / "reads.csv").unlink()
    with pytest.raises(InputError, match=r"reads\.csv cannot be read as the readers' table"):
        load_cases("cq500", tmp_path)
    with pytest.raises(InputError, match="holds no folder like"):
        load_cases("cq500", tmp_path / "qct01" / "CQ500CT3 CQ500CT3")


def test_hemseg_as_nifti_has_its_study_and_split(tmp_path):
    write_nifti(tmp_path / "val" / "image" / f"{STUDY}.nii.gz", head())
    write_nifti(tmp_path / "val" / "label" / f"{STUDY}.nii.gz", blocks(1, 2, 2))
    case, = load_cases("hemseg", tmp_path)
    assert truth_ml(case) == pytest.approx({1: BLOCK_ML, 2: 2 * BLOCK_ML})
    assert (case.study, case.split) == (f"ID_{STUDY}", "validate")


@pytest.fixture
def hemseg(tmp_path):
    """RSNA's DICOM of a tilted, uneven scan among other files, and a mask with the even grid of a converter."""
    z_mm = [0.0, 2.5, 5.0, 12.0]
    ct, files = write_dicom(tmp_path / "stage_2_train", head(), z_mm, name="ID_00000000{}.dcm", patient="ID_0000aaaa",
                            tilt_mm=1.0)
    write_dicom(tmp_path / "stage_2_train", head(5), name="ID_ffffffff{}.dcm", patient="ID_other")
    write_hemseg_list(tmp_path, STUDY, [f"00000000{k}" for k in range(4)])
    even = MATRIX.copy()
    even[2, 2] = 4.0
    write_nifti(tmp_path / "label" / f"{STUDY}.nii.gz", blocks(1, 2), even)
    return tmp_path, ct


def test_hemsegs_masks_lie_on_rsnas_slices_at_their_true_positions(hemseg):
    folder, ct = hemseg
    case, = load_cases("hemseg", folder)
    assert (case.ct.hu == ct.hu).all() and case.ct.is_uneven
    assert (case.truth == blocks(1, 2)).all()
    slabs_mm = case.ct.slab_heights_mm
    assert slabs_mm == pytest.approx([2.5, 2.5, 4.75, 7.0])
    assert truth_ml(case)[1] == pytest.approx(4 * 64 * (2.5 + 4.75) / 1000, rel=1e-6)
    assert (case.patient, case.study) == ("ID_0000aaaa", f"ID_{STUDY}")


def test_a_mask_of_hemseg_with_other_pixels_or_another_place_is_refused(hemseg):
    folder, _ = hemseg
    for wrong in (np.diag([-7.0, -7.0, 4.0, 1.0]), MATRIX + np.array([[0, 0, 0, 30.0]] + [[0] * 4] * 3)):
        wrong[2, 2] = 4.0
        write_nifti(folder / "label" / f"{STUDY}.nii.gz", blocks(1, 2), wrong)
        with pytest.raises(InputError, match="does not fit this CT"):
            next(load_cases("hemseg", folder))


def test_what_lacks_of_hemseg_is_named(hemseg):
    folder, _ = hemseg
    (folder / "stage_2_train" / "ID_000000002.dcm").unlink()
    with pytest.raises(InputError, match=r"1 of the 4 slices of 1111bbbb22 are not there \(ID_000000002\.dcm\)"):
        next(load_cases("hemseg", folder))
    (folder / "label" / "2222cccc33.nii.gz").write_bytes(b"")
    with pytest.raises(InputError, match="2222cccc33 without an image in stage_2_train by the list"):
        load_cases("hemseg", folder)
    (folder / "annotion_file_info_500.jsonl").write_text("[]\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as the authors' list"):
        load_cases("hemseg", folder)
    (folder / "annotion_file_info_500.jsonl").unlink()
    with pytest.raises(InputError, match=r"holds no annotion_file_info\*\.jsonl"):
        load_cases("hemseg", folder)


def test_where_only_the_oedema_is_marked_there_is_no_truth(tmp_path):
    write_nifti(tmp_path / "set" / "0001.nii.gz", head())
    write_nifti(tmp_path / "label" / "0001.nii.gz", blocks(1))
    case, = load_cases("phe_sich", tmp_path)
    assert case.truth is None and case.ct.hu.shape == SHAPE


@pytest.mark.parametrize("name", ["bhsd", "hemseg", "ct_ich_jpeg", "ct_ich_nifti", "instance2022", "cq500", "phe_sich"])
def test_a_folder_that_is_not_the_data_set_says_what_to_give(tmp_path, name):
    with pytest.raises(InputError, match="give the folder|unpack the scans"):
        load_cases(name, tmp_path)
    with pytest.raises(InputError, match="no folder .*nowhere; check the path"):
        load_cases(name, tmp_path / "nowhere")


def test_a_missing_mask_an_unknown_label_and_another_grid_take_a_sentence_each(tmp_path):
    folder = write_bhsd(tmp_path, ["ID_1", "ID_2", "ID_3"])
    (folder / "ground truths" / "ID_1.nii.gz").unlink()
    with pytest.raises(InputError, match="ID_1 without a mask in ground truths/"):
        load_cases("bhsd", folder)
    write_nifti(folder / "ground truths" / "ID_1.nii.gz", blocks(6, 9))
    write_nifti(folder / "ground truths" / "ID_2.nii.gz", blocks(2), np.diag([-8.0, -8.0, 4.0, 1.0]))
    cases = load_cases("bhsd", folder)
    with pytest.raises(InputError, match=r"ID_1\.nii\.gz holds 6, 9, which this data set does not have; it has 1 "):
        next(cases)
    with pytest.raises(InputError, match=r"ID_2\.nii\.gz does not fit this CT"):
        next(cases)
    assert next(cases).id == "ID_3"  # bad ones do not end the good ones


def test_a_flipped_mask_keeps_its_place(tmp_path):
    folder = write_bhsd(tmp_path, values=(2,))
    flipped = np.diag([8.0, -8.0, 5.0, 1.0])
    flipped[0, 3] = -8.0 * (SHAPE[2] - 1)
    write_nifti(folder / "ground truths" / "ID_0000aaaa_ID_1111bbbb22.nii.gz", blocks(2)[:, :, ::-1], flipped)
    case, = load_cases("bhsd", folder)
    assert (case.truth == blocks(1)).all()
