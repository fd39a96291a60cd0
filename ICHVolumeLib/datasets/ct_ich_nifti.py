"""CT-ICH 1.3 (Hssayeni et al., Data 2020;5:14, PhysioNet): 75 head CTs as NIfTI, blood of any kind under one value.

    FOLDER/ct_scans/NNN.nii    and    masks/NNN.nii, not 0 where a slice bleeds
    FOLDER/hemorrhage_diagnosis_raw_ct.csv    PatientNumber, SliceNumber (from 1 on), a column for each kind of blood

Which kind is known slice by slice: where one of ICH, IVH and blood outside the brain is noted, the marked voxels are
that; where several are, or none, they are UNSURE. Slices count from the first of the file on.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.labels import ICH, IVH
from ..io.mask_grid import onto_grid
from ..io.read_ct import read_ct
from .case import OUTSIDE_BRAIN, UNSURE, DatasetCase
from .labelled import read_labels
from .pairs import Pair, Rooms, pairs_in

LICENCE = "PhysioNet restricted, see physionet.org/content/ct-ich; Hssayeni et al., Data 2020;5:14"
TABLE = "hemorrhage_diagnosis_raw_ct.csv"
KINDS = {"Intraparenchymal": ICH.value, "Intraventricular": IVH.value, "Subarachnoid": OUTSIDE_BRAIN,
         "Epidural": OUTSIDE_BRAIN, "Subdural": OUTSIDE_BRAIN}
ROOMS = (Rooms("ct_scans", "masks"),)
ADVICE = f"give the folder with ct_scans/, masks/ and {TABLE}"


def load_ct_ich_nifti(folder: Path) -> Iterator[DatasetCase]:
    """The patients, by number. Raises InputError at once where scans, masks or the table lack, later for a scan whose
    slices the table does not have."""
    pairs = pairs_in(folder, ROOMS, ADVICE)
    table = pairs[0].image.parent.parent / TABLE
    kinds = kinds_by_slice(table)

    def case(pair: Pair) -> DatasetCase:
        ct = read_ct(pair.image)
        truth = None if pair.mask is None else _truth(pair, ct, kinds.get(pair.name.lstrip("0"), {}), table)
        return DatasetCase(pair.name, ct, truth, LICENCE, dataset="ct_ich_nifti", patient=f"p{pair.name}")

    return map(case, pairs)


def _truth(pair: Pair, ct, kinds: dict[int, set[int]], table: Path) -> np.ndarray:
    array, matrix = read_labels(pair.mask)
    if set(kinds) != set(range(1, len(ct.hu) + 1)):
        raise InputError(f"{pair.image} has {len(ct.hu)} slices and {table.name} {len(kinds)} of patient {pair.name}; "
                         "use scan and table of one version of the data set.")
    marked = onto_grid(pair.mask, (array != 0).astype(np.uint8), matrix, ct)
    each = [next(iter(kinds[k + 1])) if len(kinds[k + 1]) == 1 else UNSURE for k in range(len(ct.hu))]
    return marked * np.array(each, np.uint8)[:, None, None]


def kinds_by_slice(table: Path) -> dict[str, dict[int, set[int]]]:
    """Patient's number without leading zeros -> slice -> kinds of blood noted there, as numbers of a truth.

    Raises InputError where the file lacks or is not the data set's.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = [{(name or "").strip(): value for name, value in row.items()} for row in csv.DictReader(file)]
        found: dict[str, dict[int, set[int]]] = {}
        for row in rows:
            kinds = {kind for name, kind in KINDS.items() if float(row[name] or 0) > 0}
            found.setdefault(str(int(row["PatientNumber"])), {})[int(row["SliceNumber"])] = kinds
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{table} cannot be read as the table of slices ({type(error).__name__}: {error}); it belongs "
                         "to the data set, copy it again.") from error
    return found
