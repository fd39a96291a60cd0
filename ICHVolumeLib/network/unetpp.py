"""UNet++ (Zhou et al. 2018, DLMIA, arXiv:1807.10165) as MONAI builds it, with deep supervision. No torch at import.

Its four full-size outputs are all judged in training, as in the paper; the last and deepest is the answer.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..core.errors import InputError
from .base import Network, NetworkConfig
from .monai_extra import require_monai

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class UNetPlusPlusConfig(NetworkConfig):
    """Raises InputError for a value the network cannot be built with."""

    network: ClassVar[str] = "unetpp"
    base_width: int = 32  # channels of the first of five levels, doubled at every level, as in the paper
    in_slices: int = 1  # odd
    classes: int = 3

    def __post_init__(self) -> None:
        self.check_whole_numbers(base_width=2, in_slices=1, classes=2)
        if self.in_slices % 2 == 0 or self.base_width % 2:
            raise InputError("network config: UNet++ takes an odd number of in_slices and an even base_width; found "
                             f"{self.in_slices} and {self.base_width}.")

    @property
    def size_multiple(self) -> int:
        return 16


class UNetPlusPlusEntry(Network[UNetPlusPlusConfig]):
    title = "UNet++"
    config_class = UNetPlusPlusConfig
    stem = "net.conv_0_0.conv_0.conv.weight"

    def check_packages(self) -> None:
        require_monai(self.title)

    def build(self, config: UNetPlusPlusConfig) -> "nn.Module":
        self.check_packages()
        from monai.networks.nets import BasicUNetPlusPlus

        from .deep_supervision import AnswerLast

        widths = tuple(config.base_width * 2**level for level in range(5))
        return AnswerLast(BasicUNetPlusPlus(2, config.in_slices, config.classes, (*widths, config.base_width),
                                            deep_supervision=True))

    def training_outputs(self, model: "nn.Module", images: "Tensor") -> "list[Tensor]":
        outputs: list[Tensor] = model(images, True)
        return outputs
