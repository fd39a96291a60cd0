"""--dicom on the command line: two more files that belong to the others, and sentences where it cannot be done."""

import json

import numpy as np
import pydicom
import pytest
from command_line import contents
from dicom_out import mask_of, scan
from network_weights import thresholding_weights

from ICHVolumeLib import cli
from ICHVolumeLib.io.nrrd import read_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.workflow.verify import verify

DICOM = {"ich.seg.dcm", "ich.sr.dcm"}


@pytest.fixture(autouse=True)
def no_3d_picture(monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))


@pytest.fixture
def case(tmp_path):
    made = scan(tmp_path / "ct")
    write_mask_seg_nrrd(tmp_path / "mask.seg.nrrd", made.mask, made.ct)
    return made


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def kinds_in(path):
    return {item.SegmentAlgorithmType for item in pydicom.dcmread(path).SegmentSequence}


def test_measure_writes_the_given_mask_and_touches_no_source(case, tmp_path):
    pytest.importorskip("highdicom")
    before, out = contents(case.folder), tmp_path / "out"
    assert cli.main(["measure", str(case.folder), str(tmp_path / "mask.seg.nrrd"), "-o", str(out), "--dicom"]) == 0
    assert contents(case.folder) == before
    assert np.array_equal(mask_of(out / "ich.seg.dcm", case.folder, case.ct), case.mask)
    assert kinds_in(out / "ich.seg.dcm") == {"MANUAL"}
    assert DICOM <= set(json.loads((out / "result.json").read_text(encoding="utf-8"))["files"])
    assert verify(out).belongs_together


def test_segment_is_automatic_and_a_correction_semiautomatic(case, tmp_path):
    pytest.importorskip("highdicom")
    thresholding_weights(tmp_path / "weights", {"training_data": "rules, no data"})
    out = tmp_path / "out"
    assert cli.main(["segment", str(case.folder), "-o", str(out), "--dicom", "--device", "cpu", "--weights",
                     str(tmp_path / "weights")]) == 0
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["found"] and kinds_in(out / "ich.seg.dcm") == {"AUTOMATIC"}
    assert np.array_equal(mask_of(out / "ich.seg.dcm", case.folder, case.ct), read_nrrd(out / "mask.seg.nrrd").array)
    made_by = pydicom.dcmread(out / "ich.seg.dcm").SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert made_by.AlgorithmVersion == result["provenance"]["model"]
    assert result["provenance"]["model_sha256"] in made_by.AlgorithmParameters

    assert cli.main(["measure", str(case.folder), str(tmp_path / "mask.seg.nrrd"), "-o", str(tmp_path / "corrected"),
                     "--automatic", str(out / "result.json"), "--dicom"]) == 0
    assert kinds_in(tmp_path / "corrected" / "ich.seg.dcm") == {"SEMIAUTOMATIC"}


def test_a_run_without_it_leaves_no_older_segmentation_behind(case, tmp_path):
    pytest.importorskip("highdicom")
    measure = ["measure", str(case.folder), str(tmp_path / "mask.seg.nrrd"), "-o", str(tmp_path / "out")]
    assert cli.main([*measure, "--dicom"]) == 0 and DICOM <= names_in(tmp_path / "out")
    assert cli.main(measure) == 0 and not DICOM & names_in(tmp_path / "out")


def test_nothing_marked_gives_the_report_alone(case, tmp_path):
    pytest.importorskip("highdicom")
    write_mask_seg_nrrd(tmp_path / "empty.seg.nrrd", np.zeros_like(case.mask), case.ct)
    assert cli.main(["measure", str(case.folder), str(tmp_path / "empty.seg.nrrd"), "-o", str(tmp_path / "out"),
                     "--dicom"]) == 0
    assert DICOM & names_in(tmp_path / "out") == {"ich.sr.dcm"}


def test_an_image_file_is_refused_before_any_work(tmp_path, capsys):
    pytest.importorskip("highdicom")
    (tmp_path / "ct.nii.gz").write_bytes(b"")
    assert cli.main(["segment", str(tmp_path / "ct.nii.gz"), "-o", str(tmp_path / "out"), "--dicom"]) == 2
    assert "is no DICOM" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_highdicom_one_sentence_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.workflow.exporters.find_spec", lambda name: None)
    assert cli.main(["segment", str(tmp_path), "-o", str(tmp_path / "out"), "--dicom"]) == 2
    assert "pip install ICHVolume[dicom]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_images_that_cannot_be_referred_to_leave_no_output(case, tmp_path, capsys):
    pytest.importorskip("highdicom")
    for path in case.folder.glob("*.dcm"):
        tags = pydicom.dcmread(path)
        del tags.SOPInstanceUID
        tags.save_as(path)
    assert cli.main(["measure", str(case.folder), str(tmp_path / "mask.seg.nrrd"), "-o", str(tmp_path / "out"),
                     "--dicom"]) == 2
    assert "SOPInstanceUID" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
