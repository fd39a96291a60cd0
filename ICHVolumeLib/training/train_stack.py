"""Training of the second network: the loop of train.py over blocks that makers fill with the first one's verdicts."""

from pathlib import Path

from ..engines.openvino_engine import OpenVinoEngine
from ..network.attfocusnet import AttFocusNetConfig
from ..network.weights import load_weights
from .checkpoint import steps_done
from .heads import load_pool
from .plans import Plan
from .release import FIRST, keep_first
from .stack import StackStream, first_logits, makers, stack_validation
from .train import train

MAKERS = 2


def train_stack(data: Path, cache: Path, folder: Path, plan: Plan, config: AttFocusNetConfig, *, over: Path | None,
                seed: int = 0, **how) -> dict:
    """As train, from the heads of load_pool(data, cache).

    over: folder of the run, or of the weights, whose first network is asked (None: the weights shipped). It is copied
    into the run, so that a run that goes on goes on over the same one.
    """
    first = folder / FIRST
    if not first.is_dir():
        keep_first(over, folder)
    validation = stack_validation(load_pool(data, cache), OpenVinoEngine(load_weights(first)), plan)
    with makers(data, cache, first, plan, folder / "blocks", seed, MAKERS):
        stream = StackStream(folder / "blocks", plan, seed + steps_done(folder))
        return train([], folder, plan, config, seed=seed, stream=stream, validation=validation,
                     prior=first_logits, **how)
