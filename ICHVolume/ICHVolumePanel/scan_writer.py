"""Write a scan for the child process a few slices at a time, so that the window never waits for the disk.

The file is the one that ICHVolumeLib.exchange.write_scan writes and read_scan reads.
"""

import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

SLICES_PER_STEP = 4


def write_scan_in_steps(path, ct, slices_per_step=SLICES_PER_STEP):
    """Generator: every next() writes some slices of ct (CTVolume); the file appears under its name at the end.

    Raises OSError (disk full, read-only folder); closing the generator early removes the half-written file.
    """
    path = Path(path)
    beside = path.with_name(path.name + ".part")
    finished = False
    small = {"ijk_to_ras": np.asarray(ct.ijk_to_ras, float),
             "slice_origins_ras": np.asarray(ct.slice_origins_ras, float),
             "info_json": np.asarray(json.dumps(asdict(ct.info))),
             "findings_json": np.asarray(json.dumps([asdict(finding) for finding in ct.findings]))}
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            for name, array in small.items():
                with archive.open(name + ".npy", "w") as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
            with archive.open("hu.npy", "w", force_zip64=True) as member:
                header = {"descr": np.lib.format.dtype_to_descr(ct.hu.dtype), "fortran_order": False,
                          "shape": ct.hu.shape}
                np.lib.format.write_array_header_1_0(member, header)
                for first in range(0, len(ct.hu), slices_per_step):
                    member.write(np.ascontiguousarray(ct.hu[first:first + slices_per_step]).data.cast("B"))
                    yield
        os.replace(beside, path)
        finished = True
    finally:
        if not finished:
            beside.unlink(missing_ok=True)
