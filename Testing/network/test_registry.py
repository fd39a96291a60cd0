"""Any network goes the whole way: a toy of a few lines is trained, saved, loaded, and segments."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import random_model, thresholding_weights  # noqa: E402
from phantoms import ellipsoid_ct  # noqa: E402
from tiny_networks import TINY, needs_its_packages  # noqa: E402

from ICHVolumeLib.bench.engines import BASELINE, make_runners  # noqa: E402
from ICHVolumeLib.calibration.release import averaged_model, release  # noqa: E402
from ICHVolumeLib.commands import train as train_command  # noqa: E402
from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.engines import EngineError, choose_engine  # noqa: E402
from ICHVolumeLib.imaging.dice import dice  # noqa: E402
from ICHVolumeLib.network.base import Network, NetworkConfig  # noqa: E402
from ICHVolumeLib.network.config import AttFocusNetConfig, AttUNetConfig  # noqa: E402
from ICHVolumeLib.network.registry import NETWORKS, find_network, network_of, read_config  # noqa: E402
from ICHVolumeLib.network.weights import load_weights, save_weights  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402
from ICHVolumeLib.training.plans import PLANS  # noqa: E402
from ICHVolumeLib.training.train import train  # noqa: E402

PLAN = replace(PLANS["practical"], epochs=1, epoch_slices=8, size=64, batch=4, validation_blocks=1, hard_share=0.0,
               pixel_mm=(1.8, 2.4), learning_rate=1e-3, warmup_steps=0, bf16=False)


@dataclass(frozen=True)
class ToyConfig(NetworkConfig):
    network: ClassVar[str] = "toy"
    width: int = 2
    in_slices: int = 1
    classes: int = 3


class Toy(Network[ToyConfig]):
    """Begins with the rule that 50 to 78 HU are ICH, so that a few steps are training enough for a test."""

    title = "Toy"
    config_class = ToyConfig

    def build(self, config):
        see, mark = torch.nn.Conv2d(config.in_slices, config.width, 1), torch.nn.Conv2d(config.width, config.classes, 1)
        with torch.no_grad():
            see.weight[:, config.in_slices // 2], see.bias[:2] = 1, torch.tensor([-0.45, -0.7])
            mark.weight[1, :2, 0, 0], mark.bias[1:] = torch.tensor([100.0, -400.0]), torch.tensor([-5.0, -20.0])
        return torch.nn.Sequential(see, torch.nn.BatchNorm2d(config.width, momentum=0), torch.nn.ReLU(), mark)


@pytest.fixture(autouse=True)
def toy(monkeypatch, tmp_path):
    monkeypatch.setitem(NETWORKS, "toy", Toy())
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def trained(pool, tmp_path_factory):
    """(folder of the run, folder of its weights)."""
    folder = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "toy", Toy())
        train(pool, folder / "run", PLAN, ToyConfig())
        fields = {"version": "toy", "window_hu": list(PLAN.window_hu),
                  "pixel_spacing_mm": {"native_range": [1.8, 2.4], "target": 2.1}}
        return folder / "run", save_weights(folder / "weights", averaged_model(folder / "run"), fields)


@pytest.fixture(scope="module")
def small_phantom():
    return ellipsoid_ct("regular", pixel_mm=2.0, step_mm=8, columns=96, rows=104)


def test_a_toy_network_is_trained_and_finds_the_bleed_of_a_phantom(trained, small_phantom):
    start = Toy().build(ToyConfig()).state_dict()
    assert not torch.equal(averaged_model(trained[0]).state_dict()["3.weight"], start["3.weight"])
    segmentation = Segmenter(weights_dir=trained[1], device="cpu").apply(small_phantom.ct)
    assert segmentation.engine == "torch"
    assert dice(segmentation.mask > 0, small_phantom.mask > 0) > 0.9


def test_openvino_says_that_it_cannot_run_it_and_torch_takes_over(trained, small_phantom):
    findings = Segmenter(weights_dir=trained[1], device="cpu", engine="openvino").apply(small_phantom.ct).findings
    assert [one.code for one in findings if "openvino" in one.message] == ["engine-fallback"]
    assert "OpenVINO has no graph of the network toy, only of attfocusnet, attunet" in findings[0].message


def test_without_torch_the_refusal_is_all_there_is(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "ICHVolumeLib.engines.torch_engine", None)
    with pytest.raises(EngineError, match="no graph of the network toy, .*torch runs it"):
        choose_engine("cpu", "auto", load_weights(trained[1]), 32, 32)


def test_the_engine_computes_what_the_trained_network_does(trained):
    engine, _ = choose_engine("cpu", "torch", load_weights(trained[1]), 32, 48)
    slices = torch.rand(2, 1, 32, 48)
    with torch.no_grad():
        expected = averaged_model(trained[0]).half().float()(slices).softmax(1)[:, 1:]  # fp16 on disk
    np.testing.assert_allclose(engine.predict(slices.numpy()), expected.numpy(), atol=1e-4)


def test_its_weights_say_whose_they_are_and_whole_numbers_stay_whole(trained):
    weights = load_weights(trained[1])
    assert (weights.manifest["network"], weights.config, weights.file_name) == ("toy", ToyConfig(), "toy.safetensors")
    assert (trained[1] / "toy.safetensors").is_file()
    assert weights.tensors["1.num_batches_tracked"] == 2
    assert weights.tensors["1.num_batches_tracked"].dtype == np.int64


def test_weights_and_runs_of_any_network_are_calibrated_again_and_trained_further(trained, pool, tmp_path, monkeypatch):
    from ICHVolumeLib.calibration import release as module

    monkeypatch.setattr(module, "synthetic_patients", lambda *args, **more: [])
    monkeypatch.setattr(module.Calibration, "choose", lambda self: {"threshold": 0.4, "intervals": {}, "pieces": None})
    release(trained[1], tmp_path / "again", [], version="2")
    assert load_weights(tmp_path / "again").sha256 == load_weights(trained[1]).sha256
    train(pool, tmp_path / "run", replace(PLAN, epoch_slices=4, learning_rate=0.0), ToyConfig(), start_from=trained[1])
    before, after = averaged_model(trained[0]).state_dict(), averaged_model(tmp_path / "run").state_dict()
    torch.testing.assert_close(after["0.weight"], before["0.weight"], rtol=1e-3, atol=1e-5)
    train(pool, tmp_path / "next", replace(PLAN, epoch_slices=4), ToyConfig(), start_from=tmp_path / "run")


def test_the_bench_runs_it_on_torch_and_says_why_not_on_openvino(trained):
    runners, left_out = make_runners(load_weights(trained[1]), ("openvino", BASELINE, "torch-bf16"), 1, 32, 32)
    assert set(runners) == {BASELINE, "torch-bf16"} and "network toy" in left_out["openvino"]
    assert runners[BASELINE](np.zeros((1, 1, 32, 32), np.float32)).shape == (1, 2, 32, 32)


@pytest.mark.parametrize("config", [AttFocusNetConfig(base_width=4), ToyConfig(in_slices=3), ToyConfig(width=3)])
def test_weights_and_runs_of_another_network_start_none_and_are_not_gone_on_with(trained, pool, tmp_path, config):
    for start in trained:
        with pytest.raises(InputError, match="another network .* there, .* here"):
            train(pool, tmp_path / "run", PLAN, config, start_from=start)
    with pytest.raises(InputError, match="run of another network .* choose another folder"):
        train(pool, trained[0], PLAN, config)


def test_attunet_is_attfocusnet_without_focus_under_its_own_name(pool, tmp_path, small_phantom):
    with_focus_off = network_of(AttFocusNetConfig()).new_model(AttFocusNetConfig(base_width=4, focus=False))
    model = network_of(AttUNetConfig()).new_model(AttUNetConfig(base_width=4)).eval()
    model.load_state_dict(with_focus_off.state_dict())
    weights = load_weights(save_weights(tmp_path, model))
    assert (weights.manifest["network"], weights.config) == ("attunet", AttUNetConfig(base_width=4, norm="none"))
    slices = torch.rand(1, 1, 32, 32)
    for name in ("openvino", "torch"):
        engine, findings = choose_engine("cpu", name, weights, 32, 32)
        assert (engine.name, findings) == (name, [])
        with torch.no_grad():
            expected = with_focus_off.eval()(slices).softmax(1)[:, 1:]
        np.testing.assert_allclose(engine.predict(slices.numpy()), expected.numpy(), atol=0.02)
    with pytest.raises(InputError, match="AttUNet has no focus"):
        AttUNetConfig(focus=True)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_of_the_registry_keeps_its_word(name):
    network = find_network(name)
    assert network.name == name and network.title
    needs_its_packages(network)
    for in_slices in (16,) if TINY[name].patch else (1, 3):
        config = replace(TINY[name], in_slices=in_slices)
        assert read_config({"network": name, "config": json.loads(json.dumps(config.to_dict()))}) == config
        size = 2 * max(config.size_multiple, 16)
        model = network.new_model(config).eval()
        slices = torch.rand(2, in_slices, size, size)
        with torch.no_grad():
            logits = model(slices)
            assert model.config == config and logits.shape == (2, 3, size, size)
            stored = {key: value.numpy() for key, value in network.fold(model).items()}
            weights = type("Stored", (), {"config": network.folded_config(config), "tensors": stored})
            for again in (network.inference_model(weights), network.training_model(weights)):
                torch.testing.assert_close(again(slices), logits, rtol=1e-3, atol=1e-3)
        assert network.stem is None or model.state_dict()[network.stem].shape[1] == in_slices


def test_weights_without_a_networks_name_are_attfocusnets(tmp_path):
    folder = thresholding_weights(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest.pop("network") == "attfocusnet"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert load_weights(folder).config == AttFocusNetConfig(base_width=4, norm="none")


@pytest.mark.parametrize("name", ["unknown", "../toy", "", None, 3, ["toy"], {}])
def test_an_unknown_network_is_refused_with_what_to_do(tmp_path, name):
    folder = thresholding_weights(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "network": name}), encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest.json: the network .* is unknown here; known are attfocusnet, .*"
                                         r"update ICHVolume"):
        load_weights(folder)


@pytest.mark.parametrize("wrong", [{"base_width": "16"}, {"levels": None}, {"in_slices": [1]}])
def test_a_config_with_a_value_of_the_wrong_kind_is_refused(wrong):
    with pytest.raises(InputError, match="network config"):
        read_config({"config": wrong})


def test_a_network_that_does_not_fit_is_refused_before_it_is_trained_or_loaded(pool, tmp_path):
    with pytest.raises(InputError, match="multiples of 16 pixels .* crops have 72"):
        train(pool, tmp_path, replace(PLAN, size=72), AttFocusNetConfig(base_width=4))
    with pytest.raises(InputError, match="2 classes; 3 are needed"):
        train(pool, tmp_path, PLAN, ToyConfig(classes=2))
    with pytest.raises(InputError, match="2 classes; 3 are needed"):
        Segmenter(weights_dir=save_weights(tmp_path / "two", random_model(classes=2)))


@pytest.mark.parametrize(("arguments", "expected"), [
    ([], AttFocusNetConfig()), (["--no-focus", "--width", "8"], AttFocusNetConfig(base_width=8, focus=False)),
    (["--fusion", "R2", "--gate", "add", "--in-slices", "3"], AttFocusNetConfig(fusion="R2", gate="add", in_slices=3)),
    (["--network", "attunet", "--width", "8"], AttUNetConfig(base_width=8)),
    (["--network", "toy", "--in-slices", "3"], ToyConfig(in_slices=3))])
def test_train_takes_a_network_by_name(monkeypatch, tmp_path, arguments, expected):
    assert train_command._config(_parsed(arguments), classes=3) == expected


def test_the_coarse_preset_makes_a_network_that_knows_blood_outside_the_brain():
    config = train_command._config(_parsed(["--width", "8"]), PLANS["coarse"].classes)
    assert config == AttFocusNetConfig(base_width=8, classes=4) and PLANS["real"].classes == 3


@pytest.mark.parametrize(("arguments", "message"), [
    (["--network", "unknown"], "'unknown' is unknown here; known are attfocusnet"),
    (["--network", "toy", "--fusion", "R2", "--no-focus"], "toy has no option --fusion, --no-focus; leave it out")])
def test_train_says_what_a_network_does_not_have(arguments, message):
    with pytest.raises(InputError, match=message):
        train_command._config(_parsed(arguments), classes=3)


def _parsed(arguments):
    import argparse

    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    return parser.parse_args(["data", "-o", "out", *arguments])


def test_the_registry_loads_no_torch():
    code = "import sys, ICHVolumeLib.network.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
