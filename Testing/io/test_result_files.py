"""result.json and result.csv: every number, and what is no result is refused."""

import csv
import json
from dataclasses import replace

import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.io import result_files
from ICHVolumeLib.io.result_files import read_automatic, write_csv, write_json
from ICHVolumeLib.workflow.make_result import make_result


@pytest.fixture(scope="module")
def result(phantom):
    return make_result(phantom.ct, phantom.mask, ClinicalInputs(gcs=11), noticed=[])


def test_json_keeps_every_number_and_starts_with_the_schema(tmp_path, result):
    write_json(tmp_path / "result.json", result.to_dict())
    read = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert next(iter(read)) == "schema"
    assert read["volume_ml"]["total"] == result.volume_ml.total
    assert read["abc2"]["a_line_ras"] == [list(point) for point in result.abc2.a_line_ras]
    assert read_automatic(tmp_path / "result.json")[0] == result.volume_ml


def test_numbers_of_the_file_end_after_four_decimals_and_the_geometry_after_six():
    values = {"volume_ml": {"total": 45.83142000000001}, "geometry": {"pixel_spacing_mm": (0.48828125, 1 / 3)},
              "ivh": True, "slices": 40, "source": "1.23456789", "interval_ml": None}
    assert result_files.rounded(values) == {
        "volume_ml": {"total": 45.8314}, "geometry": {"pixel_spacing_mm": [0.488281, 0.333333]},
        "ivh": True, "slices": 40, "source": "1.23456789", "interval_ml": None}


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
    assert float(row["volume_total_ml"]) == round(result.volume_ml.total, 1)
    assert float(row["abc2_coniglobus_ml"]) == round(result.abc2.coniglobus_ml, 1)
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
