"""The part of a slice that is decided again in f32, where a faster precision left little marked.

bf16 moves p(bleed) by up to about 0.06, int8 by 0.1. On a large bleed this changes 1-2 pixels in 1000, on a tiny one
one in 100 (bf16: Dice 0.994 against fp32 for bleeds of 0.5-1.5 mL).
"""

import numpy as np

from ..imaging.crop import Crop, whole

LITTLE_PX = 400  # of the network's pixels: at 0.9 mm a disc of 20 mm
ALMOST = 0.1  # below the threshold: may be marked in f32
CONTEXT_PX = 64  # around what is decided again; with 40 a spot of 50 pixels was found with 14
EDGE_PX = 16  # around what is nearly marked, believed with it
SIDES_PX = (192, 256)  # few, so that compiled networks are used again


def part_to_settle(bleed: np.ndarray, threshold: float, step: int) -> Crop | None:
    """bleed: p(bleed), (rows, columns). None where nothing is nearly marked, or so much that rounding does not matter.

    step: parts start at multiples of it, so that poolings meet the same pixels.
    """
    rows, columns = np.nonzero(bleed >= threshold - ALMOST)
    if not 0 < len(rows) < LITTLE_PX:
        return None
    boxes = [(int(where.min()), int(where.max()) + 1) for where in (rows, columns)]
    wanted = max(end - first for first, end in boxes) + 2 * CONTEXT_PX + step
    side = next((one for one in SIDES_PX if one >= wanted), None)
    if side is None or side >= max(bleed.shape):
        return whole(bleed.shape)
    seen, believed = [], []
    for (first, end), size in zip(boxes, bleed.shape, strict=True):
        length = min(side, size)
        start = int(np.clip((first + end - length) // 2 // step * step, 0, size - length))
        seen.append(slice(start, start + length))
        believed.append(slice(max(first - EDGE_PX, start), min(end + EDGE_PX, start + length)))
    return Crop((seen[0], seen[1]), (believed[0], believed[1]))
