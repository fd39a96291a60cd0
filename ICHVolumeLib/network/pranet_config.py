"""What kind of PraNet: stored beside the weights, read without torch."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..core.errors import InputError
from .base import MOST, NetworkConfig


@dataclass(frozen=True)
class PraNetConfig(NetworkConfig):
    """Raises InputError for a value the network cannot be built with."""

    network: ClassVar[str] = "pranet"
    base_width: int = 64  # channels of the stem; even
    blocks: tuple[int, ...] = (3, 4, 6, 3)  # of the encoder's four stages, as in Res2Net-50
    channels: int = 32  # of the partial decoder
    in_slices: int = 1  # odd
    classes: int = 3

    def __post_init__(self) -> None:
        self.check_whole_numbers(base_width=2, channels=1, in_slices=1, classes=2)
        blocks: Any = self.blocks  # a list where it was read from a file
        if not (isinstance(blocks, list | tuple) and len(blocks) == 4
                and all(type(count) is int and 1 <= count <= MOST for count in blocks)):
            raise InputError(f"network config: blocks is {str(blocks)[:40]!r}; it must be four whole numbers from 1.")
        object.__setattr__(self, "blocks", tuple(blocks))
        if self.in_slices % 2 == 0 or self.base_width % 2:
            raise InputError("network config: PraNet takes an odd number of in_slices and an even base_width; found "
                             f"{self.in_slices} and {self.base_width}.")

    @property
    def size_multiple(self) -> int:
        return 32
