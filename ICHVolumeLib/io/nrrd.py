"""NRRD files with any 4x4 matrix, sheared ones too, which ITK's reader and writer cannot hold.

Format: http://teem.sourceforge.net/nrrd/format.html. Arrays have the slowest axis first (slices, rows, columns
for a volume), matrices are RAS mm whatever the space named in the file.
"""

import bz2
import gzip
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.errors import InputError

_TYPES = {  # numpy code -> NRRD's names, the one to write first
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("unsigned char", "uchar", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("unsigned short", "ushort", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("unsigned int", "uint", "uint32", "uint32_t"),
    "i8": ("long long", "longlong", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("unsigned long long", "ulonglong", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_CODE_OF = {name: code for code, names in _TYPES.items() for name in names}
_TO_RAS = {  # space name -> factors of the file's x, y, z
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}


@dataclass(frozen=True)
class Nrrd:
    """array: slowest axis first, a list axis (several layers) last; matrix: 4x4 RAS or None when not stated.

    header: lower-case field -> text, and "key:=value" pairs under their own spelling.
    """

    array: np.ndarray
    matrix: np.ndarray | None
    header: dict[str, str]


def read_nrrd(path) -> Nrrd:
    """Raises InputError when the file is no NRRD, is truncated, or uses a form this reader does not know."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            header, start = _read_header(file, path)
            array = _read_array(file, path, header, start)
        return Nrrd(array, _matrix(header), header)
    except (OSError, EOFError, KeyError, ValueError, OverflowError, zlib.error) as error:
        raise InputError(f"{path} cannot be read as NRRD ({_words(error)}); export it again.") from error


def write_nrrd(path, array, ijk_to_ras, keys=None, compression_level=4) -> None:
    """A 3D array (slices, rows, columns) and its RAS matrix as gzip NRRD in LPS; keys: extra key:=value pairs.

    Bytes depend on nothing but the arguments. The file appears complete (written beside, then renamed).
    """
    path, array = Path(path), np.ascontiguousarray(array)
    code = array.dtype.str[1:]
    lps = np.diag([-1.0, -1, 1]) @ np.asarray(ijk_to_ras, float)[:3]
    vectors = ["(" + ",".join(_number(value) for value in column) + ")" for column in lps.T]
    lines = ["NRRD0004", "# Complete NRRD file format specification at:",
             "# http://teem.sourceforge.net/nrrd/format.html", f"type: {_TYPES[code][0]}",
             "dimension: 3", "space: left-posterior-superior",
             "sizes: " + " ".join(str(size) for size in array.shape[::-1]),
             "space directions: " + " ".join(vectors[:3]), "kinds: domain domain domain",
             *(["endian: little"] if array.itemsize > 1 else []), "encoding: gzip", f"space origin: {vectors[3]}",
             *(f"{key}:={_escaped(value)}" for key, value in (keys or {}).items())]
    data = gzip.compress(array.astype("<" + code, copy=False).tobytes(), compression_level, mtime=0)
    replace_file(path, "\n".join(lines).encode("utf-8") + b"\n\n" + data)


def _read_header(file, path):
    if not re.match(rb"NRRD000[1-9]\s", file.readline(64)):
        raise ValueError("it does not begin with NRRD0004 or the like")
    header = {}
    for raw in file:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            return header, file.tell()
        if line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"header line {line[:40]!r} has no colon")
        if value.startswith("="):
            header[key] = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], value[1:])
        else:
            header[key.strip().lower().replace("datafile", "data file")] = value.strip()
    if "data file" not in header:
        raise ValueError("the header has no end")
    return header, file.tell()


def _read_array(file, path, header, start):
    code = _CODE_OF.get(header["type"].lower())
    if code is None:
        raise ValueError(f"voxel type {header['type']!r} is not supported")
    sizes = [int(size) for size in header["sizes"].split()]
    if not sizes or min(sizes) < 1:
        raise ValueError(f"an axis has no voxels: sizes {header['sizes']}")
    if "data file" in header:
        data = _read_data_file(path.parent, header)
    else:
        file.seek(start)
        data = file.read()
    dtype = np.dtype(("<" if header.get("endian", "little").lower() == "little" else ">") + code)
    data = _decode(data, header["encoding"].lower(), header, dtype, math.prod(sizes) * dtype.itemsize)
    count = math.prod(sizes)
    if len(data) < count * dtype.itemsize:
        raise ValueError(f"it is truncated: {len(data)} of {count * dtype.itemsize} bytes of voxels")
    return _list_axis_last(np.frombuffer(data, dtype, count).reshape(sizes[::-1]), header)


def _read_data_file(folder, header):
    name = header["data file"]
    if name.upper().startswith("LIST") or "%" in name:
        raise ValueError("its voxels lie in several files; save it as one .nrrd file")
    return (folder / name).read_bytes()


def _decode(data, encoding, header, dtype, wanted):
    for _ in range(int(header.get("line skip", 0))):
        data = data.partition(b"\n")[2]
    if encoding in ("gzip", "gz"):
        data = gzip.decompress(data)
    elif encoding in ("bzip2", "bz2"):
        data = bz2.decompress(data)
    elif encoding in ("ascii", "text", "txt"):
        return np.array(data.split(), dtype).tobytes()
    elif encoding != "raw":
        raise ValueError(f"encoding {encoding!r} is not supported")
    skip = int(header.get("byte skip", 0))
    return data[skip:] if skip >= 0 else data[-wanted:]


def _list_axis_last(array, header):
    """Several layers lie on a first (fastest) axis, which is the last one here; other fourth axes are refused."""
    if array.ndim == 4:
        kinds = (header.get("kinds", "").split() or [""])[0].lower()
        if not header.get("space directions", "").lower().startswith("none") and kinds not in ("list", "vector"):
            raise ValueError("it has four axes (a time series?); give one volume")
    elif array.ndim != 3:
        raise ValueError(f"it has {array.ndim} axes, not 3")
    return array


def _matrix(header):
    directions = re.findall(r"\(([^)]*)\)", header.get("space directions", ""))
    if len(directions) != 3:
        return None
    space = header.get("space", "").lower()
    if space not in _TO_RAS:
        raise ValueError(f"space {space or 'missing'!r} is not one of RAS, LAS, LPS")
    origin = header.get("space origin", "(0,0,0)").strip("() ")
    columns = [[float(value) for value in text.split(",")] for text in (*directions, origin)]
    matrix = np.eye(4)
    matrix[:3] = np.diag(_TO_RAS[space]) @ np.array(columns).T
    return matrix


def _number(value) -> str:
    return repr(float(value) + 0.0)  # + 0.0 turns -0.0 into 0.0


def _escaped(value) -> str:
    return str(value).replace("\\", "\\\\").replace("\n", "\\n")


def _words(error) -> str:
    return f"field {error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__
