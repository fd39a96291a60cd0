"""CT-ICH v1.0.0 (Hssayeni et al., Data 2020;5:14, PhysioNet, CC BY 4.0): 8-bit brain-window slices as JPEG.

A folder holds pNNN_sNN.jpg, 650 x 650 pixels, slice 00 lowest, about 5 mm apart, without a pixel size (head_scale.py).
What is saturated in the window is given values outside the network's window [-60, 140] HU, never values inside it, so
that no clipped pixel turns into a clot.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume, ScanInfo
from ..core.errors import InputError
from .case import DatasetCase
from .head_scale import patient_spacing_mm, read_slices

LICENCE = "CC BY 4.0, Hssayeni et al., Data 2020;5:14, PhysioNet CT-ICH v1.0.0"
STEP_MM = 5.0  # about, in this data set


def load_ct_ich(folder: Path, dataset: str = "ct_ich") -> Iterator[DatasetCase]:
    """The patients of a folder of slices without ICH and IVH, by name; every truth is empty.

    dataset: "extra_axial" for the slices whose only blood lies outside the brain, unmarked.
    Raises InputError at once where the folder holds no such slices, later for a damaged or foreign one.
    """
    names = sorted(Path(folder).glob("p*_s*.jpg"))
    if not names:
        raise InputError(f"{folder}: no pNNN_sNN.jpg slices here; give the folder of the CT-ICH normal slices.")
    patients: dict[str, list[Path]] = {}
    for name in names:
        patients.setdefault(name.stem.split("_")[0], []).append(name)
    return map(lambda patient: _without_bleed(patient, dataset, patients[patient]), patients)


def _without_bleed(patient: str, dataset: str, files: list[Path]) -> DatasetCase:
    hu = window_to_hu(read_slices(files))
    ct = slices_as_ct(hu, slice_numbers(files), patient_spacing_mm(files[0].parent, patient),
                      f"{files[0].parent / patient}_s*.jpg")
    return DatasetCase(patient, ct, np.zeros(hu.shape, np.uint8), LICENCE, dataset=dataset)


def slice_numbers(files: list[Path]) -> list[int]:
    """NN of every pNNN_sNN.jpg. Raises InputError where that is no number."""
    try:
        return [int(file.stem.split("_s")[1]) for file in files]
    except (IndexError, ValueError) as error:
        raise InputError(f"{files[0].parent}: a slice is named pNNN_sNN.jpg, not like {error}; rename it.") from error


def slices_as_ct(hu: np.ndarray, numbers: list[int], spacing_mm: float, source: str) -> CTVolume:
    """Slices (slices, rows, columns) as an axial scan: row 0 front, column 0 the patient's right, slice 0 lowest.

    numbers: of each in the patient's whole scan, rising; where some are missing the scan is uneven.
    """
    z_mm = STEP_MM * np.asarray(numbers, float)
    step_mm = (z_mm[-1] - z_mm[0]) / max(len(z_mm) - 1, 1) or STEP_MM
    matrix = np.diag([-spacing_mm, -spacing_mm, step_mm, 1.0])
    matrix[2, 3] = z_mm[0]
    origins = np.stack([0 * z_mm, 0 * z_mm, z_mm], axis=1)
    return CTVolume(hu, matrix, origins, ScanInfo(source=source, slice_thickness_mm=STEP_MM))


def window_to_hu(pixels: np.ndarray) -> np.ndarray:
    """8-bit brain window to HU, (…) int16: linear -20..100 inside, 300 where white, -200 where black."""
    hu = pixels.astype(np.float32) * (120 / 255) - 20
    hu[pixels >= 253] = 300
    hu[pixels <= 1] = -200
    return hu.astype(np.int16)
