"""The shipped JSON Schema describes compare.json field by field."""

import json
from dataclasses import fields, is_dataclass

import pytest
from comparisons import comparison

from ICHVolumeLib.core import comparison as records
from ICHVolumeLib.io.compare_files import COMPARE_JSON, COMPARE_SCHEMA, write_compare_csv, write_compare_json

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads(COMPARE_SCHEMA.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def written(folder, **changed):
    write_compare_csv(folder, comparison(**changed))
    write_compare_json(folder, comparison(**changed))
    return json.loads((folder / COMPARE_JSON).read_text(encoding="utf-8"))


def test_what_is_written_is_what_the_schema_says(tmp_path):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    values = written(tmp_path, hours_between=25.5, residual_ich_ml=1.0, residual_ich_percent=5.0)
    assert [error.message for error in VALIDATOR.iter_errors(values)] == []
    assert [error.message for error in VALIDATOR.iter_errors(written(tmp_path))] == []


def test_every_field_is_named():
    for record in (one for one in vars(records).values() if is_dataclass(one)):
        where = SCHEMA if record is records.Comparison else SCHEMA["$defs"].get(record.__name__)
        assert set(where["properties"]) == {field.name for field in fields(record)}, record


@pytest.mark.parametrize("change", [{"schema": "ichvolume-compare/2"}, {"total_ml": "12"}, {"patient": "maybe"},
                                    {"expansion": None}])
def test_other_values_are_refused(tmp_path, change):
    assert list(VALIDATOR.iter_errors({**written(tmp_path), **change}))
