"""Scores against the publications' own tables, written here a second time."""

from itertools import product
from math import sqrt

import pytest

from ICHVolumeLib.clinical.scores import CARE_NOTE, MORTALITY_30D, func, gcs_total, ich_score, max_ich
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.result import ClinicalInputs

KNOWN = ClinicalInputs(age_years=70, gcs=14, infratentorial=False, ivh=False, nihss=5, oral_anticoagulation=False,
                       location="deep", cognitive_impairment=False)

# Hemphill 2001, table 2: (finding, points)
GCS = [(3, 2), (4, 2), (5, 1), (12, 1), (13, 0), (15, 0)]
VOLUME = [(29.99, 0), (30.0, 1)]
AGE = [(79, 0), (80, 1)]
YES_NO = [(False, 0), (True, 1)]

# Hemphill 2001, figure: score, patients, deaths within 30 days
PATIENTS = [(0, 26, 0), (1, 32, 4), (2, 27, 7), (3, 32, 23), (4, 29, 28), (5, 6, 6)]


@pytest.mark.parametrize("gcs, volume, ivh, infratentorial, age", [*product(GCS, VOLUME, YES_NO, YES_NO, AGE)])
def test_every_combination_scores_as_published(gcs, volume, ivh, infratentorial, age):
    inputs = ClinicalInputs(age_years=age[0], gcs=gcs[0], infratentorial=infratentorial[0], ivh=ivh[0])
    expected = gcs[1] + volume[1] + ivh[1] + infratentorial[1] + age[1]
    result = ich_score(inputs, volume[0], ivh_in_mask=None)
    assert (result.score, result.range) == (expected, (expected, expected))
    assert {name: item["points"] for name, item in result.inputs.items()} == {
        "gcs": gcs[1], "volume_ml": volume[1], "ivh": ivh[1], "infratentorial": infratentorial[1], "age_years": age[1]}


def test_every_gcs_has_its_points():
    points = [ich_score(_known(gcs=gcs), 5.0, False).score for gcs in range(3, 16)]
    assert points == [2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]


def test_the_mortality_table_is_the_published_one():
    assert MORTALITY_30D == {0: (0, (0, 13)), 1: (13, (5, 28)), 2: (26, (13, 45)),
                             3: (72, (55, 84)), 4: (97, (83, 99)), 5: (100, (61, 100))}


@pytest.mark.parametrize("score, patients, deaths", PATIENTS)
def test_percent_and_interval_follow_from_the_published_counts(score, patients, deaths):
    z = 1.959964
    share = deaths / patients
    middle = (share + z * z / (2 * patients)) / (1 + z * z / patients)
    half = z * sqrt(share * (1 - share) / patients + (z / (2 * patients)) ** 2) / (1 + z * z / patients)
    percent, interval = MORTALITY_30D[score]
    assert percent == pytest.approx(100 * share, abs=0.51)  # 4 of 32 is 12.5 %, printed as 13 %
    assert interval == pytest.approx((100 * max(0, middle - half), 100 * min(1, middle + half)), abs=0.51)


def test_the_counts_are_all_152_patients():
    assert sum(patients for _, patients, _ in PATIENTS) == 152


def test_a_known_score_carries_its_mortality_and_interval():
    result = ich_score(_known(gcs=8, infratentorial=True, location=None, ivh=True), 10.0, None)
    assert (result.score, result.mortality_30d_percent, result.mortality_30d_ci95) == (3, 72, (55, 84))
    assert result.mortality_30d_range == (72, 72)


def test_a_score_of_six_has_no_mortality_and_says_why():
    inputs = ClinicalInputs(age_years=88, gcs=3, infratentorial=True, ivh=True)
    result = ich_score(inputs, 45.0, None)
    assert (result.score, result.mortality_30d_percent, result.mortality_30d_ci95) == (6, None, None)
    assert result.mortality_30d_range is None and "not observed" in result.note


@pytest.mark.parametrize("item, expected", [("gcs", (0, 2)), ("age_years", (0, 1)), ("infratentorial", (0, 1))])
def test_an_unknown_item_gives_a_range_and_no_score(item, expected):
    result = ich_score(_known(**{item: None}, **({"location": None} if item == "infratentorial" else {})), 5.0, None)
    assert (result.score, result.range) == (None, expected)
    assert result.inputs[item] == {"value": None, "points": None, "source": "unknown"}
    assert result.mortality_30d_percent is None
    assert result.mortality_30d_range == (0, MORTALITY_30D[expected[1]][0])


def test_with_nothing_known_the_range_is_everything():
    result = ich_score(ClinicalInputs(), None, None)
    assert (result.score, result.range, result.mortality_30d_range) == (None, (0, 6), (0, 100))


@pytest.mark.parametrize("seen", [False, True])
def test_ivh_in_the_mask_is_a_suggestion_that_leaves_the_range_open(seen):
    result = ich_score(_known(ivh=None), 5.0, ivh_in_mask=seen)
    assert result.inputs["ivh"] == {"value": seen, "points": int(seen), "source": "mask"}
    assert (result.score, result.range) == (int(seen), (0, 1))
    assert "please confirm: IVH" in result.note


def test_the_clinicians_answer_overrules_the_mask():
    result = ich_score(_known(ivh=False), 5.0, ivh_in_mask=True)
    assert result.inputs["ivh"] == {"value": False, "points": 0, "source": "entered"}
    assert (result.score, result.range) == (0, (0, 0))


def test_a_suggested_site_is_marked_too():
    result = ich_score(_known(infratentorial=None, location=None), 5.0, None, infratentorial_suggested=True)
    assert result.inputs["infratentorial"]["source"] == "mask" and result.range == (0, 1)


def test_a_location_answers_the_question_of_the_site():
    assert ich_score(_known(infratentorial=None, location="infratentorial"), 5.0, None).score == 1
    assert ich_score(_known(infratentorial=None, location="lobar"), 5.0, None).score == 0


def test_voxel_volume_and_abc2_on_different_sides_of_30_ml_show_both_scores():
    result = ich_score(_known(), 28.0, None, abc2_ml=31.5)
    assert result.score == 0
    assert result.alternative["score"] == 1 and result.alternative["volume_ml"] == 31.5
    assert result.alternative["mortality_30d_percent"] == 13
    assert "28.0 mL" in result.note and "31.5 mL" in result.note


@pytest.mark.parametrize("volume_ml, abc2_ml", [(28, 29), (30, 35), (31, None)])
def test_on_the_same_side_there_is_one_score(volume_ml, abc2_ml):
    assert ich_score(_known(), volume_ml, None, abc2_ml=abc2_ml).alternative is None


@pytest.mark.parametrize("interval_ml, expected", [((27, 33), (0, 1)), ((27, 30), (0, 1)), ((27, 29.9), (0, 0))])
def test_an_uncertain_volume_across_30_ml_opens_the_range(interval_ml, expected):
    result = ich_score(_known(), 28.0, None, interval_ml=interval_ml)
    assert (result.score, result.range) == (0, expected)


@pytest.mark.parametrize("change, words", [
    ({"gcs": 2}, "GCS 2"), ({"gcs": 16}, "GCS 16"), ({"gcs": 7.5}, "whole number"), ({"age_years": -1}, "Age -1"),
    ({"age_years": 131}, "Age 131"), ({"age_years": float("nan")}, "Age nan"), ({"nihss": 43}, "NIHSS 43"),
    ({"location": "left"}, "lobar"), ({"infratentorial": True}, "Infratentorial origin is 'yes'"),
    ({"ivh": "maybe"}, "yes or no"), ({"gcs": "12"}, "GCS 12"),
])
def test_impossible_inputs_are_refused_by_every_score(change, words):
    inputs = _known(**change)
    for score in (lambda: ich_score(inputs, 5.0, None), lambda: max_ich(inputs, 5.0, None),
                  lambda: func(inputs, 5.0)):
        with pytest.raises(InputError, match=words):
            score()


@pytest.mark.parametrize("volume_ml", [-1.0, float("nan")])
def test_an_impossible_volume_is_refused(volume_ml):
    with pytest.raises(InputError, match="mL is not possible"):
        ich_score(_known(), volume_ml, None)


@pytest.mark.parametrize("e, v, m, total", [(1, 1, 1, 3), (4, 5, 6, 15), (2, 3, 4, 9)])
def test_gcs_is_the_sum_of_its_parts(e, v, m, total):
    assert gcs_total(e, v, m) == total


@pytest.mark.parametrize("e, v, m", [(0, 1, 1), (5, 1, 1), (1, 6, 1), (1, 1, 7)])
def test_an_impossible_part_of_the_gcs_is_refused(e, v, m):
    with pytest.raises(InputError, match="response"):
        gcs_total(e, v, m)


# max-ICH, Sembill 2017
@pytest.mark.parametrize("nihss, points", [(0, 0), (6, 0), (7, 1), (13, 1), (14, 2), (20, 2), (21, 3), (42, 3)])
def test_max_ich_by_nihss(nihss, points):
    assert max_ich(_known(nihss=nihss, age_years=60), 5.0, None).score == points


@pytest.mark.parametrize("age, points", [(69, 0), (70, 1), (74, 1), (75, 2), (79, 2), (80, 3)])
def test_max_ich_by_age(age, points):
    assert max_ich(_known(age_years=age), 5.0, None).score == points


@pytest.mark.parametrize("location, volume_ml, points", [
    ("lobar", 29.9, 0), ("lobar", 30, 1), ("deep", 9.9, 0), ("deep", 10, 1), ("infratentorial", 10, 1)])
def test_max_ich_by_volume_and_location(location, volume_ml, points):
    inputs = _known(age_years=60, location=location, infratentorial=None)
    assert max_ich(inputs, volume_ml, None).score == points


@pytest.mark.parametrize("volume_ml, score, span", [(5, 0, (0, 0)), (20, None, (0, 1)), (35, 1, (1, 1))])
def test_max_ich_needs_the_location_only_where_it_matters(volume_ml, score, span):
    result = max_ich(_known(age_years=60, location=None, infratentorial=None), volume_ml, None)
    assert (result.score, result.range) == (score, span)


def test_max_ich_at_its_highest():
    inputs = ClinicalInputs(age_years=90, nihss=30, ivh=True, oral_anticoagulation=True, location="lobar")
    assert max_ich(inputs, 50, None).score == 9


# FUNC, Rost 2008
@pytest.mark.parametrize("volume_ml, points", [(29.9, 4), (30, 2), (60, 2), (60.1, 0)])
def test_func_by_volume(volume_ml, points):
    others = 1 + 1 + 2 + 1  # age 70, deep, GCS 14, no cognitive impairment
    assert func(_known(), volume_ml).score == points + others


@pytest.mark.parametrize("change, score", [
    ({"age_years": 69}, 10), ({"age_years": 79}, 9), ({"age_years": 80}, 8), ({"gcs": 9}, 9), ({"gcs": 8}, 7),
    ({"location": "lobar"}, 10), ({"location": "infratentorial", "infratentorial": None}, 8),
    ({"cognitive_impairment": True}, 8)])
def test_func_by_item(change, score):
    assert func(_known(**change), 5.0).score == score


def test_func_at_its_ends_and_unknown():
    best = ClinicalInputs(age_years=50, gcs=15, location="lobar", cognitive_impairment=False)
    worst = ClinicalInputs(age_years=85, gcs=5, location="infratentorial", cognitive_impairment=True)
    assert (func(best, 5.0).score, func(worst, 80.0).score) == (11, 0)
    assert func(ClinicalInputs(), None).range == (0, 11)
    assert func(ClinicalInputs(infratentorial=False), None).range == (1, 11)


def test_every_score_says_that_it_is_not_for_limiting_care():
    for result in (ich_score(_known(), 5.0, None), max_ich(_known(), 5.0, None), func(_known(), 5.0)):
        assert CARE_NOTE in result.note
    assert "48-72 hours" in CARE_NOTE and "10.1007/s12028-023-01854-7" in CARE_NOTE


def _known(**changes):
    return ClinicalInputs(**{**vars(KNOWN), **changes})
