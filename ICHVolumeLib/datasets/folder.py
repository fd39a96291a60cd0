"""A data set of one's own: images and masks as NIfTI or NRRD files of the same names.

    FOLDER/images/NAME.nii.gz    a head CT in HU (.nii, .nii.gz, .nrrd, .nhdr)
    FOLDER/masks/NAME.nii.gz     its mask, 1 ICH and 2 IVH, or a .seg.nrrd of 3D Slicer; all 0 where nothing bleeds

Without a folder masks/ nobody has marked the images.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import WARNING
from ..io.images import is_image_name
from ..io.masks import read_mask_and_findings
from ..io.read_ct import read_ct
from .case import DatasetCase

IMAGES, MASKS = "images", "masks"
ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr")
SHOWN = 5  # names in a sentence


def load_folder(folder: Path, licence: str = "not stated", dataset: str = "folder") -> Iterator[DatasetCase]:
    """The pairs of a folder, by name, read one after the other as they are asked for.

    Raises InputError at once where images are missing, one lacks its mask or a mask its image, or a name occurs twice;
    later for a file that cannot be read and a mask on another grid or with other values.
    """
    folder = Path(folder)
    if not (folder / IMAGES).is_dir():
        raise InputError(f"{folder}: holds no folder {IMAGES}; put the scans into {IMAGES}/ and their masks, of the "
                         f"same names, into {MASKS}/.")
    images, marked = _files_by_name(folder / IMAGES), (folder / MASKS).is_dir()
    masks = _files_by_name(folder / MASKS) if marked else {}
    if not images:
        raise InputError(f"{folder / IMAGES}: holds no NIfTI or NRRD file; put the scans there.")
    if marked:
        _check_pairs(folder, images, masks)
    return (_case(name, file, masks.get(name), licence, dataset) for name, file in images.items())


def _case(name: str, image: Path, mask: Path | None, licence: str, dataset: str) -> DatasetCase:
    ct = read_ct(image)
    return DatasetCase(name, ct, None if mask is None else _truth(mask, ct), licence, dataset=dataset)


def _truth(mask: Path, ct: CTVolume) -> np.ndarray:
    """read_mask guesses at odd labels and warns; nobody reads the warnings of hundreds, so a guess is refused."""
    truth, findings = read_mask_and_findings(mask, ct, plain_values_known=True)
    warnings = [finding for finding in findings if finding.severity == WARNING]
    if warnings:
        raise InputError(f"{mask}: its labels are not ICH (1) and IVH (2): {warnings[0].message} Write them so.")
    return truth


def _files_by_name(folder: Path) -> dict[str, Path]:
    """NAME -> its file, sorted; hidden files and others are passed over."""
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if not file.is_file() or file.name.startswith(".") or not is_image_name(file.name):
            continue
        name = _stem(file.name)
        if name in files:
            raise InputError(f"{folder}: {files[name].name} and {file.name} have the same name; keep one of them.")
        files[name] = file
    return files


def _stem(file_name: str) -> str:
    return next(file_name[:-len(ending)] for ending in ENDINGS if file_name.lower().endswith(ending))


def _check_pairs(folder: Path, images: dict[str, Path], masks: dict[str, Path]):
    alone = {f"without a mask in {MASKS}/": sorted(images.keys() - masks.keys()),
             f"without an image in {IMAGES}/": sorted(masks.keys() - images.keys())}
    said = [f"{_listed(names)} {words}" for words, names in alone.items() if names]
    if said:
        raise InputError(f"{folder}: {' and '.join(said)}; an image and its mask have the same name, and a scan "
                         "without blood has an empty mask.")


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
