"""Small networks for tests, made by code: one that thresholds by known rules, and ones with random weights."""

from dataclasses import replace

import torch

from ICHVolumeLib.network.attfocusnet import AttFocusNet, AttFocusNetConfig
from ICHVolumeLib.network.weights import save_weights

ICH_FROM_HU, IVH_FROM_HU, BONE_FROM_HU = 54, 87, 104  # what thresholding_model marks, to within 2 HU


def thresholding_model(in_slices=1, noise=0.0, base_width=4, dense=2, **fields) -> AttFocusNet:
    """A whole AttFocusNet whose last decoder passes on the first encoder's map, so that its answer is known:
    ICH from 54 HU, IVH from 87, neither from 104. noise: SD of random weights everywhere else, which then
    blur the rule (for comparing engines). dense: the class of what is 87 HU and more, IVH or another (0: none)."""
    torch.manual_seed(0)
    config = AttFocusNetConfig(base_width=base_width, in_slices=in_slices, norm="none", **fields)
    model = AttFocusNet(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, noise) if noise else parameter.zero_()
        centre = in_slices // 2
        first, second = model.stem
        for channel, start in enumerate((0.55, 0.72, 0.82)):  # relu(x - start); x is 0..1 for -60..140 HU
            first.conv.weight[channel, centre, 1, 1] = 1
            first.conv.bias[channel] = -start
        last = model.ups[-1]
        last.gate.attention.bias += 20  # the gate lets the skip-input through
        for conv in (second.conv, last.block[0].conv, last.block[1].conv):
            for channel in range(3):
                conv.weight[channel, channel, 1, 1] += 1
        model.head.bias[1:] -= 4
        model.head.weight[1, :3, 0, 0] += torch.tensor([200.0, 0.0, -2000.0])
        if dense:
            model.head.weight[dense, :3, 0, 0] += torch.tensor([0.0, 2000.0, -8000.0])
        else:
            model.head.weight[1, 1, 0, 0] -= 2000.0
    return model


def thresholding_weights(folder, manifest_fields=None, **model_fields):
    return save_weights(folder, thresholding_model(**model_fields), {"version": "test", **(manifest_fields or {})})


def random_model(seed=0, **fields) -> AttFocusNet:
    """Random weights with batch norms that have seen data, so that every layer matters to the answer."""
    torch.manual_seed(seed)
    model = AttFocusNet(replace(AttFocusNetConfig(base_width=4), **fields))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
        model(torch.rand(2, model.config.in_slices, 64, 64))
    return model.eval()
