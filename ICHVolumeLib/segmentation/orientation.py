"""How a scan must be turned for the network, which was trained on slices that all lie the same way."""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError


@dataclass(frozen=True)
class Orientation:
    """How the array must be turned so that k runs feet to head, rows front to back, columns patient right to left."""

    transpose: bool
    flip: tuple[bool, bool, bool]  # k, rows, columns, after transposing

    @classmethod
    def of(cls, ct: CTVolume) -> "Orientation":
        """Raises InputError for sagittal and coronal stacks (normal more than 45 degrees from the feet-head axis)."""
        if abs(ct.slice_normal_ras[2]) < np.cos(np.radians(45)):
            raise InputError(f"{ct.info.source or 'the scan'}: the slices are not axial; load the axial head series, "
                             "not a sagittal or coronal reformat.")
        along_columns, along_rows = ct.ijk_to_ras[:3, 0], ct.ijk_to_ras[:3, 1]
        along_columns, along_rows = along_columns / ct.pixel_spacing_mm[1], along_rows / ct.pixel_spacing_mm[0]
        transpose = bool(abs(along_columns[0]) < abs(along_rows[0]))
        if transpose:
            along_columns, along_rows = along_rows, along_columns
        up = ct.slice_origins_ras[-1][2] - ct.slice_origins_ras[0][2]
        return cls(transpose, (bool(up < 0), bool(along_rows[1] > 0), bool(along_columns[0] > 0)))

    def view(self, array: np.ndarray) -> np.ndarray:
        """A turned view of (slices, rows, columns): writing into it writes into the array."""
        array = array.swapaxes(1, 2) if self.transpose else array
        return array[tuple(slice(None, None, -1 if flip else 1) for flip in self.flip)]
