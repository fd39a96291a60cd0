"""Parameters and operations of the networks, against the papers' own numbers and a count of another kind."""

import pytest

torch = pytest.importorskip("torch")

from tiny_networks import TINY, needs_its_packages  # noqa: E402

from ICHVolumeLib.network.base import NetworkConfig  # noqa: E402
from ICHVolumeLib.network.cost import gflop_per_slice, parameters  # noqa: E402
from ICHVolumeLib.network.pranet import Encoder  # noqa: E402
from ICHVolumeLib.network.pranet_config import PraNetConfig  # noqa: E402
from ICHVolumeLib.network.registry import find_network, network_of  # noqa: E402

RES2NET50 = 25.70e6 - 2.05e6  # Gao et al. 2021, Table 1: 26w x 4s, without its classifier of 1,000 classes
RES2NET50_MAC = 4.2e9  # the same, at 224 x 224


@pytest.mark.parametrize(("name", "published", "within"), [
    ("unetpp", 9.04e6, 0.02),  # Zhou et al. 2018, Table 2
    ("unet3d", 19.07e6, 0.02),  # Çiçek et al. 2016, 19,069,955; MONAI's has residual units
    ("unetr", 92.58e6, 0.01)])  # Hatamizadeh et al. 2022, Table 4; patches of 96 x 96 x 96, 14 classes
def test_the_default_has_the_size_of_the_paper(name, published, within):
    network = find_network(name)
    needs_its_packages(network)
    assert parameters(network.config_class()) == pytest.approx(published, rel=within)


def test_pranets_encoder_has_the_size_and_cost_of_res2net50():
    with torch.device("meta"):
        encoder = Encoder(PraNetConfig(in_slices=3))
        assert sum(one.numel() for one in encoder.parameters()) == pytest.approx(RES2NET50, rel=0.02)
        assert macs_by_hooks(encoder, torch.empty(1, 3, 224, 224)) == pytest.approx(RES2NET50_MAC, rel=0.1)


def macs_by_hooks(model: torch.nn.Module, slices: torch.Tensor) -> int:
    """Products of all convolutions: for each value that comes out, kernel x channels in."""
    counted = []

    def count(module, inputs, output):
        transposed = isinstance(module, torch.nn.ConvTranspose2d)
        counted.append((inputs[0] if transposed else output).numel() * module.weight[0].numel())

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            module.register_forward_hook(count)
    model.eval()(slices)
    return sum(counted)


@pytest.mark.parametrize("name", ["attfocusnet", "attunet", "unetpp", "pranet"])
def test_operations_are_those_of_a_count_by_layers(name):
    needs_its_packages(find_network(name))
    config = TINY[name]
    with torch.device("meta"):
        expected = 2 * macs_by_hooks(network_of(config).new_model(config), torch.empty(1, 1, 64, 96))
    assert gflop_per_slice(config, 64, 96) == pytest.approx(expected / 1e9, rel=1e-9)


def test_a_stack_shares_its_cost_among_the_slices_that_it_answers_for(monkeypatch):
    config = TINY["unet3d"]
    needs_its_packages(network_of(config))
    one_window = gflop_per_slice(config, 32, 32)
    assert gflop_per_slice(config, 64, 32) == pytest.approx(3 * one_window)  # 32 px wide, a step of 24: 3 windows
    assert network_of(config).slices_at_once(config) == config.in_slices // 2


def test_a_network_by_slice_has_no_patch():
    assert NetworkConfig().patch is None and TINY["unetr"].patch == (16, 32, 32)
