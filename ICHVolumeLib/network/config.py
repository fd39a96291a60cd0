"""What kind of AttFocusNet or AttUNet: stored beside the weights, read without torch."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.errors import InputError
from .base import NetworkConfig


@dataclass(frozen=True)
class AttFocusNetConfig(NetworkConfig):
    """Everything the paper leaves open. Raises InputError for a value the network cannot be built with."""

    network: ClassVar[str] = "attfocusnet"
    base_width: int = 16  # channels of the first level, doubled at every level; even
    levels: int = 5  # resolutions, counting the full one
    fusion: str = "R1"  # how pooled and focus maps meet: "R1" concat to 1.5 C, "R2" concat to C, "R3" add
    gate: str = "concat"  # "concat": the paper's "feature splicing"; "add": Oktay et al. 2018
    focus: bool = True  # False: AttUNet, the paper's own baseline
    in_slices: int = 1  # 1: slice by slice as in the paper; 3: with both neighbours; odd
    classes: int = 3  # background, ICH, IVH; the paper's single class is the union of the last two
    norm: str = "batch"  # "none": batch norm folded into the convolutions (inference)

    def __post_init__(self) -> None:
        allowed = {"fusion": ("R1", "R2", "R3"), "gate": ("concat", "add"), "norm": ("batch", "none")}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InputError(f"network config: {name} is {getattr(self, name)!r}; it must be one of {values}.")
        for name in ("base_width", "levels", "in_slices", "classes"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) > 4096:
                raise InputError(f"network config: {name} is {str(getattr(self, name))[:40]!r}; it must be a whole "
                                 "number of at most 4096.")
        if self.base_width < 2 or self.base_width % 2:
            raise InputError(f"network config: base_width is {self.base_width}; it must be even and at least 2.")
        if self.levels < 2 or self.classes < 2 or self.in_slices < 1 or self.in_slices % 2 == 0:
            raise InputError("network config: levels and classes must be at least 2 and in_slices odd; "
                             f"found {self.levels}, {self.classes}, {self.in_slices}.")

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level, full resolution first."""
        return tuple(self.base_width * 2**level for level in range(self.levels))

    @property
    def size_multiple(self) -> int:
        """Rows and columns of the input must be multiples of this."""
        return int(2 ** (self.levels - 1))


@dataclass(frozen=True)
class AttUNetConfig(AttFocusNetConfig):
    """The same network without its focus structure: the paper's baseline, under a name of its own."""

    network: ClassVar[str] = "attunet"
    focus: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.focus:
            raise InputError("network config: AttUNet has no focus structure; with one it is AttFocusNet: "
                             "choose the network attfocusnet, or focus false.")
