"""`measure --label`: what a segment or value means is said on the command line."""

import json

import numpy as np
import pytest
from command_line import ichvolume
from dicom_seg_files import seg_bytes

from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


@pytest.fixture(scope="module")
def files(phantom, tmp_path_factory):
    """ct/, and lesions.seg.nrrd with two segments of unknown names, 1 and 2."""
    folder = tmp_path_factory.mktemp("labels")
    write_dicom_series(phantom.ct, folder / "ct")
    mask = phantom.mask.copy()
    mask[:4, 100:110, 100:110] = 2
    keys = {}
    for index, name in enumerate(("Lesion a", "Lesion b")):
        keys |= {f"Segment{index}_ID": name, f"Segment{index}_Name": name, f"Segment{index}_LabelValue": index + 1}
    write_nrrd(folder / "lesions.seg.nrrd", mask, phantom.ct.ijk_to_ras, keys)
    (folder / "seg.dcm").write_bytes(seg_bytes(phantom.ct, {1: ("ICH", mask == 1), 2: ("Edema", mask == 2)}))
    return folder


def measured(files, out, mask, *options):
    done = ichvolume("measure", files / "ct", files / mask, "-o", out, *options)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "result.json").read_text(encoding="utf-8"))


def test_labels_are_counted_as_said(files, phantom, tmp_path):
    result = measured(files, tmp_path / "out", "lesions.seg.nrrd", "--label", "Lesion a=ich", "--label", "lesion B=ivh")
    assert result["volume_ml"]["ich"] == pytest.approx(phantom.mask.sum() * 5 / 1000)
    assert result["volume_ml"]["ivh"] == pytest.approx(400 * 5 / 1000)
    assert any("Lesion a as ICH" in finding["message"] for finding in result["findings"])


def test_without_labels_the_question_names_the_option(files, tmp_path):
    done = ichvolume("measure", files / "ct", files / "lesions.seg.nrrd", "-o", tmp_path / "out")
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert 'for example: --label "Lesion a=ich" --label "Lesion b=ignore"' in done.stderr


@pytest.mark.parametrize("label", ["Lesion a", "Lesion a=blood", "=ich"])
def test_a_label_that_is_none_is_bad_usage(files, tmp_path, label):
    done = ichvolume("measure", files / "ct", files / "lesions.seg.nrrd", "-o", tmp_path / "out", "--label", label)
    assert done.returncode == 2 and "is not NAME=ich, NAME=ivh or NAME=ignore" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_dicom_seg_mask_is_measured_and_what_is_no_blood_is_named(files, phantom, tmp_path):
    result = measured(files, tmp_path / "out", "seg.dcm")
    assert result["volume_ml"]["total"] == pytest.approx(phantom.mask.sum() * 5 / 1000)
    assert any(finding["code"] == "mask-left-out" and "Edema (2.0 mL)" in finding["message"]
               for finding in result["findings"])
    assert np.isfinite(result["volume_ml"]["paper_formula"])
