"""The shipped JSON Schema describes what is really written, field by field, and what earlier versions wrote."""

import json
from dataclasses import replace

import numpy as np
import pytest
from old_results import as_first_version
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.core.result import ClinicalInputs, Result, VolumeMl
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.result_files import JSON_SCHEMA, rounded
from ICHVolumeLib.segmentation.segmenter import Segmentation
from ICHVolumeLib.workflow.case import run_measure
from ICHVolumeLib.workflow.make_result import make_result

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads(JSON_SCHEMA.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
STEPS = [{"name": "outlines", "threshold_mm3": None, "removed_ml": 0.5, "added_ml": 1.25, "slices": [3]},
         {"name": "labels", "threshold_mm3": None, "removed_ml": 0.0, "added_ml": 0.0, "relabelled_ml": 0.2}]
FREE = {"seconds", "versions", "files", "inputs", "surface", "alternative", "shares",
        "label_intervals_ml"}  # names of their own inside


@pytest.fixture(scope="module")
def small():
    return ellipsoid_ct("regular", pixel_mm=2.0, step_mm=5.0)


@pytest.fixture(scope="module")
def results(small):
    """A model's case with an interval, a corrected one, ventricular blood alone, and nothing."""
    made = Segmentation(mask=small.mask, slice_uncertainty=np.zeros(len(small.mask)), engine="openvino", device="CPU",
                        findings=[Finding("x", "info", "y.")], seconds={"network": 1.0}, model="0.7.0",
                        model_sha256="0", interval_ml=(25.0, 56.0), interval_coverage=0.9,
                        interval_calibrated_on="synthetic patients", clean_up=STEPS,
                        label_intervals_ml={"ICH": (26.0, 55.0)})
    model = make_result(small.ct, small.mask, ClinicalInputs(age_years=67, gcs=11), made, noticed=[])
    edited = make_result(small.ct, small.mask, automatic_volume_ml=VolumeMl(5.0, 5.0, 0.0, 5.0), noticed=[])
    other_side = replace(model, ich_score=replace(model.ich_score, alternative={"score": 1, "range": (1, 2)}))
    return [model, edited, other_side, make_result(small.ct, small.mask * 2, noticed=[]),
            make_result(small.ct, small.mask * 0, noticed=[])]


def complaints(values):
    return [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(values)]


def unnamed(values, schema, path=""):
    """Fields that the schema does not name."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].split("/")[-1]]
    for choice in schema.get("anyOf", ()):
        if "$ref" in choice:
            return unnamed(values, choice, path) if values is not None else []
    if isinstance(values, dict) and path.split(".")[-1] not in FREE:
        found = [f"{path}.{name}" for name in values if name not in schema.get("properties", {})]
        return found + [one for name, value in values.items() if name in schema.get("properties", {})
                        for one in unnamed(value, schema["properties"][name], f"{path}.{name}")]
    if isinstance(values, list):
        return [one for value in values for one in unnamed(value, schema.get("items", {}), path + "[]")]
    return []


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_written_case_keeps_to_the_schema_and_every_field_is_described(small, tmp_path, monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))
    write_nrrd(tmp_path / "ct.nrrd", small.ct.hu, small.ct.ijk_to_ras)
    write_nrrd(tmp_path / "mask.nrrd", small.mask, small.ct.ijk_to_ras)
    run_measure(tmp_path / "ct.nrrd", tmp_path / "mask.nrrd", tmp_path / "out")
    values = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert complaints(values) == [] and unnamed(values, SCHEMA) == []
    assert values["history"] and values["files"] and values["surface"]
    assert f"{values['volume_ml']['total']}".split(".")[1] == f"{round(values['volume_ml']['total'], 4)}".split(".")[1]


def test_every_kind_of_case_keeps_to_the_schema(results):
    for result in results:
        values = json.loads(json.dumps(rounded(result.to_dict())))
        assert complaints(values) == [] and unnamed(values, SCHEMA) == []


def test_a_file_of_the_first_version_keeps_to_the_schema_and_is_read(results):
    for result in results:
        values = json.loads(json.dumps(as_first_version(result)))
        assert complaints(values) == []
        again = Result.from_dict(values)
        assert (again.volume_ml, again.interval_ml) == (result.volume_ml, result.interval_ml)
        if result.interval_ml:  # which knew no interval of the ICH alone: the total's, less the marked IVH (none here)
            assert again.interval_ich_ml == result.interval_ml != result.interval_ich_ml
        assert (again.mask_origin, again.marked_slices) == (result.mask_origin, result.marked_slices)


@pytest.mark.parametrize("place, wrong", [
    (("volume_ml", "total"), "45.8"), (("volume_ml", "ich"), -1), (("schema",), "ichvolume-result/2"), (("found",), 1),
    (("mask_origin",), "guessed"), (("provenance", "patient_key"), "Miller^Anna"), (("marked_slices",), [0, 3]),
    (("interval_ich_ml",), [1.0]), (("abc2", "slice_index"), 1.5)])
def test_what_is_wrong_is_refused(results, place, wrong):
    values = json.loads(json.dumps(results[0].to_dict()))
    *parents, name = place
    inside = values
    for parent in parents:
        inside = inside[parent]
    inside[name] = wrong
    assert complaints(values)
