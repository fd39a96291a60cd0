"""Losses: pixels of which nobody knows what they are teach nothing."""

import pytest
import torch

from ICHVolumeLib.datasets.case import UNSURE
from ICHVolumeLib.training import losses


@pytest.mark.parametrize("name", ["class_dice", "blood_dice", "ce_dice", "from_scratch", "bce_dice"])
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
