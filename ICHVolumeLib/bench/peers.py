"""Other networks on the same scan, fp32 torch on the processor, with random weights: cost does not depend on them.

Needs MONAI (`pip install .[bench]`). They are the rivals of the registry (network/registry.py) and SegResNet. The sizes
are those of a 512 x 512 scan of 40 slices, as in the paper that compares AttFocusNet with them (Peng et al. 2022,
doi:10.3389/fnins.2022.965680); it does not print their widths, so they are the registry's defaults, which are those of
the networks' own papers, and for AttUNet the original's. Each is timed on a few slices or windows; the case follows in
proportion.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..network.base import NetworkConfig
from ..network.config import AttUNetConfig
from ..network.registry import NETWORKS, network_of
from ..network.stacks import OVERLAP, window_count

ATTUNET_WIDTH = 64  # of the original: Oktay et al. 2018
SLICE = (512, 512)
LEFT_OUT = ("attfocusnet",)  # the network that the others stand beside
STACK = 32  # slices of a 3D network
BUNDLE_MM, BUNDLE_WINDOW, BUNDLE_OVERLAP = 1.5, (96, 96, 96), 0.25


@dataclass(frozen=True)
class Peer:
    """input_shape: of one part, (channels, ...); parts: how many a scan needs, given its shape in voxels and mm."""

    name: str
    size: str
    make: Callable
    input_shape: tuple[int, ...]
    parts: Callable[[CTVolume], int]


def peers() -> list[Peer]:
    """Raises ImportError without MONAI or torch."""
    from monai.networks.nets import SegResNet

    for network in NETWORKS.values():
        network.check_packages()
    return [*(_peer(_config(name)) for name in NETWORKS if name not in LEFT_OUT),
        Peer("SegResNet 3D", "as MONAI's wholeBody_ct_segmentation bundle: 1.5 mm, 32 filters, 105 classes, "
                             f"windows of 96x96x96, overlap {BUNDLE_OVERLAP}",
             lambda: SegResNet(3, 32, 1, 105, 0.2, blocks_down=(1, 2, 2, 4), blocks_up=(1, 1, 1)),
             (1, *BUNDLE_WINDOW), _bundle_windows),
    ]


def _config(name: str) -> NetworkConfig:
    if name == "attunet":
        return AttUNetConfig(base_width=ATTUNET_WIDTH)
    kind = NETWORKS[name].config_class
    return kind(in_slices=STACK) if kind().patch else kind()


def _peer(config: NetworkConfig) -> Peer:
    """A network of the registry: slice by slice, or by windows of its patch."""
    network, patch = network_of(config), config.patch
    how = f"windows of {'x'.join(map(str, patch))}, overlap {OVERLAP}" if patch else "slice by slice"
    return Peer(network.title, f"{network.describe(config)}, {how}", lambda: network.build(config),
                patch or (config.in_slices, *SLICE), _windows_of(patch) if patch else _slices)


def measure_peers(ct: CTVolume, threads: int, repeats: int = 2, tell=lambda text: None) -> list[dict]:
    """Rows {"name", "size", "parts", "timed_parts", "seconds_per_part", "case_seconds"}: network time of the scan.

    Raises ImportError without MONAI or torch.
    """
    import torch

    torch.set_num_threads(threads)
    rows = []
    for peer in peers():
        tell(f"{peer.name}: {repeats} of {peer.parts(ct)} parts")
        seconds = statistics.median(part_seconds(peer, repeats))
        rows.append({"name": peer.name, "size": peer.size, "parts": peer.parts(ct), "timed_parts": repeats,
                     "seconds_per_part": seconds, "case_seconds": seconds * peer.parts(ct)})
    return rows


def part_seconds(peer: Peer, repeats: int) -> list[float]:
    """Seconds of each of `repeats` parts, after one that warms up."""
    import torch

    torch.manual_seed(0)
    model = peer.make().eval()
    part = torch.rand(1, *peer.input_shape)
    seconds = []
    with torch.inference_mode():
        for _ in range(1 + repeats):
            start = time.perf_counter()
            model(part)
            seconds.append(time.perf_counter() - start)
    return seconds[1:]


def _slices(ct: CTVolume) -> int:
    return len(ct.hu)


def _windows_of(patch: tuple[int, int, int]) -> Callable[[CTVolume], int]:
    return lambda ct: window_count(ct.hu.shape, patch, OVERLAP)


def _bundle_windows(ct: CTVolume) -> int:
    """The bundle resamples the whole scan first."""
    height_mm = float(np.abs(ct.slice_steps_mm).mean() * len(ct.hu))
    sizes_mm = (height_mm, *(size * spacing for size, spacing in zip(ct.hu.shape[1:], ct.pixel_spacing_mm,
                                                                     strict=True)))
    return window_count([round(size / BUNDLE_MM) for size in sizes_mm], BUNDLE_WINDOW, BUNDLE_OVERLAP)
