"""Pieces that hardly stand out go; bleeds stay, however small."""

import numpy as np
import pytest

from ICHVolumeLib.postprocessing.false_positive_filter import (
    FEATURES,
    drop_doubtful,
    drop_unlikely,
    features_of_components,
    possible_components,
    probability_real,
)
from ICHVolumeLib.postprocessing.local_contrast import Evidence

SPACING_MM, MM3 = (0.5, 0.5), np.full(6, 0.5 * 0.5 * 5)
CONTRAST_ALONE = {"weights": [0.0, 1.0, 0.0, 0.0], "offset": -2.0, "least": 0.5}  # real from 2 SDs


def disk(center_mm, radius_mm=5.0):
    y, x = np.ogrid[:200, :200]
    return np.hypot(y * 0.5 - center_mm[0], x * 0.5 - center_mm[1]) <= radius_mm


BRIGHT, FAINT = disk((30.0, 30.0)), disk((70.0, 70.0))


@pytest.fixture
def case():
    """Two marked pieces in noisy brain: one 30 HU brighter in three slices, one 1 HU in one."""
    hu = 30 + np.random.default_rng(1).normal(0, 6, (6, 200, 200))
    probability = np.zeros(hu.shape, np.float16)
    hu[1:4, BRIGHT] += 30
    probability[1:4, BRIGHT] = 1.0
    hu[3, FAINT] += 1
    probability[3, FAINT] = 0.5
    mask = np.uint8(probability > 0.4)
    mask[2, BRIGHT] = 2
    return mask, Evidence(np.round(hu).astype(np.int16), probability, SPACING_MM, CONTRAST_ALONE)


def test_the_facts_are_those_that_were_painted(case):
    mask, evidence = case
    components, features = features_of_components(mask, MM3, evidence)
    bright, faint = (features[components[3][area][0] - 1] for area in (BRIGHT, FAINT))
    assert len(features) == 2 and len(bright) == len(FEATURES)
    assert bright[0] == pytest.approx(np.log(1001), abs=0.01) and faint[0] == pytest.approx(0, abs=0.01)
    assert bright[1] == 6 and abs(faint[1]) < 1.5  # more than 6 SDs say no more
    assert bright[2] == pytest.approx(3) and faint[2] == pytest.approx(1)  # slabs of 5 mm
    assert bright[3] > 0.95 and faint[3] > 0.95


def test_a_thin_slice_counts_by_its_height(case):
    mask, evidence = case
    _, features = features_of_components(mask, MM3 / 5, evidence)
    assert sorted(fact[2] for fact in features) == pytest.approx([0.2, 0.6])


def test_a_doubtful_piece_goes_and_the_bleed_keeps_both_its_labels(case):
    mask, evidence = case
    before = mask.copy()
    drop_doubtful(mask, MM3, evidence)
    assert not mask[:, FAINT].any()
    assert (mask[:, BRIGHT] == before[:, BRIGHT]).all()


def test_a_verdict_that_asks_for_less_keeps_both(case):
    mask, evidence = case
    before = mask.copy()
    drop_doubtful(mask, MM3, Evidence(evidence.hu, evidence.probability, SPACING_MM, {**CONTRAST_ALONE, "least": 0.01}))
    assert (mask == before).all()


def test_possible_is_what_holds_nothing_that_is_marked_with_its_labels(case):
    mask, evidence = case
    likely = np.where(mask > 0, 3 - mask, 0).astype(np.uint8)
    marked = mask.copy()
    marked[1:3, BRIGHT] = 0  # its third slice alone is over the threshold
    marked[:, FAINT] = 0
    possible = possible_components(marked, Evidence(evidence.hu, evidence.probability, SPACING_MM, likely=likely))
    assert not possible[:, BRIGHT].any()
    assert np.array_equal(possible[:, FAINT], likely[:, FAINT]) and possible.dtype == np.uint8


@pytest.mark.parametrize(("asked", "stays"), [(0.6, False), (0.5, True)])
def test_a_possible_piece_has_its_own_cut(case, asked, stays):
    mask, evidence = case
    by_height = {"weights": [0.0, 0.0, 1.0, 0.0], "offset": -2.8, "least": 0.0, "possible": asked}  # 3 slabs: 0.55
    drop_unlikely(mask, MM3, Evidence(evidence.hu, evidence.probability, SPACING_MM, by_height))
    assert not mask[:, FAINT].any()
    assert mask[:, BRIGHT].any() == stays


def test_an_empty_mask_stays_empty(case):
    _, evidence = case
    mask = np.zeros((6, 200, 200), np.uint8)
    drop_doubtful(mask, MM3, evidence)
    assert not mask.any()


def test_a_piece_without_brain_around_it_has_no_contrast_to_speak_for_it():
    hu = np.full((2, 100, 100), 900, np.int16)
    hu[:, 40:50, 40:50] = 60
    probability = np.where(hu == 60, 0.9, 0).astype(np.float16)
    evidence = Evidence(hu, probability, SPACING_MM, CONTRAST_ALONE)
    _, features = features_of_components(np.uint8(probability > 0), np.full(2, 1.25), evidence)
    assert features[0][1] == 0 and features[0][3] == 0


def test_the_chance_is_the_logistic_of_the_weighted_facts():
    classifier = {"weights": [1.0, -2.0, 0.5, 0.0], "offset": 0.25}
    assert probability_real([[1.0, 0.5, 2.0, 9.0]], classifier)[0] == pytest.approx(1 / (1 + np.exp(-1.25)))


def test_a_bleed_higher_than_15_mm_is_no_more_real_than_one_of_15(case):
    mask, evidence = case
    _, features = features_of_components(mask, 1.6 * MM3, evidence)  # slabs of 8 mm: the bright one is 24 mm high
    assert sorted(fact[2] for fact in features) == pytest.approx([1.6, 3.0])
