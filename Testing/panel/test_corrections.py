"""Corrections and the rows of the results table, without Qt and without a scene."""

import sys
from pathlib import Path

import pytest
from phantoms import ellipsoid_ct

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ICHVolume"))

from ICHVolumePanel.ai_record import AiRecord  # noqa: E402
from ICHVolumePanel.corrections import Corrections  # noqa: E402
from ICHVolumePanel.results_table import interval_text, make_rows, parse_entry  # noqa: E402

from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.core.findings import INFO, Finding  # noqa: E402
from ICHVolumeLib.workflow.make_result import make_result  # noqa: E402


@pytest.fixture(scope="module")
def case():
    return ellipsoid_ct(pixel_mm=1.0, step_mm=5.0, head=False)


@pytest.fixture(scope="module")
def automatic(case):
    return make_result(case.ct, case.mask, noticed=[])


def rows_of(automatic, corrections):
    result = corrections.apply(automatic)
    return {row.key: row for row in make_rows(result, automatic.abc2, corrections, automatic.volume_ml,
                                              automatic.abc2)}


def test_nothing_corrected_is_the_automatic_result(automatic):
    assert Corrections().apply(automatic) == automatic


def test_every_row_has_its_own_key(automatic):
    rows = make_rows(automatic, automatic.abc2, Corrections())
    assert len({row.key for row in rows}) == len(rows)


def test_a_corrected_length_changes_what_is_derived_and_is_told(automatic):
    corrections = Corrections().changed(a_mm=50.0)
    result = corrections.apply(automatic)
    assert result.abc2.coniglobus_ml == pytest.approx(automatic.abc2.coniglobus_ml * 50 / automatic.abc2.a_mm)
    finding, = (f for f in result.findings if f.code == "abc2-corrected")
    assert "A 50.0 mm" in finding.message and f"automatic {automatic.abc2.a_mm:.1f}" in finding.message
    row = rows_of(automatic, corrections)["a_mm"]
    assert row.corrected and row.edited == "50.0" and f"{automatic.abc2.a_mm:.1f}" in row.note


def test_a_typed_length_wins_over_a_dragged_line(automatic):
    line = ((0.0, 0.0, 0.0), (40.0, 0.0, 0.0))
    assert Corrections(a_line_ras=line).abc2(automatic.abc2).a_mm == pytest.approx(40)
    assert Corrections(a_line_ras=line, a_mm=33.0).abc2(automatic.abc2).a_mm == pytest.approx(33)


def test_corrections_survive_json(automatic):
    corrections = Corrections(a_line_ras=((0.0, 1.0, 2.0), (3.0, 4.0, 5.0)), gcs=7, ivh=False, site="lobar")
    assert Corrections.from_json(corrections.to_json()) == corrections
    assert Corrections.from_json("") == Corrections()
    assert Corrections.from_json('{"gcs": 7, "of_a_later_version": 1}') == Corrections(gcs=7)


@pytest.mark.parametrize(("site", "infratentorial", "location"), [
    (None, None, None), ("lobar", False, "lobar"), ("supratentorial", False, None),
    ("infratentorial", True, "infratentorial")])
def test_the_site_answers_both_questions(site, infratentorial, location):
    clinical = Corrections(site=site).clinical()
    assert (clinical.infratentorial, clinical.location) == (infratentorial, location)


def test_the_scans_age_stands_in_until_one_is_entered():
    assert Corrections().clinical(60.0).age_years == 60.0
    assert Corrections(age_years=81.0).clinical(60.0).age_years == 81.0


def test_reset_keeps_what_has_no_automatic_value():
    corrections = Corrections(a_mm=1.0, c_mm=2.0, ivh=True, gcs=9, site="deep", age_years=70.0)
    assert corrections.without_measured() == Corrections(gcs=9, site="deep", age_years=70.0)


@pytest.mark.parametrize("values", [{"gcs": 2}, {"gcs": 7.5}, {"age_years": 200}, {"a_mm": 0}, {"c_mm": 999.0},
                                    {"nihss": 50}, {"site": "moon"}])
def test_what_cannot_be_is_refused_with_a_sentence(values):
    with pytest.raises(InputError, match=r"\w+ .*"):
        Corrections().changed(**values)


@pytest.mark.parametrize(("key", "text", "value"), [
    ("a_mm", " 12,5 mm ", 12.5), ("a_mm", "", None), ("gcs", "7", 7), ("gcs", "\u2013", None),
    ("age_years", "71", 71.0)])
def test_entries_are_read_as_people_write_them(key, text, value):
    assert parse_entry(key, text) == value


def test_words_are_no_number():
    with pytest.raises(InputError, match="not a number"):
        parse_entry("a_mm", "wide")
    for text in ("nan", "inf", "1e999"):
        with pytest.raises(InputError, match="not a number"):
            parse_entry("gcs", text)


def test_without_a_model_run_the_ai_column_is_empty(automatic):
    rows = make_rows(automatic, automatic.abc2, Corrections())
    assert {row.ai for row in rows if row.key in ("volume", "abc2", "a_mm")} == {"\u2013"}


def test_an_empty_mask_has_rows_that_cannot_be_corrected(case):
    empty = make_result(case.ct, case.mask * 0, noticed=[])
    rows = {row.key: row for row in make_rows(empty, empty.abc2, Corrections())}
    assert rows["a_mm"].entry == "" and rows["volume"].edited == "0.0"


def test_the_ai_record_survives_json_and_reviews_the_doubtful_first(automatic):
    import numpy as np

    from ICHVolumeLib.segmentation.segmenter import Segmentation

    run = Segmentation(mask=np.zeros((4, 2, 2), np.uint8), slice_uncertainty=np.array([0, 0.9, 0.3, 0.01], np.float32),
                       findings=[Finding("x", INFO, "y")], engine="openvino", device="CPU", seconds={"network": 1.0},
                       model="1", model_sha256="a", interval_ml=(1.0, 2.0))
    record = AiRecord.of(run, automatic)
    again = AiRecord.from_json(record.to_json())
    assert again.volume_ml == record.volume_ml and again.abc2 == record.abc2
    assert again.review_order() == record.review_order() == [1, 2]
    assert again.segmentation.interval_ml == (1.0, 2.0) and again.segmentation.findings == run.findings
    assert AiRecord.from_json("") is None


def test_every_number_follows_a_corrected_length(automatic):
    """Against a measurement with that length from the start, and both scores once 30 mL lies between the volumes."""
    from ICHVolumeLib.measure import abc2_with_axes

    corrections = Corrections(gcs=14, age_years=60.0, site="deep", ivh=False).changed(b_mm=20.0)
    clinical = corrections.clinical()
    phantom = ellipsoid_ct(pixel_mm=1.0, step_mm=5.0, head=False)
    scored = make_result(phantom.ct, phantom.mask, clinical, noticed=[])
    result = corrections.apply(scored)
    assert result.abc2 == abc2_with_axes(scored.abc2, b_mm=20.0)
    assert result.abc2.coniglobus_ml < 30 < result.volume_ml.ich
    assert (result.ich_score.score, result.ich_score.alternative["score"]) == (1, 0)
    rows = {row.key: row for row in make_rows(result, scored.abc2, corrections, scored.volume_ml, scored.abc2)}
    assert rows["kothari_ml"].note == f"its C {result.abc2.c_kothari_mm:.1f} mm"
    for key in ("abc2", "kothari_ml", "abc3_ml"):
        assert rows[key].edited != rows[key].ai
    assert rows["two_thirds_sh_ml"].edited == rows["two_thirds_sh_ml"].ai  # its height is C
    assert rows["ich_score_abc2"].edited == "0"
    difference_ml = result.abc2.coniglobus_ml - result.volume_ml.ich
    percent = 100 * difference_ml / result.volume_ml.ich
    assert rows["abc2"].note == f"{difference_ml:+.1f} ({percent:+.0f} %) to ICH"
    assert rows["abc2"].tooltip.endswith(f"of other patients: {result.abc2.expected_error_percent:.0f} %")
    assert result.components[0].abc2_ml == pytest.approx(result.abc2.coniglobus_ml)


def test_the_interval_is_shown_with_its_coverage(automatic):
    from dataclasses import replace

    calibrated = replace(automatic, interval_ml=(44.2, 56.4), interval_coverage=0.9)
    rows = make_rows(calibrated, automatic.abc2, Corrections(), automatic.volume_ml)
    row = next(row for row in rows if row.key == "volume")  # the interval is the total's
    assert row.note == "90 %: 44\u201356 mL"
    assert row.tooltip.endswith("90 % interval 44\u201356 mL")


def test_a_label_with_an_interval_of_its_own_shows_it_and_the_total_does_where_it_is_another(automatic):
    from dataclasses import replace

    def notes(result):
        return {row.key: row.note for row in make_rows(result, automatic.abc2, Corrections(), automatic.volume_ml)}

    calibrated = replace(automatic, interval_ml=(44.2, 56.4), interval_coverage=0.9,
                         label_intervals_ml={"ICH": (43.2, 58.4)})
    assert [notes(calibrated)[key] for key in ("ich_ml", "ivh_ml", "volume")] == ["90 %: 43\u201358 mL", "", ""]
    assert interval_text(calibrated) == "90 % interval 43\u201358 mL"  # one volume, one interval
    both = replace(calibrated, volume_ml=replace(calibrated.volume_ml, ivh=4.0))
    both = replace(both, volume_ml=replace(both.volume_ml, total=automatic.volume_ml.total))
    assert interval_text(both) == "90 % interval 44\u201356 mL"
    assert notes(both)["volume"] == "90 %: 44\u201356 mL"


def test_ventricular_blood_alone_has_no_score(case):
    only_ivh = make_result(case.ct, case.mask * 2, noticed=[])
    row = {row.key: row for row in make_rows(only_ivh, None, Corrections())}["ich_score"]
    assert (row.edited, row.note) == ("\u2013", "needs an ICH")
    assert row.tooltip.startswith("Only blood in the ventricles")
