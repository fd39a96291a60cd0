"""NRRD files with any 4x4 matrix, sheared ones too, which ITK's reader and writer cannot hold.

pynrrd reads header fields and voxels; what it would unpack without a bound is unpacked here first. Arrays have the
slowest axis first (slices, rows, columns for a volume), matrices are RAS mm whatever the space named in the file.
Format: http://teem.sourceforge.net/nrrd/format.html
"""

import gzip
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.errors import InputError
from .bounded_files import (
    DAMAGE,
    MAX_VOXEL_BYTES,
    UnreadableFile,
    damage_words,
    open_regular,
    read_voxels,
    refuse_huge,
)

_TYPES = {"i1": "signed char", "u1": "unsigned char", "i2": "short", "u2": "unsigned short", "i4": "int",
          "u4": "unsigned int", "i8": "long long", "u8": "unsigned long long", "f4": "float", "f8": "double"}
_ASCII, _COMPRESSIONS = ("ascii", "text", "txt"), {"gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_MAX_HEADER_BYTES = 4 << 20  # a segmentation of a thousand segments has a tenth of that
_MOST_ASCII_VOXELS = 16 << 20  # a head of 64 slices of 512 x 512
_ASCII_BYTES_A_VOXEL = 26  # "-1.2345678901234567e-300" and what parts it from the next
_MOST_SKIPPED_LINES = 1_000_000
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
    import nrrd

    path = Path(path)
    try:
        with open_regular(path) as file:
            text, lines = _read_header(file)
            fields = nrrd.read_header(lines)
            array = _read_array(file, path, text, fields)
        return Nrrd(_list_axis_last(array, text), _matrix(text, fields), text)
    except (*DAMAGE, KeyError, ArithmeticError, AssertionError, nrrd.NRRDError) as error:
        raise InputError(f"{path} cannot be read as NRRD ({_words(error)}); export it again.") from error


def nrrd_fields(path) -> dict[str, str]:
    """Fields and keys of the header alone, as Nrrd.header has them. Raises ValueError, InputError or OSError."""
    with open_regular(path) as file:
        return _read_header(file)[0]


def write_nrrd(path, array, ijk_to_ras, keys=None, compression_level=4) -> None:
    """A 3D array (slices, rows, columns) and its RAS matrix as gzip NRRD in LPS; keys: extra key:=value pairs.

    Bytes depend on nothing but the arguments. The file appears complete (written beside, then renamed).
    """
    path, array = Path(path), np.ascontiguousarray(array)
    code = array.dtype.str[1:]
    lps = np.diag([-1.0, -1, 1]) @ np.asarray(ijk_to_ras, float)[:3]
    vectors = ["(" + ",".join(_number(value) for value in column) + ")" for column in lps.T]
    lines = ["NRRD0004", "# Complete NRRD file format specification at:",
             "# http://teem.sourceforge.net/nrrd/format.html", f"type: {_TYPES[code]}",
             "dimension: 3", "space: left-posterior-superior",
             "sizes: " + " ".join(str(size) for size in array.shape[::-1]),
             "space directions: " + " ".join(vectors[:3]), "kinds: domain domain domain",
             *(["endian: little"] if array.itemsize > 1 else []), "encoding: gzip", f"space origin: {vectors[3]}",
             *(f"{key}:={_escaped(value)}" for key, value in (keys or {}).items())]
    data = gzip.compress(array.astype("<" + code, copy=False).tobytes(), compression_level, mtime=0)
    replace_file(path, "\n".join(lines).encode("utf-8", "replace") + b"\n\n" + data)


def _read_header(file) -> tuple[dict[str, str], list[str]]:
    """All fields and keys as text, and the fields alone as lines spelt the one way that pynrrd knows."""
    magic = file.readline(64)
    if not re.match(rb"NRRD000[1-5]\s", magic):
        raise UnreadableFile("it does not begin with NRRD0004 or the like")
    text, lines = {}, [magic.decode("ascii").strip()]
    while raw := file.readline(_MAX_HEADER_BYTES):
        if file.tell() > _MAX_HEADER_BYTES:
            raise UnreadableFile("its header is longer than any header is")
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            break
        if line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise UnreadableFile(f"header line {line[:40]!r} has no colon")
        if value.startswith("="):
            text[key] = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], value[1:])
            continue
        key, value = key.strip().lower().replace("datafile", "data file"), value.strip()
        if text.get(key, value) != value:
            raise UnreadableFile(f"the header states {key!r} twice")
        if key not in text:
            plain = value.lower() if key in ("type", "encoding", "endian", "space") else value
            lines.append(f"{key}: {plain}")
        text[key] = value
    else:
        if "data file" not in text:
            raise UnreadableFile("the header has no end")
    if "endian" not in text:
        lines.append("endian: little")  # pynrrd insists on it; files from little-endian machines may lack it
    return text, lines


def _read_array(file, path, text, fields):
    """The voxels by pynrrd, from bytes that were unpacked here within the size that the header claims."""
    import nrrd

    for name in ("type", "dimension", "sizes", "encoding"):
        if name not in fields:
            raise KeyError(name)
    sizes = [int(size) for size in fields["sizes"]]
    if not sizes or min(sizes) < 1:
        raise UnreadableFile(f"an axis has no voxels: sizes {text['sizes']}")
    count, encoding = math.prod(sizes), fields["encoding"]
    if encoding != "raw" and encoding not in (*_ASCII, *_COMPRESSIONS):
        raise UnreadableFile(f"encoding {encoding!r} is not supported")
    item_bytes = _item_bytes(fields)
    refuse_huge(count * item_bytes)
    with open_regular(_data_path(path, text)) if "data file" in text else io.BytesIO() as detached:
        source = detached if "data file" in text else file
        _skip_lines(source, int(text.get("line skip", text.get("lineskip", 0))))
        skip = int(text.get("byte skip", text.get("byteskip", 0)))
        if encoding in _ASCII:
            data = _text_of(source, count)
        else:
            data = read_voxels(source, count * item_bytes, _COMPRESSIONS.get(encoding), skip)
    plain = {"dimension": fields["dimension"], "type": fields["type"], "sizes": fields["sizes"],
             "endian": fields["endian"], "encoding": encoding if encoding in _ASCII else "raw"}
    return nrrd.read_data(plain, io.BytesIO(data), index_order="C")


def _text_of(source, count) -> bytes:
    """The numbers of an ascii file; they are counted without making an object of each."""
    if count > _MOST_ASCII_VOXELS:
        raise UnreadableFile(f"its header claims {count} voxels written as text, more than {_MOST_ASCII_VOXELS}; save "
                             "it with the encoding gzip or raw")
    data = source.read(_ASCII_BYTES_A_VOXEL * count + 1)
    if len(data) > _ASCII_BYTES_A_VOXEL * count:
        raise UnreadableFile(f"it holds more text than {count} voxels need")
    found, after_space = 0, True
    for first in range(0, len(data), 1 << 20):
        space = np.frombuffer(data, np.uint8, min(1 << 20, len(data) - first), first) <= ord(" ")
        before = np.concatenate([[after_space], space[:-1]])
        found += int(np.count_nonzero(before & ~space))
        after_space = bool(space[-1])
    if found < count:
        raise UnreadableFile(f"it is truncated: {found} of {count} voxels")
    return data


def _skip_lines(file, count) -> None:
    if count > _MOST_SKIPPED_LINES:
        raise UnreadableFile(f"its header skips {count} lines, which no header needs")
    for _ in range(count):
        if not file.readline(MAX_VOXEL_BYTES):
            raise UnreadableFile(f"it ends before the {count} lines that its header skips")


def _item_bytes(fields) -> int:
    """Bytes of one voxel: pynrrd reads an empty array of the file's type."""
    import nrrd

    none = {**{name: fields[name] for name in ("type", "endian")}, "dimension": 1, "sizes": np.array([0]),
            "encoding": "raw"}
    try:
        return nrrd.read_data(none, io.BytesIO()).itemsize
    except (KeyError, ValueError) as error:
        raise UnreadableFile(f"voxel type {fields['type']!r} is not supported") from error


def _data_path(path, text):
    name = text["data file"]
    if name.upper().startswith("LIST") or "%" in name:
        raise UnreadableFile("its voxels lie in several files; save it as one .nrrd file")
    return path.parent / name


def _list_axis_last(array, text):
    """Several layers lie on a first (fastest) axis, which is the last one here; a slowest axis of length 1 is dropped
    (MITK writes one); other fourth axes are refused."""
    if array.ndim == 4:
        kinds = (text.get("kinds", "").split() or [""])[0].lower()
        if not text.get("space directions", "").lower().startswith("none") and kinds not in ("list", "vector"):
            if array.shape[0] == 1:
                return array[0]
            raise UnreadableFile("it has four axes (a time series?); give one volume")
    elif array.ndim != 3:
        raise UnreadableFile(f"it has {array.ndim} axes, not 3")
    return array


def _matrix(text, fields):
    rows = [row for row in np.atleast_2d(fields.get("space directions", np.empty((0, 0)))) if not _is_none(row)]
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        return None
    space = fields.get("space", "")
    if space not in _TO_RAS:
        raise UnreadableFile(f"it does not say how its axes lie in the patient: space is {space or 'missing'!r}, not "
                             "RAS, LAS or LPS")
    origin = fields.get("space origin", np.zeros(3))
    if len(origin) != 3:
        raise UnreadableFile(f"space origin {text['space origin']} is not one point")
    matrix = np.eye(4)
    matrix[:3] = np.diag(_TO_RAS[space]) @ np.array([*rows, origin]).T
    return matrix


def _is_none(row) -> bool:
    """pynrrd writes "none" as NaN in every place."""
    return bool(np.isnan(row).all())


def _number(value) -> str:
    return repr(float(value) + 0.0)  # + 0.0 turns -0.0 into 0.0


def _escaped(value) -> str:
    return str(value).replace("\\", "\\\\").replace("\n", "\\n")


def _words(error) -> str:
    return f"field {error} is missing" if isinstance(error, KeyError) else damage_words(error)
