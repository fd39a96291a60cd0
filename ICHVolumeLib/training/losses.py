"""Losses on logits (n, 3, rows, columns) and labels (n, rows, columns): background, ICH, IVH.

The paper does not state its loss; BCE + soft Dice on the union of both blood classes is the usual reading. Ours adds
cross entropy over the three classes, which parts ICH from IVH.
"""

import torch
from torch import Tensor
from torch.nn import functional


def bce_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """The paper preset: BCE + soft Dice, one class (any blood)."""
    bleed = _bleed_logit(logits)
    truth = (labels > 0).float()
    return functional.binary_cross_entropy_with_logits(bleed, truth) + _dice_loss(torch.sigmoid(bleed), truth)


def class_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """The practical preset: cross entropy + soft Dice of any blood + soft Dice of IVH, all over the whole batch."""
    chances = torch.softmax(logits, dim=1)
    union, ivh = _dice_loss(1 - chances[:, 0], (labels > 0).float()), _dice_loss(chances[:, 2], (labels == 2).float())
    return functional.cross_entropy(logits, labels.long()) + union + 0.5 * ivh


def _bleed_logit(logits: Tensor) -> Tensor:
    """log(p_blood / p_background) of a softmax over three classes."""
    return torch.logsumexp(logits[:, 1:], dim=1) - logits[:, 0]


def _dice_loss(chances: Tensor, truth: Tensor, smooth: float = 20.0) -> Tensor:
    overlap = (chances * truth).sum()
    return 1 - (2 * overlap + smooth) / (chances.sum() + truth.sum() + smooth)
