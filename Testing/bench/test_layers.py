"""The arithmetic is counted from the graph; torch's own shapes are the oracle."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import random_model  # noqa: E402

from ICHVolumeLib.bench.layers import convolution_layers, gflop_of, layer_table  # noqa: E402
from ICHVolumeLib.bench.peak import ConvolutionPeak  # noqa: E402
from ICHVolumeLib.network.attfocusnet import unfold_batch_norm  # noqa: E402
from ICHVolumeLib.network.weights import load_weights, save_weights  # noqa: E402


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory):
    return load_weights(save_weights(tmp_path_factory.mktemp("weights"), model))


def torch_gflop(model, rows, columns):
    """Two per multiplication of every convolution that torch runs."""
    total = []

    def count(layer, _, out):
        total.append(2 * layer.weight.numel() * out[0, 0].numel())

    hooks = [module.register_forward_hook(count) for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    with torch.no_grad():
        model(torch.zeros(1, 1, rows, columns))
    for hook in hooks:
        hook.remove()
    return sum(total) / 1e9


def test_the_published_network_has_the_arithmetic_that_torch_does(model, weights):
    as_run, published = gflop_of(convolution_layers(weights, 64, 96))
    assert published == pytest.approx(torch_gflop(model, 64, 96))
    assert 0.7 * published < as_run < published  # up-sampling and convolving in one saves products


def test_arithmetic_grows_with_the_pixels(weights):
    small, large = (gflop_of(convolution_layers(weights, *shape))[0] for shape in ((64, 64), (128, 192)))
    assert large == pytest.approx(6 * small)


def test_layers_carry_the_network_s_names(weights):
    layers = convolution_layers(weights, 64, 64)
    names = [layer.name for layer in layers]
    assert {"stem.0", "downs.0.focus.squeeze", "ups.3.shrink", "ups.3.gate.attention", "head"} <= set(names)
    assert len(set(names)) == len(names)
    assert next(layer.shape for layer in layers if layer.name == "head") == (3, 64, 64)


def test_every_layer_gets_a_time_and_a_bound(weights):
    slices = np.random.default_rng(0).random((2, 1, 1, 64, 64), np.float32)
    table = layer_table(weights, slices, "f32", 1, 3, ConvolutionPeak("f32", 1))
    *layers, rest = table["rows"]
    assert [row["layer"] for row in layers] == [layer.name for layer in convolution_layers(weights, 64, 64)]
    assert all(row["ms"] > 0 and row["bound_ms"] > 0 for row in layers) and rest["ms"] > 0
    assert table["peak_gflop_s"] > 0 and table["bandwidth_gb_s"] > 0


def test_the_baseline_is_the_same_network_with_its_batch_norms(model, weights):
    baseline = unfold_batch_norm(weights)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in baseline.modules())
    slices = torch.rand(1, 1, 48, 64)
    with torch.no_grad():
        np.testing.assert_allclose(baseline(slices), model(slices), atol=2e-2)  # weights are stored as fp16
