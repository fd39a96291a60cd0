"""Hounsfield units: whether numbers are on that scale, and padding outside the scanner's field of view."""

import numpy as np

from ..core.errors import InputError
from ..core.findings import INFO, WARNING, Finding

AIR_HU = -1024  # what padding becomes: the lowest value that a CT scanner measures
_PADDED_BELOW = -1100  # noise in air reaches about here; anything lower is padding (-1500, -2000, -3024, ...)


def to_int16_hu(values) -> tuple[np.ndarray, list[Finding]]:
    """Round to int16 and turn padding and missing values (NaN) into air; what was changed is a finding.

    values: any real array in HU, not written to; int16 without padding is given back as it is.
    Raises InputError when the numbers cannot be HU at all.
    """
    values = np.asarray(values)
    findings = []
    if values.dtype.kind == "f":
        missing = ~np.isfinite(values)
        count = int(np.count_nonzero(missing))
        if count == values.size:
            raise InputError("no voxel holds a number; export the CT again.")
        if count:
            values = np.where(missing, AIR_HU, values)
            findings.append(Finding("missing-values", WARNING, f"{count} voxels ({100 * count / values.size:.1f} %) "
                                                               "hold no number and were taken as air."))
        values = np.rint(values)
    lowest = values.min()
    if lowest < AIR_HU:
        padded = np.count_nonzero(values < _PADDED_BELOW)
        if padded:
            share = 100 * padded / values.size
            findings.append(Finding("padding", INFO, f"{share:.1f} % of the image is padding outside the scanner's "
                                                     f"field of view ({lowest:.0f} HU) and was taken as air."))
        values = np.maximum(values, AIR_HU)
    if values.max() > np.iinfo(np.int16).max:
        values = np.minimum(values, np.iinfo(np.int16).max)
    return values.astype(np.int16, copy=False), findings


def hu_problem(hu) -> str | None:
    """Why these numbers are not a CT in Hounsfield units, as a sentence, or None.

    A head CT shows air near -1000 and soft tissue within 0 to 80. hu: (slices, rows, columns); padding counts as air.
    """
    sample = np.maximum(np.asarray(hu)[:, ::4, ::4], AIR_HU)
    air = np.mean((sample >= -1100) & (sample <= -900))
    tissue = np.mean((sample >= 0) & (sample <= 80))
    low, high = int(sample.min()), int(sample.max())
    if air >= 0.005 and tissue >= 0.01:
        return None
    scale = f"the voxel values ({low} to {high}) are not Hounsfield units: "
    if low >= 0 and high <= 255:
        return scale + "it looks like an 8-bit picture; export the original CT series."
    if low >= 0 and high > 1500:
        return scale + "there is no air near -1000. A CT without its rescale intercept, or an MR scan, looks like " \
                       "this; export the original CT series."
    missing = "no air near -1000" if air < 0.005 else "no soft tissue between 0 and 80"
    return scale + f"there is {missing}; give the original head CT, neither windowed nor skull-stripped."
