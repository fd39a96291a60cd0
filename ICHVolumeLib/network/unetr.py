"""UNETR (Hatamizadeh et al. 2022, WACV, arXiv:2103.10504) as MONAI builds it. No torch at import.

Its transformer reads tokens of 16 x 16 x 16 voxels and has learnt a place for each, so it takes patches of one size.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..core.errors import InputError
from .monai_extra import require_monai
from .stacks import StackConfig, StackNetwork

if TYPE_CHECKING:
    from torch import nn

TOKEN = 16  # voxels along each axis


@dataclass(frozen=True)
class UNETRConfig(StackConfig):
    """in_slices and window multiples of 16. Raises InputError for a value the network cannot be built with."""

    network: ClassVar[str] = "unetr"
    base_width: int = 16  # channels of the full-size features
    hidden_size: int = 768  # of a token, four times as wide within its layers; the paper's (ViT-B), as the next
    heads: int = 12

    def __post_init__(self) -> None:
        self.check_whole_numbers(base_width=2, hidden_size=1, heads=1, in_slices=TOKEN, window=2 * TOKEN, classes=2)
        if self.in_slices % TOKEN or self.window % TOKEN:
            raise InputError(f"network config: UNETR takes in_slices and a window in multiples of {TOKEN}; found "
                             f"{self.in_slices} and {self.window}.")
        if self.hidden_size % self.heads:
            raise InputError("network config: hidden_size of UNETR must be a multiple of its heads; found "
                             f"{self.hidden_size} and {self.heads}.")


class UNETREntry(StackNetwork[UNETRConfig]):
    title = "UNETR"
    config_class = UNETRConfig
    has_idle_parameters = True  # MONAI's transformer has a cross attention that UNETR does not use

    def check_packages(self) -> None:
        require_monai(self.title, "einops")

    def build(self, config: UNETRConfig) -> "nn.Module":
        self.check_packages()
        from monai.networks.nets import UNETR

        from .stack_module import StackModule

        net = UNETR(1, config.classes, config.patch, config.base_width, config.hidden_size, 4 * config.hidden_size,
                    config.heads)
        return StackModule(net, config.window)
