"""Scan and segmentation as .npz files: how Slicer and the child process that runs the network hand them over.

No pickle, and no image format: none keeps a sheared matrix together with uneven slice positions. Files are written
beside and renamed, so a reader never meets half a file.
"""

import json
import zipfile
from dataclasses import asdict

import numpy as np

from .errors import InputError
from .files import replacing
from .findings import Finding
from .volume import CTVolume, ScanInfo

_META_FIELDS = ("engine", "device", "seconds", "model", "model_sha256", "training_data", "clean_up", "interval_ml",
                "ambiguous_ml", "interval_coverage")


def write_scan(path, ct: CTVolume) -> None:
    """hu (k, j, i) int16, ijk_to_ras (4, 4), slice_origins_ras (slices, 3), info_json, findings_json."""
    _write(path, hu=ct.hu, ijk_to_ras=np.asarray(ct.ijk_to_ras, float),
           slice_origins_ras=np.asarray(ct.slice_origins_ras, float), info_json=json.dumps(asdict(ct.info)),
           findings_json=_findings_json(ct.findings))


def read_scan(path) -> CTVolume:
    """The scan written by write_scan. Raises InputError when the file is not one."""
    values = _read(path, ("hu", "ijk_to_ras", "slice_origins_ras", "info_json"))
    hu = values["hu"]
    if hu.dtype.kind not in "iu":
        raise InputError(f"{path}: hu is {hu.dtype}; Hounsfield units are whole numbers (int16).")
    info = values["info_json"]
    known = {name: tuple(info[name]) if isinstance(info[name], list) else info[name]  # JSON has no tuples
             for name in ScanInfo.__dataclass_fields__ if name in info}
    return CTVolume(hu.astype(np.int16, copy=False), values["ijk_to_ras"], values["slice_origins_ras"],
                    ScanInfo(**known), _findings(values))


def write_segmentation(path, segmentation) -> None:
    """mask uint8 (k, j, i), slice_uncertainty (slices,), meta_json (everything else, findings included)."""
    meta = {name: getattr(segmentation, name) for name in _META_FIELDS}
    meta["findings"] = [asdict(finding) for finding in segmentation.findings]
    _write(path, mask=segmentation.mask, slice_uncertainty=segmentation.slice_uncertainty, meta_json=json.dumps(meta))


def read_segmentation(path):
    """The Segmentation written by write_segmentation. Raises InputError when the file is not one."""
    from .segmentation import Segmentation

    values = _read(path, ("mask", "slice_uncertainty", "meta_json"))
    meta = values["meta_json"]
    missing = [name for name in _META_FIELDS if name not in meta]
    if missing:
        raise InputError(f"{path}: {', '.join(missing)} missing; written by another version of ICHVolume.")
    interval = meta["interval_ml"]
    return Segmentation(
        mask=values["mask"], slice_uncertainty=values["slice_uncertainty"],
        findings=[Finding(**finding) for finding in meta["findings"]],
        **{**{name: meta[name] for name in _META_FIELDS}, "interval_ml": tuple(interval) if interval else None})


def _findings_json(findings) -> str:
    return json.dumps([asdict(finding) for finding in findings])


def _findings(values: dict) -> tuple[Finding, ...]:
    return tuple(Finding(**finding) for finding in values.get("findings_json", ()))


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
