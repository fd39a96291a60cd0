"""Opening what others wrote: regular files only, and never more bytes in memory than a head CT can need."""

import bz2
import gzip
import stat
import zlib
from pathlib import Path

from ..core.errors import InputError

MAX_VOXEL_BYTES = 512 << 20  # 1024 slices of 512 x 512 pixels in 16 bits
_DEFLATED_SYNTAX = b"1.2.840.10008.1.2.1.99"
class UnreadableFile(ValueError):
    """Why a file cannot be read, in words for its user ("it is truncated: ...")."""


DAMAGE = (OSError, EOFError, ValueError, OverflowError, zlib.error)  # what reading a damaged file may raise
_SURPLUS_BYTES = 4096  # after the voxels: padding, a line end
_DEFLATE_AT_MOST = 1032  # bytes that one byte of a gzip stream can become (zlib, "Maximum compression factor")


def is_regular_file(path) -> bool:
    """False for folders, named pipes, sockets and devices (opening one may wait for ever), and for broken links."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False


def open_regular(path):
    """An open binary file. Raises InputError when it is no regular file, OSError when it cannot be opened."""
    if not is_regular_file(path) and Path(path).exists():
        raise InputError(f"{path} is not a file but a folder, a named pipe or a device; give a file.")
    return open(path, "rb")


def refuse_huge(byte_count: int) -> None:
    """Raises ValueError when a header claims more voxels than this program reads."""
    if byte_count > MAX_VOXEL_BYTES:
        raise UnreadableFile(f"its header claims {byte_count / 1e9:.3g} GB of voxels, more than the "
                         f"{MAX_VOXEL_BYTES >> 20} MB that a head CT can need")


def read_voxels(file, byte_count: int, compression=None, skip: int = 0) -> bytes:
    """byte_count bytes from the file's place on, unpacked, after `skip` unpacked bytes; -1: the last byte_count ones.

    compression: "gzip", "bzip2" or None. Nothing is allocated before header and file were found to fit together.
    Raises ValueError when the claim is too large or the file too short, and what the unpacker raises on damage.
    """
    refuse_huge(byte_count)
    start = file.tell()
    packed = file.seek(0, 2) - start
    file.seek(start)
    if compression is None:
        if packed < byte_count + max(skip, 0):
            raise _truncated(packed - max(skip, 0), byte_count)
        if skip >= 0:
            _refuse_surplus(packed - skip - byte_count, byte_count)
        file.seek(-byte_count if skip < 0 else start + skip, 2 if skip < 0 else 0)
        return file.read(byte_count)
    if compression == "gzip" and byte_count > packed * _DEFLATE_AT_MOST:
        raise _truncated(f"at most {packed * _DEFLATE_AT_MOST}", byte_count)
    with gzip.GzipFile(fileobj=file) if compression == "gzip" else bz2.BZ2File(file) as stream:
        wanted = byte_count + max(skip, 0)
        refuse_huge(wanted)
        more = _surplus_borne(byte_count) + 1  # read so far that checksums are compared and a surplus is seen
        data = stream.read(MAX_VOXEL_BYTES + 1 if skip < 0 else wanted + more)
        if skip < 0:
            refuse_huge(len(data))
            data = data[-byte_count:]
        else:
            _refuse_surplus(len(data) - wanted, byte_count)
    data = data[max(skip, 0):][:byte_count]
    if len(data) < byte_count:
        raise _truncated(len(data), byte_count)
    return data


def unpacks_to_too_much(file) -> bool:
    """Whether a DICOM file (at its data set's start or not) is deflated and holds more than MAX_VOXEL_BYTES.

    pydicom inflates the whole of such a file at once, so it is inflated here piece by piece first.
    """
    file.seek(132)
    meta = file.read(1024)
    if _DEFLATED_SYNTAX not in meta or meta[:6] != b"\x02\x00\x00\x00UL":
        return False
    file.seek(144 + int.from_bytes(meta[8:12], "little"))
    inflate, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    pending = file.read(1 << 16)
    while pending and total <= MAX_VOXEL_BYTES:
        total += len(inflate.decompress(pending, 1 << 22))
        pending = inflate.unconsumed_tail or (b"" if inflate.eof else file.read(1 << 16))
    return total > MAX_VOXEL_BYTES


def _surplus_borne(byte_count) -> int:
    return max(_SURPLUS_BYTES, byte_count // 100)


def _refuse_surplus(surplus, byte_count) -> None:
    """A header that claims fewer voxels than the file holds has lost slices or tells another voxel type."""
    if surplus > _surplus_borne(byte_count):
        raise UnreadableFile(f"it holds more voxels than its header says (more than {byte_count} bytes)")


def _truncated(present, wanted) -> UnreadableFile:
    present = max(present, 0) if isinstance(present, int) else present
    return UnreadableFile(f"it is truncated: {present} of {wanted} bytes of voxels")


def damage_words(error: Exception) -> str:
    """Why a file cannot be read, for a person; what a library says of it ("w2 should be positive") helps nobody."""
    if isinstance(error, (UnreadableFile, InputError)):
        return str(error)
    if isinstance(error, EOFError):
        return "its compressed data end too early, as in a copy that was broken off"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, (OSError, zlib.error)):  # gzip and bz2 give a checksum or block that is wrong as OSError
        return "its compressed data are damaged"
    return "its header or its voxels are damaged"
