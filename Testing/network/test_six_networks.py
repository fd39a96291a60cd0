"""The six networks that the paper compares, each the whole way: built, trained, saved, loaded, and segmenting."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phantoms import ellipsoid_ct  # noqa: E402
from tiny_networks import TINY, needs_its_packages  # noqa: E402

from ICHVolumeLib.core.errors import ICHVolumeError, InputError  # noqa: E402
from ICHVolumeLib.engines import EngineError, choose_engine  # noqa: E402
from ICHVolumeLib.network import monai_extra  # noqa: E402
from ICHVolumeLib.network.base import PackageMissing  # noqa: E402
from ICHVolumeLib.network.registry import NETWORKS, find_network, network_of  # noqa: E402
from ICHVolumeLib.network.weights import load_weights, save_weights  # noqa: E402
from ICHVolumeLib.segmentation.input_slices import windowed_slices  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402
from ICHVolumeLib.training import losses  # noqa: E402

SIX = ("attfocusnet", "attunet", "pranet", "unet3d", "unetpp", "unetr")
FROM_MONAI = ("unet3d", "unetpp", "unetr")
WINDOW_HU, PIXEL_MM = (0.0, 100.0), 3.0
STEPS = 15


@pytest.fixture(scope="module")
def small_phantom():
    return ellipsoid_ct("regular", pixel_mm=PIXEL_MM, step_mm=8, columns=64, rows=72)


@pytest.fixture(scope="module")
def learned(small_phantom):
    """name -> the tiny network after some steps on the phantom's own middle, its losses; trained once each."""
    done = {}

    def of(name):
        needs_its_packages(find_network(name))
        if name not in done:
            done[name] = overfit(name, *lesson(small_phantom, TINY[name]))
        return done[name]

    return of


def lesson(phantom, config):
    """(images, labels) of the bleed and the head around it, as the network is given them in training."""
    seen = slice(4, 68), slice(64)
    hu, labels = phantom.ct.hu[:, *seen].astype(np.float32), phantom.mask[:, *seen]
    if not config.patch:
        bleeding = np.flatnonzero(labels.any((1, 2)))[1:-1]
        return [torch.from_numpy(part.copy()) for part in (windowed_slices(hu, WINDOW_HU, 1)[bleeding],
                                                           labels[bleeding])]
    middle = len(hu) // 2 - 8
    images = windowed_slices(hu, WINDOW_HU, 1)[middle:middle + 16, 0]
    corners = [(..., slice(row, row + 32), slice(column, column + 32)) for row, column in ((16, 0), (16, 32))]
    return [torch.from_numpy(np.stack([part[corner] for corner in corners]))
            for part in (images, labels[middle:middle + 16])]


def overfit(name, images, labels):
    torch.manual_seed(1)
    network = find_network(name)
    model = network.new_model(TINY[name]).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    seen, flat = [], labels.reshape(-1, *labels.shape[-2:])
    for _ in range(STEPS):
        outputs = network.training_outputs(model, images)
        loss = sum(losses.bce_dice(losses.logits_by_slice(one), flat) for one in outputs) / len(outputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    return model.eval(), seen


def saved(model, folder, threshold=0.5):
    fields = {"version": "t", "threshold": threshold, "window_hu": list(WINDOW_HU),
              "pixel_spacing_mm": {"native_range": [2.7, 3.3], "target": PIXEL_MM}}
    return save_weights(folder, model, fields)


def test_the_registry_holds_the_six_of_the_paper():
    assert set(SIX) == set(TINY) <= set(NETWORKS)


@pytest.mark.parametrize("name", SIX)
def test_a_seed_is_a_network(name):
    network = find_network(name)
    needs_its_packages(network)
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(network.new_model(TINY[name]).state_dict())
    same, other = (all(torch.equal(value, one[key]) for key, value in states[0].items()) for one in states[1:])
    assert same and not other


@pytest.mark.parametrize("name", SIX)
def test_it_learns_a_few_slices_by_heart(learned, name):
    _, seen = learned(name)
    assert seen[-1] < 0.85 * seen[0]


@pytest.mark.parametrize("name", SIX)
def test_its_weights_come_back_from_disk_with_the_same_answers(learned, small_phantom, tmp_path, name):
    model, _ = learned(name)
    engine, _ = choose_engine("cpu", "torch", load_weights(saved(model, tmp_path)), 64, 64)
    hu = small_phantom.ct.hu[8:14, 4:68].astype(np.float32)
    slices = windowed_slices(hu, WINDOW_HU, model.config.in_slices)
    with torch.no_grad():
        expected = network_of(model.config).logits(model, torch.from_numpy(slices)).softmax(1)[:, 1:]
    assert engine.name == "torch" and expected.std() > 0.01
    np.testing.assert_allclose(engine.predict(slices), expected.numpy(), atol=0.02)  # fp16 on disk


@pytest.mark.parametrize("name", SIX)
def test_it_segments_a_phantom(learned, small_phantom, tmp_path, name):
    model, _ = learned(name)
    images, labels = lesson(small_phantom, model.config)
    with torch.no_grad():
        logits = losses.logits_by_slice(network_of(model.config).training_outputs(model, images)[0])
    bleed = logits.softmax(1)[:, 1:].sum(1)[labels.reshape(-1, *labels.shape[-2:]) > 0]
    folder = saved(model, tmp_path, threshold=float(bleed.mean()))  # a few steps leave it unsure of everything
    found = Segmenter(weights_dir=folder, device="cpu", engine="torch").apply(small_phantom.ct)
    assert found.engine == "torch" and found.mask.shape == small_phantom.mask.shape
    assert "engine-fallback" not in [one.code for one in found.findings]
    marked, truth = found.mask > 0, small_phantom.mask > 0
    assert marked[truth].mean() > 1.3 * marked[~truth & (small_phantom.ct.hu > 0)].mean()


@pytest.mark.parametrize(("name", "outputs"), [("attfocusnet", 1), ("unetpp", 4), ("pranet", 4), ("unet3d", 1)])
def test_what_training_judges_begins_with_the_answer(name, outputs):
    network, config = find_network(name), TINY[name]
    needs_its_packages(network)
    model = network.new_model(config).eval()
    images = torch.rand(1, config.in_slices, 64, 64)
    with torch.no_grad():
        judged, answer = network.training_outputs(model, images), model(images)
    assert len(judged) == outputs and all(one.shape == judged[0].shape for one in judged)
    torch.testing.assert_close(losses.logits_by_slice(judged[0])[config.in_slices // 2][None], answer)
    if outputs > 1:
        assert not torch.allclose(judged[0], judged[-1])


@pytest.mark.parametrize("name", FROM_MONAI)
def test_without_monai_a_sentence_says_what_to_install(monkeypatch, name):
    monkeypatch.setattr(monai_extra, "find_spec", lambda package: None if package == "monai" else True)
    with pytest.raises(ImportError, match=r"needs monai, an optional extra.*pip install .*choose another") as raised:
        find_network(name).build(TINY[name])
    assert isinstance(raised.value, ICHVolumeError) and find_network(name).title in str(raised.value)


def test_without_monai_and_openvino_no_engine_claims_that_torch_lacks(monkeypatch):
    def lacks_monai(weights, threads):
        raise PackageMissing("The network X needs monai")

    def lacks_openvino(weights, threads):
        raise ImportError("openvino")

    monkeypatch.setattr("ICHVolumeLib.engines._torch_cpu", lacks_monai)
    monkeypatch.setattr("ICHVolumeLib.engines._openvino", lacks_openvino)
    with pytest.raises(EngineError, match="The network X needs monai") as raised:
        choose_engine("cpu", "auto", SimpleNamespace(), 32, 32)
    assert type(raised.value) is EngineError


@pytest.mark.parametrize(("name", "wrong"), [
    ("unetpp", {"in_slices": 2}), ("unetpp", {"base_width": 3}), ("unetpp", {"base_width": 32.0}),
    ("unetpp", {"classes": 1}), ("pranet", {"blocks": (3, 4)}), ("pranet", {"blocks": "3463"}),
    ("pranet", {"blocks": [1, 1, 1, 0]}), ("pranet", {"channels": 0}), ("pranet", {"in_slices": 4}),
    ("pranet", {"base_width": True}), ("unet3d", {"in_slices": 6}), ("unet3d", {"window": 40}),
    ("unet3d", {"window": 16}), ("unetr", {"in_slices": 8}), ("unetr", {"window": 100}),
    ("unetr", {"hidden_size": 770}), ("unetr", {"heads": 0}), ("unetr", {"base_width": 10**9}),
    ("unetr", {"window": None}), ("unetr", {"depth": 3})])
def test_a_configuration_that_cannot_be_built_is_refused(name, wrong):
    with pytest.raises(InputError, match="network config: .*"):
        find_network(name).config_class.from_dict(wrong)
