from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.network.attfocusnet import (  # noqa: E402
    AttentionGate,
    AttFocusNet,
    AttFocusNetConfig,
    Focus,
    fold_batch_norm,
)

SMALL = AttFocusNetConfig(base_width=4)
VARIANTS = [{"fusion": "R1"}, {"fusion": "R2"}, {"fusion": "R3"}, {"gate": "add"}, {"focus": False},
            {"in_slices": 3}, {"levels": 3}]


def parameters_in_millions(**fields):
    with torch.device("meta"):
        model = AttFocusNet(AttFocusNetConfig(**fields))
    return round(sum(parameter.numel() for parameter in model.parameters()) / 1e6, 1)


def model_with_used_norms(config):
    """A network whose batch norms have seen data, so that folding has something to fold."""
    torch.manual_seed(0)
    model = AttFocusNet(config)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
    with torch.no_grad():
        model(torch.rand(2, config.in_slices, 64, 64))
    return model.eval()


@pytest.mark.parametrize(("fields", "millions"), [
    ({"base_width": 64}, 44.3), ({"base_width": 32}, 11.1), ({"base_width": 64, "fusion": "R2"}, 42.7),
])
def test_the_number_of_parameters_is_that_of_the_reading_of_the_paper(fields, millions):
    assert parameters_in_millions(**fields) == millions


@pytest.mark.parametrize("fields", VARIANTS)
def test_every_variant_gives_one_logit_per_class_and_pixel(fields):
    config = replace(SMALL, **fields)
    logits = AttFocusNet(config)(torch.rand(2, config.in_slices, 48, 32))
    assert logits.shape == (2, 3, 48, 32)


@pytest.mark.parametrize("fields", VARIANTS)
def test_folding_batch_norm_leaves_the_logits_alone(fields):
    model = model_with_used_norms(replace(SMALL, **fields))
    folded = AttFocusNet(replace(model.config, norm="none")).eval()
    folded.load_state_dict(fold_batch_norm(model))
    slices = torch.rand(1, model.config.in_slices, 48, 64)
    with torch.no_grad():
        expected = model(slices)
        assert expected.std() > 1e-3
        torch.testing.assert_close(folded(slices), expected, rtol=1e-4, atol=1e-4)


def test_folding_a_folded_network_changes_nothing():
    folded = AttFocusNet(replace(SMALL, norm="none"))
    state = fold_batch_norm(folded)
    assert state.keys() == folded.state_dict().keys()
    assert all(torch.equal(state[name], value) for name, value in folded.state_dict().items())


def test_focus_moves_every_pixel_of_a_block_into_the_channels_and_loses_none():
    seen = []
    focus = Focus(2, replace(SMALL, norm="none"))
    focus.squeeze.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    image = torch.arange(2 * 4 * 6, dtype=torch.float32).reshape(1, 2, 4, 6)
    assert focus(image).shape == (1, 1, 2, 3)  # C/2 channels at half the size
    rearranged = seen[0]
    assert rearranged.shape == (1, 8, 2, 3)
    assert torch.equal(rearranged.flatten().sort().values, image.flatten())
    assert rearranged[0, :4, 0, 0].tolist() == [0, 1, 6, 7]  # the first block of the first channel


def test_the_gate_weighs_the_skip_input_by_one_number_per_pixel_between_0_and_1():
    torch.manual_seed(0)
    skip_input, up_input = torch.rand(1, 8, 5, 5) + 0.1, torch.rand(1, 8, 5, 5)
    weights = AttentionGate(8, SMALL)(skip_input, up_input) / skip_input
    assert weights.min() > 0 and weights.max() < 1
    torch.testing.assert_close(weights, weights[:, :1].expand_as(weights))


@pytest.mark.parametrize("fields", VARIANTS)
def test_every_parameter_takes_part_in_learning(fields):
    config = replace(SMALL, **fields)
    model = AttFocusNet(config)
    model(torch.rand(2, config.in_slices, 32, 32)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_config_survives_its_dictionary():
    config = AttFocusNetConfig(base_width=24, fusion="R2", gate="add", in_slices=3)
    assert AttFocusNetConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("fields", [{"base_width": 5}, {"fusion": "R9"}, {"gate": "product"}, {"in_slices": 2},
                                    {"levels": 1}, {"norm": "layer"}])
def test_an_impossible_config_is_refused(fields):
    with pytest.raises(InputError):
        AttFocusNetConfig(**fields)


def test_an_unknown_config_field_is_refused():
    with pytest.raises(InputError, match="newer"):
        AttFocusNetConfig.from_dict({"base_width": 16, "dilation": 2})
