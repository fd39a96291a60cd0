"""AttFocusNet: Peng Q, Chen X, Zhang C, et al. (2022) Front. Neurosci. 16:965680, doi:10.3389/fnins.2022.965680.

A 2D U-Net with attention gates on the skips ("AttUNet") whose encoder keeps what max pooling throws away:
at every down-sampling a "focus structure" moves each 2x2 block of pixels into the channels and convolves it.
Written from the paper's text; what the paper leaves open is a field of AttFocusNetConfig.

Shapes, with w = base width and (H, W) the slice, levels = 5:

    slice                     (n, in_slices, H, W)
    encoder 0                 (n,   w, H,    W)    --- gate ---> decoder 0 (n,  w, H,   W)    -> logits (n, 3, H, W)
    encoder 1                 (n,  2w, H/2,  W/2)  --- gate ---> decoder 1 (n, 2w, H/2, W/2)
    encoder 2                 (n,  4w, H/4,  W/4)  --- gate ---> decoder 2 (n, 4w, H/4, W/4)
    encoder 3                 (n,  8w, H/8,  W/8)  --- gate ---> decoder 3 (n, 8w, H/8, W/8)
    encoder 4                 (n, 16w, H/16, W/16) -----------------^
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import AttFocusNetConfig

__all__ = ["AttFocusNet", "AttFocusNetConfig", "fold_batch_norm", "unfold_batch_norm"]


class ConvNorm(nn.Module):
    """Convolution keeping the size, then batch norm (or, once folded, a bias instead); ReLU unless told not to."""

    def __init__(self, in_channels: int, out_channels: int, config: AttFocusNetConfig, kernel: int = 3,
                 relu: bool = True):
        super().__init__()
        folded = config.norm == "none"
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=folded)
        self.norm = nn.Identity() if folded else nn.BatchNorm2d(out_channels)
        self.relu = relu
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return functional.relu(x, inplace=True) if self.relu else x


class DoubleConv(nn.Sequential):
    def __init__(self, in_channels: int, out_channels: int, config: AttFocusNetConfig):
        super().__init__(ConvNorm(in_channels, out_channels, config), ConvNorm(out_channels, out_channels, config))


class Focus(nn.Module):
    """(n, C, H, W) -> every 2x2 block into channels (n, 4C, H/2, W/2) -> convolution (n, C/2, H/2, W/2)."""

    def __init__(self, channels: int, config: AttFocusNetConfig):
        super().__init__()
        self.squeeze = ConvNorm(4 * channels, channels // 2, config)

    def forward(self, x: Tensor) -> Tensor:
        return self.squeeze(functional.pixel_unshuffle(x, 2))


class Down(nn.Module):
    """One encoder step, (n, C, H, W) -> (n, 2C, H/2, W/2): the pooled map and the focus map, fused, then two convs.

    fusion R1: concat(pooled C, focus C/2) = 1.5 C; R2: the pooled map is first convolved to C/2, concat = C;
    R3: the focus map is brought to C by a 1x1 convolution and added. Without focus: the pooled map alone (AttUNet).
    """

    def __init__(self, channels: int, config: AttFocusNetConfig):
        super().__init__()
        self.fusion = config.fusion if config.focus else "pool"
        fused_channels = channels
        if config.focus:
            self.focus = Focus(channels, config)
        if self.fusion == "R1":
            fused_channels = channels + channels // 2
        elif self.fusion == "R2":
            self.pooled = ConvNorm(channels, channels // 2, config)
        elif self.fusion == "R3":
            self.widen = ConvNorm(channels // 2, channels, config, kernel=1, relu=False)
        self.block = DoubleConv(fused_channels, 2 * channels, config)

    def forward(self, x: Tensor) -> Tensor:
        pooled = functional.max_pool2d(x, 2)
        if self.fusion == "R1":
            pooled = torch.cat([pooled, self.focus(x)], dim=1)
        elif self.fusion == "R2":
            pooled = torch.cat([self.pooled(pooled), self.focus(x)], dim=1)
        elif self.fusion == "R3":
            pooled = pooled + self.widen(self.focus(x))
        return self.block(pooled)


class AttentionGate(nn.Module):
    """The paper's 2D gate: skip-input and up-input have the SAME size (n, C, H, W); returns the weighted skip-input.

    A convolution each (to C/2), "feature splicing" (concat; "add" as in Oktay et al. 2018, arXiv:1804.03999), ReLU,
    a convolution to one channel, sigmoid, times the skip-input.
    """

    def __init__(self, channels: int, config: AttFocusNetConfig):
        super().__init__()
        self.splice = config.gate
        inner = channels // 2
        self.skip = ConvNorm(channels, inner, config, kernel=1, relu=False)
        self.up = ConvNorm(channels, inner, config, kernel=1, relu=False)
        self.attention = nn.Conv2d(2 * inner if config.gate == "concat" else inner, 1, 1)

    def forward(self, skip_input: Tensor, up_input: Tensor) -> Tensor:
        skip, up = self.skip(skip_input), self.up(up_input)
        spliced = torch.cat([skip, up], dim=1) if self.splice == "concat" else skip + up
        return skip_input * torch.sigmoid(self.attention(functional.relu(spliced)))  # (n, 1, H, W) broadcasts over C


class Up(nn.Module):
    """One decoder step: (n, 2C, H/2, W/2) and the skip (n, C, H, W) -> (n, C, H, W)."""

    def __init__(self, channels: int, config: AttFocusNetConfig):
        super().__init__()
        self.shrink = ConvNorm(2 * channels, channels, config)
        self.gate = AttentionGate(channels, config)
        self.block = DoubleConv(2 * channels, channels, config)

    def forward(self, x: Tensor, skip_input: Tensor) -> Tensor:
        up_input = self.shrink(functional.interpolate(x, scale_factor=2, mode="nearest"))  # (n, C, H, W)
        return self.block(torch.cat([self.gate(skip_input, up_input), up_input], dim=1))


class AttFocusNet(nn.Module):
    """Windowed CT slices (n, in_slices, H, W) in 0..1 -> logits (n, classes, H, W): background, ICH, IVH.

    H and W are multiples of config.size_multiple (16 with five levels).
    """

    def __init__(self, config: AttFocusNetConfig | None = None):
        super().__init__()
        self.config = config or AttFocusNetConfig()
        widths = self.config.widths  # (w, 2w, 4w, 8w, 16w)
        self.stem = DoubleConv(self.config.in_slices, widths[0], self.config)
        self.downs = nn.ModuleList(Down(width, self.config) for width in widths[:-1])
        self.ups = nn.ModuleList(Up(width, self.config) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(widths[0], self.config.classes, 1)

    def forward(self, slices: Tensor) -> Tensor:
        skips = [self.stem(slices)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.ups:
            x = up(x, skips.pop())
        return self.head(x)


@torch.no_grad()
def fold_batch_norm(model: nn.Module) -> dict[str, Tensor]:
    """The model's weights for inference: every batch norm merged into the convolution before it.

    The state (fp32, on the CPU) loads into AttFocusNet(replace(config, norm="none")), which gives the same logits
    as model.eval() up to rounding.
    """
    state = {}
    for name, module in model.named_modules():
        if isinstance(module, ConvNorm) and isinstance(module.norm, nn.BatchNorm2d):
            norm = module.norm
            scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
            state[f"{name}.conv.weight"] = module.conv.weight.double() * scale[:, None, None, None]
            state[f"{name}.conv.bias"] = norm.bias.double() - norm.running_mean.double() * scale
        elif isinstance(module, nn.Conv2d):
            for key, value in module.named_parameters():
                state.setdefault(f"{name}.{key}", value)
    return {name: value.detach().float().cpu().contiguous() for name, value in state.items()}


def unfold_batch_norm(weights) -> AttFocusNet:
    """AttFocusNet with batch norms again, in evaluation mode, that gives the logits of released Weights (folded).

    What folding merged cannot be told apart any more: the norms' scale is 1 and their statistics change nothing.
    """
    model = AttFocusNet(replace(weights.config, norm="batch")).eval()
    state = {name: torch.tensor(values) for name, values in weights.tensors.items()}
    for name, module in model.named_modules():
        if isinstance(module, ConvNorm):
            module.norm.running_var.fill_(1 - module.norm.eps)
            with torch.no_grad():
                module.norm.bias.copy_(state.pop(f"{name}.conv.bias"))
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or any(".norm." not in name for name in missing):
        raise ValueError(f"the weights do not fit the network: {unexpected or missing}")
    return model
