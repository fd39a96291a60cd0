"""Training: learns, resumes, and its weights become a model that segments."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ICHVolumeLib.calibration.release import averaged_model, training_data
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.network.attfocusnet import AttFocusNet, AttFocusNetConfig
from ICHVolumeLib.network.weights import save_weights
from ICHVolumeLib.synthetic.generator import Block
from ICHVolumeLib.training import losses
from ICHVolumeLib.training.checkpoint import LESS_PROBABLE, load_starting_weights
from ICHVolumeLib.training.curves import draw_curves
from ICHVolumeLib.training.plans import PLANS, Plan
from ICHVolumeLib.training.train import bf16_pays, fastest_layout, train

TINY = Plan("adamw", 3e-3, "cosine", "class_dice", batch=4, epochs=3, epoch_slices=40, size=64, pixel_mm=(1.8, 2.4),
            ema=0.9, bf16=False, hard_share=0.2, validation_blocks=3)


def test_a_short_run_lowers_the_loss_and_writes_its_curves(pool, tmp_path):
    torch.manual_seed(0)
    curves = train(pool, tmp_path, TINY, AttFocusNetConfig(base_width=4))
    assert len(curves["loss"]) == 3
    assert curves["loss"][-1] < curves["loss"][0]
    assert json.loads((tmp_path / "curves.json").read_text(encoding="utf-8")) == curves
    pytest.importorskip("matplotlib")
    assert draw_curves(tmp_path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("has", "expected"), [({"avx2": True, "avx512_bf16": False}, False), ({}, False),
                                               ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)])
def test_a_processor_that_only_emulates_bf16_trains_in_float32(monkeypatch, has, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert bf16_pays(torch.device("cpu")) == expected
    assert bf16_pays(torch.device("cuda"))
    assert fastest_layout(torch.device("cpu")) == (torch.channels_last if expected else torch.contiguous_format)


def test_a_run_goes_on_where_it_stopped(pool, tmp_path):
    train(pool, tmp_path, replace(TINY, epochs=1), AttFocusNetConfig(base_width=4))
    curves = train(pool, tmp_path, replace(TINY, epochs=2), AttFocusNetConfig(base_width=4))
    assert curves["step"][0] == 10
    assert curves["step"][-1] == 20


class RealBleeds:
    """A block of blood, for RealBlocks."""

    def __init__(self, *patients):
        self.patients = list(patients)

    def draw(self, rng, *, size, pixel_mm, slices, variation):
        labels = np.zeros((slices, size, size), np.uint8)
        labels[:, 20:30, 20:30] = 1
        return Block(np.full(labels.shape, 30, np.float32) + 40 * labels, labels, pixel_mm, 5.0, "real")


def test_real_bleeds_once_seen_are_named_in_all_that_comes_of_it(pool, tmp_path):
    plan, config = replace(TINY, epochs=1, epoch_slices=4, real_share=0.5), AttFocusNetConfig(base_width=4)
    run, later, last = (tmp_path / name for name in ("run", "later", "last"))
    train(pool, run, plan, config)
    assert training_data(run).endswith("No real hemorrhage with a mask was used.")
    train(pool, run, replace(plan, epochs=2), config, real=RealBleeds("p071"))  # goes on
    train(pool, later, plan, config, start_from=run, real=RealBleeds("p053"))
    assert "(p053, p071)" in training_data(later)
    save_weights(tmp_path / "weights", averaged_model(later), {"version": "1", "real_patients": ["p053", "p071"]})
    train(pool, last, plan, config, start_from=tmp_path / "weights")
    assert "(p053, p071)" in training_data(last)


def test_real_bleeds_that_the_plan_never_shows_are_refused(pool, tmp_path):
    with pytest.raises(InputError, match="real_share is 0.*--preset real"):
        train(pool, tmp_path / "run", TINY, AttFocusNetConfig(base_width=4), real=RealBleeds("p053"))


def test_other_processes_are_refused_where_hard_negatives_are_wanted(pool, tmp_path):
    with pytest.raises(InputError, match="earlier false alarms: .*--preset many.*without --jobs"):
        train(pool, tmp_path / "run", TINY, AttFocusNetConfig(base_width=4), jobs=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("warm", "expected"), [(False, ["first"] * 3 + ["own"] * 7), (True, ["own"] * 10)])
def test_only_a_run_from_scratch_starts_with_the_gentler_loss(pool, tmp_path, monkeypatch, warm, expected):
    plan, config = replace(TINY, epochs=1, hard_share=0.0), AttFocusNetConfig(base_width=4)
    train(pool, tmp_path / "before", replace(plan, epoch_slices=4), config)
    asked = []
    for name, function in (("first", losses.from_scratch), ("own", losses.class_dice)):
        monkeypatch.setattr(losses, function.__name__, lambda *given, name=name, function=function:
                            asked.append(name) or function(*given))
    for epoch_slices in (8, 40):  # the second goes on where the first stopped
        train(pool, tmp_path / "run", replace(plan, first_steps=3, epoch_slices=epoch_slices), config,
              start_from=tmp_path / "before" if warm else None)
    assert asked == expected


def test_a_run_on_three_slices_starts_as_good_as_the_run_on_one_that_it_starts_from(pool, tmp_path):
    config = AttFocusNetConfig(base_width=4)
    train(pool, tmp_path, replace(TINY, epochs=1), config)
    one, three = AttFocusNet(config).eval(), AttFocusNet(replace(config, in_slices=3)).eval()
    load_starting_weights(tmp_path, one)
    load_starting_weights(tmp_path, three)
    slices = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(three(slices), one(slices[:, 1:2]))


def test_a_run_with_the_class_outside_the_brain_starts_as_good_as_the_one_without_it(pool, tmp_path):
    train(pool, tmp_path / "three", replace(TINY, epochs=1), AttFocusNetConfig(base_width=4))
    before = averaged_model(tmp_path / "three")
    after = AttFocusNet(AttFocusNetConfig(base_width=4, classes=4)).eval()
    load_starting_weights(tmp_path / "three", after)
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        logits, grown = before(images), after(images)
    assert torch.allclose(grown[:, :3], logits, atol=1e-5)
    assert torch.allclose(grown[:, 3], logits[:, 1] - LESS_PROBABLE, atol=1e-5)
    curves = train(pool, tmp_path / "four", replace(TINY, epochs=1, outside_share=0.5),
                   AttFocusNetConfig(base_width=4, classes=4), start_from=tmp_path / "three")
    assert len(curves["outside_dice"]) == 1
    with pytest.raises(InputError, match="4 are needed"):
        train(pool, tmp_path / "mixed", replace(TINY, outside_share=0.5), AttFocusNetConfig(base_width=4))


def test_the_paper_preset_is_the_papers_recipe():
    paper = PLANS["paper"]
    assert (paper.optimizer, paper.learning_rate, paper.epochs, paper.batch) == ("rmsprop", 1e-5, 40, 2)
    assert (paper.schedule, paper.patience, paper.size, paper.window_hu) == ("plateau", 2, 512, (-60.0, 140.0))


@pytest.mark.parametrize("loss", [losses.bce_dice, losses.ce_dice, losses.class_dice, losses.blood_dice,
                                  losses.from_scratch, losses.every_slice])
def test_a_loss_is_small_for_the_right_answer_and_large_for_the_wrong_one(loss):
    labels = torch.zeros(2, 16, 16, dtype=torch.uint8)
    labels[0, 4:9, 4:9], labels[1, 2:6, 8:12] = 1, 2
    right = 20.0 * torch.nn.functional.one_hot(labels.long(), 3).permute(0, 3, 1, 2).float()
    assert loss(right, labels) < 0.05
    assert loss(-right, labels) > 1


@pytest.mark.parametrize("loss", [losses.class_dice, losses.blood_dice, losses.ce_dice])
def test_a_loss_of_three_classes_parts_ich_from_ivh(loss):
    labels = torch.full((1, 8, 8), 2, dtype=torch.uint8)
    ich = torch.tensor([-9.0, 9.0, -9.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    ivh = ich[:, [0, 2, 1]]
    assert loss(ivh, labels) < 0.05 < loss(ich, labels) - 5


def test_a_missed_small_bleed_costs_the_practical_loss_as_much_as_a_missed_large_one():
    def cost_of_missing(size):
        labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
        labels[0, :size, :size] = 1
        nothing = torch.tensor([9.0, -9.0, -9.0]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
        probabilities = torch.softmax(nothing, 1)
        return float(losses._slice_dice_losses(1 - probabilities[:, 0], (labels > 0).float()))

    assert cost_of_missing(10) == pytest.approx(cost_of_missing(50), abs=0.1)


def test_a_mark_on_a_clean_slice_costs_the_preset_small_no_dice_and_a_missed_bleed_all_of_it():
    background = torch.tensor([9.0, -9.0, -9.0]).view(1, 3, 1, 1).repeat(2, 1, 64, 64)
    spot = background.clone()
    spot[0, :, :10, :10] = torch.tensor([-9.0, 9.0, -9.0]).view(3, 1, 1)
    bleed, clean = torch.zeros(2, 2, 64, 64, dtype=torch.uint8)
    bleed[0, :10, :10] = 1
    dice_of = {loss: [float(loss(logits, labels) - losses._hard_cross_entropy(logits, labels)
                            - losses._which_blood(logits, labels))
                      for logits, labels in ((spot, clean), (background, bleed))]
               for loss in (losses.class_dice, losses.blood_dice)}
    one_of_two_slices = (1 - 10 / (100 + 10)) / 2
    assert dice_of[losses.class_dice] == pytest.approx([one_of_two_slices] * 2, abs=1e-3)
    assert dice_of[losses.blood_dice] == pytest.approx([0, one_of_two_slices], abs=1e-3)


def test_a_bleed_that_is_missed_outright_keeps_a_strong_gradient():
    labels = torch.zeros(2, 64, 64, dtype=torch.uint8)
    labels[0, :10, :10] = 2  # 100 of 8192 pixels, all of them called background with e^-18
    sure = torch.tensor([18.0, 0.0, 0.0]).view(1, 3, 1, 1).repeat(2, 1, 64, 64).requires_grad_()
    loss = losses._hard_cross_entropy(sure, labels)
    loss.backward()
    worst = int(0.02 * 8192)
    assert float(loss.detach()) == pytest.approx(100 * 18 / worst, rel=1e-3)  # the mean over all pixels would be 0.22
    assert -float(sure.grad[0, 2, 5, 5]) == pytest.approx(1 / worst, rel=1e-3)


@pytest.mark.parametrize("blood_pixels", [1, 2, 40])
def test_ich_against_ivh_is_the_cross_entropy_of_the_bloods_pixels_alone(blood_pixels):
    logits = 3 * torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    labels = torch.zeros(2, 8, 8, dtype=torch.uint8)
    labels.flatten()[:3 * blood_pixels:3] = torch.arange(blood_pixels).remainder(2).add(1).to(torch.uint8)
    blood = labels > 0
    assert blood.sum() == blood_pixels
    ich_or_ivh = torch.stack([logits[:, 1][blood], logits[:, 2][blood]], dim=1)
    plain = torch.nn.functional.cross_entropy(ich_or_ivh, labels[blood].long() - 1, torch.tensor([1.0, 3.0]))
    assert float(losses._which_blood(logits, labels)) == pytest.approx(float(plain), rel=1e-5)


def test_without_blood_ich_against_ivh_costs_nothing_and_teaches_nothing():
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(2)).requires_grad_()
    loss = losses._which_blood(logits, torch.zeros(2, 8, 8, dtype=torch.uint8))
    loss.backward()
    assert loss == 0 and not logits.grad.any()


def test_bce_dice_sees_one_class_as_the_paper_does():
    labels = torch.randint(0, 3, (2, 8, 8), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    swapped = logits[:, [0, 2, 1]]
    assert losses.bce_dice(logits, labels) == pytest.approx(float(losses.bce_dice(swapped, labels)), abs=1e-6)


@pytest.mark.parametrize("pixel_mm, expected", [((0.82, 0.98), 0.896), ((0.42, 0.75), 0.47)])
def test_released_weights_ask_for_the_pixels_they_were_trained_on(tmp_path, pixel_mm, expected):
    from ICHVolumeLib.calibration.release import pixel_spacing

    (tmp_path / "checkpoint.json").write_text(json.dumps({"plan": {"pixel_mm": pixel_mm}}), encoding="utf-8")
    assert pixel_spacing(tmp_path) == {"native_range": list(pixel_mm), "target": expected}


def test_released_weights_segment_as_the_trained_network_does(pool, tmp_path):
    from ICHVolumeLib.calibration.release import averaged_model
    from ICHVolumeLib.network.weights import load_weights, save_weights

    train(pool, tmp_path, TINY, AttFocusNetConfig(base_width=4))
    model = averaged_model(tmp_path)
    save_weights(tmp_path / "weights", model, {"version": "t"})
    loaded = load_weights(tmp_path / "weights")
    assert loaded.config.base_width == 4
    assert all(np.isfinite(values).all() for values in loaded.tensors.values())
