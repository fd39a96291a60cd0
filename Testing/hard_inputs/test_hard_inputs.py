"""Every hard input ends in the right number, a warning or a refusal, as its case says."""

import re

import pytest
from hard_inputs.all_cases import all_cases
from hard_inputs.hard_input import BALL_ML, ball_ct, outcome_of

CASES = all_cases()
WHAT_TO_DO = re.compile(r"\b(check|look|load|prefer|export|compare|give|measure again|measure the|remove|mark|say|save|"
                        r"take them out|run the command|do not use|nothing needs)\b", re.I)
POWER_OF_TEN = re.compile(r"\de[+-]\d")


@pytest.mark.parametrize("case", [
    pytest.param(case, id=case.name, marks=pytest.mark.slow if case.slow else ()) for case in CASES])
def test_a_hard_input_ends_as_its_case_says(case, tmp_path):
    outcome = outcome_of(case, tmp_path)
    assert outcome.meets(case), (case.expected, case.true_ml, case.words, outcome)
    said = [finding.message for finding in outcome.findings if finding.severity == "warning"]
    for sentence in [outcome.sentence] if outcome.observed == "refused" else said:
        assert WHAT_TO_DO.search(sentence) and not POWER_OF_TEN.search(sentence), sentence


def test_every_case_has_a_name_of_its_own():
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_ball_is_as_large_as_its_formula_says():
    ct = ball_ct()
    assert (ct.hu >= 1800).sum(axis=(1, 2)) @ ct.voxel_volumes_mm3 / 1000 == pytest.approx(BALL_ML, rel=0.005)
