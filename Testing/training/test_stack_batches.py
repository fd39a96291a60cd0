"""Patches of consecutive slices for networks of stacks, and the training of networks with more than one output."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_networks import TINY, needs_its_packages

from ICHVolumeLib.calibration.release import averaged_model
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.case import UNSURE
from ICHVolumeLib.network.memory_layout import channels_last
from ICHVolumeLib.network.registry import find_network
from ICHVolumeLib.training.plans import PLANS
from ICHVolumeLib.training.stack_batches import StackStream, filled, stacks_per_batch
from ICHVolumeLib.training.train import slices_per_step, train

PLAN = replace(PLANS["practical"], epochs=1, epoch_slices=32, size=64, batch=8, validation_blocks=2, hard_share=0.2,
               pixel_mm=(1.8, 2.4), learning_rate=1e-3, warmup_steps=0, first_steps=1, bf16=False)


def test_a_patch_is_consecutive_slices_of_a_block_with_a_label_each(pool):
    images, labels, origins = next(StackStream(pool, PLAN, 1, (4, 32, 48)))
    assert images.shape == labels.shape == (2, 4, 32, 48) and len(origins) == 2
    assert images.dtype == torch.float32 and 0 <= images.min() and images.max() <= 1
    assert images.is_contiguous() and images[:, 1:].sub(images[:, :-1]).abs().mean() < 0.2


def test_the_same_seed_is_the_same_patches(pool):
    first, second, other = (next(StackStream(pool, PLAN, seed, (4, 32, 32)))[0] for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_a_head_with_too_few_slices_ends_with_its_last_one_which_nobody_is_asked_about(pool):
    images, labels, _ = next(StackStream(pool, PLAN, 1, (16, 64, 64)))  # heads of four slices
    assert torch.equal(images[:, 4], images[:, 3]) and torch.equal(images[:, 15], images[:, 3])
    assert (labels[:, 4:] == UNSURE).all() and (labels[:, :4] != UNSURE).any()


def test_what_is_long_enough_is_not_filled():
    images, labels = np.zeros((6, 4, 4), np.float32), np.ones((6, 4, 4), np.uint8)
    assert [len(one) for one in filled(images, labels, 4)] == [4, 4]


@pytest.mark.parametrize(("batch", "depth", "stacks"), [(8, 16, 1), (32, 16, 2), (8, 4, 2), (2, 32, 1)])
def test_a_batch_of_stacks_has_about_as_many_slices_as_one_of_slices(batch, depth, stacks):
    assert stacks_per_batch(batch, depth) == stacks


@pytest.mark.parametrize("name", ["pranet", "unet3d", "unetpp", "unetr"])
def test_it_is_trained_by_the_same_call_and_goes_on_where_it_stopped(pool, tmp_path, name):
    needs_its_packages(find_network(name))
    config = TINY[name]
    steps = 32 // slices_per_step(PLAN, config)
    curves = train(pool, tmp_path, PLAN, config)
    assert curves["step"] == [steps] and np.isfinite(curves["loss"]).all()
    about = json.loads((tmp_path / "checkpoint.json").read_text(encoding="utf-8"))
    assert (about["network"], about["slices_per_step"]) == (name, 16 if config.patch else 8)
    assert train(pool, tmp_path, replace(PLAN, epochs=2), config)["step"] == [steps, 2 * steps]
    assert averaged_model(tmp_path).config == config


def test_kernels_of_volumes_can_be_channels_last_too():
    needs_its_packages(find_network("unet3d"))
    config = TINY["unet3d"]
    model = find_network("unet3d").new_model(config).eval()
    stacks = torch.rand(1, config.in_slices, 32, 32)
    with torch.no_grad():
        expected = model(stacks).clone()
        torch.testing.assert_close(channels_last(model)(stacks), expected, rtol=1e-4, atol=1e-4)
    kernels = [one for one in model.parameters() if one.dim() == 5 and min(one.shape[1:]) > 1]
    assert kernels and all(one.is_contiguous(memory_format=torch.channels_last_3d) for one in kernels)


def test_a_patch_that_is_larger_than_the_plans_crops_is_refused_before_training(pool, tmp_path):
    with pytest.raises(InputError, match="patches of 128 x 128 pixels and the plan's crops have 64"):
        train(pool, tmp_path, PLAN, find_network("unet3d").config_class())
