"""Batches in parts, each from a stream of its own: one for every process that trains, or all of them in one process.

A run in one process with two parts is shown the same slices in the same order as two processes.
"""

from dataclasses import replace

import numpy as np
import torch

from ..core.errors import InputError
from ..network.base import NetworkConfig
from .batches import BatchStream
from .plans import Plan
from .stack_batches import StackStream, stacks_per_batch

Origin = tuple[int, int]  # part, background


def part_of_plan(plan: Plan, config: NetworkConfig, parts: int) -> Plan:
    """The plan with the batch of one of so many parts. Raises InputError where it cannot be divided."""
    depth = config.patch[0] if config.patch else 1
    units = stacks_per_batch(plan.batch, depth) if config.patch else plan.batch
    if units % parts:
        what = "stacks" if config.patch else "slices"
        raise InputError(f"A batch of {units} {what} cannot be divided among {parts} processes or parts; use a number "
                         "that divides it.")
    return plan if parts == 1 else replace(plan, batch=units // parts * depth)


class PartedStream:
    """Iterates (images, labels, origins) as BatchStream does: one after the other from every stream.

    streams: {part: stream}.
    """

    def __init__(self, streams: dict[int, BatchStream]):
        self.streams = streams

    def __iter__(self):
        return self

    def __next__(self):
        shares = {part: next(stream) for part, stream in self.streams.items()}
        images, labels = (torch.cat([share[at] for share in shares.values()]) for at in (0, 1))
        return images, labels, [(part, origin) for part, share in shares.items() for origin in share[2]]

    def report_false_alarm(self, origin: Origin, area_mm2: float):
        self.streams[origin[0]].report_false_alarm(origin[1], area_mm2)


def stream_of(parts: range, of: int, config: NetworkConfig, training, plan: Plan, seed: int,
              *more) -> PartedStream:
    """The stream of these parts of a batch that has `of` in all; one part of one has the seed itself."""
    kind, shown = (StackStream, config.patch) if config.patch else (BatchStream, config.in_slices)
    share = part_of_plan(plan, config, of)
    return PartedStream({part: kind(training, share, seed if of == 1 else [seed, part], shown, *more)
                         for part in parts})


def state_of(stream: BatchStream, name: str) -> tuple[dict[str, torch.Tensor], dict]:
    """(tensors under names that begin with name, plain values) from which the stream goes on."""
    values = {"rng": stream.rng.bit_generator.state, "hard": stream.hard, "origins": [row[2] for row in stream.buffer]}
    if not stream.buffer:
        return {}, values
    return {f"{name}.images": torch.from_numpy(np.stack([row[0] for row in stream.buffer])),
            f"{name}.labels": torch.from_numpy(np.stack([row[1] for row in stream.buffer]))}, values


def set_state(stream: BatchStream, name: str, tensors: dict[str, torch.Tensor], values: dict) -> None:
    """Let the stream go on as the one that `state_of` was taken from."""
    stream.rng.bit_generator.state = values["rng"]
    stream.hard = [(int(background), float(area)) for background, area in values["hard"]]
    images, labels = (tensors[f"{name}.{what}"].numpy() if values["origins"] else () for what in ("images", "labels"))
    stream.buffer = list(zip(images, labels, values["origins"], strict=True))
