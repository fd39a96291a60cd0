"""Losses: pixels of which nobody knows what they are teach nothing."""

import pytest
import torch

from ICHVolumeLib.datasets.case import UNSURE
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
