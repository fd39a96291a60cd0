"""AttFocusNet as an OpenVINO graph, built straight from the folded weights: no torch, no ONNX file between.

The same steps as network/attfocusnet.py, which explains them; a test holds the two together.
"""

import numpy as np

from ..errors import InputError
from ..network.weights import Weights
from .quiet_openvino import ops, ov


def build_graph(weights: Weights, rows: int, columns: int) -> ov.Model:
    """Input (1, in_slices, rows, columns) in 0..1 -> p(ICH), p(IVH) as (1, classes - 1, rows, columns), all float32.

    Raises InputError when the tensors are not those of the config.
    """
    slices = ops.parameter([1, weights.config.in_slices, rows, columns], np.float32, name="slices")
    try:
        logits = _Graph(weights).logits(slices)
    except KeyError as error:
        raise InputError(f"the network weights lack {error}; copy the weights folder again.") from error
    probabilities = ops.softmax(logits, axis=1)
    lesions = ops.slice(probabilities, np.array([1]), np.array([weights.config.classes]), np.array([1]), np.array([1]))
    return ov.Model([ops.result(lesions)], [slices], "AttFocusNet")


class _Graph:
    def __init__(self, weights: Weights):
        self.config, self.tensors = weights.config, weights.tensors

    def logits(self, x):
        skips = [self.double_conv(x, "stem")]
        for level in range(self.config.levels - 1):
            skips.append(self.down(skips[-1], f"downs.{level}"))
        x = skips.pop()
        for level in range(self.config.levels - 1):
            x = self.up(x, skips.pop(), f"ups.{level}")
        return self.conv(x, "head", relu=False)

    def conv(self, x, name: str, relu: bool = True):
        """The tensors of a ConvNorm lie under name.conv, those of a bare Conv2d under name."""
        name = name if f"{name}.weight" in self.tensors else f"{name}.conv"
        kernel = self.tensors[f"{name}.weight"]
        bias = self.tensors[f"{name}.bias"].reshape(1, -1, 1, 1)
        pads = [kernel.shape[2] // 2, kernel.shape[3] // 2]
        x = ops.add(ops.convolution(x, ops.constant(kernel), [1, 1], pads, pads, [1, 1]), ops.constant(bias))
        return ops.relu(x) if relu else x

    def double_conv(self, x, name: str):
        return self.conv(self.conv(x, f"{name}.0"), f"{name}.1")

    def down(self, x, name: str):
        pooled = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        if self.config.focus:
            focus = self.conv(ops.space_to_depth(x, "depth_first", 2), f"{name}.focus.squeeze")
            if self.config.fusion == "R1":
                pooled = ops.concat([pooled, focus], 1)
            elif self.config.fusion == "R2":
                pooled = ops.concat([self.conv(pooled, f"{name}.pooled"), focus], 1)
            else:
                pooled = ops.add(pooled, self.conv(focus, f"{name}.widen", relu=False))
        return self.double_conv(pooled, f"{name}.block")

    def up(self, x, skip_input, name: str):
        doubled = ops.interpolate(x, np.array([2.0, 2.0], np.float32), "nearest", "scales", axes=np.array([2, 3]),
                                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        up_input = self.conv(doubled, f"{name}.shrink")
        skip = self.conv(skip_input, f"{name}.gate.skip", relu=False)
        up = self.conv(up_input, f"{name}.gate.up", relu=False)
        spliced = ops.concat([skip, up], 1) if self.config.gate == "concat" else ops.add(skip, up)
        attention = ops.sigmoid(self.conv(ops.relu(spliced), f"{name}.gate.attention", relu=False))
        gated = ops.multiply(skip_input, attention)
        return self.double_conv(ops.concat([gated, up_input], 1), f"{name}.block")
