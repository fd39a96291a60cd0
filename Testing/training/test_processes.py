"""Two processes train as one with the whole batch; a stopped run goes on bit for bit; curves for TensorBoard."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from command_line import child_environment
from safetensors.torch import load_file, save_file
from tiny_networks import TINY, needs_its_packages

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.network.config import AttFocusNetConfig
from ICHVolumeLib.network.registry import network_of
from ICHVolumeLib.training import losses
from ICHVolumeLib.training import train as training
from ICHVolumeLib.training.parts import PartedStream, part_of_plan, stream_of
from ICHVolumeLib.training.plans import Plan
from ICHVolumeLib.training.processes import Processes
from ICHVolumeLib.training.train import train

PLAN = Plan("adamw", 3e-3, "cosine", "class_dice", batch=4, epochs=2, epoch_slices=16, size=64, pixel_mm=(1.8, 2.4),
            ema=0.9, bf16=False, hard_share=0.2, validation_blocks=3)
CONFIG = AttFocusNetConfig(base_width=4)
TOGETHER = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
import test_processes
from ICHVolumeLib.training.processes import joined_processes
with joined_processes("cpu") as processes:
    getattr(test_processes, sys.argv[1])(processes, Path(sys.argv[2]), *sys.argv[3:])
"""


def in_two_processes(tmp_path, testing, job, *words):
    """job(processes, tmp_path, *words) of this module in two processes, as torchrun starts them."""
    script = tmp_path / "together.py"
    script.write_text(TOGETHER, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    paths = os.pathsep.join(map(str, (testing.parent, testing, testing / "training")))
    started = [subprocess.Popen(
        [sys.executable, script, job.__name__, str(tmp_path), *words], stderr=subprocess.PIPE, text=True,
        env=child_environment(WORLD_SIZE="2", RANK=str(rank), LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1",
                              MASTER_PORT=port, PYTHONPATH=paths)) for rank in range(2)]
    errors = [process.communicate(timeout=280)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], errors


def one_step(processes, folder, network):
    """Gradients and running statistics after a step on 4 made slices (or 2 stacks), in double precision."""
    torch.manual_seed(1)
    config = TINY[network]
    model = network_of(config).new_model(config).double().train()
    images = torch.rand((2, *config.patch) if config.patch else (4, config.in_slices, 64, 64), dtype=torch.float64)
    labels = torch.randint(0, 3, (2, *config.patch) if config.patch else (4, 64, 64), dtype=torch.uint8)
    share = len(images) // processes.count
    mine = slice(processes.rank * share, (processes.rank + 1) * share)
    together = processes.together(network_of(config), model)
    outputs = together(images[mine])
    marked = processes.whole(labels[mine]).reshape(-1, *labels.shape[-2:])
    loss = sum(losses.class_dice(losses.logits_by_slice(processes.whole(one)), marked) for one in outputs)
    (loss * processes.count).backward()
    found = {name: value.grad for name, value in model.named_parameters() if value.grad is not None}
    found |= {name: value for name, value in model.named_buffers()}
    save_file({**found, "loss": loss.detach()[None]}, folder / f"{processes.count}-{processes.rank}.safetensors")


def a_run(processes, folder, parts="1"):
    from round_head import round_head

    pool = [round_head(f"p{number}", slices=4) for number in range(6)]
    # AdamW makes a whole step of the sign of a gradient near 0, which rounding decides: small steps
    plan = replace(PLAN, learning_rate=1e-4)
    train(pool, folder / f"run{processes.count}", plan, CONFIG, seed=3, parts=int(parts), processes=processes)


def tensors(folder):
    return load_file(folder / "checkpoint.safetensors")


def curves(folder):
    found = json.loads((folder / "curves.json").read_text(encoding="utf-8"))
    return {name: values for name, values in found.items() if name != "seconds"}


@pytest.mark.slow
@pytest.mark.parametrize("network", sorted(TINY))
def test_a_step_of_two_processes_is_that_of_one_with_the_whole_batch(tmp_path, request, network):
    needs_its_packages(network_of(TINY[network]))
    one_step(Processes(), tmp_path, network)
    in_two_processes(tmp_path, request.config.rootpath / "Testing", one_step, network)
    whole = load_file(tmp_path / "1-0.safetensors")
    for rank in range(2):
        shared = load_file(tmp_path / f"2-{rank}.safetensors")
        assert shared.keys() == whole.keys()
        for name, value in whole.items():
            torch.testing.assert_close(shared[name], value, rtol=1e-8, atol=1e-10, msg=name)


@pytest.mark.slow
def test_a_run_of_two_processes_has_the_curves_of_one_with_the_same_slices(tmp_path, request):
    a_run(Processes(), tmp_path, "2")
    in_two_processes(tmp_path, request.config.rootpath / "Testing", a_run)
    one, two = curves(tmp_path / "run1"), curves(tmp_path / "run2")
    assert one["step"] == two["step"] == [4, 8]
    for name in ("loss", "dice", "ivh_dice", "false_alarm"):
        assert two[name] == pytest.approx(one[name], rel=5e-3, abs=5e-3), name


def test_a_stopped_run_goes_on_bit_for_bit(pool, tmp_path, monkeypatch):
    train(pool, tmp_path / "whole", PLAN, CONFIG, seed=5)
    monkeypatch.setattr(training, "SAVE_EVERY_S", -1.0)  # a checkpoint before every step
    step = training._Run.step
    for stop in (3, 6):  # within the first and within the second epoch
        def stopping(run, done, stop=stop):
            if run.about["step"] == stop:
                raise KeyboardInterrupt
            step(run, done)

        monkeypatch.setattr(training._Run, "step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(pool, tmp_path / "stopped", PLAN, CONFIG, seed=5)
        torch.manual_seed(99)  # whatever happened in between
    monkeypatch.setattr(training._Run, "step", step)
    train(pool, tmp_path / "stopped", PLAN, CONFIG, seed=5)
    whole, stopped = tensors(tmp_path / "whole"), tensors(tmp_path / "stopped")
    assert whole.keys() == stopped.keys() and all(torch.equal(whole[name], stopped[name]) for name in whole)
    assert curves(tmp_path / "whole") == curves(tmp_path / "stopped")


def test_without_its_slices_a_run_goes_on_with_others(pool, tmp_path):
    train(pool, tmp_path, replace(PLAN, epochs=1), CONFIG)
    (tmp_path / "stream-0.safetensors").unlink()
    assert train(pool, tmp_path, PLAN, CONFIG)["step"] == [4, 8]


def test_parts_are_the_shares_of_the_processes(pool):
    two = stream_of(range(2), 2, CONFIG, pool, PLAN, 7)
    images, labels, origins = next(two)
    assert len(images) == len(labels) == PLAN.batch and [part for part, _ in origins] == [0, 0, 1, 1]
    for part in range(2):
        own, own_labels, own_origins = next(stream_of(range(part, part + 1), 2, CONFIG, pool, PLAN, 7))
        assert torch.equal(own, images[2 * part:2 * part + 2]) and own_origins == origins[2 * part:2 * part + 2]
        assert torch.equal(own_labels, labels[2 * part:2 * part + 2])


def test_one_part_is_the_stream_of_before(pool):
    from ICHVolumeLib.training.batches import BatchStream

    images, _, origins = next(stream_of(range(1), 1, CONFIG, pool, PLAN, 7))
    before, _, before_origins = next(BatchStream(pool, PLAN, 7))
    assert torch.equal(images, before) and [origin for _, origin in origins] == before_origins


def test_a_false_alarm_comes_back_in_the_part_that_had_it(pool):
    stream = stream_of(range(2), 2, CONFIG, pool, PLAN, 7)
    stream.report_false_alarm((1, 4), 80.0)
    assert isinstance(stream, PartedStream)
    assert (stream.streams[0].hard, stream.streams[1].hard) == ([], [(4, 80.0)])


@pytest.mark.parametrize(("batch", "parts", "config"), [(4, 3, CONFIG), (16, 2, TINY["unet3d"])])
def test_a_batch_that_cannot_be_divided_is_refused(batch, parts, config):
    with pytest.raises(InputError, match=f"cannot be divided among {parts} processes or parts"):
        part_of_plan(replace(PLAN, batch=batch), config, parts)


def test_stacks_are_divided_whole():
    assert part_of_plan(replace(PLAN, batch=32), TINY["unet3d"], 2).batch == 16


def test_parts_beside_processes_or_jobs_are_refused(pool, tmp_path):
    for more in ({"processes": Processes(0, 2)}, {"jobs": 1}):
        with pytest.raises(InputError, match="--parts is for one process alone"):
            train(pool, tmp_path, replace(PLAN, hard_share=0.0), CONFIG, parts=2, **more)


@pytest.mark.parametrize("network", sorted(TINY))
def test_a_network_says_whether_some_of_its_parameters_never_get_a_gradient(network):
    """Or the processes would wait for it."""
    config = TINY[network]
    needs_its_packages(network_of(config))
    model = network_of(config).new_model(config).train()
    shape = (2, *config.patch) if config.patch else (2, config.in_slices, 64, 64)
    sum(one.square().mean() for one in network_of(config).training_outputs(model, torch.rand(shape))).backward()
    idle = [name for name, value in model.named_parameters() if value.grad is None]
    assert bool(idle) == network_of(config).has_idle_parameters, idle


def test_tensorboard_has_the_curves_and_every_steps_loss(pool, tmp_path):
    pytest.importorskip("tensorboard", reason="an optional package")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = train(pool, tmp_path, PLAN, CONFIG, tensorboard=True)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for name, tag in (("loss", "training/loss"), ("dice", "validation/dice")):
        assert [event.step for event in events.Scalars(tag)] == found["step"]
        assert np.allclose([event.value for event in events.Scalars(tag)], found[name])
    steps = events.Scalars("training/loss_of_step")
    assert sorted(event.step for event in steps) == list(range(1, 9))
    first = [event.value for event in steps if event.step <= 4]
    assert np.mean(first) == pytest.approx(found["loss"][0], rel=1e-5)


def test_without_the_package_tensorboard_is_refused_in_a_sentence(pool, tmp_path, monkeypatch):
    from ICHVolumeLib.training import tensorboard_log

    monkeypatch.setattr(tensorboard_log, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="--tensorboard needs the package tensorboard.*pip install tensorboard"):
        train(pool, tmp_path / "run", PLAN, CONFIG, tensorboard=True)
    assert not (tmp_path / "run").exists()
