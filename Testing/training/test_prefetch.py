"""Other processes make the slices that a run is trained on."""

import multiprocessing
import pickle
import tempfile
from dataclasses import replace

import numpy as np
import torch

from ICHVolumeLib.network.attfocusnet import AttFocusNetConfig
from ICHVolumeLib.training.batches import BatchStream
from ICHVolumeLib.training.plans import PLANS
from ICHVolumeLib.training.prefetch import SharedPool, prefetch
from ICHVolumeLib.training.train import train

TINY = replace(PLANS["many"], batch=4, size=64, pixel_mm=(1.8, 2.4), warmup_steps=0)


def test_the_preset_many_trains_and_validates_with_slices_that_other_processes_make(pool, tmp_path, monkeypatch):
    monkeypatch.delattr(BatchStream, "_add_block")  # this process cannot make slices; those that it starts can
    plan = replace(TINY, epochs=3, epoch_slices=40, learning_rate=3e-3, bf16=False, validation_blocks=3)
    curves = train(pool, tmp_path, plan, AttFocusNetConfig(base_width=4), jobs=1)
    assert curves["step"] == [10, 20, 30]
    assert curves["loss"][-1] < curves["loss"][0]
    assert all(0 < dice < 1 for dice in curves["dice"])
    assert not multiprocessing.active_children()


def test_every_process_makes_slices_of_its_own(pool):
    shape = (4, 3, 64, 64)
    stream = prefetch(2, pool, TINY, 1, 3, device=torch.device("cpu"))
    batches = [next(stream) for _ in range(4)]
    for images, labels, origins in batches:
        assert (images.shape, images.dtype) == (shape, torch.float16)
        assert (labels.shape, labels.dtype) == ((4, 64, 64), torch.uint8)
        assert images.min() == 0 and images.max() == 1  # air and bone
        assert len(origins) == 4 and set(origins) <= set(range(len(pool)))
    slices = torch.cat([images for images, _, _ in batches]).flatten(1)
    assert len(slices.unique(dim=0)) == 16


def test_the_heads_are_shared_in_a_file_that_goes_with_the_last_batch(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stream = prefetch(1, pool, TINY, 1, device=torch.device("cpu"))
    next(stream)
    assert len(list(tmp_path.glob("ichvolume_heads_*/heads"))) == 1
    stream.close()
    assert not list(tmp_path.iterdir())


def test_shared_heads_are_the_same_heads_and_cost_no_memory_of_their_own(pool, tmp_path):
    sent = pickle.dumps(SharedPool(pool, tmp_path / "heads"))
    assert len(sent) < 0.01 * sum(one.hu.nbytes for one in pool)
    for ours, theirs in zip(pool, pickle.loads(sent).pool(), strict=True):
        assert (theirs.patient, theirs.kind, theirs.step_mm) == (ours.patient, ours.kind, ours.step_mm)
        for name in ("hu", "tissue", "depth_mm"):
            np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))
            assert isinstance(getattr(theirs, name).base, np.ndarray) and not getattr(theirs, name).flags.writeable
