"""What a run needs beside its checkpoint to go on bit for bit: the slices made ahead, random numbers, losses so far.

RUN/stream-N.safetensors of process N, written with every checkpoint and used only with the one of its step. On a GPU
the sums of a step are not the same twice, whatever is kept.
"""

import json
import logging
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save

from ..core.atomic_files import replace_file
from .parts import PartedStream, set_state, state_of

log = logging.getLogger(__name__)


def save_state(folder: Path, rank: int, step: int, about: dict, stream: PartedStream, losses: list[torch.Tensor]):
    """about: plain values that must be the same when it is read (number of parts), and those that are given back."""
    tensors, values = {}, {}
    for part, one in stream.streams.items():
        more, values[str(part)] = state_of(one, str(part))
        tensors |= more
    tensors["random"] = torch.get_rng_state()
    if losses:
        tensors["losses"] = torch.stack(losses).cpu()
    replace_file(_file(folder, rank), save(tensors, {"step": str(step), "about": json.dumps(about),
                                                     "streams": json.dumps(values)}))


def load_state(folder: Path, rank: int, step: int, stream: PartedStream) -> tuple[dict, list[torch.Tensor]]:
    """(about, losses) as saved, and the stream set to where it was. ({}, []) where nothing of this step is there, or of
    other parts: the run then goes on with other slices."""
    file = _file(folder, rank)
    if not file.is_file():
        return {}, []
    with safe_open(file, "pt") as saved:
        words = saved.metadata()
        values = json.loads(words["streams"])
        if int(words["step"]) != step or set(values) != set(map(str, stream.streams)):
            log.info("%s is of another step or number of processes: the run goes on with other slices", file)
            return {}, []
        tensors = {name: saved.get_tensor(name) for name in saved.keys()}
    for part, one in stream.streams.items():
        set_state(one, str(part), tensors, values[str(part)])
    torch.set_rng_state(tensors["random"])
    return json.loads(words["about"]), list(tensors.get("losses", []))


def _file(folder: Path, rank: int) -> Path:
    return folder / f"stream-{rank}.safetensors"
