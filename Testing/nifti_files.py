"""NIfTI files written byte by byte: what no writer would make."""

import struct

import numpy as np


def nifti_bytes(array, matrix, *, sform=1, qform=0, quaternion=(0, 0, 0), pixdim=(1, 1, 1, 1), slope=0.0, inter=0.0,
                order="<", units=2, dims=None, code=None):
    codes = {"i1": 256, "i2": 4, "f4": 16, "f8": 64, "u1": 2, "u2": 512}
    array = np.asarray(array)
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, *(dims or (3, *array.shape[::-1], 1, 1, 1, 1)))
    struct.pack_into(order + "hh", header, 70, code or codes[array.dtype.str[1:]], array.itemsize * 8)
    struct.pack_into(order + "8f", header, 76, *pixdim, 0, 0, 0, 0)
    struct.pack_into(order + "3f", header, 108, 352, slope, inter)
    header[123] = units
    struct.pack_into(order + "hh", header, 252, qform, sform)
    struct.pack_into(order + "3f", header, 256, *quaternion)
    struct.pack_into(order + "3f", header, 268, *matrix[:3, 3])
    struct.pack_into(order + "12f", header, 280, *np.asarray(matrix, float)[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + array.astype(order + array.dtype.str[1:]).tobytes()
