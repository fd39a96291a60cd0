"""PraNet: Fan D-P, Ji G-P, Zhou T, et al. (2020) MICCAI, LNCS 12266:263, arXiv:2006.11392.

Written from the paper's text; no code of others is copied and no trained backbone is downloaded. A partial decoder
draws a coarse map from the three deepest features alone; then, from deep to shallow, reverse attention erases what the
map already calls blood, so that the next features are asked for what is still missing, its edge above all. Four maps
are judged in training; the finest is the answer. It is drawn at an eighth of the size, as in the paper.

The encoder is Res2Net-like (Gao et al. 2021, doi:10.1109/TPAMI.2019.2938758), of our own and trained from scratch: the
paper starts from weights trained on ImageNet, without which it is a weaker network. Ours, too: three classes, where
"what is already marked" is p(ICH) + p(IVH); average pooling between the stages; widths of the decoder. The partial
decoder is that of Wu et al. 2019, CVPR, arXiv:1904.08739, in their words.

Shapes, with w = base width and (H, W) the slice:

    slice -> stem (n, w, H/2, W/2) -> stage 1 (n, 4w, H/4, W/4)
          -> stage 2, f3 (n, 8w, H/8, W/8) -> stage 3, f4 (n, 16w, H/16, W/16) -> stage 4, f5 (n, 32w, H/32, W/32)
    f3, f4, f5 -> partial decoder -> global map (n, 3, H/8, W/8)
    global map, f5 -> map 5 (H/32); map 5, f4 -> map 4 (H/16); map 4, f3 -> map 3 (H/8) -> logits (n, 3, H, W)
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .pranet_config import PraNetConfig

GROUPS = 4  # of channels in a block, each seeing more around it than the one before: "scale" of Res2Net
GROUP_SHARE = 26 / 64  # of a group's width in the base width: 26 of 64 in Res2Net-50
DILATIONS = (1, 3, 5)  # of the context block


class ConvNorm(nn.Sequential):
    """Convolution keeping the size (but for stride), batch norm, ReLU unless told not to."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1, dilation: int = 1,
                 relu: bool = True):
        conv = nn.Conv2d(in_channels, out_channels, kernel, stride, dilation * (kernel // 2), dilation, bias=False)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        super().__init__(conv, nn.BatchNorm2d(out_channels), *([nn.ReLU(inplace=True)] if relu else []))


class Res2Block(nn.Module):
    """Residual block whose 3x3 convolution is split: group i sees its own channels and what group i - 1 made of its."""

    def __init__(self, in_channels: int, group_width: int, out_channels: int):
        super().__init__()
        self.squeeze = ConvNorm(in_channels, GROUPS * group_width, 1)
        self.groups = nn.ModuleList(ConvNorm(group_width, group_width) for _ in range(GROUPS - 1))
        self.widen = ConvNorm(GROUPS * group_width, out_channels, 1, relu=False)
        self.shortcut = nn.Identity() if in_channels == out_channels else ConvNorm(in_channels, out_channels, 1,
                                                                                   relu=False)

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.squeeze(x).chunk(GROUPS, dim=1)
        made = [first]
        for number, (group, part) in enumerate(zip(self.groups, others, strict=True)):
            made.append(group(part + made[-1] if number else part))
        return functional.relu(self.widen(torch.cat(made, dim=1)) + self.shortcut(x))


class Encoder(nn.Module):
    """(n, in_slices, H, W) -> f3, f4, f5: (n, 8w, H/8, W/8), (n, 16w, H/16, W/16), (n, 32w, H/32, W/32)."""

    def __init__(self, config: PraNetConfig):
        super().__init__()
        width = config.base_width
        self.stem = nn.Sequential(ConvNorm(config.in_slices, width // 2, stride=2), ConvNorm(width // 2, width // 2),
                                  ConvNorm(width // 2, width))
        self.stages, channels = nn.ModuleList(), width
        for level, blocks in enumerate(config.blocks):
            out, group = 4 * width * 2**level, max(round(GROUP_SHARE * width), 1) * 2**level
            self.stages.append(nn.Sequential(*(Res2Block(channels if first else out, group, out)
                                               for first in [True] + [False] * (blocks - 1))))
            channels = out

    def forward(self, slices: Tensor) -> list[Tensor]:
        x, features = functional.max_pool2d(self.stem(slices), 3, 2, 1), []
        for level, stage in enumerate(self.stages):
            x = stage(functional.avg_pool2d(x, 2) if level else x)
            features.append(x)
        return features[1:]


class Context(nn.Module):
    """Features of any width -> `channels` that see near and far: parallel convolutions of several dilations."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.squeeze = ConvNorm(in_channels, channels, 1)
        self.views = nn.ModuleList(ConvNorm(channels, channels, dilation=dilation) for dilation in DILATIONS)
        self.merge = ConvNorm(len(DILATIONS) * channels, channels, 1, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return functional.relu(x + self.merge(torch.cat([view(x) for view in self.views], dim=1)))


class PartialDecoder(nn.Module):
    """f3, f4, f5 -> the global map (n, classes, H/8, W/8). Each is multiplied with all deeper ones, then they join."""

    def __init__(self, widths: tuple[int, ...], channels: int, classes: int):
        super().__init__()
        self.contexts = nn.ModuleList(Context(width, channels) for width in widths)
        self.by5, self.by4, self.by5_twice = (ConvNorm(channels, channels, relu=False) for _ in range(3))
        self.join4, self.join3 = ConvNorm(2 * channels, 2 * channels), ConvNorm(3 * channels, 3 * channels)
        self.head = nn.Conv2d(3 * channels, classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        c3, c4, c5 = (context(one) for context, one in zip(self.contexts, features, strict=True))
        m4 = c4 * self.by5(resized(c5, c4))
        m3 = c3 * self.by4(resized(c4, c3)) * self.by5_twice(resized(c5, c3))
        d4 = self.join4(torch.cat([m4, resized(c5, c4)], dim=1))
        return self.head(self.join3(torch.cat([m3, resized(d4, c3)], dim=1)))


class ReverseAttention(nn.Module):
    """Features and the coarser map -> a map at their size: the coarser one and what is found where it sees nothing."""

    def __init__(self, in_channels: int, inner: int, classes: int):
        super().__init__()
        self.find = nn.Sequential(ConvNorm(in_channels, inner, 1), ConvNorm(inner, inner), ConvNorm(inner, inner),
                                  ConvNorm(inner, inner), nn.Conv2d(inner, classes, 1))

    def forward(self, features: Tensor, coarser: Tensor) -> Tensor:
        coarser = resized(coarser, features)
        unmarked = torch.softmax(coarser, dim=1)[:, :1]  # 1 - p(ICH) - p(IVH)
        return coarser + self.find(features * unmarked)


class PraNet(nn.Module):
    """Windowed CT slices (n, in_slices, H, W) in 0..1 -> logits (n, classes, H, W); H and W multiples of 32."""

    def __init__(self, config: PraNetConfig | None = None):
        super().__init__()
        config = config or PraNetConfig()
        widths = tuple(config.base_width * factor for factor in (8, 16, 32))
        self.encoder = Encoder(config)
        self.decoder = PartialDecoder(widths, config.channels, config.classes)
        self.reverse = nn.ModuleList(ReverseAttention(width, config.base_width, config.classes) for width in widths)

    def forward(self, slices: Tensor, every: bool = False) -> Tensor | list[Tensor]:
        """every: the four maps that training judges, the answer (map 3) first, the global map last."""
        features = self.encoder(slices)
        maps = [self.decoder(features)]
        for attention, one in zip(reversed(self.reverse), reversed(features), strict=True):
            maps.append(attention(one, maps[-1]))
        return [resized(one, slices) for one in reversed(maps)] if every else resized(maps[-1], slices)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """x at the rows and columns of `like`, bilinear."""
    return functional.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
