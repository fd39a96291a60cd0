"""NIfTI-1 and -2 single files with any affine, sheared ones too, which ITK's reader refuses.

nibabel reads header and voxels; sizes are checked before anything is allocated, and which of the two matrices counts
is decided in nifti_geometry. Arrays are (slices, rows, columns), matrices RAS mm.
"""

import gzip
import io
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.findings import Finding
from .bounded_files import DAMAGE, UnreadableFile, damage_words, open_regular, read_voxels, refuse_huge
from .nifti_geometry import conflict, stated_matrices, upright_matrix

_QUIET = logging.getLogger(__name__)  # nibabel's own logger prints every repaired header field
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
HEADER_BYTES = 540


@dataclass(frozen=True)
class Nifti:
    """array: values with scl_slope and scl_inter applied; matrix: 4x4 RAS, or None when the file states none.

    assumed_matrix: voxel sizes along the axes, for a file that states no matrix; description: its two text fields;
    findings: where the file contradicts itself.
    """

    array: np.ndarray
    matrix: np.ndarray | None
    assumed_matrix: np.ndarray | None = None
    description: str = ""
    findings: tuple[Finding, ...] = ()


def read_nifti(path) -> Nifti:
    """Read .nii or .nii.gz. Raises InputError when it is no NIfTI, truncated, 4D, or of an unusual voxel type."""
    from nibabel.spatialimages import HeaderDataError

    path = Path(path)
    try:
        with open_regular(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as stream:
                    start = stream.read(HEADER_BYTES)
                file.seek(0)
            else:
                start = file.read(HEADER_BYTES)
                file.seek(0)
            header = _header(start)
            return _nifti(header, _array(header, file, packed))
    except (*DAMAGE, HeaderDataError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise InputError(f"{path} cannot be read as NIfTI ({damage_words(error)}); export it again.") from error


def nifti_header(start: bytes):
    """(nibabel's header, its two text fields) of the first HEADER_BYTES of an unpacked file. Raises ValueError."""
    header = _header(start)
    return header, _description(header)


def _description(header) -> str:
    return " ".join(bytes(header[name]).split(b"\0")[0].decode("latin-1") for name in ("descrip", "aux_file")).strip()


def _header(start):
    from nibabel import Nifti1Header, Nifti2Header

    for order in ("little", "big"):
        size = int.from_bytes(start[:4], order)
        if len(start) >= size and size in (348, 540):
            break
    else:
        raise UnreadableFile("it does not begin with a NIfTI header")
    magic = start[4:7] if size == 540 else start[344:347]
    if magic not in (b"n+1", b"n+2"):
        raise UnreadableFile("it is not a single-file NIfTI (.nii)")
    kind = Nifti2Header if size == 540 else Nifti1Header
    header = kind(start[:size], endianness="<" if order == "little" else ">", check=False)
    header.check_fix(logger=_QUIET)
    return header


def _array(header, file, packed):
    """(slices, rows, columns), scaled; the claim of the header is held against the file first."""
    sizes = [int(size) for size in header.get_data_shape()]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) != 3 or min(sizes) < 1:
        if len(sizes) == 4 and min(sizes) > 0:
            raise UnreadableFile(f"it holds {sizes[3]} volumes, points in time or without and with contrast agent; the "
                                 "one that is to be measured must be a file of its own")
        raise UnreadableFile(f"its size is {' x '.join(map(str, sizes))}, not one 3D volume")
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise UnreadableFile(f"voxel type {int(header['datatype'])} (color, complex or bits) is not one number per "
                             "voxel")
    wanted, offset = math.prod(sizes) * dtype.itemsize, int(header.get_data_offset())
    refuse_huge(wanted)
    data = read_voxels(file, wanted, "gzip" if packed else None, skip=max(offset, 0))
    header = header.copy()
    header.set_data_offset(0)
    array = header.raw_data_from_fileobj(io.BytesIO(data)).reshape(sizes, order="F").T
    return _scaled(header, array)


def _scaled(header, array):
    from nibabel.spatialimages import HeaderDataError

    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise UnreadableFile("the slope or intercept of its header is no number (scl_slope, scl_inter)") from error
    if slope in (None, 1) and not intercept:
        return array
    exact = np.float32 if array.dtype.itemsize < 4 else np.float64  # float32 holds every 16-bit number
    return array.astype(exact) * exact(1 if slope is None else slope) + exact(intercept or 0)


def _nifti(header, array):
    sform, qform = stated_matrices(header)
    return Nifti(array, qform if sform is None else sform, upright_matrix(header), _description(header),
                 tuple(conflict(header, sform, qform)))
