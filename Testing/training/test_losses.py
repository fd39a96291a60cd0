"""Losses: pixels of which nobody knows what they are teach nothing."""

import pytest
import torch

from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN, UNSURE
from ICHVolumeLib.training import losses


@pytest.mark.parametrize("name", ["class_dice", "blood_dice", "ce_dice", "from_scratch", "bce_dice", "every_slice"])
def test_unsure_pixels_cost_nothing(name):
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 12, 12), torch.randint(0, 3, (2, 12, 12)).byte()
    labels[:, :6] = UNSURE
    changed = logits.clone()
    changed[:, :, :6] = torch.randn(2, 3, 6, 12)
    first, second = (getattr(losses, name)(*losses.without_unsure(one, labels)) for one in (logits, changed))
    assert first == pytest.approx(float(second), abs=1e-6)
    changed.requires_grad_()
    getattr(losses, name)(*losses.without_unsure(changed, labels)).backward()
    assert not changed.grad[:, :, :6].any() and changed.grad[:, :, 6:].any()


def test_a_small_bleed_given_up_costs_the_coarse_loss_as_much_as_a_large_one():
    def blood_term(size):
        labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
        labels[0, :size, :size] = 1
        nothing = torch.tensor([4.0, 0.0, -9.0]).view(1, 3, 1, 1).repeat(1, 1, 64, 64)
        return float(losses.every_slice(nothing, labels) - torch.nn.functional.cross_entropy(nothing, labels.long()))

    assert blood_term(3) == pytest.approx(blood_term(30), rel=1e-4)
    assert blood_term(3) == pytest.approx(losses.BLEED_SHARE * 4.018, rel=1e-3)


def test_a_slice_without_blood_costs_the_coarse_loss_its_cross_entropy_only():
    logits, labels = torch.randn(2, 3, 8, 8), torch.zeros(2, 8, 8, dtype=torch.uint8)
    assert losses.every_slice(logits, labels) == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, labels.long())), rel=1e-5)


@pytest.mark.parametrize("name", ["class_dice", "blood_dice", "ce_dice", "from_scratch", "bce_dice", "every_slice"])
def test_blood_outside_the_brain_is_no_blood(name):
    """A network that is sure of all four classes costs next to nothing; one that calls that blood ICH costs much."""
    labels = torch.zeros(2, 24, 24, dtype=torch.uint8)
    labels[:, 2:6, 2:6], labels[:, 10:14, 2:6], labels[:, 18:22, 2:22] = 1, 2, OUTSIDE_BRAIN
    right = 14 * torch.nn.functional.one_hot(labels.long(), 4).movedim(-1, 1).float()
    wrong = right.clone()
    wrong[:, :, 18:22] = torch.tensor([0.0, 14, 0, 0])[:, None, None]
    loss = getattr(losses, name)
    assert float(loss(right, labels)) < 0.02 and float(loss(wrong, labels)) > 0.2


@pytest.mark.parametrize("name", ["class_dice", "blood_dice", "ce_dice", "from_scratch", "bce_dice", "every_slice"])
def test_where_nobody_knows_of_blood_outside_the_brain_none_and_it_cost_the_same(name):
    labels = torch.full((1, 8, 8), losses.NOT_IN_BRAIN, dtype=torch.uint8)
    costs = []
    for sure_of in (0, OUTSIDE_BRAIN, 1):
        logits = torch.zeros(1, 4, 8, 8)
        logits[:, sure_of] = 8.0
        costs.append(float(getattr(losses, name)(*losses.without_unsure(logits, labels))))
    assert costs[0] == pytest.approx(costs[1], abs=1e-4) and costs[2] > costs[0] + 0.5
