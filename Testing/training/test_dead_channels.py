"""Silent channels begin anew, and nothing that the network says changes by it."""

import torch
from network_weights import random_model

from ICHVolumeLib.network.attfocusnet import ConvNorm
from ICHVolumeLib.training.warm_start.dead_channels import restart_dead_channels

SILENCED = {"stem.0": [1], "downs.1.focus.squeeze": [0, 2], "downs.3.block.1": [5, 6, 30], "ups.0.block.0": [3]}


def silenced():
    model = random_model().eval()
    for name, channels in SILENCED.items():
        model.get_submodule(name).norm.bias.data[channels] = -1e6
    return model


def silent_channels(model, images):
    """{layer: indices of its channels that are zero on all images}, found apart from the library's own search."""
    found = {}

    def look(name):
        def hook(module, inputs, output):
            zero = (output == 0).permute(1, 0, 2, 3).flatten(1).all(1)
            found[name] = zero.nonzero().flatten().tolist()
        return hook

    hooks = [module.register_forward_hook(look(name)) for name, module in model.named_modules()
             if isinstance(module, ConvNorm) and module.relu]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    return {name: channels for name, channels in found.items() if channels}


def test_silent_channels_speak_again_and_the_answers_stay():
    torch.manual_seed(1)
    images, model = torch.rand(3, 1, 64, 64), silenced()
    before, silent = model(images), silent_channels(model, images)
    assert all(set(channels) <= set(silent[name]) for name, channels in SILENCED.items())
    assert restart_dead_channels(model, [images]) == sum(map(len, silent.values()))
    torch.testing.assert_close(model(images), before)
    assert sum(map(len, silent_channels(model, images).values())) < 0.2 * sum(map(len, silent.values()))


def test_what_reads_a_revived_channel_learns_from_the_first_step_on():
    torch.manual_seed(2)
    images, model = torch.rand(3, 1, 64, 64), silenced()
    restart_dead_channels(model, [images])
    model.train()(images).square().mean().backward()
    reader = model.get_submodule("ups.0.shrink").conv.weight
    assert (reader.grad[:, [5, 6, 30]].abs().amax((0, 2, 3)) > 0).all()


def test_once_revived_there_is_nothing_more_to_revive():
    torch.manual_seed(3)
    images, model = torch.rand(3, 1, 64, 64), random_model().eval()
    assert restart_dead_channels(model, [images]) > 0
    assert silent_channels(model, images) == {}
    assert restart_dead_channels(model, [images]) == 0
