"""The processes that train one network together, one for each GPU, as `torchrun` starts them; one alone without it.

Each makes and computes its share of every batch. What is not a sum over slices is made of the whole batch all the same:
the loss (all processes see all logits, each keeps the gradient of its own) and the batch norms' statistics. So a step
is the step of one process with the whole batch, but for the order of sums.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from ..core.errors import InputError
from ..network.base import Network


@dataclass(frozen=True)
class Processes:
    """rank: of this process among `count`; local: on this computer, the number of its GPU."""

    rank: int = 0
    count: int = 1
    local: int = 0

    @property
    def is_first(self) -> bool:
        """The one that writes files and validates."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """The GPU of this process, or the processor. Raises InputError where there are fewer GPUs than processes."""
        if name != "cuda" or self.count == 1:
            return torch.device(name)
        if self.local >= torch.cuda.device_count():
            raise InputError(f"{torch.cuda.device_count()} GPUs are not enough for {self.local + 1} processes; start "
                             "one for each: torchrun --nproc_per_node=GPUS.")
        torch.cuda.set_device(self.local)
        return torch.device("cuda", self.local)

    def agreed(self, *values: float) -> list[float]:
        """The first process's values, in every process: clocks differ."""
        if self.count == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=_where())
        distributed.broadcast(told, 0)
        return told.tolist()

    def whole(self, own: Tensor) -> Tensor:
        """The batch of all processes, (n, ...) -> (count x n, ...); gradients reach this process's part alone."""
        if self.count == 1:
            return own
        parts = [torch.empty_like(own, memory_format=torch.contiguous_format) for _ in range(self.count)]
        distributed.all_gather(parts, own.detach().contiguous())
        parts[self.rank] = own
        return torch.cat(parts)

    def together(self, network: Network, model: nn.Module) -> nn.Module:
        """images -> network.training_outputs(model, images), with the first process's weights in all; after backward
        every process has the mean of the gradients, as long as what is returned is kept. Changes the model's batch
        norms to those of the whole batch."""
        outputs: nn.Module = _Outputs(network, model)
        if self.count == 1:
            return outputs
        on_gpu = next(model.parameters()).is_cuda
        outputs = nn.SyncBatchNorm.convert_sync_batchnorm(outputs) if on_gpu else whole_batch_norms(outputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # broadcast_buffers has another name in torch 2.13
            return DistributedDataParallel(outputs, [self.local] if on_gpu else None, broadcast_buffers=False,
                                           find_unused_parameters=network.has_idle_parameters)

    def wait(self) -> None:
        """Until all have come this far."""
        if self.count > 1:
            distributed.barrier()


class _Outputs(nn.Module):
    def __init__(self, network: Network, model: nn.Module):
        super().__init__()
        self.network, self.model = network, model

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.network.training_outputs(self.model, images)


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Those that torchrun started beside this one, by its environment variables; gloo on processors, nccl on GPUs."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    processes = Processes(int(os.environ["RANK"]), count, int(os.environ.get("LOCAL_RANK", "0")))
    processes.device(device)
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield processes
    finally:
        distributed.destroy_process_group()


def whole_batch_norms(model: nn.Module) -> nn.Module:
    """Batch norms that take mean and variance over all processes, in place: torch's SyncBatchNorm needs a GPU."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.forward = MethodType(_norm_by_whole_batch, module)  # type: ignore[method-assign]
    return model


def _norm_by_whole_batch(module: _BatchNorm, images: Tensor) -> Tensor:
    if not module.training:
        return nn.functional.batch_norm(images, module.running_mean, module.running_var, module.weight, module.bias,
                                        eps=module.eps)
    axes = [0, *range(2, images.dim())]
    shape = [1, -1, *[1] * (images.dim() - 2)]
    count = images.numel() // images.shape[1] * distributed.get_world_size()
    mean = _Sum.apply(images.sum(axes)) / count
    centered = images - mean.view(shape)
    variance = _Sum.apply(centered.square().sum(axes)) / count
    with torch.no_grad():
        module.num_batches_tracked += 1
        module.running_mean.lerp_(mean, module.momentum)
        module.running_var.lerp_(variance * count / max(count - 1, 1), module.momentum)
    scale = module.weight * torch.rsqrt(variance + module.eps)
    return centered * scale.view(shape) + module.bias.view(shape)


class _Sum(torch.autograd.Function):
    """Over all processes; so is the gradient."""

    @staticmethod
    def forward(ctx, own: Tensor) -> Tensor:
        return _summed(own)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(own: Tensor) -> Tensor:
    total = own.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total


def _where() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if distributed.get_backend() == "nccl" \
        else torch.device("cpu")
