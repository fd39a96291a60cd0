"""Checkpoints without pickle: tensors as safetensors, everything else as JSON, written beside and renamed."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from ..core.atomic_files import replace_file
from ..core.errors import InputError
from ..network.base import CLASSES, NetworkConfig
from ..network.config import AttFocusNetConfig
from ..network.registry import network_of, read_config

CHECKPOINT = "checkpoint.safetensors"
START = "start.safetensors"  # of a run that started from other weights: what it started from
ABOUT = "checkpoint.json"
HEAD, LESS_PROBABLE = "head", 2.0  # AttFocusNet's last convolution; logits that a class new to it begins below ICH


def save_checkpoint(folder: Path, model, averaged, optimizer, about: dict):
    """Write model, averaged model and optimizer state; `about` (JSON) holds step, curves and configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"averaged.{name}": value for name, value in averaged.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    replace_file(folder / CHECKPOINT, save(tensors))
    replace_file(folder / ABOUT, json.dumps(about, indent=1).encode("utf-8"))


def load_checkpoint(folder: Path, model, averaged=None, optimizer=None) -> dict:
    """Fill model (and averaged model, optimizer) in place; returns what `about` was.

    Raises InputError when the run is of another network or configuration.
    """
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    differ = differences(model.config, read_config(about, str(folder / ABOUT)))
    if differ:
        raise InputError(f"{folder}: a run of another network ({differ}); go on with the same, or choose another "
                         "folder.")
    tensors = load_file(folder / CHECKPOINT)
    model.load_state_dict(_part(tensors, "model."))
    if averaged is not None:
        averaged.load_state_dict(_part(tensors, "averaged."))
    if optimizer is not None:
        state: dict[int, dict] = {}
        for name, value in _part(tensors, "optimizer.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return about


def save_start(folder: Path, model):
    """Keep what a run starts from, so that its end can be mixed with it (`mix_in_start`)."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / START, save({name: value.detach().cpu().contiguous().clone()
                                       for name, value in model.state_dict().items()}))


def mix_in_start(folder: Path, model, share: float):
    """model (the end of the run in `folder`) becomes (1 - share) of itself and `share` of the run's start, in place.

    A short run from good weights forgets a part of what they knew; weights between its two ends can be better than both
    (Wortsman et al. 2022, arXiv:2109.01903). Raises InputError unless 0 <= share < 1 and the start was kept.
    """
    if not 0 <= share < 1:
        raise InputError(f"A share of {share:g} of the starting weights: give 0 or more and less than 1.")
    if not (folder / START).is_file():
        raise InputError(f"{folder} holds no {START}: the run started from scratch, or before its start was kept. "
                         "Release it without a share of its start.")
    start = load_file(folder / START)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(start[name].to(value), share)


def load_starting_weights(folder: Path, model):
    """Fill model with the averaged weights of another run, in place.

    Raises InputError when that run is of a network that this one cannot start from.
    """
    check_start(folder, model.config, read_config(json.loads((folder / ABOUT).read_text(encoding="utf-8")),
                                                  str(folder / ABOUT)))
    load_state(_part(load_file(folder / CHECKPOINT), "averaged."), model)


def load_state(state: dict, model):
    """Fill model in place, with the state of the same network or, where it has a stem, of one on single slices.

    A network on single slices may start one on neighbouring slices: the neighbours then begin with weights of zero, so
    that nothing is lost, and learn from there. One without the class of blood outside the brain may start one with it:
    the class begins as ICH does, which it looks like, a little less probable.
    """
    stem, wanted = network_of(model.config).stem, model.config.in_slices
    if stem and state[stem].shape[1] == 1 < wanted:
        whole = state[stem].new_zeros(state[stem].shape[0], wanted, *state[stem].shape[2:])
        whole[:, wanted // 2] = state[stem][:, 0]
        state[stem] = whole
    for name, less in ((HEAD + ".weight", 0.0), (HEAD + ".bias", LESS_PROBABLE)):
        if name in state and len(state[name]) == CLASSES < model.config.classes:
            state[name] = torch.cat([state[name], state[name][1:2] - less])
    model.load_state_dict(state)


def check_start(folder: Path, ours: NetworkConfig, theirs: NetworkConfig):
    """Raises InputError unless weights of theirs, in folder, can start a run of ours (see `load_state`)."""
    may_grow = (("in_slices",) if theirs.in_slices == 1 and network_of(ours).stem else ()) + (
        ("classes",) if CLASSES == theirs.classes < ours.classes and isinstance(ours, AttFocusNetConfig) else ())
    differ = differences(ours, theirs, but=may_grow)
    if differ:
        raise InputError(f"{folder}: weights of another network ({differ}); start from weights of the same kind, "
                         "which may be narrower.")


def differences(ours: NetworkConfig, theirs: NetworkConfig, but: tuple[str, ...] = ()) -> str:
    """In words, fields named in `but` left out; empty for the same network, folded or not."""
    if ours.network != theirs.network:
        return f"{theirs.network} there, {ours.network} here"
    here, there = (network_of(config).folded_config(config).to_dict() for config in (ours, theirs))
    return ", ".join(f"{name} {there[name]} there, {here[name]} here" for name in here
                     if here[name] != there[name] and name not in but)


def _part(tensors: dict, prefix: str) -> dict:
    return {name[len(prefix):]: value for name, value in tensors.items() if name.startswith(prefix)}
