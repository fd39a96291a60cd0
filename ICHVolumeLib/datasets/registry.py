"""The data sets that are known by name; nothing heavy is imported and nothing is read until one is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from . import ct_ich, ct_ich_bleeds, folder
from .case import DatasetCase


@dataclass(frozen=True)
class Dataset:
    """words: what it is, in a sentence. licence: whom to name and what is allowed.

    load: folder -> its cases, one after the other as they are asked for; raises InputError at once where the folder is
    not the data set.
    """

    name: str
    words: str
    licence: str
    load: Callable[[Path], Iterator[DatasetCase]]


_DATASETS: dict[str, Dataset] = {}


def register(dataset: Dataset) -> Dataset:
    """Make a data set known. Raises ValueError when another one has its name."""
    if _DATASETS.get(dataset.name, dataset) is not dataset:
        raise ValueError(f"there is a data set {dataset.name} already")
    _DATASETS[dataset.name] = dataset
    return dataset


def names() -> tuple[str, ...]:
    return tuple(sorted(_DATASETS))


def dataset_named(name: str) -> Dataset:
    """Raises InputError for a name that is not known."""
    if name not in _DATASETS:
        raise InputError(f"There is no data set {name}; known are {', '.join(names())}.")
    return _DATASETS[name]


def load_cases(name: str, where: Path) -> Iterator[DatasetCase]:
    """The cases of the data set of this name that lies in the folder `where`, one after the other."""
    return dataset_named(name).load(Path(where))


register(Dataset("ct_ich", "real head slices without hemorrhage, brain window", ct_ich.LICENCE, ct_ich.load_ct_ich))
register(Dataset("extra_axial", "real head slices with blood outside the brain only, brain window", ct_ich.LICENCE,
                 lambda where: ct_ich.load_ct_ich(where, "extra_axial")))
register(Dataset("ct_ich_bleeds", "real head slices with hemorrhage and masks made for this project, brain window",
                 ct_ich.LICENCE, ct_ich_bleeds.load_ct_ich_bleeds))
register(Dataset("folder", "images/ and masks/ of NIfTI or NRRD files of the same names", "that of your own data",
                 folder.load_folder))
