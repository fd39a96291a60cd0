"""AttFocusNet and AttUNet, the paper's own baseline, as the registry wants them. No torch at import."""

from dataclasses import replace
from typing import TYPE_CHECKING

from .base import Network, StoredWeights, slices_in
from .config import AttFocusNetConfig, AttUNetConfig

if TYPE_CHECKING:
    from torch import Tensor, nn


class AttFocusNetEntry(Network[AttFocusNetConfig]):
    title = "AttFocusNet"
    config_class: type[AttFocusNetConfig] = AttFocusNetConfig
    stem = "stem.0.conv.weight"

    def build(self, config: AttFocusNetConfig) -> "nn.Module":
        from .attfocusnet import AttFocusNet

        return AttFocusNet(config)

    def folded_config(self, config: AttFocusNetConfig) -> AttFocusNetConfig:
        return replace(config, norm="none")

    def fold(self, model: "nn.Module") -> "dict[str, Tensor]":
        from .attfocusnet import fold_batch_norm

        return fold_batch_norm(model)

    def training_model(self, weights: StoredWeights) -> "nn.Module":
        from .attfocusnet import unfold_batch_norm

        return unfold_batch_norm(weights)

    def describe(self, config: AttFocusNetConfig) -> str:
        kind = "AttFocusNet" if config.focus else "AttUNet (focus off)"
        return (f"{kind}, reading {config.fusion}, gate {config.gate}, base width {config.base_width}, "
                f"{slices_in(config.in_slices)} in")


class AttUNetEntry(AttFocusNetEntry):
    title = "AttUNet"
    config_class = AttUNetConfig
