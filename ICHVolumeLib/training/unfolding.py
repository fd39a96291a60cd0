"""Released weights as the start of a training run: batch norms again where they were folded into the convolutions.

A run's checkpoint is needed to go on with it; the released weights are enough to begin the next one. What folding
merged cannot be told apart, but any split gives the same function as long as the norms' statistics are those of the
data: then the network is the same in training mode, too.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..network.attfocusnet import AttFocusNet, unfold_batch_norm
from ..network.weights import load_weights
from .checkpoint import load_state

BATCHES = 8


def load_released_weights(folder: Path, model: AttFocusNet, batches: Iterable[Tensor]):
    """Fill model (with batch norms) from the weights in folder, in place; batches: images that it will be trained on.

    Raises InputError when the weights are of a network of another kind, or cannot be read.
    """
    weights = load_weights(folder)
    ours, theirs = (config.to_dict() | {"norm": "", "in_slices": 0} for config in (model.config, weights.config))
    if ours != theirs:
        differ = ", ".join(f"{name} {theirs[name]} there, {ours[name]} here" for name in ours
                           if ours[name] != theirs[name])
        raise InputError(f"{folder}: weights of another network ({differ}); start from weights of the same kind.")
    load_state(unfold_batch_norm(weights).state_dict(), model)
    _take_statistics(model, batches)


@torch.no_grad()
def _take_statistics(model: AttFocusNet, batches: Iterable[Tensor]):
    """Give every batch norm the mean and variance of what reaches it, and a scale and shift that undo them."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def add(norm, inputs):
        values = inputs[0].double()
        count = values.new_full((values.shape[1],), values.numel() / values.shape[1])
        sums[norm] += torch.stack([count, values.sum((0, 2, 3)), values.square().sum((0, 2, 3))]).cpu()

    hooks = [norm.register_forward_pre_hook(add) for norm in norms]
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    for images in batches:
        model(images.to(device))
    model.train(was_training)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        count, total, squares = sums[norm]
        mean = total / count
        variance = (squares / count - mean**2).clamp_min(0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.add_(mean.to(norm.bias))
