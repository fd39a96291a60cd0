"""The training loop: generator in, checkpoint and curves out. Resumes where it stopped."""

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..core.errors import InputError
from ..datasets.case import OUTSIDE_BRAIN
from ..network.base import NetworkConfig, check_classes
from ..network.memory_layout import channels_last
from ..network.registry import network_of
from ..network.weights import load_weights
from ..synthetic.background_pool import is_validation
from ..synthetic.backgrounds import Background
from ..synthetic.generator import EVERYTHING, Ingredients
from . import losses
from .batches import BatchStream
from .checkpoint import ABOUT, CHECKPOINT, load_checkpoint, load_starting_weights, save_checkpoint, save_start
from .parts import PartedStream, part_of_plan, stream_of
from .plans import Plan
from .prefetch import prefetch
from .processes import Processes
from .real_blocks import RealBlocks
from .resume import load_state, save_state
from .stack_batches import StackStream, stacks_per_batch
from .tensorboard_log import TensorBoardLog, check_tensorboard
from .validation import validate, validation_blocks
from .warm_start.batch_norm import BATCHES, load_released_weights

log = logging.getLogger(__name__)
SAVE_EVERY_S = 300


def train(pool: list[Background], folder: Path, plan: Plan, config: NetworkConfig, *, seed: int = 0,
          minutes: float | None = None, device: str = "cpu", start_from: Path | None = None,
          ingredients: Ingredients = EVERYTHING, jobs: int = 0, real: RealBlocks | None = None, parts: int = 1,
          processes: Processes | None = None, tensorboard: bool = False,
          clock: Callable[[], float] = time.monotonic) -> dict:
    """Train a network on the training patients of `pool`; returns the curves {"step", "loss", "dice", "false_alarm"}.

    config: of any network of the registry. minutes: stop the schedule at that time by clock (seconds: wall time;
    time.process_time where other work shares the processor) instead of after plan.epochs.
    A checkpoint in `folder` is resumed; start_from: folder of another run whose averaged weights are the starting
    point, or of released weights. real: real bleeds to be shown among the made ones, as often as the plan says.
    jobs: processes that make the slices (0: this one); another number, other slices.
    processes: that train together, each calling this; parts: streams that a batch is made of in one process, as many
    as processes would have. tensorboard: log into folder/tensorboard, too.
    Raises InputError where they are to mine hard negatives, too, for real bleeds that the plan never shows, and for a
    network that does not fit the plan, the run in `folder` or the start.
    """
    processes = processes or Processes()
    check_jobs(plan, jobs)
    check_network(plan, config)
    check_parts(plan, config, parts, processes, jobs)
    if tensorboard:
        check_tensorboard()
    if real and not plan.real_share:
        raise InputError("The plan shows no real bleeds (its real_share is 0): train with --preset real, or without "
                         "--real-bleeds.")
    run = _Run(pool, Path(folder), plan, config, seed, device, start_from, ingredients, jobs, real, parts, processes,
               tensorboard)
    total = plan.epochs * plan.epoch_slices // run.slices_per_step
    started, saved = clock() - run.about["seconds"], time.monotonic()
    while True:
        done = run.about["step"] / total if minutes is None else (clock() - started) / (60 * minutes)
        done, save = processes.agreed(done, time.monotonic() - saved > SAVE_EVERY_S)
        if save:
            run.save()
            saved = time.monotonic()
        if done >= 1:
            break
        run.step(done)
        run.about["seconds"] = clock() - started
        if run.about["step"] % max(plan.epoch_slices // run.slices_per_step, 1) == 0:
            run.close_epoch()
    if run.losses:
        run.close_epoch()
    run.save()
    return run.about["curves"]


def check_jobs(plan: Plan, jobs: int):
    """Raises InputError where other processes are to make the slices of a plan that mines hard negatives."""
    if jobs and plan.hard_share:
        raise InputError("Slices made by other processes cannot be those of earlier false alarms: train with a preset "
                         "without hard negatives (--preset many), or without --jobs.")


def check_parts(plan: Plan, config: NetworkConfig, parts: int, processes: Processes, jobs: int = 0):
    """Raises InputError where a batch cannot be divided so, or parts are wanted beside what gives them anyway."""
    if parts > 1 and (processes.count > 1 or jobs):
        raise InputError("--parts is for one process alone: torchrun's processes are the parts, and --jobs makes its "
                         "own slices; leave it out.")
    part_of_plan(plan, config, max(parts, processes.count))


def check_network(plan: Plan, config: NetworkConfig):
    """Raises InputError for a network that cannot be trained on the plan's crops, or draws other classes."""
    check_classes(config, plan.classes)
    if plan.size % config.size_multiple:
        raise InputError(f"The network {config.network} takes multiples of {config.size_multiple} pixels and "
                         f"the plan's crops have {plan.size}; choose another preset.")
    if config.patch and max(config.patch[1:]) > plan.size:
        raise InputError(f"The network {config.network} is trained on patches of {config.patch[1]} x {config.patch[2]} "
                         f"pixels and the plan's crops have {plan.size}; choose another preset or a smaller window.")


class _Run:
    """The state of one run: model, averaged model, optimizer, stream, curves."""

    def __init__(self, pool, folder, plan, config, seed, device, start_from, ingredients, jobs, real, parts, processes,
                 tensorboard):
        torch.manual_seed(seed)
        self.processes, self.folder, self.plan, self.device = processes, folder, plan, processes.device(device)
        self.bf16 = plan.bf16 and bf16_pays(self.device)
        self.layout = fastest_layout(self.device)
        torch.backends.cudnn.benchmark = True  # every batch has the same shape
        self.network, self.slices_per_step = network_of(config), slices_per_step(plan, config)
        self.model = self.network.new_model(config).to(self.device)
        if self.layout == torch.channels_last:
            channels_last(self.model)
        self.averaged = copy.deepcopy(self.model).eval()
        self.optimizer = self._optimizer()
        self.about = {"step": 0, "seconds": 0.0, "seed": seed, "plan": plan.to_dict(),
                      "network": config.network, "config": config.to_dict(),
                      "slices_per_step": self.slices_per_step,
                      "processes": processes.count, "real_patients": [],
                      "first_steps": plan.first_steps if start_from is None else 0,
                      "curves": {"step": [], "seconds": [], "loss": [], "dice": [], "ivh_dice": [], "false_alarm": []}}
        if (folder / CHECKPOINT).is_file():
            self.about = load_checkpoint(folder, self.model, self.averaged, self.optimizer)
        self._note_real(real.patients if real else [])
        training = [one for one in pool if not is_validation(one.patient)]
        self.stream = self._stream(training, config, seed, jobs, parts, ingredients, real)
        if start_from is not None and self.about["step"] == 0:
            self._start_from(Path(start_from))
        self.together = processes.together(self.network, self.model)
        if self.about["step"] == 0:
            self.averaged.load_state_dict(self.model.state_dict())
        self.validation = validation_blocks(pool, config, plan) if processes.is_first else []
        self.losses: list[torch.Tensor] = []
        self.best, self.stale, self.factor, self.rate = math.inf, 0, 1.0, 0.0
        if self.about["step"] and isinstance(self.stream, PartedStream):
            self._go_on()
        self.tensorboard = TensorBoardLog(folder, self.about["step"]) if tensorboard and processes.is_first else None

    def _stream(self, training, config, seed, jobs, parts, ingredients, real):
        """This process's share of the batches."""
        seed, more, of = seed + self.about["step"], (ingredients, real), max(parts, self.processes.count)
        mine = range(parts) if self.processes.count == 1 else range(self.processes.rank, self.processes.rank + 1)
        if not jobs:
            return stream_of(mine, of, config, training, self.plan, seed, *more)
        kind, shown = (StackStream, config.patch) if config.patch else (BatchStream, config.in_slices)
        return prefetch(jobs, training, part_of_plan(self.plan, config, of),
                        seed if of == 1 else [seed, self.processes.rank], shown, *more, device=self.device, stream=kind)

    def _go_on(self):
        about, losses = load_state(self.folder, self.processes.rank, self.about["step"], self.stream)
        self.losses = [one.to(self.device) for one in losses]
        self.best, self.stale, self.factor = about.get("plateau", (self.best, self.stale, self.factor))

    def _start_from(self, folder: Path):
        if (folder / CHECKPOINT).is_file():
            load_starting_weights(folder, self.model)
            seen = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        else:
            load_released_weights(folder, self.model, (next(self.stream)[0].float() for _ in range(BATCHES)))
            seen = load_weights(folder).manifest
        self._note_real(seen.get("real_patients", []))
        if self.processes.is_first:
            save_start(self.folder, self.model)

    def _note_real(self, patients: list[str]):
        """Patients whose real bleeds these weights have seen, in this run, an earlier part of it or what it started
        from."""
        self.about["real_patients"] = sorted({*self.about.get("real_patients", []), *patients})

    def _optimizer(self):
        parameters = self.model.parameters()
        if self.plan.optimizer == "rmsprop":
            return torch.optim.RMSprop(parameters, lr=self.plan.learning_rate)
        return torch.optim.AdamW(parameters, lr=self.plan.learning_rate, weight_decay=self.plan.weight_decay,
                                 fused=self.device.type == "cuda")

    def step(self, done: float):
        """One batch; done is the share of the run that is over (0..1)."""
        plan, step = self.plan, self.about["step"]
        rate = self.factor if plan.schedule == "plateau" else 0.5 * (1 + math.cos(math.pi * done))
        rate *= min(1.0, (step + 1) / plan.warmup_steps) if plan.warmup_steps else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate = plan.learning_rate * rate
        images, labels, origins = next(self.stream)
        images = images.to(self.device, non_blocking=True).to(torch.float32, memory_format=self.layout)
        labels = labels.to(self.device, non_blocking=True)
        self.model.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outputs = self.together(images)
        loss = self._loss_of([self.processes.whole(one) for one in outputs], self.processes.whole(labels))
        self.optimizer.zero_grad(set_to_none=True)
        (loss * self.processes.count).backward()  # the processes' gradients are averaged, and each has its part alone
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self._mine(outputs[0].detach(), labels, origins)
        self._average(step)
        self.losses.append(loss.detach())  # read at the end of the epoch: a GPU need not wait for it
        self.about["step"] += 1

    def _loss(self):
        early = self.about["step"] < self.about.get("first_steps", 0)
        return losses.from_scratch if early else getattr(losses, self.plan.loss)

    def _loss_of(self, outputs, labels):
        """The mean over all that the network wants judged."""
        loss, labels = self._loss(), labels.reshape(-1, *labels.shape[-2:])
        judged = (losses.without_unsure(losses.logits_by_slice(one.float()), labels) for one in outputs)
        return sum(loss(*one) for one in judged) / len(outputs)

    def _mine(self, logits, labels, origins):
        """Slices (or stacks) without blood on which more than 60 pixels are marked come back as hard negatives; a mark
        of blood outside the brain counts where it is known that there is none."""
        if not self.plan.hard_share:
            return
        winner, unknown = logits.argmax(1), labels == losses.NOT_IN_BRAIN
        marked = ((winner > 0) & ~(unknown & (winner == OUTSIDE_BRAIN))).flatten(1).sum(1).cpu().numpy()
        empty = ((labels == 0) | unknown).flatten(1).all(1).cpu().numpy()
        for index in np.flatnonzero(empty & (marked > 60)):
            self.stream.report_false_alarm(origins[index], float(marked[index]))

    @torch.no_grad()
    def _average(self, step):
        decay = min(self.plan.ema, (step + 1) / (step + 10))
        pairs = list(zip(self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True))
        kept, new = zip(*(pair for pair in pairs if pair[0].dtype.is_floating_point), strict=True)
        torch._foreach_lerp_(kept, new, 1 - decay)
        for count, now in pairs:
            if not count.dtype.is_floating_point:
                count.copy_(now)

    def close_epoch(self):
        """Validate, note the curves, lower the rate on a plateau."""
        step_losses = torch.stack(self.losses).tolist()
        mean_loss = float(np.mean(step_losses))
        self.losses = []
        if mean_loss < self.best:
            self.best, self.stale = mean_loss, 0
        else:
            self.stale += 1
        if self.stale > self.plan.patience:
            self.factor, self.stale = self.factor / 2, 0
        if self.processes.is_first:
            self._note_epoch(mean_loss, step_losses)

    def _note_epoch(self, mean_loss: float, step_losses: list[float]):
        scores = validate(self.averaged, self.validation, self.device, self.bf16)
        for name, value in {"step": self.about["step"], "seconds": self.about["seconds"], "loss": mean_loss,
                            **scores}.items():
            self.about["curves"].setdefault(name, []).append(value)
        if self.tensorboard:
            self.tensorboard.epoch(self.about["step"], {"loss": mean_loss, "rate": self.rate, **scores}, step_losses)
        log.info("step %d, %.0f s: loss %.3f, %s", self.about["step"], self.about["seconds"], mean_loss,
                 ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))

    def save(self):
        """Every process its stream, the first one the rest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.stream, PartedStream):
            save_state(self.folder, self.processes.rank, self.about["step"],
                       {"plateau": (self.best, self.stale, self.factor)}, self.stream, self.losses)
        self.processes.wait()
        if not self.processes.is_first:
            return
        save_checkpoint(self.folder, self.model, self.averaged, self.optimizer, self.about)
        (self.folder / "curves.json").write_text(json.dumps(self.about["curves"]), encoding="utf-8")


def bf16_pays(device: torch.device) -> bool:
    """False on a processor that only emulates bf16: float32 is several times as fast there."""
    if device.type != "cpu":
        return True
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def fastest_layout(device: torch.device) -> torch.memory_format:
    """Channels last where convolutions are computed in bf16; elsewhere training is a fifth slower with it."""
    return torch.channels_last if bf16_pays(device) else torch.contiguous_format


def slices_per_step(plan: Plan, config: NetworkConfig) -> int:
    """The plan's batch; of a network of stacks, as many slices as come nearest to it in whole stacks."""
    depth = config.patch[0] if config.patch else 0
    return depth * stacks_per_batch(plan.batch, depth) if depth else plan.batch
