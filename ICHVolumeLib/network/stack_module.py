"""The torch module of the networks of stacks: a 3D network behind the contract of slices. Needs torch and MONAI."""

from torch import Tensor, nn

from .stacks import OVERLAP


class StackModule(nn.Module):
    """net: (n, 1, slices, window, window) -> logits (n, classes, slices, window, window)."""

    def __init__(self, net: nn.Module, window: int):
        super().__init__()
        self.net, self.window = net, window

    def forward(self, stacks: Tensor, every: bool = False) -> Tensor:
        """(n, slices, H, W) -> (n, classes, H, W) of the slice in the middle; every: (n, classes, slices, H, W).

        Slices of another size than the window are covered by windows, whose logits are averaged, those near a window's
        middle counting most; what is smaller is padded with air (0).
        """
        volume, depth = stacks[:, None], stacks.shape[1]
        if stacks.shape[2:] == (self.window, self.window):
            logits = self.net(volume)
        else:
            from monai.inferers import sliding_window_inference

            logits = sliding_window_inference(volume, (depth, self.window, self.window), 1, self.net, overlap=OVERLAP,
                                              mode="gaussian")
        return logits if every else logits[:, :, depth // 2]
