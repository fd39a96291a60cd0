"""`ichvolume sample` and the comparison of `ichvolume demo`."""

import json

import numpy as np
import pytest
from command_line import contents

from ICHVolumeLib import cli
from ICHVolumeLib.commands.demo import compare
from ICHVolumeLib.io.masks import read_mask
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.synthetic import sample
from ICHVolumeLib.workflow.case import CaseFiles
from ICHVolumeLib.workflow.make_result import make_result


@pytest.fixture(autouse=True)
def small_patients(monkeypatch):
    """A patient of 128 x 128 pixels takes a tenth of a second."""
    monkeypatch.setattr(sample, "make_sample", lambda seed, **options: _MAKE(seed, size=128, **options))


_MAKE = sample.make_sample


def written(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def test_a_sample_reads_back_as_the_scan_and_mask_it_came_from(tmp_path):
    assert cli.main(["sample", str(tmp_path / "s"), "--tilt", "18", "--uneven", "--ivh"]) == 0
    ct = read_ct(tmp_path / "s" / "ct")
    mask = read_mask(tmp_path / "s" / "truth.seg.nrrd", ct)
    made = _MAKE(0, tilt_deg=18, uneven=True, ivh=True, size=128)
    assert np.array_equal(mask, made.mask) and {1, 2} <= set(np.unique(mask))
    assert np.allclose(ct.slice_origins_ras, made.ct.slice_origins_ras, atol=1e-3)
    assert ct.tilt_deg == pytest.approx(18, abs=0.1)
    assert written(tmp_path / "s")["volume_ml"] == pytest.approx(made.true_volume_ml, abs=5e-5)
    assert written(tmp_path / "s")["location"] == made.location


def test_a_sample_as_nrrd_is_one_file(tmp_path):
    assert cli.main(["sample", str(tmp_path), "--format", "nrrd"]) == 0
    assert sorted(contents(tmp_path)) == ["ct.nrrd", "truth.json", "truth.seg.nrrd"]
    assert np.array_equal(read_ct(tmp_path / "ct.nrrd").hu, _MAKE(0, size=128).ct.hu)


def test_the_same_seed_gives_the_same_files_and_another_seed_another_patient(tmp_path):
    for folder, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        cli.main(["sample", str(tmp_path / folder), "--seed", seed])
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert written(tmp_path / "a")["volume_ml"] != written(tmp_path / "c")["volume_ml"]


def test_a_sample_tells_how_far_it_is_and_ends_with_its_volume(tmp_path, capsys):
    assert cli.main(["sample", str(tmp_path / "s"), "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    scanning = [(event["done"], event["total"]) for event in events if event.get("stage") == "scan"]
    assert scanning == [(done, 40) for done in range(1, 41)]
    assert events[-1]["event"] == "done"
    assert events[-1]["volume_ml"] == pytest.approx(written(tmp_path / "s")["volume_ml"], abs=5e-5)
    assert cli.main(["sample", str(tmp_path / "t"), "--progress", "bar"]) == 0
    assert "Scanning it          [########################] 40/40" in capsys.readouterr().err


def test_without_a_bleed_the_truth_is_zero(tmp_path):
    cli.main(["sample", str(tmp_path), "--no-bleed"])
    assert written(tmp_path)["volume_ml"]["total"] == 0


def test_a_second_sample_replaces_the_first_with_all_its_slices(tmp_path):
    cli.main(["sample", str(tmp_path), "--uneven"])
    cli.main(["sample", str(tmp_path)])
    assert len(list((tmp_path / "ct").iterdir())) == written(tmp_path)["geometry"]["slices"] == 40


@pytest.mark.parametrize("options, reason", [
    (["--tilt", "45"], "at most 30 degrees"), (["--tilt", "nan"], "at most 30 degrees"), (["--seed", "-1"], "negative"),
    (["--uneven", "--format", "nrrd"], "NRRD cannot hold uneven")])
def test_impossible_options_are_refused_and_nothing_is_written(tmp_path, capsys, options, reason):
    assert cli.main(["sample", str(tmp_path / "s"), *options]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_somebody_elses_scan_is_left_alone(tmp_path, capsys):
    (tmp_path / "ct").mkdir()
    (tmp_path / "ct" / "patient.dcm").write_bytes(b"real")
    assert cli.main(["sample", str(tmp_path)]) == 2
    assert "already holds a scan" in capsys.readouterr().err
    assert contents(tmp_path) == {"ct/patient.dcm": b"real"}


def test_the_comparison_is_dice_and_volume_error_against_the_truth(tmp_path):
    patient = _MAKE(0, ivh=True, size=128)
    half = patient.mask.copy()
    half[:, :, ::2][half[:, :, ::2] == 1] = 0  # every second column of the ICH is missed
    seconds = {"read": 1.0, "prepare": 0.25, "load": 0.25, "network": 2.0, "clean": 0.25, "measure": 0.25,
               "report": 9.0}
    case = CaseFiles(patient.ct, half, make_result(patient.ct, half, noticed=[]), tmp_path, [], seconds)
    said = compare(patient, case)
    kept = (half == 1).sum() / (patient.mask == 1).sum()
    assert said["dice"]["ICH"] == pytest.approx(2 * kept / (1 + kept))
    assert said["dice"]["IVH"] == 1
    assert said["error_percent"] == pytest.approx(100 * (case.result.volume_ml.total / said["true_ml"] - 1))
    assert said["case_seconds"] == 3.0
    assert said["apart_seconds"] == {"read": 1.0, "report": 9.0}
