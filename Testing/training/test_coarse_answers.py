"""A network in training is shown what the coarse pass says of its slices, now and then nothing or something wrong."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.network.attfocusnet import AttFocusNet, AttFocusNetConfig  # noqa: E402
from ICHVolumeLib.network.weights import save_weights  # noqa: E402
from ICHVolumeLib.synthetic.generator import Block  # noqa: E402
from ICHVolumeLib.training.batches import BatchStream  # noqa: E402
from ICHVolumeLib.training.checkpoint import load_starting_weights  # noqa: E402
from ICHVolumeLib.training.coarse_answers import FORGETS, INVENTS, SILENT, CoarseAnswers  # noqa: E402
from ICHVolumeLib.training.plans import PLANS  # noqa: E402
from ICHVolumeLib.training.train import train  # noqa: E402
from ICHVolumeLib.training.warm_start.batch_norm import load_released_weights  # noqa: E402

TINY = replace(PLANS["small"], size=64, pixel_mm=(1.8, 2.4), hard_share=0.0, batch=4, epochs=1, epoch_slices=8,
               validation_blocks=3, warmup_steps=0)
PIXELS = {"pixel_spacing_mm": {"native_range": [1.4, 1.6], "target": 1.5}}


@pytest.fixture
def coarse(tmp_path, monkeypatch):
    """Of weights whose coarse network calls 54 to 87 HU ICH."""
    folder = tmp_path / "weights"
    thresholding_weights(folder)
    thresholding_weights(folder / "coarse", {**PIXELS, "threshold": 0.2}, classes=4)
    monkeypatch.setenv("ICHVOLUME_WEIGHTS", str(folder))
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))
    return CoarseAnswers()


def disc(pixel_mm=0.75, size=160, center=(60, 90)):
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((4, size, size), np.uint8)
    labels[1:3] = np.hypot(y - center[0], x - center[1]) * pixel_mm < 15
    hu = np.where(labels > 0, 66, 32).astype(np.float32)
    return Block(hu, labels, pixel_mm, 5.0, "disc")


def test_they_are_as_large_as_the_block_and_lie_where_the_blood_is(coarse):
    block = disc()
    answers = coarse.of(block)
    assert answers.shape == (4, 3, 160, 160) and answers.dtype == np.float32
    marked, blood = answers[:, 0] > 0.5, block.labels > 0
    assert 2 * (marked & blood).sum() / (marked.sum() + blood.sum()) > 0.97
    assert answers[:, 1:].max() < 0.1


def test_now_and_then_they_are_silent_forget_or_invent(coarse):
    block, rng = disc(), np.random.default_rng(1)
    right, blood = coarse.of(block), block.labels > 0
    coarse.of = lambda block, gap=1: right.copy()
    shown = [coarse.disturbed(rng, block, 1) for _ in range(600)]
    assert all((one >= 0).all() and (one.sum(axis=1) <= 1.001).all() for one in shown)
    same = np.array([np.array_equal(one, right) for one in shown])
    silent = np.array([not one.any() for one in shown])
    invented = np.array([(one[:, :, ~blood.any(axis=0)] > right[:, :, ~blood.any(axis=0)] + 0.05).any()
                         for one in shown])
    forgot = ~same & ~silent & ~invented
    assert silent.mean() == pytest.approx(SILENT, abs=0.04)
    assert forgot.mean() == pytest.approx(FORGETS, abs=0.05)
    assert 0.5 * INVENTS < invented.mean() < INVENTS + 0.05  # a field need not reach so high in every block


def test_the_stream_shows_them_after_the_slices(coarse, pool):
    stream = BatchStream(pool, TINY, 1, 3, coarse=coarse)
    coarse.disturbed = lambda rng, block, gap: coarse.of(block, gap)
    images, _, _ = next(stream)
    assert images.shape == (4, 6, 64, 64)
    for _ in range(10):
        images = torch.cat([images, next(stream)[0]])
    hu = images[:, 1] * 100
    sure = (hu > 58) & (hu < 84)
    assert sure.any() and images[:, 3][sure].mean() > 0.5 > images[:, 3][hu < 45].mean()


def test_they_go_to_other_processes_without_their_engine(coarse):
    block = disc()
    expected = coarse.of(block)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(coarse)).of(block), expected)


def test_a_run_that_is_shown_them_starts_as_good_as_the_run_that_it_starts_from(coarse, pool, tmp_path):
    config = AttFocusNetConfig(base_width=4, in_slices=3)
    train(pool, tmp_path / "before", TINY, config)
    before, told = AttFocusNet(config).eval(), AttFocusNet(replace(config, coarse_channels=3)).eval()
    load_starting_weights(tmp_path / "before", before)
    load_starting_weights(tmp_path / "before", told)
    images = torch.rand(2, 6, 64, 64)
    torch.testing.assert_close(told(images), before(images[:, :3]))
    save_weights(tmp_path / "released", before)
    load_released_weights(tmp_path / "released", told, [images])
    torch.testing.assert_close(told.eval()(images), before(images[:, :3]), atol=2e-2, rtol=2e-2)  # fp16


def test_a_run_that_is_shown_them_trains_and_goes_on(coarse, pool, tmp_path):
    config = AttFocusNetConfig(base_width=4, in_slices=3, coarse_channels=3)
    for epochs in (1, 2):
        curves = train(pool, tmp_path / "run", replace(TINY, epochs=epochs), config)
    assert curves["step"] == [2, 4] and np.isfinite(curves["loss"]).all()


def test_a_run_that_is_not_shown_them_does_not_start_from_one_that_is(coarse, pool, tmp_path):
    config = AttFocusNetConfig(base_width=4, in_slices=3, coarse_channels=3)
    train(pool, tmp_path / "told", TINY, config)
    with pytest.raises(InputError, match="coarse_channels 3 there, 0 here"):
        train(pool, tmp_path / "blind", TINY, replace(config, coarse_channels=0), start_from=tmp_path / "told")


def test_without_coarse_weights_there_is_nothing_to_show(tmp_path):
    thresholding_weights(tmp_path)
    with pytest.raises(InputError, match="no coarse weights"):
        CoarseAnswers(tmp_path)


@pytest.mark.parametrize("wrong", [-1, 4, "3", 1.5])
def test_other_numbers_of_channels_are_refused(wrong):
    with pytest.raises(InputError, match="coarse_channels"):
        AttFocusNetConfig(coarse_channels=wrong)
