"""What the numbers of a labelmap mean: by convention, by a dataset.json, by the file's name; and what is no number."""

import gzip
import json

import numpy as np
import pytest
from mask_case import only
from nifti_files import nifti_bytes

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.masks import read_mask, read_mask_and_findings
from ICHVolumeLib.io.nrrd import write_nrrd


def test_the_convention_of_a_labelmap_is_said(case, tmp_path):
    ct, mask = case
    write_nrrd(tmp_path / "m.nrrd", mask, ct.ijk_to_ras)
    read, findings = read_mask_and_findings(tmp_path / "m.nrrd", ct)
    assert np.array_equal(read, mask)
    finding = only(findings, "mask-labels")
    assert finding.severity == "warning" and "1 was counted as ICH and 2 was counted as IVH" in finding.message
    _, findings = read_mask_and_findings(tmp_path / "m.nrrd", ct, {1: "ich", 2: "ivh"})
    assert [finding.severity for finding in findings] == ["info"]


def test_values_outside_the_convention_are_asked_for(case, tmp_path):
    ct, mask = case
    write_nrrd(tmp_path / "m.nrrd", np.where(mask == 2, 3, mask).astype(np.uint8), ct.ijk_to_ras)
    with pytest.raises(InputError, match=r"numbers 1, 3 .*: --label 1=ich --label 3=ignore.*1 = ICH, 2 = IVH"):
        read_mask(tmp_path / "m.nrrd", ct)
    read, findings = read_mask_and_findings(tmp_path / "m.nrrd", ct, {"3": "ignore"})
    assert np.array_equal(read, mask == 1) and "value 3" in only(findings, "mask-left-out").message


@pytest.mark.parametrize("value", [3, 7, 1000, -1])
def test_a_single_value_that_is_neither_one_two_nor_255_is_asked_for(case, tmp_path, value):
    ct, mask = case
    write_nrrd(tmp_path / "m.nrrd", ((mask > 0) * value).astype(np.int16), ct.ijk_to_ras)
    with pytest.raises(InputError, match=f"--label {value}=ich"):
        read_mask(tmp_path / "m.nrrd", ct)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct, {value: "ivh"}), (mask > 0) * 2)


def test_the_five_classes_of_bhsd_are_understood_by_its_dataset_json(case, tmp_path):
    ct, mask = case
    classes = np.where(mask == 2, 3, mask * 2).astype(np.uint8)  # 2 intraparenchymal, 3 intraventricular
    classes[2:4, 5:9, 5:30], classes[5, 60:64, 5:30], classes[6, 60:64, 5:30] = 1, 4, 5
    names = {"0": "background", "1": "epidural", "2": "intraparenchymal", "3": "intraventricular", "4": "subarachnoid",
             "5": "subdural"}
    (tmp_path / "labelsTr").mkdir()
    path = tmp_path / "labelsTr" / "ID_1.nii.gz"
    path.write_bytes(gzip.compress(nifti_bytes(classes, ct.ijk_to_ras)))
    with pytest.raises(InputError, match="BHSD .1 EDH, 2 IPH, 3 IVH, 4 SAH, 5 SDH. needs --label 1=ignore --label 2"):
        read_mask(path, ct)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": names}))
    read, findings = read_mask_and_findings(path, ct)
    assert np.array_equal(read, mask)
    message = only(findings, "mask-left-out").message
    assert all(name in message for name in ("epidural", "subarachnoid", "subdural"))


@pytest.mark.parametrize(("labels", "asked"), [({"background": 0, "ICH": 1, "IVH": 2}, None),
                                               ({"background": 0, "target": 1, "IVH": 2}, "target=ich"),
                                               ({"background": 0, "whole": [1, 2], "IVH": 2}, "1=ich")])
def test_the_names_of_nnunet_are_used(case, tmp_path, labels, asked):
    ct, mask = case
    write_nrrd(tmp_path / "case.nrrd", mask, ct.ijk_to_ras)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    if asked:
        with pytest.raises(InputError, match=f"--label {asked}"):
            read_mask(tmp_path / "case.nrrd", ct)
        assert np.array_equal(read_mask(tmp_path / "case.nrrd", ct, {"1": "ich"}), mask)
    else:
        assert np.array_equal(read_mask(tmp_path / "case.nrrd", ct), mask)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"labels": 3}', '{"labels": {"ICH": {}}}', "\xff"])
def test_a_damaged_dataset_json_is_named_unless_the_user_says_it_all(case, tmp_path, text):
    ct, mask = case
    write_nrrd(tmp_path / "case.nrrd", mask, ct.ijk_to_ras)
    (tmp_path / "dataset.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="dataset.json"):
        read_mask(tmp_path / "case.nrrd", ct)
    assert np.array_equal(read_mask(tmp_path / "case.nrrd", ct, {1: "ich", 2: "ivh"}), mask)


@pytest.mark.parametrize(("name", "value"), [("intracerebral_hemorrhage", 1), ("ivh", 2), ("case_007", 1)])
def test_a_file_for_each_structure_is_what_its_name_says(case, tmp_path, name, value):
    ct, mask = case
    write_nrrd(tmp_path / f"{name}.nrrd", (mask == 1).astype(np.uint8), ct.ijk_to_ras)
    assert np.array_equal(read_mask(tmp_path / f"{name}.nrrd", ct), (mask == 1) * value)


@pytest.mark.parametrize("name", ["subdural", "edema", "skull", "ventricles"])
def test_a_file_named_after_something_else_is_no_ich(case, tmp_path, name):
    ct, mask = case
    write_nrrd(tmp_path / f"{name}.nrrd", (mask == 1).astype(np.uint8), ct.ijk_to_ras)
    with pytest.raises(InputError, match="by its name no blood.*--label 1=ich"):
        read_mask(tmp_path / f"{name}.nrrd", ct)
    assert np.array_equal(read_mask(tmp_path / f"{name}.nrrd", ct, {"1": "ich"}), mask == 1)


@pytest.mark.parametrize("scale", [1.00000006, 0.996, 1.004, 1.0])
def test_whole_numbers_through_a_scaled_integer_are_read(case, tmp_path, scale):
    ct, mask = case
    write_nrrd(tmp_path / "m.nrrd", (mask * scale).astype(np.float32), ct.ijk_to_ras)
    read, findings = read_mask_and_findings(tmp_path / "m.nrrd", ct)
    assert np.array_equal(read, mask)
    assert ("mask-rounded" in [finding.code for finding in findings]) == (abs(scale - 1) > 0.001)


@pytest.mark.parametrize("wrong", [0.5, 0.985, 1.02, np.nan, np.inf, -np.inf, 3e9])
def test_fractions_and_no_numbers_are_refused(case, tmp_path, wrong):
    ct, mask = case
    values = mask.astype(np.float64)
    values[9, 31, 25] = wrong
    write_nrrd(tmp_path / "m.nrrd", values, ct.ijk_to_ras)
    with pytest.raises(InputError, match="fractions"):
        read_mask(tmp_path / "m.nrrd", ct)


def test_a_labelmap_with_one_foreign_value_is_ich_and_more_are_refused(case, tmp_path):
    ct, mask = case
    write_nrrd(tmp_path / "m.nrrd", (mask > 0).astype(np.uint8) * np.uint8(255), ct.ijk_to_ras)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), (mask > 0).astype(np.uint8))
    write_nrrd(tmp_path / "m.nrrd", mask * np.uint8(3), ct.ijk_to_ras)
    with pytest.raises(InputError, match="numbers 3, 6 .* --label 3=ignore --label 6=ignore"):
        read_mask(tmp_path / "m.nrrd", ct)
    write_nrrd(tmp_path / "m.nrrd", mask * np.float32(0.5), ct.ijk_to_ras)
    with pytest.raises(InputError, match="fractions"):
        read_mask(tmp_path / "m.nrrd", ct)
    write_nrrd(tmp_path / "m.nrrd", mask.astype(np.float32), ct.ijk_to_ras)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), mask)


def test_a_name_that_is_no_text_can_be_written_again(case, tmp_path):
    ct, mask = case
    write_nrrd(tmp_path / "case.nrrd", mask, ct.ijk_to_ras)
    (tmp_path / "dataset.json").write_text('{"labels": {"a\\ud800": 1, "LONG": 2}}'.replace("LONG", "x" * 5000))
    with pytest.raises(InputError) as refused:
        read_mask(tmp_path / "case.nrrd", ct)
    assert str(refused.value).encode("utf-8")
    _, findings = read_mask_and_findings(tmp_path / "case.nrrd", ct, {1: "ich", 2: "ignore"})
    assert all(len(finding.message.encode("utf-8")) < 500 for finding in findings)
