"""`ichvolume cohort` as a user starts it."""

import csv
import json

import pytest
from cohort_scans import write_scans
from command_line import contents, ichvolume

from ICHVolumeLib import cli
from ICHVolumeLib.commands import cohort
from ICHVolumeLib.workflow.cohort import CohortProgress

torch = pytest.importorskip("torch")
from network_weights import thresholding_weights  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return thresholding_weights(tmp_path_factory.mktemp("weights"),
                                {"pixel_spacing_mm": {"native_range": [0.3, 5.0], "target": 0.47}})


@pytest.fixture
def without_dask(monkeypatch):
    monkeypatch.setattr(cohort, "find_spec", lambda name: None)


@pytest.fixture
def scans(tmp_path):
    write_scans(tmp_path / "scans", 2)
    return tmp_path / "scans"


def table(out):
    with open(out / "results.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_without_dask_one_process_measures_one_after_the_other(scans, weights, tmp_path, without_dask, capsys):
    (scans / "broken.nii").write_bytes(b"x")
    arguments = ["cohort", str(scans), "-o", str(tmp_path / "out"), "--weights", str(weights), "--no-report"]
    assert cli.main(arguments) == cli.FAILED
    said = capsys.readouterr()
    assert "Dask is not installed: one patient after the other" in said.err
    assert "1 of 3 patients could not be measured" in said.err and "problems.csv" in said.err
    assert "2 of 3 patients measured, 0 of them by an earlier run" in said.out and "broken: " in said.out
    assert [row["patient"] for row in table(tmp_path / "out")] == ["patient-0000", "patient-0001"]

    (scans / "broken.nii").unlink()
    assert cli.main([*arguments, "--progress", "json"]) == cli.DONE
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["progress", "progress", "done"]
    assert events[-1]["finished_before"] == 2 and events[0]["patient"] == "patient-0000"


@pytest.mark.parametrize("more, words", [
    (["--scheduler", "tcp://x:1"], "needs the package dask, which is not installed"),
    (["--workers", "2"], "needs the package dask, which is not installed")])
def test_many_workers_without_dask_are_refused(scans, tmp_path, without_dask, capsys, more, words):
    assert cli.main(["cohort", str(scans), "-o", str(tmp_path / "out"), *more]) == cli.BAD_INPUT
    assert words in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments, words", [
    (["nowhere"], "There is no file or folder nowhere"), (["list.csv"], "no column scan"),
    (["empty"], "No scan was found in empty"), (["scans", "--dicom", "--patient-key", "no-salt"], "no-salt"),
    (["scans", "--workers", "2", "--scheduler", "tcp://x:1"], "leave one of them out"),
    (["scans", "--weights", "nowhere"], "nowhere: no such folder")])
def test_bad_input_is_one_sentence_and_leaves_nothing(scans, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text("path\na\n")
    (tmp_path / "empty").mkdir()
    before = contents(tmp_path)
    assert cli.main(["cohort", *arguments, "-o", "out"]) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1 and "Traceback" not in said
    assert contents(tmp_path) == before


def test_zero_workers_are_bad_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["cohort", "x", "-o", "y", "--workers", "0"])
    assert ended.value.code == cli.BAD_INPUT and "from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize("seconds, words", [(0.4, "1 s"), (42.4, "42 s"), (600, "10 min"), (8000, "2 h 13 min"),
                                            (200000, "2 d 7 h")])
def test_durations_are_told_as_people_do(seconds, words):
    assert cohort.duration_words(seconds) == words


def test_progress_is_told_in_words():
    event = CohortProgress(412, 1027, 3, 0, 4800.0, None)
    assert cohort.progress_words(event) == "412 of 1,027 patients, 3 not measured, about 80 min left"


@pytest.mark.slow
def test_two_processes_started_by_the_command_give_the_table(scans, weights, tmp_path):
    done = ichvolume("cohort", scans, "-o", tmp_path / "out", "--weights", weights, "--workers", 2, "--no-report")
    assert done.returncode == cli.DONE, done.stderr
    line, = done.stderr.splitlines()
    assert line.startswith("ichvolume: 1 of 2 patients, about ")
    assert len(table(tmp_path / "out")) == 2
