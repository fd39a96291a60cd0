"""Convolutions rounded to 8 bits: how they round, where they are used, and that the mask stays the same."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import random_model, thresholding_weights  # noqa: E402
from phantoms import ellipsoid_ct  # noqa: E402

from ICHVolumeLib.calibration.int8_ranges import int8_ranges  # noqa: E402
from ICHVolumeLib.engines import openvino_engine  # noqa: E402
from ICHVolumeLib.engines.int8 import int8_runs_here, rounded_input, rounded_kernel  # noqa: E402
from ICHVolumeLib.engines.openvino_engine import OpenVinoEngine  # noqa: E402
from ICHVolumeLib.engines.openvino_graph import build_graph, build_range_graph  # noqa: E402
from ICHVolumeLib.engines.quiet_openvino import ops, ov  # noqa: E402
from ICHVolumeLib.network.weights import load_weights, save_weights  # noqa: E402


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def scan():
    return ellipsoid_ct("regular", pixel_mm=1.5, columns=128, rows=144, step_mm=6.0, noise_hu=2.0).ct


@pytest.fixture(scope="module")
def weights(tmp_path_factory, scan):
    """Random weights with ranges from a phantom."""
    plain = load_weights(save_weights(tmp_path_factory.mktemp("weights"), random_model()))
    return replace(plain, manifest={**plain.manifest, "int8_ranges": int8_ranges(plain, [scan])})


@pytest.fixture
def slices():
    return np.random.default_rng(0).random((1, 1, 64, 64)).astype(np.float32)


def computed(node, *inputs):
    """What OpenVINO makes of the values."""
    model = ov.Model([ops.result(node)], [one[0] for one in inputs])
    return ov.Core().compile_model(model, "CPU")([one[1] for one in inputs])[0]


def test_an_input_is_rounded_to_256_steps_up_to_the_largest_and_no_further():
    values = np.array([0, 0.004, 0.02, 1.0, 3.99, 4.0, 9.0], np.float32)
    node = ops.parameter([7], np.float32)
    step = 4.0 / 255
    expected = np.minimum(np.round(values / step), 255) * step
    assert computed(rounded_input(node, 4.0), (node, values)) == pytest.approx(expected, abs=1e-5)


def test_every_channel_of_a_kernel_has_steps_of_its_own():
    kernel = np.random.default_rng(1).normal(0, 1, (3, 5, 3, 3)).astype(np.float32) * np.float32([[[[100]]], [[[1]]],
                                                                                                  [[[0.01]]]])
    node = ops.parameter([1], np.float32)
    found = computed(ops.multiply(rounded_kernel(kernel), node), (node, np.ones(1, np.float32)))
    step = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / 127
    assert found == pytest.approx(np.round(kernel / step) * step, rel=1e-4, abs=1e-6)


def test_the_ranges_are_the_largest_values_that_the_layers_are_given(weights, scan):
    """By torch, with hooks, on the very slices."""
    from ICHVolumeLib.network.attfocusnet import AttFocusNet
    from ICHVolumeLib.segmentation.scan import NetworkSlices, TurnedScan

    turned = TurnedScan(scan)
    chosen = turned.slices_to_run[np.linspace(0, len(turned.slices_to_run) - 1, 6).astype(int)[1:-1]]
    model = AttFocusNet(weights.config).eval()
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})
    largest = {}

    def note(layer, given):
        largest[layer] = max(largest.get(layer, 0), float(given[0].max()))

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            layer = name.removesuffix(".conv")
            module.register_forward_hook(lambda _, given, __, layer=layer: note(layer, given))
    with torch.no_grad():
        model(torch.from_numpy(NetworkSlices(turned, weights).of(chosen)))
    assert len(weights.int8_ranges) == 12
    for layer, value in weights.int8_ranges.items():
        assert value == pytest.approx(largest[layer], rel=1e-2), layer


def test_first_deepest_and_last_layers_gates_and_up_sampling_stay_exact(weights):
    assert not [layer for layer in weights.int8_ranges
                if layer.startswith(("stem", "downs.0", "downs.3", "ups.3", "head")) or "gate" in layer
                or "shrink" in layer]
    assert {"downs.1.block.0", "downs.2.focus.squeeze", "ups.0.block.0", "ups.2.block.0"} <= weights.int8_ranges.keys()


def test_every_layer_with_a_range_is_rounded_and_no_other(weights):
    def roundings(int8):
        return sum(op.get_type_name() == "FakeQuantize" for op in build_graph(weights, 64, 64, int8).get_ops())

    assert roundings(True) == 2 * len(weights.int8_ranges)  # what it is given, and its kernel
    assert roundings(False) == 0
    assert set(weights.int8_ranges) < set(build_range_graph(weights, 64, 64)[1])


def test_the_answers_are_nearly_those_of_f32(weights, slices):
    exact, rounded = (OpenVinoEngine(weights, precision).predict(slices) for precision in ("f32", "int8"))
    assert 0 < np.abs(exact - rounded).max() < 0.1
    assert np.abs(exact - rounded).mean() < 0.02


@pytest.mark.parametrize(("ranges", "measured", "runs_here", "expected"), [
    (True, "f32", True, "int8"), (False, "f32", True, "f32"),
    (True, "bf16", True, "bf16"), (True, "f32", False, "f32")])
def test_int8_is_used_where_there_are_ranges_the_processor_has_it_and_bf16_does_not_pay(
        weights, monkeypatch, ranges, measured, runs_here, expected):
    monkeypatch.setattr(openvino_engine, "best_precision", lambda core, cache: measured)
    monkeypatch.setattr(openvino_engine, "int8_runs_here", lambda core: runs_here)
    if not ranges:
        weights = replace(weights, manifest={**weights.manifest, "int8_ranges": {}})
    assert OpenVinoEngine(weights).precision == expected


@pytest.mark.parametrize(("machine", "abilities", "expected"), [
    ("x86_64", ["FP32", "INT8"], True), ("AMD64", ["INT8"], True), ("arm64", ["FP16", "INT8"], False),
    ("x86_64", ["FP32"], False)])
def test_int8_is_for_x86_processors_that_have_it(monkeypatch, machine, abilities, expected):
    class Core:
        def get_property(self, device, name):
            return abilities

    monkeypatch.setattr("platform.machine", lambda: machine)
    assert int8_runs_here(Core()) == expected


@pytest.mark.parametrize(("radius_px", "runs"), [(0, ["int8"]), (6, ["int8", "f32"]), (20, ["int8"])])
def test_a_slice_with_little_marked_is_decided_in_f32(tmp_path, monkeypatch, radius_px, runs):
    monkeypatch.setattr(openvino_engine, "best_precision", lambda core, cache: "f32")
    monkeypatch.setattr(openvino_engine, "int8_runs_here", lambda core: True)
    plain = load_weights(thresholding_weights(tmp_path))
    weights = replace(plain, manifest={**plain.manifest, "int8_ranges": {"downs.0.block.0": 1.0}})
    y, x = np.mgrid[:96, :96] - 47.5
    image = np.where(np.hypot(x, y) < radius_px, 125, 92).astype(np.float32)[None, None] / 200
    engine, used = OpenVinoEngine(weights), []
    run = engine._infer
    monkeypatch.setattr(engine, "_infer", lambda one, precision: used.append(precision) or run(one, precision))
    engine.predict(image)
    assert used == runs


def test_a_network_that_only_proposes_decides_nothing_again(tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_engine, "best_precision", lambda core, cache: "f32")
    monkeypatch.setattr(openvino_engine, "int8_runs_here", lambda core: True)
    ranges = {"downs.0.block.0": 1.0}
    weights = load_weights(thresholding_weights(tmp_path, {"int8_ranges": ranges, "calibration": {"coarse": {}}}))
    engine, used = OpenVinoEngine(weights), []
    run = engine._infer
    monkeypatch.setattr(engine, "_infer", lambda one, precision: used.append(precision) or run(one, precision))
    image = np.full((1, 1, 96, 96), 92 / 200, np.float32)
    image[..., 40:50, 40:50] = 125 / 200
    assert engine.predict(image)[0, :, 45, 45].sum() > 0.5 and used == ["int8"]


@pytest.mark.parametrize("ranges", [[1], {"stem": "wide"}, {"stem": -1}, {"stem": float("inf")}, "all"])
def test_ranges_that_are_none_are_refused_when_weights_are_read(tmp_path, ranges):
    from ICHVolumeLib.core.errors import InputError

    save_weights(tmp_path, random_model(), {"int8_ranges": ranges})
    with pytest.raises(InputError, match="int8_ranges"):
        load_weights(tmp_path)
