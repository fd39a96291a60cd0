"""AttFocusNet and AttUNet as OpenVINO graphs, built straight from the folded weights: no torch, no ONNX file between.

The same steps as network/attfocusnet.py, which explains them; a test holds the two together. Two of them are written
as one convolution each with the same result: the focus structure as a 6x6 kernel with step 2, and up-sampling followed
by a 3x3 kernel as a transposed 4x4 kernel with step 2, which needs 16 products instead of 36. Together 1.2 times faster
(480x384 pixels, base widths 16 and 32, bf16 and f32, an AVX512-BF16 processor).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..network.registry import network_of
from ..network.weights import Weights
from .int8 import rounded_input, rounded_kernel
from .quiet_openvino import ops, ov


def build_graph(weights: Weights, rows: int = -1, columns: int = -1, int8: bool = False) -> ov.Model:
    """rows, columns: of the slices; -1: any. int8: the layers that the weights have a range for round to 8 bits
    (Weights.int8_ranges).

    Input (1, in_slices, rows, columns) in 0..1 -> p(ICH), p(IVH) as (1, classes - 1, rows, columns), all float32.

    Raises InputError when the tensors are not those of the config, RuntimeError for a network without a graph here.
    """
    graph = graph_builder(weights)(weights, weights.int8_ranges if int8 else {})
    slices = _slices(weights, rows, columns)
    try:
        logits = graph.logits(slices)
    except KeyError as error:
        raise InputError(f"the network weights lack {error}; copy the weights folder again.") from error
    probabilities = ops.softmax(logits, axis=1)
    lesions = ops.slice(probabilities, np.array([1]), np.array([weights.config.classes]), np.array([1]), np.array([1]))
    return ov.Model([ops.result(lesions)], [slices], network_of(weights.config).title)


def build_range_graph(weights: Weights, rows: int, columns: int) -> tuple[ov.Model, list[str]]:
    """The same input -> the largest value that every layer is given, and the names of the layers."""
    graph = graph_builder(weights)(weights, {})
    slices = _slices(weights, rows, columns)
    graph.logits(slices)
    largest = [ops.reduce_max(x, np.arange(4), False) for x in graph.inputs.values()]
    return ov.Model([ops.result(one) for one in largest], [slices], "ranges"), list(graph.inputs)


def _slices(weights: Weights, rows: int, columns: int):
    return ops.parameter([1, weights.config.in_slices, rows, columns], np.float32, name="slices")


def graph_builder(weights: Weights) -> "GraphBuilder":
    """Raises RuntimeError for a network that OpenVINO cannot run, as an engine does that cannot run here."""
    name = weights.config.network
    if name not in BUILDERS:
        raise RuntimeError(f"OpenVINO has no graph of the network {name}, only of {', '.join(BUILDERS)}; torch runs it")
    return BUILDERS[name]


class _Graph:
    """int8_ranges: the largest input of every layer that is to round to 8 bits. inputs: the node that each layer is
    given, by the layer's name."""

    def __init__(self, weights: Weights, int8_ranges: dict[str, float]):
        self.config, self.tensors = weights.config, weights.tensors
        self.inputs: dict[str, Any] = {}
        self._int8 = int8_ranges

    def logits(self, x):
        skips = [self.double_conv(x, "stem")]
        for level in range(self.config.levels - 1):
            skips.append(self.down(skips[-1], f"downs.{level}"))
        x = skips.pop()
        for level in range(self.config.levels - 1):
            x = self.up(x, skips.pop(), f"ups.{level}")
        return self.conv(x, "head", relu=False)

    def tensors_of(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(kernel, bias); those of a ConvNorm lie under name.conv, those of a bare Conv2d under name."""
        name = name if f"{name}.weight" in self.tensors else f"{name}.conv"
        return self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"].reshape(1, -1, 1, 1)

    def input_of(self, name: str, x):
        self.inputs[name] = x
        return rounded_input(x, self._int8[name]) if name in self._int8 else x

    def kernel_of(self, name: str, kernel: np.ndarray, out_axis: int = 0):
        return rounded_kernel(kernel, out_axis) if name in self._int8 else ops.constant(kernel)

    def conv(self, x, name: str, relu: bool = True):
        kernel, bias = self.tensors_of(name)
        pads = [kernel.shape[2] // 2, kernel.shape[3] // 2]
        x = ops.convolution(self.input_of(name, x), self.kernel_of(name, kernel), [1, 1], pads, pads, [1, 1], name=name)
        x = ops.add(x, ops.constant(bias))
        return ops.relu(x) if relu else x

    def focus(self, x, name: str):
        kernel, bias = self.tensors_of(name)
        kernel = self.kernel_of(name, focus_kernel(kernel))
        x = ops.convolution(self.input_of(name, x), kernel, [2, 2], [2, 2], [2, 2], [1, 1], name=name)
        return ops.relu(ops.add(x, ops.constant(bias)))

    def double_size(self, x, name: str):
        kernel, bias = self.tensors_of(name)
        kernel = self.kernel_of(name, doubling_kernel(kernel), out_axis=1)
        x = self.input_of(name, x)
        x = ops.convolution_backprop_data(x, kernel, [2, 2], None, [1, 1], [1, 1], [1, 1], name=name)
        return ops.relu(ops.add(x, ops.constant(bias)))

    def double_conv(self, x, name: str):
        return self.conv(self.conv(x, f"{name}.0"), f"{name}.1")

    def down(self, x, name: str):
        pooled = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        if self.config.focus:
            focus = self.focus(x, f"{name}.focus.squeeze")
            if self.config.fusion == "R1":
                pooled = ops.concat([pooled, focus], 1)
            elif self.config.fusion == "R2":
                pooled = ops.concat([self.conv(pooled, f"{name}.pooled"), focus], 1)
            else:
                pooled = ops.add(pooled, self.conv(focus, f"{name}.widen", relu=False))
        return self.double_conv(pooled, f"{name}.block")

    def up(self, x, skip_input, name: str):
        up_input = self.double_size(x, f"{name}.shrink")
        apart = self.config.gate == "concat"  # then the ReLU after splicing is one in each convolution
        skip = self.conv(skip_input, f"{name}.gate.skip", relu=apart)
        up = self.conv(up_input, f"{name}.gate.up", relu=apart)
        spliced = ops.concat([skip, up], 1) if apart else ops.relu(ops.add(skip, up))
        attention = ops.sigmoid(self.conv(spliced, f"{name}.gate.attention", relu=False))
        gated = ops.multiply(skip_input, attention)
        return self.double_conv(ops.concat([gated, up_input], 1), f"{name}.block")


def focus_kernel(kernel: np.ndarray) -> np.ndarray:
    """(out, 4 C, 3, 3) on blocks moved into channels (C, block row, block column) -> (out, C, 6, 6) on the image."""
    out, channels = kernel.shape[0], kernel.shape[1] // 4
    blocks = kernel.reshape(out, channels, 2, 2, 3, 3)  # out, C, block row, block column, kernel row, kernel column
    return np.ascontiguousarray(blocks.transpose(0, 1, 4, 2, 5, 3)).reshape(out, channels, 6, 6)


def doubling_kernel(kernel: np.ndarray) -> np.ndarray:
    """(out, in, 3, 3) after nearest up-sampling by 2 -> (in, out, 4, 4) of the transposed convolution in its place.

    Every pixel of the small image is four of the large one: its footprint is the mirrored kernel added at 2x2 places.
    """
    out, channels = kernel.shape[:2]
    footprint = np.zeros((channels, out, 4, 4), np.float32)
    mirrored = kernel[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    for row in (0, 1):
        for column in (0, 1):
            footprint[:, :, row:row + 3, column:column + 3] += mirrored
    return footprint


# weights, ranges of the layers in int8 -> an object with logits(input's node) -> node, and inputs
GraphBuilder = Callable[[Weights, dict[str, float]], Any]
BUILDERS: dict[str, GraphBuilder] = {"attfocusnet": _Graph, "attunet": _Graph}
