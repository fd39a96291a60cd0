"""Scan and segmentation as .npz files: how Slicer and the child process that runs the network hand them over.

No pickle, and no image format: none keeps a sheared matrix together with uneven slice positions. Files are written
beside and renamed, so a reader never meets half a file.
"""

import json
import zipfile
from collections import deque
from dataclasses import fields

import numpy as np

from ..core.atomic_files import replacing
from ..core.ct_volume import CTVolume, ScanInfo
from ..core.errors import InputError
from ..core.findings import Finding
from ..core.plain import from_plain, to_plain
from ..core.result import Result
from ..segmentation.segmenter import Segmentation

_ARRAYS = ("mask", "outside", "slice_uncertainty")  # of a Segmentation; the rest of it is text
SLICES_PER_STEP = 4


def write_scan(path, ct: CTVolume) -> None:
    """hu (k, j, i) int16, ijk_to_ras (4, 4), slice_origins_ras (slices, 3), info_json, findings_json."""
    deque(write_scan_in_steps(path, ct), maxlen=0)


def write_scan_in_steps(path, ct: CTVolume, slices_per_step: int = SLICES_PER_STEP):
    """Generator of write_scan: every next() writes some slices, so that a window in between is never kept waiting.

    The file appears under its name at the end; closing the generator early removes what was written.
    """
    small = {"ijk_to_ras": np.asarray(ct.ijk_to_ras, float),
             "slice_origins_ras": np.asarray(ct.slice_origins_ras, float),
             "info_json": np.asarray(json.dumps(to_plain(ct.info, leave_out=("patient_id",)))),
             "findings_json": np.asarray(json.dumps(to_plain(ct.findings)))}
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # what np.savez makes
        for name, array in small.items():
            with archive.open(name + ".npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        with archive.open("hu.npy", "w", force_zip64=True) as member:
            header = {"descr": np.lib.format.dtype_to_descr(ct.hu.dtype), "fortran_order": False, "shape": ct.hu.shape}
            np.lib.format.write_array_header_1_0(member, header)
            for first in range(0, len(ct.hu), slices_per_step):
                member.write(np.ascontiguousarray(ct.hu[first:first + slices_per_step]).data.cast("B"))
                yield


def read_scan(path) -> CTVolume:
    """The scan written by write_scan. Raises InputError when the file is not one."""
    values = _read(path, ("hu", "ijk_to_ras", "slice_origins_ras", "info_json"))
    hu = values["hu"]
    if hu.dtype.kind not in "iu":
        raise InputError(f"{path}: hu is {hu.dtype}; Hounsfield units are whole numbers (int16).")
    return CTVolume(hu.astype(np.int16, copy=False), values["ijk_to_ras"], values["slice_origins_ras"],
                    from_plain(ScanInfo, values["info_json"]),
                    from_plain(tuple[Finding, ...], values.get("findings_json", ())))


def write_segmentation(path, segmentation) -> None:
    """The mask and, where it is known, outside (see _cropped), slice_uncertainty (slices,), meta_json (everything else,
    findings included)."""
    outside = {} if segmentation.outside is None else _cropped(segmentation.outside, "outside")
    _write(path, **_cropped(segmentation.mask), **outside, slice_uncertainty=segmentation.slice_uncertainty,
           meta_json=json.dumps(to_plain(segmentation, leave_out=_ARRAYS)))


def read_segmentation(path):
    """The Segmentation written by write_segmentation. Raises InputError when the file is not one."""
    values = _read(path, (*_MASK_PARTS, "slice_uncertainty", "meta_json"))
    meta = values["meta_json"]
    missing = [entry.name for entry in fields(Segmentation) if entry.name not in (*_ARRAYS, *meta)]
    if missing:
        raise InputError(f"{path}: {', '.join(missing)} missing; written by another version of ICHVolume.")
    arrays = {"mask": _whole(values), "slice_uncertainty": values["slice_uncertainty"],
              "outside": _whole(values, "outside") if "outside" in values else None}
    return from_plain(Segmentation, {**meta, **arrays})


def write_measured(path, mask: np.ndarray, result: Result, outside: np.ndarray | None = None) -> None:
    """A mask with the Result that was measured from it, and blood outside the brain beside it, for the report."""
    more = {} if outside is None else _cropped(outside, "outside")
    _write(path, **_cropped(mask), **more, result_json=json.dumps(result.to_dict()))


def read_measured(path) -> tuple[np.ndarray, Result]:
    """What write_measured wrote: mask uint8 (slices, rows, columns), Result. Raises InputError when it is not that."""
    values = _read(path, (*_MASK_PARTS, "result_json"))
    try:
        return _whole(values), Result.from_dict(values["result_json"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: the result in it is not one of this version of ICHVolume ({error}).") from error


def read_outside(path) -> np.ndarray | None:
    """The blood outside the brain that write_measured wrote, uint8 (slices, rows, columns), or None."""
    values = _read(path, _MASK_PARTS)
    return _whole(values, "outside") if "outside" in values else None


_MASK_PARTS = ("mask", "mask_first", "mask_shape")


def _cropped(mask: np.ndarray, name: str = "mask") -> dict:
    """The marked part of a mask (k, j, i), where it begins and the shape of the whole: a bleed fills little of it."""
    first, last = [], []
    part = mask
    for axis in range(3):  # slices first: that leaves little to look at
        marked = np.flatnonzero(part.any(axis=tuple({0, 1, 2} - {axis})))
        start, stop = (marked[0], marked[-1] + 1) if marked.size else (0, 0)
        first, last = [*first, start], [*last, stop]
        part = part[(slice(None),) * axis + (slice(start, stop),)]
    return {name: np.ascontiguousarray(part), f"{name}_first": np.array(first), f"{name}_shape": np.array(mask.shape)}


def _whole(values: dict, name: str = "mask") -> np.ndarray:
    part, first = values[name], values[f"{name}_first"]
    mask = np.zeros(values[f"{name}_shape"], part.dtype)
    mask[tuple(slice(start, start + size) for start, size in zip(first, part.shape, strict=True))] = part
    return mask


def _write(path, **arrays) -> None:
    with replacing(path) as file:  # an open file: numpy would add ".npz" to a name
        np.savez(file, **arrays)


def _read(path, required: tuple[str, ...]) -> dict:
    try:
        with np.load(path, allow_pickle=False) as file:
            values = {name: json.loads(str(file[name])) if name.endswith("_json") else file[name]
                      for name in file.files}
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not an exchange file of ICHVolume ({error}); write it again.") from error
    missing = [name for name in required if name not in values]
    if missing:
        raise InputError(f"{path}: {', '.join(missing)} missing; not an exchange file of ICHVolume.")
    return values
