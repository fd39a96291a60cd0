"""Convolutions in whole numbers of 8 bits: half the time on a processor with AVX2 alone, and less on newer ones.

The graph says what is rounded and how finely; OpenVINO then multiplies whole numbers. What a layer is given is never
negative in these networks (slices in 0..1, ReLU, shares of them), so that all 256 steps lie between 0 and the largest
value that was seen in calibration; kernels have a scale of their own for every channel that they make.
"""

import platform

import numpy as np

from .quiet_openvino import ops, ov

INPUT_STEPS, KERNEL_STEPS = 256, 255  # 0..255; -127..127
X86 = ("x86_64", "amd64")


def rounded_input(x, largest: float):
    """The node x as a layer in int8 sees it: 0 to largest in 256 steps, more than that as largest."""
    return _rounded(x, np.float32(0), np.float32(largest), INPUT_STEPS)


def rounded_kernel(kernel: np.ndarray, out_axis: int = 0):
    """The node of a kernel of four axes, rounded channel by channel along out_axis."""
    others = tuple(axis for axis in range(kernel.ndim) if axis != out_axis)
    largest = np.maximum(np.abs(kernel).max(axis=others, keepdims=True), 1e-8).astype(np.float32)
    return _rounded(ops.constant(kernel), -largest, largest, KERNEL_STEPS)


def _rounded(x, low: np.ndarray, high: np.ndarray, steps: int):
    low, high = ops.constant(low), ops.constant(high)
    return ops.fake_quantize(x, low, high, low, high, steps)


def int8_runs_here(core: ov.Core) -> bool:
    """Whether OpenVINO multiplies in int8 on this processor; measured to pay on x86 alone, so only there."""
    return platform.machine().lower() in X86 and "INT8" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
