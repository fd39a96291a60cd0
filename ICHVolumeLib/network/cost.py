"""What a network costs, counted, not measured: parameters and floating point operations. Needs torch, computes nothing.
"""

from .base import NetworkConfig
from .registry import network_of
from .stacks import StackConfig


def parameters(config: NetworkConfig) -> int:
    """Of the network as it is trained, statistics of batch norms not counted."""
    return sum(one.numel() for one in _shape_only(config).parameters())


def gflop_per_slice(config: NetworkConfig, rows: int, columns: int) -> float:
    """10^9 floating point operations (a product and its sum are two) of convolutions and matrix products for one slice
    of this size; of a network of stacks: its windows, divided among the slices that a stack answers for.

    Norms, activations and resizing are not counted.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network, windows, shape = network_of(config), 1.0, (1, config.in_slices, rows, columns)
    if isinstance(config, StackConfig):
        windows = config.windows_in_plane(rows, columns) / (network.slices_at_once(config) or 1)
        shape = (1, *config.patch)
    model = _shape_only(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.empty(shape, device="meta"))
    return counter.get_total_flops() * windows / 1e9


def _shape_only(config: NetworkConfig):
    import torch

    with torch.device("meta"):
        return network_of(config).new_model(config)
