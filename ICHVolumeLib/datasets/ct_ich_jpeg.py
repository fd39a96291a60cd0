"""CT-ICH 1.0 to 1.2 as PhysioNet released it (Hssayeni et al., Data 2020;5:14, CC BY 4.0): 82 head CTs as JPEG.

    FOLDER/Patients_CT/NNN/brain/K.jpg    slice K in a brain window, 1 lowest; bone/K.jpg is not read
    FOLDER/Patients_CT/NNN/brain/K_HGE_Seg.jpg    white where blood of any kind is marked; only where there is some
    FOLDER/hemorrhage_diagnosis.csv    PatientNumber, SliceNumber, a column for each kind of blood

Kinds of blood as in version 1.3 (ct_ich_nifti.py). A slice that the table says bleeds and that has no mask is UNSURE
as a whole. Pixels carry no size; it is told from the skull (head_scale.py).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .case import UNSURE, DatasetCase
from .ct_ich import LICENCE, slices_as_ct, window_to_hu
from .ct_ich_nifti import kinds_by_slice
from .head_scale import head_spacing_mm, read_slices
from .pairs import listed

ROOM, TABLE, MASK = "Patients_CT", "hemorrhage_diagnosis.csv", "_HGE_Seg"


def load_ct_ich_jpeg(folder: Path) -> Iterator[DatasetCase]:
    """The patients, by number. Raises InputError at once where patients or the table lack, later for a damaged slice,
    a mask without its slice, or slices that are not those of the table."""
    if not Path(folder).is_dir():
        raise InputError(f"There is no folder {folder}; check the path.")
    patients = sorted(brain for brain in Path(folder, ROOM).glob("*/brain") if brain.parent.name.isdecimal())
    if not patients:
        raise InputError(f"{folder}: holds no {ROOM}/NNN/brain/; give the folder with {ROOM}/ and {TABLE}.")
    kinds = kinds_by_slice(Path(folder, TABLE))
    return map(lambda brain: _case(brain, kinds.get(str(int(brain.parent.name)), {})), patients)


def _case(brain: Path, kinds: dict[int, set[int]]) -> DatasetCase:
    files, masks = _by_number(brain, ""), _by_number(brain, MASK)
    if not files:
        raise InputError(f"{brain}: holds no slices K.jpg; copy the data set again.")
    alone = [masks[number].name for number in sorted(set(masks) - set(files))]
    if alone:
        raise InputError(f"{brain}: {listed(alone)} without the slice; copy the data set again.")
    if set(kinds) != set(files):
        differ = [f"{number}.jpg" for number in sorted(set(kinds) ^ set(files))]
        raise InputError(f"{brain}: {listed(differ)} only here or only in {TABLE}; use scans and table of one version "
                         "of the data set.")
    numbers = sorted(files)
    pixels = read_slices([files[number] for number in numbers])
    try:
        spacing_mm = head_spacing_mm(pixels)
    except InputError as error:
        raise InputError(f"{brain}: {error}") from error
    truth = np.stack([_truth(masks.get(number), kinds[number], pixels[0].shape) for number in numbers])
    patient = f"p{int(brain.parent.name):03d}"
    ct = slices_as_ct(window_to_hu(pixels), numbers, spacing_mm, str(brain))
    return DatasetCase(patient, ct, truth, LICENCE, dataset="ct_ich_jpeg")


def _by_number(brain: Path, ending: str) -> dict[int, Path]:
    """Slice -> its file K<ending>.jpg; other files are passed over."""
    found = {file.stem.removesuffix(ending): file for file in brain.glob(f"*{ending}.jpg")}
    return {int(number): file for number, file in found.items() if number.isdecimal()}


def _truth(mask: Path | None, kinds: set[int], shape: tuple[int, int]) -> np.ndarray:
    """One slice, uint8: JPEG leaves grey between black and white, so half of white is the edge."""
    if mask is None:
        return np.full(shape, UNSURE if kinds else 0, np.uint8)
    value = next(iter(kinds)) if len(kinds) == 1 else UNSURE
    return (read_slices([mask])[0] > 127) * np.uint8(value)
