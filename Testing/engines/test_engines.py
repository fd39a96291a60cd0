import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import random_model, thresholding_weights  # noqa: E402

import ICHVolumeLib.engines as engines  # noqa: E402
from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.engines import EngineError, PackagesMissing, cache, choose_engine, nvidia, openvino_engine  # noqa: E402
from ICHVolumeLib.engines.openvino_engine import OpenVinoEngine, best_precision  # noqa: E402
from ICHVolumeLib.engines.quiet_openvino import ov  # noqa: E402
from ICHVolumeLib.engines.torch_engine import TorchEngine  # noqa: E402
from ICHVolumeLib.network.attfocusnet import AttFocusNet, AttFocusNetConfig  # noqa: E402
from ICHVolumeLib.network.weights import load_weights, save_weights, weights_folder  # noqa: E402

SHIPPED = Path(engines.__file__).parent.parent / "weights"
VARIANTS = [{"fusion": "R1"}, {"fusion": "R2"}, {"fusion": "R3"}, {"gate": "add"}, {"focus": False},
            {"in_slices": 3}, {"levels": 3}, {"base_width": 6}]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return load_weights(thresholding_weights(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module", params=["trained here", "shipped"])
def trained_weights(request, tmp_path_factory):
    """Weights as training leaves them: rounding matters less to them than to weights set by hand or by chance."""
    if request.param == "shipped":
        if not (weights_folder(SHIPPED) / "manifest.json").exists():
            pytest.skip("no weights are shipped with this checkout")
        return load_weights(SHIPPED)
    torch.manual_seed(0)
    model = AttFocusNet(AttFocusNetConfig(base_width=8, levels=3))
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    rng = np.random.default_rng(5)
    for _ in range(100):
        slices, truth = zip(*(disc_slice(radius, rng, size=32) for radius in rng.uniform(1.5, 10, 8)), strict=True)
        loss = torch.nn.functional.cross_entropy(model(torch.tensor(np.array(slices))[:, None]),
                                                 torch.tensor(np.array(truth)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return load_weights(save_weights(tmp_path_factory.mktemp("weights"), model.eval()))


def disc_slice(radius_px, rng, size=96, window_hu=(-60, 140)):
    """Brain at 32 HU with noise and a disc of blood at 65 HU with soft edges: (0..1 float32, truth), (size, size)."""
    low, high = window_hu
    rows, columns = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    row, column = rng.uniform(size / 3, size * 2 / 3, 2)
    edge = np.clip(2 * (radius_px - np.hypot(rows - row, columns - column)) + 0.5, 0, 1)
    hu = 32 + 33 * edge + rng.normal(0, 1, edge.shape)
    return ((hu - low) / (high - low)).astype(np.float32), (edge > 0.5).astype(np.int64)


def slices_with_bleeds(radii_px, window_hu=(-60, 140)):
    """(n, 1, 96, 96), one slice per radius."""
    rng = np.random.default_rng(0)
    return np.stack([disc_slice(radius, rng, window_hu=window_hu)[0] for radius in radii_px])[:, None]


def mask_of(lesions, threshold=0.5):
    return lesions.sum(1) >= threshold


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("fields", VARIANTS)
def test_the_openvino_graph_computes_what_the_torch_network_does(fields, tmp_path):
    model = random_model(**fields)
    weights = load_weights(save_weights(tmp_path, model))
    slices = np.random.default_rng(1).random((2, model.config.in_slices, 48, 64), np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(slices)).softmax(1)[:, 1:].numpy()
    assert expected.std() > 0.001
    openvino = OpenVinoEngine(weights, precision="f32")
    openvino.prepare(48, 64)
    np.testing.assert_allclose(openvino.predict(slices), expected, atol=2e-3)  # fp16 storage and rounding
    np.testing.assert_allclose(TorchEngine(weights).predict(slices), expected, atol=2e-3)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_every_engine_marks_the_same_voxels(trained_weights, precision):
    radii_px = [*10 * [1.5, 2, 2.5, 3], 6, 10, 20, 28]
    slices = slices_with_bleeds(radii_px, trained_weights.window_hu).repeat(trained_weights.config.in_slices, axis=1)
    exact, threshold = TorchEngine(trained_weights).predict(slices), trained_weights.threshold
    openvino = OpenVinoEngine(trained_weights, precision)
    openvino.prepare(96, 96)
    found, expected = mask_of(openvino.predict(slices), threshold), mask_of(exact, threshold)
    assert expected.any()
    assert dice(found, expected) >= 0.998
    assert (found.any(axis=(1, 2)) == expected.any(axis=(1, 2))).all()  # no tiny bleed is lost or made up
    undecided = np.abs(exact.sum(1) - threshold) < 0.05
    assert undecided[found != expected].all()  # they differ only where fp32 itself sits on the threshold


def test_the_answer_for_a_slice_does_not_depend_on_the_batch(weights):
    slices = slices_with_bleeds([2, 5, 9])
    together = TorchEngine(weights, batch_size=3).predict(slices)
    alone = TorchEngine(weights, batch_size=1).predict(slices)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_result_is_not_overwritten_by_the_next_slice(weights):
    engine = OpenVinoEngine(weights, "f32")
    engine.prepare(96, 96)
    first, second = slices_with_bleeds([3, 25])[:, None]
    kept = engine.predict(first)
    before = kept.copy()
    engine.predict(second)
    assert (kept == before).all()


@pytest.mark.parametrize(("gains", "expected"), [
    ([0.3] * 5, ["f32"] * 7), ([2.0], ["bf16"] * 3),
    ([0.9, 0.6, 1.7], ["f32", "f32", "bf16", "bf16"]),  # the first two in busy moments
])
def test_the_processor_is_measured_until_bf16_pays_or_five_times_and_remembered(tmp_path, monkeypatch, gains, expected):
    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine._lists_bf16", lambda core: True)
    coming = iter(gains)
    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine.bf16_gain", lambda core: next(coming))
    assert [best_precision(ov.Core(), tmp_path) for _ in expected] == expected


def test_the_measurement_itself_gives_a_gain():
    core = ov.Core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16")
    assert 0.01 < openvino_engine.bf16_gain(core) < 100


@pytest.mark.parametrize(("gain", "expected"), [(0.2, "f32"), (1.1, "f32"), (2.0, "bf16")])
def test_bf16_is_taken_only_where_it_is_clearly_faster(gain, expected, monkeypatch):
    class Core:
        def get_property(self, device, name):
            return ["FP32", "BF16"] if name == "OPTIMIZATION_CAPABILITIES" else "some processor"

    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine.bf16_gain", lambda core: gain)
    assert best_precision(Core(), None) == expected


def test_a_processor_without_bf16_is_not_measured(monkeypatch):
    class Core:
        def get_property(self, device, name):
            return ["FP32", "INT8"]

    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine.bf16_gain", lambda core: pytest.fail("measured"))
    assert best_precision(Core(), None) == "f32"


def test_a_damaged_record_of_the_processor_is_measured_again(tmp_path):
    (tmp_path / "precision.json").write_text("{", encoding="utf-8")
    assert best_precision(ov.Core(), tmp_path) in ("f32", "bf16")


@pytest.mark.parametrize(("radius_px", "runs"), [(0, 1), (6, 2), (20, 1)])
def test_where_bf16_is_faster_a_slice_with_little_marked_is_decided_in_f32(weights, monkeypatch, radius_px, runs):
    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine.best_precision", lambda core, cache: "bf16")
    engine, used = OpenVinoEngine(weights), []
    run = engine._infer
    monkeypatch.setattr(engine, "_infer", lambda one, precision: used.append(precision) or run(one, precision))
    engine.prepare(96, 96)
    found = engine.predict(slices_with_bleeds([radius_px]))
    assert used == ["bf16", "f32"][:runs]
    exact = OpenVinoEngine(weights, "f32")
    exact.prepare(96, 96)
    if runs == 2:
        assert (found == exact.predict(slices_with_bleeds([radius_px]))).all()


def test_a_processor_that_only_emulates_bf16_runs_f32_and_the_device_says_why(weights, monkeypatch):
    """As with AMX hidden by a hypervisor: bf16 is offered and does not pay."""
    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine.bf16_gain", lambda core: 0.3)
    monkeypatch.setattr("ICHVolumeLib.engines.openvino_engine._lists_bf16", lambda core: True)
    engine = OpenVinoEngine(weights)
    assert engine.precision == "f32" and engine.device.startswith("CPU f32 (") and "no faster" in engine.device
    engine.prepare(96, 96)
    assert mask_of(engine.predict(slices_with_bleeds([5]))).any()


def test_the_compile_cache_is_filled_and_bounded(weights, tmp_path):
    for version in range(cache.KEPT_FILES + 2):
        bias = weights.tensors["head.bias"] + np.float32(version)
        OpenVinoEngine(replace(weights, tensors={**weights.tensors, "head.bias": bias}), "f32").prepare(32, 32)
        blobs = list((tmp_path / "cache" / "openvino").glob("*.blob"))
        assert len(blobs) == min(version + 1, cache.KEPT_FILES)


def test_slices_of_every_size_are_run_by_one_compiled_network(weights, monkeypatch):
    engine, compiled = OpenVinoEngine(weights, "f32"), []
    compile_ = engine._compile
    monkeypatch.setattr(engine, "_compile", lambda precision: compiled.append(precision) or compile_(precision))
    for size in (48, 96, 160, 48):
        engine.prepare(size, size)
        slices = slices_with_bleeds([8])[..., :size, :size]
        np.testing.assert_allclose(engine.predict(slices), TorchEngine(weights).predict(slices), atol=2e-3)
    assert compiled == ["f32"]


def test_without_a_writable_cache_folder_the_engine_still_runs(weights, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "file" / "below"))
    engine = OpenVinoEngine(weights)
    engine.prepare(96, 96)
    assert mask_of(engine.predict(slices_with_bleeds([5]))).any()


def test_the_processor_engine_is_openvino_and_asks_for_no_torch(tmp_path):
    code = ("import sys; from ICHVolumeLib.network.weights import load_weights; "
            "from ICHVolumeLib.engines import choose_engine; "
            "engine, findings = choose_engine('cpu', 'auto', load_weights(sys.argv[1]), 32, 32); "
            "assert engine.name == 'openvino' and not findings, findings; sys.exit('torch' in sys.modules)")
    folder = thresholding_weights(tmp_path)
    assert subprocess.run([sys.executable, "-c", code, str(folder)]).returncode == 0


def test_openvino_sends_no_usage_report(tmp_path):
    code = ("import sys, threading; from ICHVolumeLib.network.weights import load_weights; "
            "from ICHVolumeLib.engines import choose_engine; "
            "choose_engine('cpu', 'auto', load_weights(sys.argv[1]), 32, 32); "
            "assert threading.active_count() == 1, threading.enumerate(); "
            "sys.exit(bool({'openvino_telemetry.main', 'urllib.request', 'requests'} & set(sys.modules)))")
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}
    done = subprocess.run([sys.executable, "-c", code, str(thresholding_weights(tmp_path / "w"))], env=environment)
    assert done.returncode == 0
    assert not list(home.iterdir())  # not even an identifier is left behind


def test_openvino_missing_falls_back_to_torch_and_says_so(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "ICHVolumeLib.engines.openvino_engine", None)
    engine, findings = choose_engine("cpu", "auto", weights, 32, 32)
    assert engine.label == "torch cpu"
    assert [finding.code for finding in findings] == ["engine-fallback"] and "'openvino'" in findings[0].message
    assert "the mask is made by the same network" in findings[0].message


def test_openvino_failing_to_compile_falls_back_to_torch_and_says_why(weights, monkeypatch):
    def fail(self, rows, columns):
        raise RuntimeError("Check 'node' failed at plugin.cpp\nlong trace")

    monkeypatch.setattr(OpenVinoEngine, "prepare", fail)
    engine, findings = choose_engine("auto", "auto", weights, 32, 32)
    assert engine.name == "torch"
    assert "Check 'node' failed" in findings[0].message and "long trace" not in findings[0].message


def test_a_gpu_that_torch_cannot_use_falls_back_to_the_processor_and_says_why(weights, monkeypatch):
    monkeypatch.setattr(nvidia, "gpu_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    engine, findings = choose_engine("auto", "auto", weights, 32, 32)
    assert engine.name == "openvino"
    assert "torch cuda" in findings[0].message and "driver is too old" in findings[0].message


def test_a_gpu_without_torch_is_mentioned(weights, monkeypatch):
    monkeypatch.setattr(nvidia, "gpu_count", lambda: 1)
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    engine, findings = choose_engine("auto", "auto", weights, 32, 32)
    assert engine.name == "openvino" and findings[0].code == "gpu-unused"


def test_cuda_asked_for_where_there_is_none_still_finishes_the_case(weights, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    engine, findings = choose_engine("cuda", "auto", weights, 32, 32)
    assert engine.name == "openvino" and findings[0].code == "engine-fallback"


def test_an_engine_asked_for_by_name_comes_first(weights):
    assert choose_engine("cpu", "torch", weights, 32, 32)[0].label == "torch cpu"
    assert choose_engine("auto", "openvino", weights, 32, 32)[0].label == "openvino"


def test_no_engine_at_all_says_which_package_to_install(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "ICHVolumeLib.engines.openvino_engine", None)
    monkeypatch.setitem(sys.modules, "ICHVolumeLib.engines.torch_engine", None)
    with pytest.raises(PackagesMissing, match="install openvino"):
        choose_engine("cpu", "auto", weights, 32, 32)


def test_every_engine_failing_gives_each_reason(weights):
    with pytest.raises(EngineError):
        choose_engine("cpu", "auto", weights, 32, 32, skip=("openvino", "torch cpu"))


@pytest.mark.parametrize(("device", "engine"), [("tpu", "auto"), ("auto", "onnx")])
def test_an_unknown_device_or_engine_is_refused(device, engine, weights):
    with pytest.raises(InputError):
        choose_engine(device, engine, weights)


def test_out_of_memory_halves_the_batch_until_it_fits_and_says_so(weights, monkeypatch):
    engine = TorchEngine(weights, batch_size=8)
    run = engine._run

    def small_gpu(slices):
        if len(slices) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return run(slices)

    monkeypatch.setattr(engine, "_run", small_gpu)
    slices = slices_with_bleeds([2, 3, 5, 9, 12])
    np.testing.assert_allclose(engine.predict(slices), TorchEngine(weights).predict(slices), atol=1e-5)
    assert engine.batch_size == 2
    assert {finding.code for finding in engine.findings} == {"out-of-memory"}


def test_a_gpu_too_small_for_one_slice_hands_over_to_the_processor_and_is_tried_again(weights, monkeypatch):
    engine = TorchEngine(weights, batch_size=2)
    run, moves = engine._run, []
    engine._device = engine._wanted_device = "cuda"  # a stand-in: the same code, without the card
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)

    def move(device):
        moves.append(device)
        engine._device = device

    def no_gpu(slices):
        if engine._device == "cuda":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return run(slices)

    monkeypatch.setattr(engine, "_move_to", move)
    monkeypatch.setattr(engine, "_run", no_gpu)
    slices = slices_with_bleeds([3, 9])
    np.testing.assert_allclose(engine.predict(slices), TorchEngine(weights).predict(slices), atol=1e-5)
    assert moves == ["cpu"] and "processor" in engine.findings[-1].message
    engine.prepare(96, 96)
    assert moves == ["cpu", "cuda"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_the_gpu_marks_the_same_voxels(trained_weights):
    slices = slices_with_bleeds([1.5, 2, 3, 6, 12, 28], trained_weights.window_hu)
    slices = slices.repeat(trained_weights.config.in_slices, axis=1)
    engine, findings = choose_engine("cuda", "torch", trained_weights, 96, 96)
    assert not findings and engine.label == "torch cuda"
    expected = mask_of(TorchEngine(trained_weights).predict(slices), trained_weights.threshold)
    assert dice(mask_of(engine.predict(slices), trained_weights.threshold), expected) >= 0.998


def test_a_share_of_the_processor_is_not_tied_to_the_first_cores():
    """Two workers with one thread each, both tied to core 0, did 1.2 times the work of one."""
    engine = choose_engine("cpu", "openvino", load_weights(weights_folder(None)), 64, 64, threads=1)[0]
    compiled = engine._compile("f32")
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert not compiled.get_property("ENABLE_CPU_PINNING")
