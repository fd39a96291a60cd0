"""Networks of whole stacks (3D): what their configurations and their inference have in common. No torch at import.

Such a network keeps the contract of base.py: given a stack of slices it answers for the slice in the middle, so that
weights, calibration, engines and evaluation take it as any other. Beside that its module answers for all slices of the
stack at once, `model(stacks, every=True)` -> (n, classes, slices, H, W). Training judges them all, on patches; and
consecutive slices share one stack: it answers for the half of it in the middle, which is a sliding window along the
stack with an overlap of a half. In the plane, slices larger than the patch are covered by windows (stack_module.py).

The stack is slices as scanned, whatever their distance: in thin slices it covers less of the head.
"""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, TypeVar

from .base import Network, NetworkConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

OVERLAP = 0.25  # of neighbouring windows in the plane, MONAI's default


@dataclass(frozen=True)
class StackConfig(NetworkConfig):
    """in_slices: of a stack; window: rows and columns of a patch. Raises InputError for values that fit no network."""

    in_slices: int = 16
    window: int = 128
    classes: int = 3

    @property
    def patch(self) -> tuple[int, int, int]:
        return self.in_slices, self.window, self.window

    def windows_in_plane(self, rows: int, columns: int) -> int:
        """How many windows cover a slice of this size."""
        return window_count((rows, columns), (self.window, self.window), OVERLAP)


StackConfigT = TypeVar("StackConfigT", bound=StackConfig)


class StackNetwork(Network[StackConfigT]):
    """`build` gives a StackModule."""

    def training_outputs(self, model: "nn.Module", images: "Tensor") -> "list[Tensor]":
        return [model(images, True)]

    def slices_at_once(self, config: StackConfigT) -> int:
        return max(config.in_slices // 2, 1)

    def logits(self, model: "nn.Module", slices: "Tensor") -> "Tensor":
        """Rows that are consecutive slices of one scan are found by their stacks, which are the same but for a step."""
        import torch

        depth = slices.shape[1]
        middle, answers, first = depth // 2, [], 0
        while first < len(slices):
            count = 1
            while (count < max(middle, 1) and first + count < len(slices)
                   and torch.equal(slices[first + count, :-1], slices[first + count - 1, 1:])):
                count += 1
            seen = first + count // 2  # whose stack answers for all of them
            every = model(slices[seen:seen + 1], True)[0]  # (classes, slices, H, W)
            start = middle + first - seen
            answers.append(every[:, start:start + count].movedim(1, 0))
            first += count
        return torch.cat(answers)


def window_count(shape: tuple[int, ...], window: tuple[int, ...], overlap: float) -> int:
    """Windows a sliding inference needs, as MONAI places them: steps of (1 - overlap) x window, the last at the end."""
    count = 1
    for size, length in zip(shape, window, strict=True):
        size = max(size, length)
        step = length if size == length else max(int(length * (1 - overlap)), 1)
        count *= ceil((size - length) / step) + 1
    return count
