"""Other networks on the same scan, fp32 torch on the processor, with random weights: cost does not depend on them.

Needs MONAI (`pip install .[bench]`). The sizes are those of a 512 x 512 scan of 40 slices, as in the paper that
compares AttFocusNet with them (Peng et al. 2022, doi:10.3389/fnins.2022.965680); it does not print their widths, so
they are MONAI's defaults or, for AttUNet, those of the original. Each is timed on a few slices or windows; the case
follows in proportion.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np

from ..core.ct_volume import CTVolume

WINDOW_3D = (32, 128, 128)  # of the scan's own grid: slices, rows, columns
OVERLAP_3D = 0.25  # MONAI's default for sliding windows
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
    from monai.networks.nets import UNETR, AttentionUnet, BasicUNetPlusPlus, SegResNet, UNet

    slice_shape = (1, 512, 512)
    widths = (64, 128, 256, 512, 1024)
    windows = f"windows of {'x'.join(map(str, WINDOW_3D))}, overlap {OVERLAP_3D}"
    return [
        Peer("AttUNet", "MONAI AttentionUnet 2D, widths 64..1024, slice by slice",
             lambda: AttentionUnet(2, 1, 2, widths, (2, 2, 2, 2)), slice_shape, _slices),
        Peer("UNet++", "MONAI BasicUNetPlusPlus 2D, its default widths 32..256, slice by slice",
             lambda: BasicUNetPlusPlus(2, 1, 2), slice_shape, _slices),
        Peer("3D U-Net", f"MONAI UNet 3D, widths 32..512, {windows}",
             lambda: UNet(3, 1, 2, (32, 64, 128, 256, 512), (2, 2, 2, 2), num_res_units=2), (1, *WINDOW_3D), _windows),
        Peer("UNETR", f"MONAI UNETR, its defaults (hidden 768, 12 heads), {windows}",
             lambda: UNETR(1, 2, WINDOW_3D), (1, *WINDOW_3D), _windows),
        Peer("SegResNet 3D", "as MONAI's wholeBody_ct_segmentation bundle: 1.5 mm, 32 filters, 105 classes, "
                             f"windows of 96x96x96, overlap {BUNDLE_OVERLAP}",
             lambda: SegResNet(3, 32, 1, 105, 0.2, blocks_down=(1, 2, 2, 4), blocks_up=(1, 1, 1)),
             (1, *BUNDLE_WINDOW), _bundle_windows),
    ]


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


def window_count(shape, window, overlap: float) -> int:
    """Windows a sliding inference needs, as MONAI places them: steps of (1 - overlap) x window, the last at the end."""
    count = 1
    for size, length in zip(shape, window, strict=True):
        size = max(size, length)
        step = length if size == length else max(int(length * (1 - overlap)), 1)
        count *= ceil((size - length) / step) + 1
    return count


def _slices(ct: CTVolume) -> int:
    return len(ct.hu)


def _windows(ct: CTVolume) -> int:
    return window_count(ct.hu.shape, WINDOW_3D, OVERLAP_3D)


def _bundle_windows(ct: CTVolume) -> int:
    """The bundle resamples the whole scan first."""
    height_mm = float(np.abs(ct.slice_steps_mm).mean() * len(ct.hu))
    sizes_mm = (height_mm, *(size * spacing for size, spacing in zip(ct.hu.shape[1:], ct.pixel_spacing_mm,
                                                                     strict=True)))
    return window_count([round(size / BUNDLE_MM) for size in sizes_mm], BUNDLE_WINDOW, BUNDLE_OVERLAP)
