"""Channels that say nothing, given a new beginning: training goes on with all of a network, not with what is left.

A channel whose ReLU opens on no image gets no gradient, so it stays silent however long the training is. Its
convolution is drawn anew, and what reads it begins with zero, so that no answer changes (as for channels that widening
adds).
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ...network.attfocusnet import AttFocusNet, ConvNorm


@torch.no_grad()
def restart_dead_channels(model: AttFocusNet, batches: Iterable[Tensor], seed: int = 0) -> int:
    """Draw the channels of model (evaluation mode) that are zero on all batches anew, in place; how many there were."""
    spoken = _largest_values(model, batches)
    for conv in [module for module in model.modules() if isinstance(module, nn.Conv2d)]:
        conv.weight[:, spoken[conv] == 0] = 0
    generator = torch.Generator().manual_seed(seed)
    revived = 0
    for module in model.modules():
        if isinstance(module, ConvNorm) and module.relu:
            silent = spoken[module] == 0
            weight = module.conv.weight
            rms = weight[~silent].square().mean().sqrt() if (~silent).any() else 1.0
            drawn = torch.randn(weight[silent].shape, generator=generator)
            weight[silent] = drawn.to(weight) * rms
            module.norm.bias[silent] = 0
            revived += int(silent.sum())
    return revived


def _largest_values(model: AttFocusNet, batches: Iterable[Tensor]) -> dict[nn.Module, Tensor]:
    """The largest magnitude in every channel that enters a convolution, and in every channel that leaves a ConvNorm."""
    largest: dict[nn.Module, Tensor] = {}

    def note(module, values):
        top = values.abs().amax((0, 2, 3))
        largest[module] = torch.maximum(largest.get(module, top), top)

    hooks = [module.register_forward_pre_hook(lambda module, inputs: note(module, inputs[0]))
             if isinstance(module, nn.Conv2d) else
             module.register_forward_hook(lambda module, inputs, output: note(module, output))
             for module in model.modules() if isinstance(module, nn.Conv2d | ConvNorm)]
    for images in batches:
        model(images.to(next(model.parameters()).device))
    for hook in hooks:
        hook.remove()
    return largest
