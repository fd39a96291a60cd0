"""A run's curves for TensorBoard, an optional package: RUN/tensorboard, by `train --tensorboard`."""

from importlib.util import find_spec
from pathlib import Path

from ..core.errors import InputError

FOLDER = "tensorboard"
NAMES = {"loss": "training/loss", "rate": "training/learning_rate", "dice": "validation/dice",
         "ivh_dice": "validation/ivh_dice", "false_alarm": "validation/false_alarm"}


def check_tensorboard() -> None:
    """Raises InputError where the package is not installed."""
    if find_spec("tensorboard") is None:
        raise InputError("--tensorboard needs the package tensorboard, which is not installed: pip install "
                         "tensorboard, or leave the option out.")


class TensorBoardLog:
    """step: of the checkpoint that a run goes on from; what was logged beyond it is dropped."""

    def __init__(self, folder: Path, step: int):
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder / FOLDER), purge_step=step)

    def epoch(self, step: int, values: dict[str, float], step_losses: list[float]) -> None:
        """values: of NAMES, after `step` steps; step_losses: of the steps since the last epoch, the last one newest."""
        for back, loss in enumerate(reversed(step_losses)):
            self.writer.add_scalar("training/loss_of_step", loss, step - back)
        for name, value in values.items():
            self.writer.add_scalar(NAMES[name], value, step)
        self.writer.flush()
