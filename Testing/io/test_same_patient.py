"""Whether two scans are of one patient: only what is written in both files counts, and placeholders do not."""

import pytest

from ICHVolumeLib.io.same_patient import ScanIdentity, compare_patients, is_before

JANE = {"patient_id": "A1", "name": "DOE JANE", "birth_date": "19500101"}


@pytest.mark.parametrize("one, other, answer", [
    (JANE, JANE, "same"),
    ({"patient_id": "A1"}, {"patient_id": "A1"}, "same"),
    ({"name": "DOE JANE", "birth_date": "19500101"}, JANE, "same"),
    (JANE, {"patient_id": "B2", "name": "ROE MARY", "birth_date": "19600101"}, "different"),
    ({"patient_id": "A1"}, {"patient_id": "B2"}, "different"),
    (JANE, {**JANE, "name": "ROE JANE"}, "conflict"),
    (JANE, {**JANE, "patient_id": "B2"}, "conflict"),
    ({}, {}, "cannot tell"),
    (JANE, {}, "cannot tell"),
    ({"patient_id": "ANONYMOUS", "name": "ANON"}, {"patient_id": "ANONYMOUS", "name": "ANON"}, "cannot tell"),
    ({"name": "DOE JANE"}, {"name": "DOE JANE"}, "cannot tell"),
    ({"birth_date": "19500101"}, {"birth_date": "19500101"}, "cannot tell"),
    ({"study_uid": "1.2"}, {"study_uid": "1.2"}, "same"),
    ({"study_uid": "1.2", **JANE}, {"study_uid": "1.2", "patient_id": "B2"}, "different"),
])
def test_the_verdict_and_that_it_names_no_value(one, other, answer):
    for pair in ((one, other), (other, one)):
        verdict = compare_patients(*(ScanIdentity(**values) for values in pair))
        assert verdict.answer == answer
        assert not any(value in verdict.why for value in (*one.values(), *other.values()))


def test_an_identity_is_not_shown_by_printing_it():
    assert "DOE" not in repr(ScanIdentity(**JANE)) and "A1" not in repr(ScanIdentity(**JANE))


@pytest.mark.parametrize("one, other, before", [
    ("2026-01-01", "2026-01-02T08:00:00", True),
    ("2026-01-02T09:00:00", "2026-01-02T08:00:00", False),
    ("2026-01-02", "2026-01-02T08:00:00", None),
    ("", "2026-01-02", None),
    ("2026-01-02", "2026-01-02", False),
])
def test_the_order_is_known_or_not(one, other, before):
    assert is_before(one, other) is before
