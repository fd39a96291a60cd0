"""Released weights as the start of a training run: AttFocusNet's batch norms again, which were folded into its
convolutions. Weights of other networks are taken as they are.

A run's checkpoint is needed to go on with it; the released weights are enough to begin the next one. What folding
merged cannot be told apart, but any split gives the same function as long as the norms' statistics are those of the
data: then the network is the same in training mode, too.

Which split is taken matters for training. Folded, the weights of the deep convolutions are a twentieth of what they
began with; AdamW changes every weight by up to the learning rate, however small it is, so that a few steps would undo
what the deep layers had learned. Before a batch norm the scale of a convolution is free: all get weights of one size.
Channels that have fallen silent begin anew (dead_channels.py).
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from ...network.attfocusnet import AttFocusNet, ConvNorm
from ...network.registry import network_of
from ...network.weights import load_weights
from ..checkpoint import check_start, load_state
from .dead_channels import restart_dead_channels
from .net2wider import widen

log = logging.getLogger(__name__)
BATCHES = 24  # many enough for a channel that speaks only on rare slices
WEIGHT_RMS = 0.03  # of the weights of every output channel; a learning rate of 0.0003 then turns them by 1 % a step


def load_released_weights(folder: Path, model: nn.Module, batches: Iterable[Tensor]):
    """Fill model (as it is trained) from the weights in folder, in place; batches: images that it will be trained on.

    Raises InputError when the weights are of a network of another kind, or cannot be read.
    """
    weights = load_weights(folder)
    same_network = weights.config.network == model.config.network
    if isinstance(model, AttFocusNet) and same_network and weights.config.base_width < model.config.base_width:
        weights = widen(weights, model.config.base_width)
    check_start(folder, model.config, weights.config)
    load_state(network_of(weights.config).training_model(weights).state_dict(), model)
    if isinstance(model, AttFocusNet):
        _begin_anew(model, batches)


def _begin_anew(model: AttFocusNet, batches: Iterable[Tensor]):
    """Silent channels and the statistics of the norms, from what the model (unfolded) is given."""
    was_training, batches = model.training, list(batches)
    model.eval()
    log.info("%d silent channels begin anew", restart_dead_channels(model, batches))
    _take_statistics(model, batches)
    model.train(was_training)


@torch.no_grad()
def _take_statistics(model: AttFocusNet, batches: list[Tensor]):
    """Give every batch norm the mean and variance of what reaches it, and a scale and shift that undo them, and every
    convolution before one weights of WEIGHT_RMS."""
    pairs = {module.norm: module.conv for module in model.modules() if isinstance(module, ConvNorm)}
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in pairs}

    def add(norm, inputs):
        values = inputs[0].double()
        count = values.new_full((values.shape[1],), values.numel() / values.shape[1])
        sums[norm] += torch.stack([count, values.sum((0, 2, 3)), values.square().sum((0, 2, 3))]).cpu()

    hooks = [norm.register_forward_pre_hook(add) for norm in pairs]
    device = next(model.parameters()).device
    for images in batches:
        model(images.to(device))
    for hook in hooks:
        hook.remove()
    for norm, conv in pairs.items():
        count, total, squares = sums[norm].to(device)
        _split(conv, norm, total / count, squares / count - (total / count) ** 2)


def _split(conv: nn.Conv2d, norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor):
    """Scale every output channel of conv to WEIGHT_RMS; norm, told what reached it before, undoes that."""
    size = conv.weight.square().mean((1, 2, 3)).sqrt()
    scale = torch.where(size > 0, WEIGHT_RMS / size, 1.0).double()
    variance = variance.clamp_min(0) * scale**2
    conv.weight.mul_(scale.to(conv.weight)[:, None, None, None])
    norm.running_mean.copy_(mean * scale)
    norm.running_var.copy_(variance)
    norm.weight.copy_(torch.sqrt(variance + norm.eps) / scale)
    norm.bias.add_(mean.to(norm.bias))
