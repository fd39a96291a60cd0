import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from network_weights import random_model  # noqa: E402

from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.network.attfocusnet import AttFocusNet, fold_batch_norm  # noqa: E402
from ICHVolumeLib.network.weights import load_weights, save_weights  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    return save_weights(tmp_path / "weights", random_model(), {"version": "7", "threshold": 0.4})


def test_weights_come_back_folded_to_within_fp16_and_load_into_the_network(folder):
    weights = load_weights(folder)
    expected = fold_batch_norm(random_model())
    assert weights.tensors.keys() == expected.keys()
    for name, values in weights.tensors.items():
        np.testing.assert_allclose(values, expected[name].numpy(), rtol=1e-3, atol=1e-6)
    model = AttFocusNet(weights.config)
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})


def test_the_manifest_carries_what_was_said_and_sensible_defaults(folder):
    weights = load_weights(folder)
    assert (weights.version, weights.threshold, weights.window_hu) == ("7", 0.4, (-60.0, 140.0))
    assert weights.config.norm == "none" and weights.config.base_width == 4


def test_weights_are_stored_as_fp16_without_pickle(folder):
    parameters = sum(value.numel() for value in fold_batch_norm(random_model()).values())
    content = (folder / "attfocusnet.safetensors").read_bytes()
    assert 2 * parameters < len(content) < 2 * parameters + 20_000
    assert content[8:9] == b"{"  # safetensors: a length, then a JSON header


def test_one_changed_byte_is_noticed_before_any_weight_is_used(folder):
    path = folder / "attfocusnet.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="checksum"):
        load_weights(folder)


def test_a_folder_without_weights_says_what_belongs_there(tmp_path):
    with pytest.raises(InputError, match="manifest.json"):
        load_weights(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        load_weights(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "other/1"}', '{"schema": "ichvolume-weights/1"}'])
def test_a_manifest_that_cannot_be_used_is_refused(folder, text):
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="manifest.json"):
        load_weights(folder)


@pytest.mark.parametrize("level", ["bright", 35, [35], [40, 30], [-3, 30], [30, 4000], [30, None]])
def test_a_level_of_brain_that_is_none_is_refused(folder, level):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "brain_hu": level}), encoding="utf-8")
    with pytest.raises(InputError, match="brain_hu"):
        load_weights(folder)


def test_a_config_of_a_newer_version_is_refused(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["config"]["heads"] = 8
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="newer"):
        load_weights(folder)


def test_the_environment_variable_names_the_folder_of_an_offline_hospital(folder, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_WEIGHTS", str(folder))
    assert load_weights().version == "7"


def test_the_argument_goes_before_the_environment_variable(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_WEIGHTS", str(tmp_path / "nowhere"))
    assert load_weights(folder).version == "7"


def test_weights_of_a_diverged_training_are_not_saved(tmp_path):
    model = random_model()
    with torch.no_grad():
        model.head.weight[0] = 1e6
    with pytest.raises(InputError, match="finite"):
        save_weights(tmp_path, model)


@pytest.mark.parametrize("number_type", ["BF16", "F8_E4M3"])
def test_numbers_of_a_type_that_numpy_lacks_are_refused(folder, number_type):
    path = folder / "attfocusnet.safetensors"
    size = {"BF16": 2, "F8_E4M3": 1}[number_type]
    header = json.dumps({"a": {"dtype": number_type, "shape": [1], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="not a safetensors file that can be read"):
        load_weights(folder)


def test_reading_weights_loads_no_torch(folder):
    code = ("import sys; from ICHVolumeLib.network.weights import load_weights; load_weights(sys.argv[1]); "
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code, str(folder)]).returncode == 0


def test_weights_in_8_bits_say_so_and_are_read_as_any(tmp_path):
    model = random_model(base_width=16)
    plain, small = (load_weights(save_weights(tmp_path / str(bits), model, {"version": "8"}, eight_bits=bits))
                    for bits in (False, True))
    assert [one.manifest["schema"] for one in (plain, small)] == ["ichvolume-weights/1", "ichvolume-weights/2"]
    sizes = [(tmp_path / str(bits) / "attfocusnet.safetensors").stat().st_size for bits in (False, True)]
    assert sizes[1] < 0.6 * sizes[0]
    assert plain.tensors.keys() == small.tensors.keys() and small.version == "8"
    images = torch.rand(2, 1, 64, 64)
    answers = []
    for weights in (plain, small):
        network = AttFocusNet(weights.config).eval()
        network.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})
        with torch.no_grad():
            answers.append(network(images).softmax(1))
    assert 0 < (answers[0] - answers[1]).abs().max() < 0.05
