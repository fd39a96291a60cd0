"""How a network's tensors lie in a safetensors file: fp16, and large kernels in 8 bits where that is wanted, which is
half as large. No pickle, no torch."""

import numpy as np

from ..core.errors import InputError

STEPS = 127  # on either side of 0, up to the largest weight of every channel that a kernel makes
SCALE = ".scale"  # added to a kernel's name: what its whole numbers are multiplied with, (channels,)
LARGE = 20_000  # weights from which on a kernel is rounded: of the shipped network 19, which hold 98 % of all weights


def stored(tensors: dict[str, np.ndarray], eight_bits: bool) -> bytes:
    """The content of a file. Raises InputError where a weight is not finite in fp16."""
    from safetensors.numpy import save

    kept: dict[str, np.ndarray] = {}
    for name, values in tensors.items():
        if not _is_float(values):
            kept[name] = values
            continue
        if not (np.abs(values) <= np.finfo(np.float16).max).all():
            raise InputError(f"{name}: a weight is not finite in fp16; the training diverged, save an earlier state.")
        if eight_bits and values.ndim == 4 and values.size >= LARGE:
            scale = np.maximum(np.abs(values).max(axis=(1, 2, 3)), 1e-8).astype(np.float32) / STEPS
            kept[name] = np.round(values / scale[:, None, None, None]).astype(np.int8)
            kept[name + SCALE] = scale
        else:
            kept[name] = values.astype(np.float16)
    return save(kept)


def read(content: bytes) -> dict[str, np.ndarray]:
    """Name -> float32, or whole numbers as they are. Raises ValueError, TypeError, KeyError or SafetensorError (a
    ValueError or not, by its version) for what is no such file."""
    from safetensors.numpy import load

    found = load(content)
    tensors = {}
    for name, values in found.items():
        if name.endswith(SCALE) and name.removesuffix(SCALE) in found:
            continue
        if name + SCALE in found:
            scale = found[name + SCALE].astype(np.float32)
            if values.ndim != 4 or scale.shape != values.shape[:1]:
                raise ValueError(f"{name} has {values.shape} weights and {scale.shape} scales")
            tensors[name] = values.astype(np.float32) * scale[:, None, None, None]
        else:
            tensors[name] = values.astype(np.float32 if _is_float(values) else values.dtype)  # load's are read-only
    return tensors


def _is_float(values: np.ndarray) -> bool:
    """False for counts and indices, which fp16 would round."""
    return bool(np.issubdtype(values.dtype, np.floating))
