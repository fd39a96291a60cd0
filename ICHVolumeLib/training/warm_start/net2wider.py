"""A wider network that starts as good as a narrower one: what is added says nothing at first.

Every number of channels in AttFocusNet is a multiple of half the base width, also where maps are concatenated. Each
such group of channels grows; the old channels stay at its front. New channels begin with random weights of the layer's
own size, and what reads them begins with zero (growth that keeps the function, as in Net2Net, Chen et al. 2016,
arXiv:1511.05641, but without its copies, which have to be told apart again).
"""

from dataclasses import replace

import numpy as np

from ...network.weights import Weights

FOCUS = "focus.squeeze.conv.weight"  # its inputs are 2x2 pixels of every channel, one channel after the other
KEPT_DIMENSIONS = {"stem.0.conv.weight": (1,), "head.weight": (0,), "head.bias": (0,)}  # slices and classes


def widen(weights: Weights, base_width: int, seed: int = 0) -> Weights:
    """Released weights (folded) as those of a network of a larger base width that gives the same logits."""
    old, new = weights.config.base_width // 2, base_width // 2
    rng = np.random.default_rng(seed)
    tensors = {name: _grown(rng, name, values, old, new) for name, values in sorted(weights.tensors.items())}
    return replace(weights, config=replace(weights.config, base_width=base_width), tensors=tensors)


def _grown(rng, name: str, values: np.ndarray, old: int, new: int) -> np.ndarray:
    if name.endswith(FOCUS):
        out, inputs, *kernel = values.shape
        apart = _grown(rng, "", values.reshape(out, inputs // 4, 4, *kernel), old, new)
        return apart.reshape(len(apart), -1, *kernel)
    fixed = KEPT_DIMENSIONS.get(name, ())
    if name.endswith("attention.weight") or name.endswith("attention.bias"):
        fixed = (0,)  # one weight for all channels
    rms = float(np.sqrt(np.square(values).mean()))
    places = [np.arange(size) if axis in fixed else _places(size, old, new)
              for axis, size in enumerate(values.shape[:2])]
    shape = [size if axis in fixed else size // old * new for axis, size in enumerate(values.shape[:2])]
    if values.ndim == 1:
        grown = np.zeros(shape, np.float32)  # trained biases are mostly below zero and would silence them
        grown[places[0]] = values
        return grown
    grown = rng.normal(0, rms, (*shape, *values.shape[2:])).astype(np.float32)
    grown[places[0]] = 0
    grown[np.ix_(*places)] = values
    return grown


def _places(size: int, old: int, new: int) -> np.ndarray:
    """Where the channels of a dimension of `size` are found in the wider one."""
    return (np.arange(size // old)[:, None] * new + np.arange(old)).ravel()
