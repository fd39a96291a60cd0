"""The second network's training: blocks with verdicts, crops in line with the truth, a run, a release."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from network_weights import thresholding_weights
from phantoms import ellipsoid_ct

from ICHVolumeLib.errors import ICHVolumeError
from ICHVolumeLib.network.attfocusnet import AttFocusNetConfig, fold_batch_norm
from ICHVolumeLib.network.weights import load_weights, save_weights
from ICHVolumeLib.segmentation import Segmenter
from ICHVolumeLib.stacking import CHANNELS, OWN, VERDICT_REACH, corrected, verdict
from ICHVolumeLib.training import release, stack
from ICHVolumeLib.training.generator import make_block
from ICHVolumeLib.training.plans import PLANS
from ICHVolumeLib.training.train import train

TINY = replace(PLANS["stack"], batch=4, epochs=2, epoch_slices=20, size=64, validation_blocks=2)
SEED = 6  # a bleed in several slices


class Knowing:
    """A first network that is right: its chances are the labels of the block it was given."""

    def __init__(self, labels):
        self.labels = list(labels)

    def predict(self, slices):
        one = self.labels.pop(0)
        return np.stack([one == 1, one == 2])[None].astype(np.float32)


@pytest.fixture(scope="module")
def block(pool):
    truth = make_block(rng_after_pixels(), pool[0], size=stack.BLOCK_SIZE, pixel_mm=pixels(), slices=14, bleed=None)
    return stack.make_stack_block(np.random.default_rng(SEED), pool[0], Knowing(truth.labels), TINY)


def pixels():
    return float(np.exp(np.random.default_rng(SEED).uniform(*np.log(TINY.pixel_mm))))


def rng_after_pixels():
    rng = np.random.default_rng(SEED)
    rng.uniform(*np.log(TINY.pixel_mm))
    return rng


def test_a_block_holds_what_the_first_network_said_of_each_of_its_slices(block):
    assert block["slices"].shape == block["labels"].shape == (4, 320, 320)
    assert (block["labels"] > 0).any()
    for channel, label in enumerate((1, 2)):
        np.testing.assert_array_equal(block["verdicts"][:, channel] == 255, block["labels"] == label)


def test_crops_keep_verdict_and_truth_in_line_however_they_are_turned(block, tmp_path):
    np.savez(tmp_path / "one.npz", **block)
    stream = stack.StackStream(tmp_path, TINY, seed=0)
    seen = [next(stream) for _ in range(20)]
    for images, labels, _ in seen:
        assert images.shape == (4, CHANNELS, 64, 64) and images.dtype == torch.float32
        assert torch.equal(images[:, OWN] == 1, labels == 1) and torch.equal(images[:, OWN + 1] == 1, labels == 2)
    bleeding = torch.cat([labels.flatten(1).any(1) for _, labels, _ in seen]).float().mean()
    assert 0.5 < bleeding < 1  # most crops have something to learn, some have nothing to mark


def test_training_adds_the_logits_of_the_chances_that_the_product_multiplies():
    torch.manual_seed(0)
    images, logits = torch.rand(1, CHANNELS, 5, 6), torch.randn(1, 3, 5, 6)
    trained = torch.softmax(logits + stack.first_logits(images), 1)[0, 1:].numpy()
    used = corrected(images[0, OWN:OWN + 2].numpy(), torch.softmax(logits, 1)[0, 1:].numpy())
    inside = images[0, OWN:OWN + 2].numpy().max(axis=0) < 0.5  # where the chances of ICH and IVH add up to less than 1
    assert inside.sum() > 3
    np.testing.assert_allclose(trained[:, inside], used[:, inside], rtol=1e-4)


def test_a_run_begins_with_the_first_network_s_own_answers(block, tmp_path):
    (tmp_path / "blocks").mkdir()
    np.savez(tmp_path / "blocks" / "one.npz", **block)
    stream = stack.StackStream(tmp_path / "blocks", TINY, seed=0)
    config = AttFocusNetConfig(base_width=4, in_slices=CHANNELS)
    train([], tmp_path / "run", TINY, config, minutes=1e-9, stream=stream, validation=[],
          prior=stack.first_logits)
    answers = release.averaged_model(tmp_path / "run")(torch.rand(1, CHANNELS, 32, 32))
    assert not answers.any()


def test_above_and_below_are_exchanged_together_and_about_as_often_as_not():
    count = 9
    block = {"slices": np.zeros((count, 80, 80), np.uint8), "labels": np.ones((count, 80, 80), np.uint8),
             "verdicts": np.zeros((count, 2, 80, 80), np.uint8), "pixel_mm": np.float32(0.63)}
    block["verdicts"] += np.arange(count, dtype=np.uint8)[:, None, None, None] * 10
    block["slices"] += np.arange(count, dtype=np.uint8)[:, None, None] * 10
    block["suspects"] = [np.arange(80 * 80)] * count
    rng, upright = np.random.default_rng(0), []
    for _ in range(200):
        image, _ = stack.random_crop(rng, block, 32)
        verdicts, slices = image[:2 * OWN + 2:2, 0, 0], image[2 * OWN + 2:, 0, 0]
        assert slices[1] == verdicts[VERDICT_REACH]
        assert np.sign(slices[2] - slices[0]) == np.sign(verdicts[-1] - verdicts[0]) != 0
        upright.append(verdicts[-1] > verdicts[0])
    assert 0.35 < np.mean(upright) < 0.65


def test_blocks_that_arrive_later_are_used_too(block, tmp_path):
    np.savez(tmp_path / "0.npz", **block)
    stream = stack.StackStream(tmp_path, TINY, seed=0)
    next(stream)
    np.savez(tmp_path / "1.npz", **block)
    for _ in range(100):
        next(stream)
    assert set(stream.blocks) == {"0.npz", "1.npz"}


def test_makers_that_cannot_work_end_the_run_with_a_reason(tmp_path):
    with (pytest.raises(ICHVolumeError, match="ended too early"),
          stack.makers(tmp_path, tmp_path / "none.npz", tmp_path, TINY, tmp_path / "blocks", 0, 1)):
        pass


def test_a_short_run_becomes_weights_with_both_networks_that_segment(block, pool, tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))
    first = load_weights(thresholding_weights(tmp_path / "first", {"pixel_spacing_mm": {"native_range": [0.6, 0.66],
                                                                                        "target": 0.63}}))
    (tmp_path / "blocks").mkdir()
    np.savez(tmp_path / "blocks" / "one.npz", **block)
    stream = stack.StackStream(tmp_path / "blocks", TINY, seed=0)
    config = AttFocusNetConfig(base_width=4, in_slices=CHANNELS)
    curves = train([], tmp_path / "run", TINY, config, stream=stream, validation=[], prior=stack.first_logits)
    assert len(curves["loss"]) == TINY.epochs
    release.keep_first(tmp_path / "first", tmp_path / "run")
    model, second, fields = release.networks(tmp_path / "run")
    weights = load_weights(save_weights(tmp_path / "both", model, fields, second))
    assert weights.stack.config.in_slices == CHANNELS
    assert weights.manifest["pixel_spacing_mm"] == first.manifest["pixel_spacing_mm"]
    for name, values in first.tensors.items():
        np.testing.assert_array_equal(weights.tensors[name], values)
    ct = ellipsoid_ct("regular", pixel_mm=1.5, columns=128, rows=144, step_mm=6.0).ct
    assert Segmenter("cpu", tmp_path / "both").apply(ct).mask.shape == ct.hu.shape


def test_the_first_network_may_come_straight_from_its_run(pool, tmp_path):
    plan = replace(PLANS["practical"], epochs=1, epoch_slices=8, size=64, batch=4, validation_blocks=0, hard_share=0.0)
    train(pool, tmp_path / "one", plan, AttFocusNetConfig(base_width=4))
    release.keep_first(tmp_path / "one", tmp_path / "two")
    kept = load_weights(tmp_path / "two" / release.FIRST)
    expected = fold_batch_norm(release.averaged_model(tmp_path / "one"))
    assert kept.manifest["pixel_spacing_mm"]["native_range"] == list(plan.pixel_mm)
    for name, values in kept.tensors.items():
        np.testing.assert_allclose(values, expected[name].numpy(), rtol=1e-3, atol=1e-6)


def test_what_is_a_suspect_is_a_chance_of_one_in_ten(block, tmp_path):
    doubtful = {**block, "labels": np.zeros_like(block["labels"]), "verdicts": np.zeros_like(block["verdicts"])}
    for column, chance in enumerate((0.05, 0.15)):
        doubtful["verdicts"][1, 0, 7, column] = round(255 * float(verdict(np.float32(chance))))
    np.savez(tmp_path / "one.npz", **doubtful)
    stream = stack.StackStream(tmp_path, TINY, seed=0)
    next(stream)
    assert [one.tolist() for one in stream.blocks["one.npz"]["suspects"]] == [[], [7 * 320 + 1], [], []]
