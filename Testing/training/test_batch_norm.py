"""Released weights begin a run as good as they are."""

from dataclasses import replace

import pytest
import torch
from network_weights import random_model
from safetensors.torch import load_file

from ICHVolumeLib.calibration.release import KEPT, averaged_model, release
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.network.attfocusnet import AttFocusNet, AttFocusNetConfig
from ICHVolumeLib.network.weights import load_weights, save_weights
from ICHVolumeLib.training.checkpoint import START
from ICHVolumeLib.training.plans import PLANS
from ICHVolumeLib.training.train import train
from ICHVolumeLib.training.warm_start.batch_norm import load_released_weights


@pytest.fixture
def released(tmp_path):
    fields = {"training_data": "heads of a friend", "clean_up_mm3": {"specks": 20.0}, "window_hu": [0, 90],
              "brain_hu": [28, 39]}
    return save_weights(tmp_path / "weights", random_model(), fields)


@pytest.fixture
def images():
    torch.manual_seed(3)
    return torch.rand(4, 1, 64, 64)


@pytest.fixture
def folded(released):
    weights = load_weights(released)
    model = AttFocusNet(weights.config).eval()
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})
    return model


def test_released_weights_give_the_same_answers_with_batch_norms_again(released, folded, images):
    model = AttFocusNet(AttFocusNetConfig(base_width=4)).eval()
    load_released_weights(released, model, [images])
    torch.testing.assert_close(model(images), folded(images), atol=1e-4, rtol=1e-4)


def test_in_training_mode_they_are_the_same_network_too(released, folded, images):
    model = AttFocusNet(AttFocusNetConfig(base_width=4))
    load_released_weights(released, model, [images])
    assert model.training
    torch.testing.assert_close(model(images), folded(images), atol=1e-3, rtol=1e-3)


def test_however_small_folding_made_a_layer_a_step_of_training_changes_it_as_little_as_the_others(released, images):
    weights = load_weights(released)
    tiny = "ups.0.shrink.conv.weight"
    for_folding = AttFocusNet(weights.config)
    state = {name: torch.from_numpy(values.copy()) for name, values in weights.tensors.items()}
    state[tiny] *= 0.001
    for_folding.load_state_dict(state)
    save_weights(released, for_folding, {})
    model = AttFocusNet(AttFocusNetConfig(base_width=4))
    load_released_weights(released, model, [images])
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    model(images).square().mean().backward()
    optimizer.step()
    convolutions = [name for name in before if name.endswith("conv.weight") and "gate" not in name]
    turned = {name: torch.nn.functional.cosine_similarity(before[name].flatten(1), value.flatten(1)).min().item()
              for name, value in model.named_parameters() if name in convolutions}
    assert tiny in turned and len(turned) > 20
    assert min(turned.values()) > 0.999


def test_they_may_begin_a_network_on_three_slices(released, folded, images):
    model = AttFocusNet(AttFocusNetConfig(base_width=4, in_slices=3)).eval()
    three = torch.rand(4, 3, 64, 64)
    three[:, 1:2] = images
    load_released_weights(released, model, [three])
    torch.testing.assert_close(model(three), folded(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("in_slices", [1, 3])
def test_a_wider_network_starts_as_good_as_the_narrower_weights(released, folded, images, in_slices):
    model = AttFocusNet(AttFocusNetConfig(base_width=6, in_slices=in_slices)).eval()
    seen = torch.rand(4, in_slices, 64, 64)
    seen[:, in_slices // 2] = images[:, 0]
    load_released_weights(released, model, [seen])
    torch.testing.assert_close(model(seen), folded(images), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.train()(seen), folded(images), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("fields", "differs"), [({"base_width": 2}, "base_width 4 there, 2 here"),
                                                 ({"base_width": 6, "fusion": "R2"}, "fusion R1 there, R2 here")])
def test_weights_of_another_network_are_refused_with_what_differs(released, fields, differs):
    with pytest.raises(InputError, match=rf"\({differs}\)"):
        load_released_weights(released, AttFocusNet(AttFocusNetConfig(**fields)), [])


@pytest.mark.parametrize("width", [4, 6])
def test_a_run_starts_from_released_weights_and_goes_on_from_its_own(released, folded, pool, tmp_path, width):
    plan = replace(PLANS["practical"], epochs=1, epoch_slices=4, size=64, batch=4, validation_blocks=0, hard_share=0.0,
                   pixel_mm=(1.8, 2.4), learning_rate=0.0)
    config = AttFocusNetConfig(base_width=width)
    train(pool, tmp_path / "run", plan, config, start_from=released)
    slices = torch.rand(2, 1, 64, 64)
    first = averaged_model(tmp_path / "run")(slices)
    torch.testing.assert_close(first, folded(slices), atol=0.05, rtol=0.05)  # one step of the norms' averages
    (released / "manifest.json").unlink()  # not looked at again
    assert train(pool, tmp_path / "run", replace(plan, epochs=2), config, start_from=released)["step"] == [1, 2]


def test_a_release_may_lie_between_the_start_and_the_end_of_its_run(released, pool, tmp_path):
    plan = replace(PLANS["practical"], epochs=1, epoch_slices=8, size=64, batch=4, validation_blocks=0, hard_share=0.0,
                   pixel_mm=(1.8, 2.4), learning_rate=0.05)
    run = tmp_path / "run"
    train(pool, run, plan, AttFocusNetConfig(base_width=4), start_from=released)
    start, end = load_file(run / START), averaged_model(run).state_dict()
    between = averaged_model(run, 0.25).state_dict()
    moved = [name for name in end if not torch.equal(start[name], end[name])]
    assert any("conv" in name for name in moved) and any("running_mean" in name for name in moved)
    for name, value in between.items():
        if value.dtype.is_floating_point:
            torch.testing.assert_close(value, 0.25 * start[name] + 0.75 * end[name])
    with pytest.raises(InputError, match="share of 1 .* less than 1"):
        averaged_model(run, 1.0)
    (run / START).unlink()
    with pytest.raises(InputError, match="holds no start.safetensors"):
        averaged_model(run, 0.25)
    with pytest.raises(InputError, match="released weights, which have no start"):
        release(released, tmp_path / "again", [], version="2", start_share=0.25)


@pytest.fixture
def without_patients(monkeypatch):
    """Releases are calibrated on nobody, and choose this."""
    from ICHVolumeLib.calibration import release as module

    chosen = {"threshold": 0.4, "intervals": {"interval": {"coverage": 0.9}}, "pieces": None}
    monkeypatch.setattr(module, "synthetic_patients", lambda *args, **more: [])
    monkeypatch.setattr(module.Calibration, "choose", lambda self: chosen)


def test_weights_say_which_share_of_the_start_is_in_them_also_when_calibrated_again(released, pool, tmp_path,
                                                                                    without_patients):
    plan = replace(PLANS["practical"], epochs=1, epoch_slices=4, size=64, batch=4, validation_blocks=0, hard_share=0.0,
                   pixel_mm=(1.8, 2.4))
    train(pool, tmp_path / "run", plan, AttFocusNetConfig(base_width=4), start_from=released)
    release(tmp_path / "run", tmp_path / "mixed", [], version="2", start_share=0.25)
    release(tmp_path / "mixed", tmp_path / "again", [], version="3")
    release(tmp_path / "run", tmp_path / "end", [], version="2")
    assert load_weights(tmp_path / "mixed").manifest["start_share"] == 0.25
    assert load_weights(tmp_path / "again").manifest["start_share"] == 0.25
    assert "start_share" not in load_weights(tmp_path / "end").manifest


@pytest.mark.parametrize("eight_bits", [False, True])
def test_weights_that_are_calibrated_again_are_the_same_weights(released, tmp_path, without_patients, eight_bits):
    if eight_bits:
        wide, fields = AttFocusNet(AttFocusNetConfig(base_width=16)).eval(), load_weights(released).manifest
        save_weights(released, wide, {name: fields[name] for name in KEPT if name in fields} | {"threshold": 0.4}, True)
    release(released, tmp_path / "again", [], version="2")
    before, after = load_weights(released), load_weights(tmp_path / "again")
    assert after.sha256 == before.sha256
    assert (after.version, after.threshold) == ("2", 0.4)
    assert after.manifest["calibration"] == {"interval": {"coverage": 0.9}}
    for name in ("pixel_spacing_mm", "window_hu", "brain_hu", "training_data", "clean_up_mm3"):
        assert after.manifest[name] == before.manifest[name]
