"""What this processor can do at most: large 3x3 convolutions and large copies, run by the engine itself.

A share of a data sheet's peak says nothing on a rented or throttled processor; a share of what the same library
reaches in the same minutes does.
"""

import time

import numpy as np

from ..engines.quiet_openvino import ops, ov

SHAPES = ((256, 64), (512, 32), (128, 128))  # channels, rows and columns; the fastest counts
LAYERS = 2
BANDWIDTH_MB = 16  # one activation map of the first level at 512 x 512 and 16 channels


class ConvolutionPeak:
    """LAYERS 3x3 convolutions in one precision, of the shape that runs fastest here. gflop: of one run."""

    def __init__(self, precision: str, threads: int):
        candidates = [_Probe(shape, precision, threads) for shape in SHAPES]
        best = max(candidates, key=lambda probe: probe.gflop / probe.seconds())
        self.gflop, self.shape, self._probe = best.gflop, best.shape, best

    def run(self, _=None) -> None:
        self._probe.run()


class _Probe:
    def __init__(self, shape, precision, threads):
        channels, size = self.shape = shape
        rng = np.random.default_rng(0)
        image = x = ops.parameter([1, channels, size, size], np.float32)
        for _ in range(LAYERS):
            kernel = rng.normal(0, 0.02, (channels, channels, 3, 3)).astype(np.float32)
            x = ops.relu(ops.convolution(x, ops.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1]))
        self.gflop = LAYERS * 2 * channels * channels * 9 * size * size / 1e9
        self._image = rng.random((1, channels, size, size), np.float32)
        self._request = _compile(x, image, precision, threads)

    def run(self):
        self._request.infer([self._image], share_inputs=True)

    def seconds(self) -> float:
        """Of the fastest of a few runs."""
        self.run()
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            self.run()
            seconds.append(time.perf_counter() - start)
        return min(seconds)


class Bandwidth:
    """An elementwise layer on an activation map of BANDWIDTH_MB. gigabytes: read and written by one run."""

    def __init__(self, threads: int):
        count = BANDWIDTH_MB * 1_000_000 // 4
        values = ops.parameter([1, count], np.float32)
        self._request = _compile(ops.abs(values), values, "f32", threads)
        self._array = np.ones((1, count), np.float32)
        self.gigabytes = 2 * 4 * count / 1e9

    def run(self, _=None) -> None:
        self._request.infer([self._array], share_inputs=True, share_outputs=True)


def _compile(result, parameter, precision, threads):
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision,
               "INFERENCE_NUM_THREADS": threads}
    model = ov.Model([ops.result(result)], [parameter])
    return ov.Core().compile_model(model, "CPU", options).create_infer_request()
