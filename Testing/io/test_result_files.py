"""result.json, result.csv and the output folder that is complete or untouched."""

import csv
import json
import os
from dataclasses import replace

import pytest
from command_line import contents

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.io import result_files
from ICHVolumeLib.io.result_files import OutputFolder, read_automatic, write_csv, write_json
from ICHVolumeLib.workflow.make_result import make_result


@pytest.fixture(scope="module")
def result(phantom):
    return make_result(phantom.ct, phantom.mask, ClinicalInputs(gcs=11), noticed=[])


def write_case(folder, *names):
    with OutputFolder(folder, ("a.txt", "b.txt", "c.txt")) as output:
        for name in names:
            (output.staging / name).write_text("new " + name)
        return output.commit()


def test_a_new_folder_appears_with_its_parents_and_nothing_else(tmp_path):
    assert write_case(tmp_path / "deep" / "out", "a.txt", "b.txt") == ["a.txt", "b.txt"]
    assert contents(tmp_path) == {"deep/out/a.txt": b"new a.txt", "deep/out/b.txt": b"new b.txt"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_new_folder_has_the_permissions_of_any_new_folder(tmp_path):
    write_case(tmp_path / "out", "a.txt")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_other_files_in_an_existing_folder_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "a.txt").write_text("old")
    write_case(tmp_path, "a.txt")
    assert contents(tmp_path) == {"a.txt": b"new a.txt", "notes.txt": b"mine"}


def test_a_file_of_an_earlier_case_that_the_new_one_lacks_is_removed(tmp_path):
    (tmp_path / "b.txt").write_text("surface of another patient")
    write_case(tmp_path, "a.txt")
    assert contents(tmp_path) == {"a.txt": b"new a.txt"}


def test_without_commit_nothing_stays(tmp_path):
    with OutputFolder(tmp_path / "deep" / "out") as output:
        (output.staging / "result.json").write_text("{}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing_call", [1, 2, 3, 4])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_commit_puts_the_earlier_files_back(tmp_path, monkeypatch, failing_call, failure):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("old " + name)
    before, calls, real = contents(tmp_path), [], os.replace

    def sometimes_failing(source, target):
        calls.append(source)
        if len(calls) == failing_call:
            raise failure
        real(source, target)

    monkeypatch.setattr(result_files.os, "replace", sometimes_failing)
    with pytest.raises(KeyboardInterrupt if failure is KeyboardInterrupt else InputError):
        write_case(tmp_path, "a.txt", "b.txt")
    assert contents(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("place", ["file.txt", "file.txt/out", "file.txt/deep/out"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(tmp_path, place):
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(InputError, match="Cannot write into .*choose an output folder"):
        OutputFolder(tmp_path / place)
    assert contents(tmp_path) == {"file.txt": b"mine"}


def test_json_keeps_every_number_and_starts_with_the_schema(tmp_path, result):
    write_json(tmp_path / "result.json", result.to_dict())
    read = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert next(iter(read)) == "schema"
    assert read["volume_ml"]["total"] == result.volume_ml.total
    assert read["abc2"]["a_line_ras"] == [list(point) for point in result.abc2.a_line_ras]
    assert read_automatic(tmp_path / "result.json")[0] == result.volume_ml


def test_json_refuses_what_json_cannot_say(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "result.json", {"volume_ml": float("nan")})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"volume_ml": {"total": 1}}', '{"volume_ml": {"total": "x"}}'])
def test_a_file_that_is_no_result_is_refused_as_the_automatic_one(tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(InputError, match="is not a result.json"):
        read_automatic(tmp_path / "other.json")


def test_csv_is_one_row_that_says_the_same_as_the_result(tmp_path, result):
    write_csv(tmp_path / "result.csv", result)
    with open(tmp_path / "result.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    row = rows[0]
    assert float(row["volume_total_ml"]) == result.volume_ml.total
    assert float(row["abc2_coniglobus_ml"]) == result.abc2.coniglobus_ml
    assert (row["found"], row["ich_score"], row["ich_score_highest"]) == ("yes", "", str(result.ich_score.range[1]))


def test_csv_of_a_case_without_a_bleed_has_the_same_columns(tmp_path, phantom, result):
    nothing = make_result(phantom.ct, phantom.mask * 0, noticed=[])
    row = result_files.csv_row(replace(nothing, interval_ml=None))
    assert list(row) == list(result_files.csv_row(result))
    assert row["found"] == "no" and row["abc2_a_mm"] is None and row["volume_total_ml"] == 0


def test_a_score_that_does_not_apply_leaves_its_cells_empty(phantom):
    row = result_files.csv_row(make_result(phantom.ct, phantom.mask * 2, ClinicalInputs(gcs=11), noticed=[]))
    names = [f"{score}_{end}" for score in ("ich_score", "max_ich", "func") for end in ("lowest", "highest")]
    assert {row[name] for name in ("ich_score", "mortality_30d_percent", *names)} == {None}
    assert row["found"] == "yes" and row["volume_ivh_ml"] > 0
