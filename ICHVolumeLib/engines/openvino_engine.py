"""The processor engine: OpenVINO, in bf16 where this processor was measured to be faster with it, else in int8 where
the weights have the ranges for it, else in f32."""

import json
import os
import time
from pathlib import Path

import numpy as np

from ..core.findings import Finding
from ..network.weights import Weights
from .cache import cache_folder, keep_newest
from .int8 import int8_runs_here
from .openvino_graph import build_graph, graph_builder
from .quiet_openvino import ops, ov
from .settling import part_to_settle

# bf16 must win clearly: with AMX it is 4-8 times faster, with AVX512-BF16 about 2, emulated it is slower than f32.
BF16_MUST_GAIN = 1.3
PROBE_CHANNELS, PROBE_SIZE, PROBE_ROUNDS = 64, 64, 7
MEASUREMENTS = 5
NOT_FASTER = " (the processor lists bf16, but was measured to be no faster with it)"


class OpenVinoEngine:
    """See engines.Engine. precision: "f32", "bf16", "int8" or None to let the measurement of this processor decide;
    then, where it is not f32, what is nearly marked in slices with little of it is run again in f32
    (settling.py), unless the weights only propose. Raises RuntimeError for a network that OpenVINO has no graph of.

    options: more of OpenVINO's own, such as INFERENCE_NUM_THREADS.
    """

    name = label = "openvino"
    batch_size = 1  # batching does not pay on the processor

    def __init__(self, weights: Weights, precision: str | None = None, options: dict | None = None):
        graph_builder(weights)  # a network without a graph is refused before this processor is measured
        self.weights = weights
        self._options = options or {}
        self.findings: list[Finding] = []
        self._core = ov.Core()
        self._cache = cache_folder()
        self.precision = precision or self._best_precision()
        self._settles_in_f32 = not precision and self.precision != "f32" and not weights.only_proposes
        self.device = f"CPU {self.precision}"
        if not precision and self.precision != "bf16" and _lists_bf16(self._core):
            self.device += NOT_FASTER
        self._requests = {}  # precision -> infer request

    def _best_precision(self) -> str:
        measured = best_precision(self._core, self._cache)
        return "int8" if measured == "f32" and self.weights.int8_ranges and int8_runs_here(self._core) else measured

    def prepare(self, rows: int, columns: int) -> None:
        self._request(self.precision)  # for slices of any size

    def predict(self, slices: np.ndarray) -> np.ndarray:
        results = [self._decide(one[None]) for one in slices]
        return results[0] if len(results) == 1 else np.concatenate(results)

    def _decide(self, one: np.ndarray) -> np.ndarray:
        lesions = self._infer(one, self.precision)
        part = self._settles_in_f32 and part_to_settle(lesions[0].sum(axis=0), self.weights.threshold,
                                                       self.weights.config.size_multiple)
        if part:
            again = self._infer(np.ascontiguousarray(one[(..., *part.seen)]), "f32")
            lesions[(..., *part.believed)] = again[(..., *part.believed_of_seen)]
        return lesions

    def _infer(self, one: np.ndarray, precision: str) -> np.ndarray:
        return self._request(precision).infer([one], share_inputs=True)[0].copy()

    def _request(self, precision: str):
        """The compiled network, compiled now if it is not at hand: for slices of any size, as compiling one for every
        size takes longer than a case gains by it (2 to 5 % of the network's time)."""
        if precision not in self._requests:
            self._requests[precision] = self._compile(precision).create_infer_request()
            if self._cache:
                keep_newest(self._cache / "openvino", "*.blob")
        return self._requests[precision]

    def _compile(self, precision: str):
        graph = build_graph(self.weights, int8=precision == "int8")
        hint = "f32" if precision == "int8" else precision  # of the layers that do not round
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint, **self._options}
        if self._cache:
            options["CACHE_DIR"] = str(self._cache / "openvino")
        try:
            return self._core.compile_model(graph, "CPU", options)
        except RuntimeError:
            if options.pop("CACHE_DIR", None) is None:
                raise
            return self._core.compile_model(graph, "CPU", options)  # a damaged cache must not stop the case


def best_precision(core: ov.Core, cache: Path | None) -> str:
    """ "bf16" or "f32", by running a small convolution in both; remembered in the cache folder for this processor.

    OpenVINO lists BF16 also where it only emulates it, and a hypervisor may hide AMX: hence measured, not looked up.
    A busy moment hides a gain (1.7 was seen as 0.6), but makes none of an emulation's 0.2-0.6: so one measurement that
    shows a gain decides for good, and without one the next processes measure again, MEASUREMENTS in all.
    """
    if not _lists_bf16(core):
        return "f32"
    abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    processor = (f"{core.get_property('CPU', 'FULL_DEVICE_NAME')} x{os.cpu_count()} ({' '.join(sorted(abilities))}), "
                 f"OpenVINO {ov.__version__}")
    record = cache / "precision.json" if cache else None
    gains = _gains_in(record, processor)
    if len(gains) < MEASUREMENTS and max(gains, default=0) < BF16_MUST_GAIN:
        gains.append(round(bf16_gain(core), 2))
        if record:
            try:
                record.write_text(json.dumps({processor: gains}), encoding="utf-8")
            except OSError:
                pass  # measured again next time
    return "bf16" if max(gains) >= BF16_MUST_GAIN else "f32"


def _lists_bf16(core: ov.Core) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def bf16_gain(core: ov.Core) -> float:
    """f32 time / bf16 time of three 3x3 convolutions, the fastest of a few interleaved rounds each."""
    requests = {precision: _probe(core, precision) for precision in ("f32", "bf16")}
    image = np.ones((1, PROBE_CHANNELS, PROBE_SIZE, PROBE_SIZE), np.float32)
    seconds = {precision: [] for precision in requests}
    for _ in range(PROBE_ROUNDS):
        for precision, request in requests.items():
            start = time.perf_counter()
            request.infer([image])
            seconds[precision].append(time.perf_counter() - start)
    return min(seconds["f32"]) / min(seconds["bf16"])


def _probe(core: ov.Core, precision: str):
    image = x = ops.parameter([1, PROBE_CHANNELS, PROBE_SIZE, PROBE_SIZE], np.float32)
    for layer in range(3):
        kernel = np.full((PROBE_CHANNELS, PROBE_CHANNELS, 3, 3), 0.001 * (layer + 1), np.float32)
        x = ops.relu(ops.convolution(x, ops.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1]))
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    return core.compile_model(ov.Model([ops.result(x)], [image]), "CPU", options).create_infer_request()


def _gains_in(record: Path | None, processor: str) -> list[float]:
    """What was measured on this processor so far; nothing when there is no record or it is damaged."""
    try:
        gains = json.loads(record.read_text(encoding="utf-8"))[processor] if record else []
        return [float(gain) for gain in gains][:MEASUREMENTS]
    except (OSError, ValueError, TypeError, KeyError):
        return []
