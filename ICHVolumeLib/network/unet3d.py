"""3D U-Net (Çiçek et al. 2016, MICCAI, arXiv:1606.06650) as MONAI builds it: residual units. No torch at import.

The first two of four steps halve rows and columns only: slices of a head CT are some ten times as far apart as pixels.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..core.errors import InputError
from .monai_extra import require_monai
from .stacks import StackConfig, StackNetwork

if TYPE_CHECKING:
    from torch import nn

STRIDES = ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2))


@dataclass(frozen=True)
class UNet3DConfig(StackConfig):
    """in_slices a multiple of 4, window of 16. Raises InputError for a value the network cannot be built with."""

    network: ClassVar[str] = "unet3d"
    base_width: int = 32  # channels of the first of five levels, doubled at every level, as in the paper

    def __post_init__(self) -> None:
        self.check_whole_numbers(base_width=2, in_slices=4, window=32, classes=2)
        if self.in_slices % 4 or self.window % 16:
            raise InputError("network config: 3D U-Net takes in_slices in multiples of 4 and a window in multiples of "
                             f"16; found {self.in_slices} and {self.window}.")


class UNet3DEntry(StackNetwork[UNet3DConfig]):
    title = "3D U-Net"
    config_class = UNet3DConfig

    def check_packages(self) -> None:
        require_monai(self.title)

    def build(self, config: UNet3DConfig) -> "nn.Module":
        self.check_packages()
        from monai.networks.nets import UNet

        from .stack_module import StackModule

        widths = tuple(config.base_width * 2**level for level in range(5))
        return StackModule(UNet(3, 1, config.classes, widths, STRIDES, num_res_units=2), config.window)
