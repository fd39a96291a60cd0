"""HemSeg-200 and HemSeg-500 (Song et al., arXiv:2405.14559): masks of ICH and IVH for scans of RSNA 2019.

    FOLDER/label/<study>.nii.gz    the masks, and their images in one of two ways:
    FOLDER/image/<study>.nii.gz    made from RSNA's DICOM files by the authors' script (also in train/, val/, test/)
    FOLDER/stage_2_train/ID_<slice>.dcm and annotion_file_info*.jsonl    RSNA's own files, and the authors' list of them

From DICOM, slices keep their true positions, which a NIfTI file of a tilted or uneven scan has lost.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import ICH, IVH
from ..io.mask_grid import TOLERANCE_VOXELS, match_grid, onto_grid
from ..io.read_ct import read_ct
from . import rsna
from .case import DatasetCase
from .labelled import in_our_numbers, labelled_cases, read_labels
from .pairs import Rooms, check_pairs, files_by_name, pairs_in

LICENCE = "Song et al., arXiv:2405.14559; images of RSNA 2019, whose terms hold, too"
VALUES = {1: ICH.value, 2: IVH.value}
ROOMS = (Rooms("image", "label"), Rooms("images", "labels"))
DICOM, LIST = "stage_2_train", "annotion_file_info*.jsonl"
ADVICE = f"give the folder with image/ and label/, or with label/, {DICOM}/ and the authors' {LIST}"


def load_hemseg(folder: Path) -> Iterator[DatasetCase]:
    """The scans, by study. Raises InputError at once where they lack, later for a mask that does not fit its scan."""
    folder = Path(folder)
    if not (folder / DICOM).is_dir():
        return labelled_cases(pairs_in(folder, ROOMS, ADVICE), VALUES, LICENCE, "hemseg", rsna.identity)
    known = _slices_of_studies(folder)
    if not (folder / "label").is_dir():
        raise InputError(f"{folder}: holds no folder label; {ADVICE}.")
    masks = files_by_name(folder / "label")
    check_pairs(folder, Rooms(f"{DICOM} by the list", "label"), masks.keys() & known.keys(), masks.keys())

    def case(study: str) -> DatasetCase:
        patient, slices = known[study]
        ct = read_ct(folder / DICOM, files=_existing(folder / DICOM, study, slices))
        return DatasetCase(study, ct, slice_by_slice(masks[study], ct), LICENCE, dataset="hemseg", patient=patient,
                           study=f"ID_{study}")

    return map(case, masks)


def slice_by_slice(mask: Path, ct: CTVolume) -> np.ndarray:
    """The truth on the scan's grid, uint8 (slices, rows, columns); a mask whose file has even, untilted slices is laid
    onto the scan's own, one by one, where their number, the pixels and the first slice agree."""
    array, matrix = read_labels(mask)
    truth = in_our_numbers(mask, array, VALUES)
    if match_grid(truth.shape, matrix, ct.ijk_to_ras) is None and truth.shape == ct.hu.shape:
        off = np.abs(matrix - ct.ijk_to_ras)[:3, [0, 1, 3]]
        far = off[:, 0] * truth.shape[2] + off[:, 1] * truth.shape[1] + off[:, 2]
        if far.max() <= TOLERANCE_VOXELS * min(ct.pixel_spacing_mm) * 2:
            return truth
    return onto_grid(mask, truth, matrix, ct)


def _slices_of_studies(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Study -> (patient, names of its slices), of all the lists there."""
    lists = sorted(folder.glob(LIST))
    if not lists:
        raise InputError(f"{folder}: holds no {LIST}; it comes with the masks and says which slices are one scan.")
    known: dict[str, tuple[str, list[str]]] = {}
    for file in lists:
        try:
            for line in filter(str.strip, file.read_text(encoding="utf-8").splitlines()):
                row = json.loads(line)
                known[row["scan_name"]] = row["patient_name"], list(dict.fromkeys(row["slice_list"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{file} cannot be read as the authors' list ({type(error).__name__}: {error}); copy it "
                             "again.") from error
    return known


def _existing(folder: Path, study: str, slices: list[str]) -> list[Path]:
    files = [folder / f"ID_{name}.dcm" for name in slices]
    gone = [file.name for file in files if not file.is_file()]
    if gone:
        raise InputError(f"{folder}: {len(gone)} of the {len(files)} slices of {study} are not there ({gone[0]}); copy "
                         "them from RSNA 2019.")
    return files
