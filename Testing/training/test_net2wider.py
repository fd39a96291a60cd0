"""A wider network begins as the narrower one, with room to learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from network_weights import random_model

from ICHVolumeLib.network.attfocusnet import AttFocusNet, ConvNorm
from ICHVolumeLib.network.weights import load_weights, save_weights
from ICHVolumeLib.training.batches import BatchStream
from ICHVolumeLib.training.plans import PLANS
from ICHVolumeLib.training.warm_start.net2wider import widen

KINDS = [{"fusion": "R1"}, {"fusion": "R2"}, {"fusion": "R3"}, {"focus": False}, {"gate": "add"}, {"in_slices": 3}]


@pytest.fixture(params=KINDS, ids=lambda kind: "-".join(map(str, *kind.items())))
def narrow(request, tmp_path):
    """Released weights of base width 4."""
    return load_weights(save_weights(tmp_path, random_model(**request.param)))


def network(weights) -> AttFocusNet:
    model = AttFocusNet(weights.config).eval()
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})
    return model


def slices_for(weights):
    torch.manual_seed(3)
    return torch.rand(4, weights.config.in_slices, 64, 64)


@pytest.mark.parametrize("width", [6, 16])
def test_a_wider_network_gives_the_same_answers(narrow, width):
    wide = network(widen(narrow, width))
    assert wide.config == replace(narrow.config, base_width=width)
    slices = slices_for(narrow)
    torch.testing.assert_close(wide(slices), network(narrow)(slices), atol=1e-5, rtol=1e-5)


def test_the_order_in_which_weights_are_read_does_not_change_what_is_added(tmp_path):
    weights = load_weights(save_weights(tmp_path, random_model()))
    turned = replace(weights, tensors=dict(reversed(weights.tensors.items())))  # safetensors gives them in any order
    wide, again = widen(weights, 6).tensors, widen(turned, 6).tensors
    assert wide.keys() == again.keys()
    assert [name for name in wide if not np.array_equal(wide[name], again[name])] == []


def test_the_weights_that_read_the_added_channels_can_learn_at_once(narrow):
    model, slices = network(widen(narrow, 16)), slices_for(narrow)
    labels = torch.randint(0, 3, (4, 64, 64))
    torch.nn.functional.cross_entropy(model(slices), labels).backward()
    learning = {name: (weight.grad[weight == 0] != 0).any().item()  # only what reads added channels begins with zero
                for name, weight in model.named_parameters() if weight.ndim == 4 and (weight == 0).any()}
    convolutions = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Conv2d)]
    assert learning == {f"{name}.weight": True for name in convolutions if name != "stem.0.conv"}


def test_the_channels_added_to_trained_weights_are_not_silent(pool):
    """The deep convolutions of a trained network are small beside their biases, most of which are below zero."""
    shipped = load_weights()
    plan = replace(PLANS["fine"], hard_share=0.0, size=128, pixel_mm=(1.4, 1.6))
    slices = next(BatchStream(pool, plan, seed=1, in_slices=shipped.config.in_slices))[0]
    wider = widen(shipped, 2 * shipped.config.base_width)
    few, many = (heard(network(weights), slices) for weights in (shipped, wider))
    added = {name: np.subtract(many[name], few[name]) for name in few}
    assert len(added) > 30 and all(count == few[name][1] for name, (_, count) in added.items())
    silent = {name: f"{count - loud} of {count}" for name, (loud, count) in added.items() if loud < 0.5 * count}
    assert not silent


@torch.no_grad()
def heard(model, slices) -> dict:
    """Layer -> (channels that differ anywhere in the slices, channels)."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, ConvNorm):
            module.register_forward_hook(lambda _, __, out, name=name: found.update(
                {name: (int((out.amax((0, 2, 3)) > out.amin((0, 2, 3))).sum()), out.shape[1])}))
    model(slices)
    return found
