"""A result in words, as the command line and the report say it."""

from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.report.summary import headline, interval_name, mortality_text, score_text, summary_rows
from ICHVolumeLib.workflow.make_result import make_result

KNOWN = ClinicalInputs(age_years=60, gcs=14, infratentorial=False, ivh=False)


@pytest.fixture(scope="module")
def result(phantom):
    return make_result(phantom.ct, phantom.mask, KNOWN, noticed=[])


def remark(result, name):
    return next(row.remark for row in summary_rows(result) if row.name == name)


def test_an_interval_says_its_coverage(result):
    calibrated = replace(result, interval_ml=(44.0, 56.04), interval_coverage=0.9)
    assert remark(calibrated, "ICH volume") == "90 % interval 44.0 to 56.0 mL; no IVH marked"
    named = replace(calibrated, interval_calibrated_on="synthetic patients")
    assert remark(named, "ICH volume").startswith("90 % interval 44.0 to 56.0 mL, calibrated on synthetic patients;")
    assert interval_name(replace(calibrated, interval_coverage=None)) == "interval"


def test_the_table_shows_both_scores_when_volume_and_abc2_lie_on_different_sides_of_30_ml(result, phantom):
    by_volume = replace(result.ich_score, alternative={"score": 0, "range": (0, 0), "volume_ml": 29.2})
    said = remark(replace(result, ich_score=by_volume), "ICH score")
    assert said.endswith("by ABC/2 (29.2 mL), on the other side of 30 mL, the score would be 0")
    by_volume = replace(by_volume, alternative={"score": None, "range": (0, 2), "volume_ml": 29.2})
    assert remark(replace(result, ich_score=by_volume), "ICH score").endswith("would be 0 to 2")


def test_abc2_over_several_pieces_says_whose_lines_are_shown(result):
    assert "sum over" not in remark(result, "ABC/2")
    assert remark(replace(result, abc2=replace(result.abc2, pieces=2)), "ABC/2").split("; ")[1].startswith(
        "sum over 2 pieces, the largest: A ")


def test_the_ich_comes_first_then_ivh_then_total_then_abc2_with_its_real_difference(phantom):
    half = phantom.mask.copy()
    half[:, :, : half.shape[2] // 2][half[:, :, : half.shape[2] // 2] == 1] = 2  # half of 50 mL each, by symmetry
    both = replace(make_result(phantom.ct, half, KNOWN, noticed=[]), interval_ml=(40.0, 60.0), interval_coverage=0.9)
    rows = summary_rows(both)
    assert [row.name for row in rows[:4]] == ["ICH volume", "IVH volume", "Total volume", "ABC/2"]
    ich_ml, ivh_ml = (np.count_nonzero(half == label) * 5.0 / 1000 for label in (1, 2))  # voxels of 1 x 1 x 5 mm
    assert [row.value for row in rows[:3]] == [f"{ml:.1f} mL" for ml in (ich_ml, ivh_ml, ich_ml + ivh_ml)]
    assert rows[0].remark == f"90 % interval {40 - ivh_ml:.1f} to {60 - ivh_ml:.1f} mL"
    assert rows[2].remark == "90 % interval 40.0 to 60.0 mL"
    difference_ml = both.abc2.coniglobus_ml - ich_ml
    assert rows[3].remark.startswith(f"{difference_ml:+.1f} mL ({100 * difference_ml / ich_ml:+.0f} %) against the ICH")
    assert rows[3].remark.endswith(f"published mean error for {both.abc2.shape_class} shapes "
                                   f"{both.abc2.expected_error_percent:.1f} %")


def test_a_score_shows_its_range_only_while_something_is_open(result):
    assert score_text(result.ich_score) == "1"
    assert score_text(replace(result.ich_score, range=(1, 2))) == "1 (1 to 2)"
    assert score_text(replace(result.ich_score, score=None, range=(1, 2))) == "1 to 2"


def test_mortality_is_one_figure_only_while_the_score_is_one_figure(result):
    assert mortality_text(result.ich_score) == "30-day mortality 13 % (95 % CI 5 to 28 %)"
    suggested = replace(result.ich_score, range=(1, 2), mortality_30d_range=(13.0, 26.0))
    assert mortality_text(suggested) == "30-day mortality 13 to 26 %"


def test_blood_in_the_ventricles_alone_has_a_volume_and_no_score(phantom):
    only_ivh = make_result(phantom.ct, phantom.mask * 2, KNOWN, noticed=[])
    rows = {row.name: row for row in summary_rows(only_ivh)}
    assert (rows["ICH volume"].value, rows["ICH volume"].remark) == ("0.00 mL", "IVH only, no ICH")
    assert rows["IVH volume"].value == rows["Total volume"].value == f"{only_ivh.volume_ml.ivh:.1f} mL"
    assert rows["ICH score"].value == "does not apply"
    assert rows["ICH score"].remark.startswith("Only blood in the ventricles (IVH) is marked")
    assert headline(only_ivh).startswith("Ventricular blood only (no ICH) marked on slices")
    assert "ABC/2" not in rows
