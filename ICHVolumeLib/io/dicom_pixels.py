"""Pixels of one DICOM slice as Hounsfield units.

Uncompressed pixels are read straight from their place in the file; compressed ones are decoded by pydicom where it
has a decoder, else by SimpleITK (GDCM: JPEG, JPEG-LS, JPEG 2000, RLE).
"""

import numpy as np
import pydicom

from ..core.errors import InputError
from .dicom_series import Slice
from .hounsfield import AIR_HU

_LARGEST_RESCALE = 1e6  # of slope and intercept; those of a CT are 1 and -1024, or near


def read_hu(item: Slice) -> np.ndarray:
    """(rows, columns) HU, whole numbers (int16 if they fit) where slope and intercept allow it, else float32.

    Padding stays below air, for to_int16_hu to find.
    Raises InputError when the pixels are cut off or cannot be decoded.
    """
    slope, intercept = item.number("RescaleSlope"), item.number("RescaleIntercept")
    if slope is None or intercept is None:
        raise InputError(f"{item.path} has no rescale slope and intercept, unlike other slices; export it again.")
    if not 0 < abs(slope) <= _LARGEST_RESCALE or not abs(intercept) <= _LARGEST_RESCALE:
        raise InputError(f"{item.path} has the rescale slope {slope:g} and intercept {intercept:g}, which give no "
                         "Hounsfield units; export it again.")
    stored = _native(item) if item.pixel_start is not None else None
    if stored is None:
        stored = _decoded(item)
    kind = _whole_kind(stored, int(intercept)) if slope == 1 and intercept == int(intercept) else None
    if kind:
        hu = stored.astype(kind) + kind(intercept)
    else:
        hu = (stored * slope + intercept).astype(np.float32)
    return _with_low_padding(item, stored, hu, slope, intercept)


def _whole_kind(stored, shift):
    """The smallest of int16 and int32 that holds the stored values, the shift and their sums; None for neither."""
    low, high = int(stored.min()), int(stored.max())
    values = (shift, low, high, low + shift, high + shift)
    return next((kind for kind in (np.int16, np.int32)
                 if all(np.iinfo(kind).min <= value <= np.iinfo(kind).max for value in values)), None)


def _native(item):
    """Stored values of an uncompressed slice, or None when the layout is unusual."""
    rows, columns, allocated = (int(item.number(name) or 0) for name in ("Rows", "Columns", "BitsAllocated"))
    used = int(item.number("BitsStored") or allocated)
    high = item.number("HighBit")
    if allocated != 16 or not 0 < used <= 16 or high not in (None, used - 1):
        return None
    needed = 2 * rows * columns
    with open(item.path, "rb") as file:
        file.seek(item.pixel_start + 4)
        element = file.read(8)
        explicit = element[:2] in (b"OW", b"OB", b"UN")  # UN: after a node that did not know the tag
        file.seek(item.pixel_start + (12 if explicit else 8) + needed * (item.frame or 0))
        data = file.read(needed)
    if len(data) < needed:
        raise InputError(f"{item.path} is truncated ({len(data)} of {needed} bytes of pixels); "
                         "copy the series again.")
    signed = item.number("PixelRepresentation") == 1
    stored = np.frombuffer(data, "<i2" if signed else "<u2").reshape(rows, columns)
    spare = 16 - used
    return (stored << spare) >> spare if spare else stored  # drops overlay bits, extends the sign


def _decoded(item):
    try:
        if item.frame is not None:
            return pydicom.pixels.pixel_array(item.path, index=item.frame)
        return pydicom.dcmread(item.path, force=True).pixel_array
    except Exception as error:  # pydicom's decoders raise many kinds; GDCM is the second opinion
        if item.frame is not None:  # GDCM applies one slope to all frames, which need not be theirs
            raise _undecodable(item.path) from error
    # GDCM has applied slope and intercept already; the caller does so once for every decoder
    hu = _hu_by_gdcm(item.path)
    return np.rint((hu - item.number("RescaleIntercept")) / item.number("RescaleSlope")).astype(np.int32)


def _hu_by_gdcm(path):
    import SimpleITK as sitk

    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
    except RuntimeError as error:
        raise _undecodable(path) from error


def _undecodable(path):
    syntax = pydicom.dcmread(path, stop_before_pixels=True, force=True).file_meta.get("TransferSyntaxUID")
    return InputError(f"{path}: its pixels ({getattr(syntax, 'name', 'unknown coding')}) cannot be decoded; they are "
                      "damaged or the format is unknown here. Export the series uncompressed.")


def _with_low_padding(item, stored, hu, slope, intercept):
    """A PixelPaddingValue (or range) brighter than any tissue becomes padding below air; the usual ones are already.

    A header that names a tissue value as padding is wrong, and is not followed.
    """
    padding = item.number("PixelPaddingValue")
    if padding is None:
        return hu
    limit = item.number("PixelPaddingRangeLimit")
    low, high = sorted((padding, padding if limit is None else limit))
    if low * slope + intercept <= 3100:
        return hu
    return np.where((stored >= low) & (stored <= high), hu.dtype.type(2 * AIR_HU), hu)
