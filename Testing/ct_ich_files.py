"""Slices in the manner of CT-ICH v1.0.0, made by code."""

import numpy as np

TRUE_MM = 0.38
HALF_WIDTH_MM, HALF_LENGTH_MM = 75.0, 92.5  # an ellipse of 218 cm2


def slice_in_a_holder(spacing_mm=TRUE_MM, scale=1.0, holder=True):
    """Skull with brain in a bright head holder that is wider than the head, 8 bit, 650 x 650."""
    y, x = (np.mgrid[:650, :650] - 324.5) * spacing_mm
    y = y + 8
    inner = np.hypot(x / (HALF_WIDTH_MM * scale - 6), y / (HALF_LENGTH_MM * scale - 6)) < 1
    outer = np.hypot(x / (HALF_WIDTH_MM * scale), y / (HALF_LENGTH_MM * scale)) < 1
    image = np.select([inner, outer], [113, 255], 0)
    cup = np.abs(np.hypot(x, y) - 112) < 3
    image[holder & cup & (y > 20)] = 255
    return image.astype(np.uint8)


def write_slice(path, **changes):
    import SimpleITK as sitk

    sitk.WriteImage(sitk.GetImageFromArray(slice_in_a_holder(**changes)), str(path))
