"""What a network offers, so that weights, training, calibration, engines, evaluation and bench take it as any other.

A network maps windowed slices (n, in_slices, H, W) in 0..1 to logits (n, classes, H, W): background, ICH, IVH. To add
one, write its NetworkConfig and its Network and name it in registry.py. Nothing here loads torch; `build` may. A
network of whole stacks keeps this contract with its stack as in_slices and the logits of the slice in the middle; what
else it offers is in stacks.py.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from ..core.errors import ICHVolumeError, InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

CLASSES = 3  # background, ICH, IVH: what a mask holds; a coarse pass may have a fourth, blood outside the brain
MOST = 4096  # of any whole number in a configuration


class PackageMissing(ICHVolumeError, ImportError):
    """A network needs a package that is an optional extra and not installed."""


class NetworkConfig:
    """Base of a frozen dataclass with all that `build` needs, written as JSON beside the weights.

    network: the name in the registry. in_slices: 1, or odd with the neighbours of each slice. size_multiple: rows and
    columns of the input must be multiples of it; a field or a property.
    """

    network: ClassVar[str]
    in_slices: int
    classes: int

    @property
    def size_multiple(self) -> int:
        return 1

    @property
    def patch(self) -> tuple[int, int, int] | None:
        """(slices, rows, columns) that a network of stacks is trained on, with a label for each; None by slice."""
        return None

    def check_whole_numbers(self, **least: int) -> None:
        """Raises InputError unless each field named is a whole number from its least value to MOST."""
        for name, low in least.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= MOST:
                raise InputError(f"network config: {name} is {str(value)[:40]!r}; it must be a whole number from {low} "
                                 f"to {MOST}.")

    def to_dict(self) -> dict[str, Any]:
        values: Any = self
        return asdict(values)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Raises InputError for a field that is unknown or has a value the network cannot be built with."""
        kind: Any = cls
        unknown = set(values) - {item.name for item in fields(kind)}
        if unknown:
            raise InputError(f"network config: unknown {sorted(unknown)}; the weights need a newer ICHVolume.")
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"network config: {error}; copy the weights folder again.") from error


ConfigT = TypeVar("ConfigT", bound=NetworkConfig)


class StoredWeights(Protocol):
    """As network.weights.Weights: tensors, name -> array, are the state of the network of config (folded)."""

    @property
    def config(self) -> NetworkConfig: ...

    @property
    def tensors(self) -> dict[str, np.ndarray]: ...


class Network(ABC, Generic[ConfigT]):
    """One network of the registry. `build` is all that must be written; the rest is for what can be folded.

    title: its name for people. stem: the weight (width, in_slices, ...) that sees the slices, where a run on single
    slices may start one on neighbouring slices; None where it may not. has_idle_parameters: whether the module has
    parameters that no output depends on.
    """

    title: ClassVar[str]
    config_class: type[ConfigT]
    stem: ClassVar[str | None] = None
    has_idle_parameters: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return self.config_class.network

    def check_packages(self) -> None:
        """Raises PackageMissing, an ImportError, where `build` needs a package that is not installed."""

    @abstractmethod
    def build(self, config: ConfigT) -> "nn.Module":
        """The torch module, weights drawn anew. May raise ImportError for a package that is an optional extra."""

    def new_model(self, config: ConfigT) -> "nn.Module":
        """`build`, with the configuration as the attribute `config`: what saving and resuming ask a model for."""
        model = self.build(config)
        model.config = config  # type: ignore[assignment]
        return model

    def training_outputs(self, model: "nn.Module", images: "Tensor") -> "list[Tensor]":
        """All logits that training judges, each against the labels: the network's answer first.

        The loss is the mean over them. More than one: deep supervision.
        """
        return [model(images)]

    def logits(self, model: "nn.Module", slices: "Tensor") -> "Tensor":
        """(n, in_slices, H, W) -> (n, classes, H, W), as the model's own forward; a network of stacks computes what
        consecutive rows share once."""
        answer: Tensor = model(slices)
        return answer

    def slices_at_once(self, config: ConfigT) -> int | None:
        """How many consecutive slices `logits` wants at least; None where it makes no difference."""
        return None

    def folded_config(self, config: ConfigT) -> ConfigT:
        """Of the network that takes what `fold` returns."""
        return config

    def fold(self, model: "nn.Module") -> "dict[str, Tensor]":
        """The model's state for inference, on the CPU, floats as fp32; batch norms merged where a network can."""
        return {name: (value.float() if value.is_floating_point() else value).detach().cpu().contiguous()
                for name, value in model.state_dict().items()}

    def inference_model(self, weights: StoredWeights) -> "nn.Module":
        """The folded network with these weights, in evaluation mode. Raises RuntimeError where they do not fit."""
        import torch

        model = self.new_model(self.folded_config(weights.config)).eval()  # type: ignore[arg-type]
        model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})
        return model

    def training_model(self, weights: StoredWeights) -> "nn.Module":
        """The network as it is trained, with the same logits, in evaluation mode: to save again, or to go on from."""
        return self.inference_model(weights)

    def describe(self, config: ConfigT) -> str:
        """One phrase for the model card."""
        values = ", ".join(f"{name} {value}" for name, value in config.to_dict().items()
                           if name not in ("in_slices", "classes"))
        return f"{self.title}{f', {values}' if values else ''}, {slices_in(config.in_slices)} in"


def slices_in(count: int) -> str:
    return "one slice" if count == 1 else f"{count} neighbouring slices"


def check_classes(config: NetworkConfig, classes: int = CLASSES) -> None:
    """Raises InputError for a network of other classes: background, ICH, IVH and, as the fourth, blood outside the
    brain."""
    if config.classes != classes:
        raise InputError(f"The network {config.network} has {config.classes} classes; {classes} are needed: "
                         f"background, ICH, IVH{', blood outside the brain' * (classes > CLASSES)}. Take or train "
                         "weights with these.")
