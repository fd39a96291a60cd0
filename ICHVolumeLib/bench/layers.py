"""The network layer by layer: arithmetic counted from the graph, time from OpenVINO's own clock, bounds beside."""

import statistics
from dataclasses import dataclass

import numpy as np

from ..engines.openvino_graph import build_graph
from ..engines.quiet_openvino import ov
from ..network.weights import Weights
from .peak import Bandwidth, ConvolutionPeak
from .rounds import interleave

UPSAMPLED_TO_TRANSPOSED = 36 / 16  # products of a 3x3 kernel after up-sampling / of the transposed one in its place
BYTES = {"f32": 4, "bf16": 2}


@dataclass(frozen=True)
class Layer:
    """name: as in network/attfocusnet.py; shape: (channels, rows, columns) out; gflop: as run; values: in, out and
    weights together; products: per product of this layer, those of the published network."""

    name: str
    kind: str
    shape: tuple[int, int, int]
    gflop: float
    values: int
    products: float = 1.0


def convolution_layers(weights: Weights, rows: int, columns: int) -> list[Layer]:
    """Every convolution of one slice, in order."""
    layers = []
    for op in build_graph(weights, rows, columns).get_ordered_ops():
        kind = op.get_type_name()
        if kind not in ("Convolution", "ConvolutionBackpropData"):
            continue
        image, kernel, out = (tuple(shape) for shape in (op.input(0).get_shape(), op.input(1).get_shape(),
                                                         op.output(0).get_shape()))
        transposed = kind == "ConvolutionBackpropData"  # counted per pixel of the small image
        per_pixel = int(np.prod(kernel))
        pixels = image[2] * image[3] if transposed else out[2] * out[3]
        layers.append(Layer(op.get_friendly_name(), f"{'transposed ' if transposed else ''}{kernel[2]}x{kernel[3]}",
                            out[1:], 2 * per_pixel * pixels / 1e9,
                            int(np.prod(image) + np.prod(out)) + per_pixel,
                            UPSAMPLED_TO_TRANSPOSED if transposed else 1.0))
    return layers


def gflop_of(layers: list[Layer]) -> tuple[float, float]:
    """(as run, as the network is published) of one slice."""
    return sum(layer.gflop for layer in layers), sum(layer.gflop * layer.products for layer in layers)


def layer_table(weights: Weights, slices: np.ndarray, precision: str, threads: int, rounds: int,
                peak: ConvolutionPeak) -> dict:
    """{"precision", "peak_gflop_s", "bandwidth_gb_s", "rows"}: a row per convolution and one for all the rest.

    ms: median over the rounds; peak and bandwidth are measured in the same rounds, by turns. bound_ms: the longer of
    arithmetic at that peak and bytes at that bandwidth; maps that stay in the cache can beat the second.
    """
    times, peak_gflop_s, gb_s = _measure(weights, slices, precision, threads, rounds, peak)
    rows = []
    for layer in convolution_layers(weights, *slices.shape[-2:]):
        arithmetic, memory = 1000 * layer.gflop / peak_gflop_s, layer.values * BYTES[precision] / gb_s / 1e6
        milliseconds = times.pop(layer.name, None)
        rows.append({"layer": layer.name, "kind": layer.kind, "out": list(layer.shape), "gflop": layer.gflop,
                     "ms": milliseconds, "bound_ms": max(arithmetic, memory),
                     "limit": "arithmetic" if arithmetic >= memory else "memory",
                     "share_of_bound": max(arithmetic, memory) / milliseconds if milliseconds else None,
                     "share_of_peak": arithmetic / milliseconds if milliseconds else None})
    rows.append({"layer": "all others (pool, concat, gate, softmax)", "kind": "", "out": [], "gflop": 0.0,
                 "ms": sum(times.values()), "bound_ms": None, "limit": "memory", "share_of_bound": None,
                 "share_of_peak": 0.0})
    return {"precision": precision, "peak_gflop_s": peak_gflop_s, "bandwidth_gb_s": gb_s, "rows": rows}


def _measure(weights, slices, precision, threads, rounds, peak) -> tuple[dict[str, float], float, float]:
    """(milliseconds of every executed node, peak GFLOP/s, GB/s), medians over the rounds."""
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision, "PERF_COUNT": True,
               "INFERENCE_NUM_THREADS": threads}
    graph = build_graph(weights, *slices.shape[-2:])
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    copy, times = Bandwidth(threads), {}

    def run_layers(one):
        request.infer([one])
        for node in request.get_profiling_info():
            if node.status == ov.ProfilingInfo.Status.EXECUTED:
                times.setdefault(node.node_name, []).append(node.real_time.total_seconds() * 1000)

    limits = interleave({"layers": run_layers, "peak": peak.run, "copy": copy.run}, slices, rounds)
    return ({name: statistics.median(values) for name, values in times.items()},
            1000 * peak.gflop / statistics.median(limits["peak"]),
            copy.gigabytes * 1000 / statistics.median(limits["copy"]))
