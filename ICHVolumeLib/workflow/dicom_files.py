"""A DICOM Segmentation and a structured report of a mask that was measured already, for the panel's export."""

import importlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.result import Result
from .exporters import DICOM_EXPORTERS

NO_HIGHDICOM = ("Writing DICOM needs the package highdicom, which is not installed. In 3D Slicer, open the Python "
                "console and enter slicer.util.pip_install('highdicom'), then export again; or leave DICOM out.")


def write_dicom_files(folder: Path, ct: CTVolume, mask: np.ndarray, result: Result, source: Path) -> list[Path]:
    """Write ich.seg.dcm (where anything is marked) and ich.sr.dcm into an existing folder; returns them.

    source: the folder of the DICOM images that `ct` was read from; nothing is written there.
    Raises InputError when highdicom is missing or the images cannot be referred to.
    """
    importlib.invalidate_caches()  # it may just have been installed
    if find_spec("highdicom") is None:
        raise InputError(NO_HIGHDICOM)
    ct = replace(ct, info=replace(ct.info, source=str(source)))
    for exporter in DICOM_EXPORTERS:
        result = exporter.write(Path(folder) / exporter.file_name, ct, mask, result)
    return [path for exporter in DICOM_EXPORTERS if (path := Path(folder) / exporter.file_name).is_file()]
