"""PraNet as the registry wants it. No torch at import."""

from typing import TYPE_CHECKING

from .base import Network
from .pranet_config import PraNetConfig

if TYPE_CHECKING:
    from torch import Tensor, nn


class PraNetEntry(Network[PraNetConfig]):
    title = "PraNet"
    config_class = PraNetConfig
    stem = "encoder.stem.0.0.weight"

    def build(self, config: PraNetConfig) -> "nn.Module":
        from .pranet import PraNet

        return PraNet(config)

    def training_outputs(self, model: "nn.Module", images: "Tensor") -> "list[Tensor]":
        outputs: list[Tensor] = model(images, True)
        return outputs
