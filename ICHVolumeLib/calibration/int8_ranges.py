"""Which layers of a network round to 8 bits, and between which values.

The first two levels see differences of 1 HU, what the deepest layers are given reaches far, the gates multiply what
they see and the last level draws the edge: rounded, these cost most of the agreement. Up-sampling (shrink) is a
transposed convolution, which OpenVINO does not compute in int8 with AVX2. They stay as they are (Resources/Speed.md).
"""

from collections.abc import Iterable

import numpy as np

from ..core.ct_volume import CTVolume
from ..engines.openvino_graph import build_range_graph
from ..engines.quiet_openvino import ov
from ..network.weights import Weights
from ..segmentation.scan import NetworkSlices, TurnedScan

EXACT_PARTS = (".gate.", ".shrink")
SLICES = 4  # of every scan, spread evenly over those with brain


def int8_ranges(weights: Weights, scans: Iterable[CTVolume]) -> dict[str, float]:
    """Layer -> the largest value that it is given in these scans, of the layers that are to round.

    Raises RuntimeError for a network without an OpenVINO graph, InputError for a scan that is not axial.
    """
    core, largest = ov.Core(), {}
    for ct in scans:
        scan = TurnedScan(ct)
        slices = NetworkSlices(scan, weights)
        graph, layers = build_range_graph(weights, *slices.grid.box_shape)
        request = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        spread = np.linspace(0, len(scan.slices_to_run) - 1, SLICES + 2).astype(int)[1:-1]
        for one in slices.of(scan.slices_to_run[spread]):
            for layer, value in zip(layers, request.infer([one[None]]).values(), strict=True):
                largest[layer] = max(largest.get(layer, 0.0), float(value.max()))
    deepest = weights.config.levels - 2
    exact = ("stem.", "head", "downs.0.", f"downs.{deepest}.", f"ups.{deepest}.")
    return {layer: round(value, 4) for layer, value in largest.items()
            if value > 0 and not layer.startswith(exact) and not any(part in layer for part in EXACT_PARTS)}
