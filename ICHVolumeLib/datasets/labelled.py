"""Masks of a data set whose numbers mean what its authors say: onto the scan's grid, as a truth of DatasetCase."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import ICH, IVH
from ..io.mask_grid import onto_grid
from ..io.mask_segments import counts_of, whole_numbers
from ..io.nifti import read_nifti
from ..io.nrrd import read_nrrd
from ..io.read_ct import read_ct
from .case import OUTSIDE_BRAIN, UNSURE, DatasetCase
from .pairs import Pair

WORDS = {ICH.value: "ICH", IVH.value: "IVH", OUTSIDE_BRAIN: "blood outside the brain", UNSURE: "unsure", 0: "nothing"}
Identify = Callable[[str], dict[str, str]]


def labelled_cases(pairs: list[Pair], values: dict[int, int], licence: str, dataset: str,
                   identify: Identify = lambda name: {}) -> Iterator[DatasetCase]:
    """The cases of these pairs, read as they are asked for; one that cannot be read does not end the others.

    values: number in a mask -> number in the truth. identify: name of a pair -> {"patient", "study"} as far as known.
    """
    def case(pair: Pair) -> DatasetCase:
        ct = read_ct(pair.image)
        truth = None if pair.mask is None else labelled_truth(pair.mask, ct, values)
        return DatasetCase(pair.name, ct, truth, licence, pair.split, dataset, **identify(pair.name))

    return map(case, pairs)


def labelled_truth(mask: Path, ct: CTVolume, values: dict[int, int]) -> np.ndarray:
    """uint8 (slices, rows, columns) on the scan's grid.

    Raises InputError for another grid, and for a number that `values` does not have.
    """
    array, matrix = read_labels(mask)
    return onto_grid(mask, in_our_numbers(mask, array, values), matrix, ct)


def read_labels(mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """A mask file as stored: whole numbers (slices, rows, columns), and its 4x4 matrix to RAS mm."""
    is_nrrd = mask.name.lower().endswith((".nrrd", ".nhdr"))
    found = read_nrrd(mask) if is_nrrd else read_nifti(mask)
    array = found.array[..., 0] if found.array.ndim == 4 and found.array.shape[-1] == 1 else found.array
    if array.ndim != 3 or found.matrix is None:
        raise InputError(f"{mask} is not a mask with one value a voxel and a place in space; copy the data set again.")
    return whole_numbers(mask, array)[0], found.matrix


def in_our_numbers(mask: Path, array: np.ndarray, values: dict[int, int]) -> np.ndarray:
    """uint8, the array's shape. Raises InputError for a number that `values` does not have."""
    unknown = sorted(set(counts_of(array)) - values.keys())
    if unknown:
        known = ", ".join(f"{value} ({WORDS[ours]})" for value, ours in values.items())
        raise InputError(f"{mask} holds {', '.join(map(str, unknown[:8]))}, which this data set does not have; it has "
                         f"{known}. Copy the mask again, or read it with the data set `folder`.")
    truth = np.zeros(array.shape, np.uint8)
    for value, ours in values.items():
        truth[array == value] = ours
    return truth
