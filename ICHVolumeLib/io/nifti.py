"""NIfTI-1 and -2 single files with any affine, sheared ones too, which ITK's reader refuses.

Format: https://nifti.nimh.nih.gov/nifti-1 (header fields by byte offset). Arrays are (slices, rows, columns),
matrices RAS mm.
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown, metre, millimetre, micrometre


@dataclass(frozen=True)
class Nifti:
    """array: values with scl_slope and scl_inter applied; matrix: 4x4 RAS, or None when the file states none."""

    array: np.ndarray
    matrix: np.ndarray | None


def read_nifti(path) -> Nifti:
    """Read .nii or .nii.gz. Raises InputError when it is no NIfTI, truncated, 4D, or of an unusual voxel type."""
    path = Path(path)
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return _parse(data)
    except (OSError, EOFError, ValueError, OverflowError, zlib.error) as error:
        raise InputError(f"{path} cannot be read as NIfTI ({error}); export it again.") from error


def _parse(data):
    header = _Header(data)
    dims = [int(size) for size in header.values("i8" if header.two else "i2", 16 if header.two else 40, 8)]
    sizes = dims[1:dims[0] + 1]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"its size is {' x '.join(map(str, sizes))}, not one 3D volume")
    code = int(header.values("i2", 12 if header.two else 70, 1)[0])
    if code not in _TYPES:
        raise ValueError(f"voxel type {code} (color, complex or bits) is not one number per voxel")
    start = int(header.values("i8" if header.two else "f4", 168 if header.two else 108, 1)[0])
    dtype = np.dtype(header.order + _TYPES[code])
    count = math.prod(sizes)
    if len(data) < start + count * dtype.itemsize:
        raise ValueError(f"it is truncated: {max(len(data) - start, 0)} of {count * dtype.itemsize} bytes of voxels")
    array = np.frombuffer(data, dtype, count, start).reshape(sizes[::-1])
    real = "f8" if header.two else "f4"
    slope, intercept = header.values(real, 176 if header.two else 112, 2)
    if math.isfinite(slope) and slope != 0 and (slope, intercept) != (1, 0):
        array = array * float(slope) + float(intercept)
    return Nifti(array, _matrix(header))


class _Header:
    """Header fields by type and offset, in the file's byte order."""

    def __init__(self, data):
        self.data = data
        size = data[:4]
        for order in "<>":
            if len(size) == 4 and int(np.frombuffer(size, order + "i4")[0]) in (348, 540):
                self.order, self.two = order, int(np.frombuffer(size, order + "i4")[0]) == 540
                break
        else:
            raise ValueError("it does not begin with a NIfTI header")
        magic = data[4:7] if self.two else data[344:347]
        if magic not in (b"n+1", b"n+2"):
            raise ValueError("it is not a single-file NIfTI (.nii)")

    def values(self, kind, offset, count):
        return np.frombuffer(self.data, self.order + kind, count, offset)


def _matrix(header):
    """sform, else qform, else None (nifti1.h, methods 3 and 2)."""
    two = header.two
    real = "f8" if two else "f4"
    qform, sform = header.values("i4" if two else "i2", 344 if two else 252, 2)
    unit = _MM_PER_UNIT.get(int(header.values("i4" if two else "i1", 500 if two else 123, 1)[0]) & 7, 1.0)
    matrix = np.eye(4)
    matrix[:3] = header.values(real, 400 if two else 280, 12).reshape(3, 4)
    if sform > 0 and (not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) > 1e-12):
        matrix[:3] *= unit
        return matrix
    if qform <= 0:
        return None
    pixdim = header.values(real, 104 if two else 76, 8).astype(float)
    b, c, d, *offset = header.values(real, 352 if two else 256, 6).astype(float)
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    rotation = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b]])
    flip = -1.0 if pixdim[0] < 0 else 1.0  # qfac
    matrix[:3, :3] = rotation * (pixdim[1:4] * [1, 1, flip]) * unit
    matrix[:3, 3] = np.array(offset) * unit
    return matrix
