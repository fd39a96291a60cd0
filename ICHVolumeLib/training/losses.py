"""Losses on logits (n, classes, rows, columns) and labels (n, rows, columns): background, ICH, IVH and, of a network
that has it, blood outside the brain. "Blood" without more is ICH or IVH.

The paper does not state its loss; BCE + soft Dice on the union of both blood classes is the usual reading. Ours adds
cross entropy over the three classes, which parts ICH from IVH.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..datasets.case import OUTSIDE_BRAIN, UNSURE

NOT_IN_BRAIN = 254  # a label: no ICH and no IVH, and nobody knows whether it is blood outside the brain
SURE = 30.0  # logit
BLEED_SHARE = 0.05  # of the blood of a slice, against all pixels of all slices
OUTSIDE_SHARE = 0.1  # of the Dice of blood outside the brain, likewise


def bce_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """The paper preset: BCE + soft Dice, one class (any blood)."""
    bleed = _bleed_logit(logits)
    truth = _blood(labels)
    return functional.binary_cross_entropy_with_logits(bleed, truth) + _dice_loss(torch.sigmoid(bleed), truth)


def ce_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the classes, soft Dice of any blood and of IVH in the batch.

    The loss of the ablation's short runs, where it starts with every seed; with `from_scratch` and `class_dice` one run
    of three saw neither small bleeds nor IVH at its end (Resources/Ablation.md).
    """
    probabilities = torch.softmax(logits, dim=1)
    return (functional.cross_entropy(logits, labels.long()) + _dice_loss(_p_blood(probabilities), _blood(labels))
            + _dice_loss(probabilities[:, 2], (labels == 2).float()))


def class_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """The practical preset: three terms, so that no bleed is too small, too rare or too wrong to be learned.

    Cross entropy of the hard pixels, soft Dice of any blood slice by slice, and ICH against IVH on the blood alone.
    Dice is taken slice by slice so that a small bleed counts as much as a large one, and a false alarm on a clean slice
    costs a whole slice.

    IVH is rare; in a plain three-class loss it dies out. Asked only where there is blood, it does not.
    """
    probabilities = torch.softmax(logits, dim=1)
    return (_hard_cross_entropy(logits, labels)
            + _slice_dice_losses(_p_blood(probabilities), _blood(labels)).mean() + _which_blood(logits, labels))


def blood_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """The preset `small`: `class_dice` with Dice in slices with blood only.

    In `class_dice` a few doubtful pixels on a clean slice cost as much as a bleed that is missed outright, and the
    network learns to leave small bleeds alone. Here they cost their cross entropy.
    """
    probabilities = torch.softmax(logits, dim=1)
    truth = _blood(labels)
    dice = _slice_dice_losses(_p_blood(probabilities), truth) * truth.amax((1, 2))
    return _hard_cross_entropy(logits, labels) + dice.mean() + _which_blood(logits, labels)


def every_slice(logits: Tensor, labels: Tensor) -> Tensor:
    """For the coarse pass, which may propose too much but must miss nothing: cross entropy of all pixels, and that of
    blood against none over the blood of each slice, a slice with ten pixels of it counting as much as one with a
    thousand; and soft Dice of blood outside the brain, where that is a class.

    `class_dice` leaves p at .02 to .05 all over the brain, as only its hardest pixels count; after `ce_dice` the brain
    lies at .001, but so do the small bleeds that it gave up.
    """
    truth = _blood(labels)
    missed = functional.softplus(-_bleed_logit(logits)) * truth  # -log p(blood)
    areas = truth.sum((1, 2))
    by_slice = missed.sum((1, 2)) / areas.clamp_min(1)
    outside = 0.0 if logits.shape[1] == OUTSIDE_BRAIN else \
        _dice_loss(torch.softmax(logits, dim=1)[:, OUTSIDE_BRAIN], (labels == OUTSIDE_BRAIN).float())
    return (functional.cross_entropy(logits, labels.long()) + OUTSIDE_SHARE * outside
            + BLEED_SHARE * by_slice.sum() / (areas > 0).sum().clamp_min(1))


def from_scratch(logits: Tensor, labels: Tensor) -> Tensor:
    """The first steps of the practical preset, before anything is known: cross entropy of all pixels, those of IVH
    counted five times, soft Dice of the batch, ICH against IVH.

    The hardest pixels of a network that knows nothing are any pixels: with `class_dice` alone it marked nothing after
    4,000 slices. IVH, a fifth of the blood, was no blood to it when counted once.
    """
    probabilities = torch.softmax(logits, dim=1)
    each = logits.new_ones(logits.shape[1])
    each[2] = 5.0
    return (5 * functional.cross_entropy(logits, labels.long(), each)
            + _dice_loss(_p_blood(probabilities), _blood(labels)) + _which_blood(logits, labels))


def logits_by_slice(logits: Tensor) -> Tensor:
    """Those of stacks (n, 3, slices, rows, columns) as those of n x slices slices; of slices as they are."""
    return logits if logits.dim() == 4 else logits.movedim(2, 1).flatten(0, 1)


def without_unsure(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and labels with the pixels labelled UNSURE turned into background that the network is sure of: they then
    cost nothing in any of these losses, and teach nothing. Pixels that are NOT_IN_BRAIN become background, too, as
    probable as background and blood outside the brain are together."""
    unsure, either = labels == UNSURE, labels == NOT_IN_BRAIN
    if unsure.any():
        sure = logits.new_zeros(logits.shape[1])
        sure[0] = SURE
        logits = torch.where(unsure[:, None], sure[:, None, None], logits)
    if either.any() and logits.shape[1] > OUTSIDE_BRAIN:
        none = torch.logsumexp(logits[:, [0, OUTSIDE_BRAIN]], dim=1, keepdim=True)
        joined = torch.cat([none, logits[:, 1:OUTSIDE_BRAIN], torch.full_like(none, -SURE)], dim=1)
        logits = torch.where(either[:, None], joined, logits)
    return logits, labels.masked_fill(unsure | either, 0)


def _hard_cross_entropy(logits: Tensor, labels: Tensor, share: float = 0.02) -> Tensor:
    """Mean cross entropy of the worst `share` of the batch's pixels.

    A bleed that is missed outright has p near 0, where soft Dice has no gradient, and over all pixels its cross entropy
    is a thousandth: it would stay missed (IVH did).
    """
    each = functional.cross_entropy(logits, labels.long(), reduction="none").flatten()
    return torch.topk(each, max(1, int(share * each.numel())), sorted=False).values.mean()


def _which_blood(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of ICH against IVH over the blood's pixels, IVH counted three times; 0 without blood."""
    weights = logits.new_tensor([0.0, 1.0, 3.0, 0.0])[labels.long()]
    each = functional.cross_entropy(logits[:, 1:3], (labels == 2).long(), reduction="none")
    return (each * weights).sum() / weights.sum().clamp_min(1)


def _bleed_logit(logits: Tensor) -> Tensor:
    """log(p_blood / p_none) of a softmax over the classes; blood outside the brain is none."""
    others = logits[:, 0] if logits.shape[1] == 3 else torch.logsumexp(logits[:, [0, OUTSIDE_BRAIN]], dim=1)
    return torch.logsumexp(logits[:, 1:3], dim=1) - others


def _p_blood(probabilities: Tensor) -> Tensor:
    return probabilities[:, 1:3].sum(1)


def _blood(labels: Tensor) -> Tensor:
    return ((labels == 1) | (labels == 2)).float()


def _slice_dice_losses(probabilities: Tensor, truth: Tensor, smooth: float = 10.0) -> Tensor:
    """(n,), one for every slice."""
    overlap, sizes = (probabilities * truth).sum((1, 2)), probabilities.sum((1, 2)) + truth.sum((1, 2))
    return 1 - (2 * overlap + smooth) / (sizes + smooth)


def _dice_loss(probabilities: Tensor, truth: Tensor, smooth: float = 20.0) -> Tensor:
    overlap = (probabilities * truth).sum()
    return 1 - (2 * overlap + smooth) / (probabilities.sum() + truth.sum() + smooth)
