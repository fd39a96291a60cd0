"""The verdict's weights are those that the pieces were made with."""

import numpy as np
import pytest

from ICHVolumeLib.calibration.fit_filter import FEWEST, LEAST, fit_classifier
from ICHVolumeLib.postprocessing.false_positive_filter import FEATURES, probability_real

TRUE, OFFSET = np.array([0.8, 0.5, -0.6, 1.5]), -0.7


def made_pieces(count, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal([1.0, 3.0, 2.0, 0.5], [2.0, 2.0, 1.0, 0.5], (count, len(FEATURES)))
    return features, rng.random(count) < 1 / (1 + np.exp(-(features @ TRUE + OFFSET)))


def test_weights_and_chances_are_found_again():
    features, real = made_pieces(20_000)
    classifier = fit_classifier(features, real)
    assert np.sign(classifier["weights"]).tolist() == np.sign(TRUE).tolist()
    assert classifier["least"] == LEAST and classifier["pieces"] == 20_000
    others, truth = made_pieces(20_000, seed=1)
    probability = probability_real(others, classifier)
    for low in np.arange(0, 1, 0.2):  # of the pieces given a chance of 30 %, some 30 % are real
        part = (probability >= low) & (probability < low + 0.2)
        assert truth[part].mean() == pytest.approx(probability[part].mean(), abs=0.06)


def test_it_agrees_with_another_library_s_optimizer():
    import torch

    features, real = made_pieces(300)
    classifier = fit_classifier(features, real)
    columns = torch.tensor((features - features.mean(axis=0)) / features.std(axis=0))
    weights = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-14)

    def loss():
        optimizer.zero_grad()
        probability = columns @ weights[:4] + weights[4]
        wanted = torch.tensor(real, dtype=torch.float64)
        value = torch.nn.functional.binary_cross_entropy_with_logits(probability, wanted)
        value = value + 0.001 * weights[:4].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    expected = weights.detach().numpy()[:4] / features.std(axis=0)
    assert np.array(classifier["weights"]) == pytest.approx(expected, rel=1e-3)


def test_facts_that_part_all_pieces_give_finite_weights():
    features = np.zeros((40, 4))
    features[20:, 0] = 5
    classifier = fit_classifier(features, np.arange(40) >= 20)
    assert np.isfinite(classifier["weights"]).all()
    assert probability_real(features[[0, 39]], classifier).round(1).tolist() == [0, 1]


@pytest.mark.parametrize("real", [[True] * 30, [False] * 30, [True] * 30 + [False] * (FEWEST - 1), []])
def test_too_few_pieces_of_a_kind_give_no_verdict(real):
    assert fit_classifier(np.random.default_rng(0).normal(size=(len(real), 4)), real) is None
