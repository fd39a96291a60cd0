"""The data sets that are known by name; nothing heavy is imported and nothing is read until one is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from . import bhsd, cq500, ct_ich, ct_ich_bleeds, ct_ich_jpeg, ct_ich_nifti, folder, hemseg, instance2022, phe_sich
from .case import DatasetCase


@dataclass(frozen=True)
class Dataset:
    """words: what it is, in a sentence. licence: whom to name and what is allowed. people: who numbers its patients;
    data sets with the same word share patients of the same number.

    load: folder -> its cases, one after the other as they are asked for; raises InputError at once where the folder is
    not the data set.
    """

    name: str
    words: str
    licence: str
    load: Callable[[Path], Iterator[DatasetCase]]
    people: str = ""


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


CT_ICH, RSNA = "CT-ICH", "RSNA 2019"
for one in (
        Dataset("ct_ich", "real head slices without hemorrhage, brain window", ct_ich.LICENCE, ct_ich.load_ct_ich,
                CT_ICH),
        Dataset("extra_axial", "real head slices with blood outside the brain only, brain window", ct_ich.LICENCE,
                lambda where: ct_ich.load_ct_ich(where, "extra_axial"), CT_ICH),
        Dataset("ct_ich_bleeds", "real head slices with hemorrhage and masks made for this project, brain window",
                ct_ich.LICENCE, ct_ich_bleeds.load_ct_ich_bleeds, CT_ICH),
        Dataset("folder", "images/ and masks/ of NIfTI or NRRD files of the same names", "that of your own data",
                folder.load_folder),
        Dataset("bhsd", "BHSD, five kinds of blood marked on scans of RSNA 2019", bhsd.LICENCE, bhsd.load_bhsd, RSNA),
        Dataset("hemseg", "HemSeg-200 and -500, ICH and IVH marked on scans of RSNA 2019", hemseg.LICENCE,
                hemseg.load_hemseg, RSNA),
        Dataset("ct_ich_jpeg", "CT-ICH 1.0 to 1.2 as released, JPEG; the kind of blood is known slice by slice",
                ct_ich.LICENCE, ct_ich_jpeg.load_ct_ich_jpeg, CT_ICH),
        Dataset("ct_ich_nifti", "CT-ICH 1.3, NIfTI; the kind of blood is known slice by slice", ct_ich_nifti.LICENCE,
                ct_ich_nifti.load_ct_ich_nifti, CT_ICH),
        Dataset("instance2022", "INSTANCE 2022, all blood under one label, read as ICH", instance2022.LICENCE,
                instance2022.load_instance2022),
        Dataset("cq500", "CQ500, DICOM and the readers' table, no masks", cq500.LICENCE, cq500.load_cq500),
        Dataset("phe_sich", "PHE-SICH-CT-IDS, only the oedema is marked, so no truth", phe_sich.LICENCE,
                phe_sich.load_phe_sich)):
    register(one)
