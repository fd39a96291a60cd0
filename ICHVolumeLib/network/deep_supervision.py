"""A torch module that gives several maps, behind the contract of one."""

from torch import Tensor, nn


class AnswerLast(nn.Module):
    """net: slices -> list of logits, the answer last."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, slices: Tensor, every: bool = False) -> Tensor | list[Tensor]:
        """The answer (n, classes, H, W); every: all logits, the answer first."""
        outputs = self.net(slices)
        return outputs[::-1] if every else outputs[-1]
