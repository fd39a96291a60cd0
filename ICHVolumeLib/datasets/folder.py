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
from ..io.masks import read_mask_and_findings
from ..io.read_ct import read_ct
from .case import DatasetCase
from .pairs import Pair, Rooms, pairs_in

ROOMS = (Rooms("images", "masks"),)
ADVICE = "put the scans into images/ and their masks, of the same names, into masks/"


def load_folder(folder: Path, licence: str = "not stated", dataset: str = "folder") -> Iterator[DatasetCase]:
    """The pairs of a folder, by name, read one after the other as they are asked for.

    Raises InputError at once where images are missing, one lacks its mask or a mask its image, or a name occurs twice;
    later for a file that cannot be read and a mask on another grid or with other values.
    """
    def case(pair: Pair) -> DatasetCase:
        ct = read_ct(pair.image)
        truth = None if pair.mask is None else _truth(pair.mask, ct)
        return DatasetCase(pair.name, ct, truth, licence, pair.split, dataset)

    return map(case, pairs_in(folder, ROOMS, ADVICE))


def _truth(mask: Path, ct: CTVolume) -> np.ndarray:
    """read_mask guesses at odd labels and warns; nobody reads the warnings of hundreds, so a guess is refused."""
    truth, findings = read_mask_and_findings(mask, ct, plain_values_known=True)
    warnings = [finding for finding in findings if finding.severity == WARNING]
    if warnings:
        raise InputError(f"{mask}: its labels are not ICH (1) and IVH (2): {warnings[0].message} Write them so.")
    return truth
