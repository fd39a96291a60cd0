"""The order of a torch module's kernels in memory."""

import torch
from torch import nn


def channels_last(model: nn.Module) -> nn.Module:
    """The model with its kernels in channels-last order, in place: of images and of volumes, which
    `Module.to(memory_format=...)` cannot do together."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for one in model.parameters():
        if one.dim() in formats:
            one.data = one.data.contiguous(memory_format=formats[one.dim()])
    return model
