"""A head CT from DICOM, NIfTI or NRRD, to plain values.

Findings that reading gives (checks.py lists the others):

    of DICOM: series-chosen, several-scans-in-series, head-in-two-series, files-skipped, files-damaged,
        duplicate-slices, lossy-compression, mixed-slices
    of image files: no-dicom-tags, even-spacing-assumed, affine-conflict, voxel-size-unknown, axes-reordered,
        spacing-conflict, resampled, and gantry-tilt and tilt-tag in words of their own
    of both: padding, missing-values, slice-levels, blank-slices, hu-clipped, hu-scale
"""

import stat
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import ERROR
from ..core.text import shown
from .image_geometry import refuse_impossible
from .images import is_image_name, read_image
from .zipped import is_zip_name, unzipped


def read_ct(path, series_uid=None, files=None) -> CTVolume:
    """Read one head CT: a DICOM folder (searched with its subfolders), one DICOM file (its series in its folder),
    a .nii, .nii.gz, .nrrd or .nhdr file, or a .zip of any of these.

    series_uid picks a series of a DICOM folder: its UID, or its number in the list that `series_lines` gives; without
    it the choice among several is named in the findings. files: of a DICOM folder that holds many scans, those of one.
    Raises InputError when there is no image, it is not CT in Hounsfield units, or slices are damaged.
    """
    path = _existing(path)
    with _unpacked(path) as place:
        ct = _read(place, series_uid, files)
    if place != path:
        ct = replace(ct, info=replace(ct.info, source=shown(path)))
    for finding in ct.findings:
        if finding.severity == ERROR:
            raise InputError(f"{ct.info.source}: {finding.message[0].lower()}{finding.message[1:]}")
    refuse_impossible(ct)
    return ct


def list_series(path) -> list:
    """The DICOM series under a folder as io.dicom_series.Series, the one read_ct would take first; the place in this
    list, from 1 on, is the number that `series_uid` takes. Empty for an image file."""
    from .dicom_series import index_folder, series_of
    from .plain_ct import plain_first

    with _unpacked(_existing(path)) as place:
        return [] if _is_image(place) else plain_first(series_of(index_folder(place).slices))


def series_lines(path) -> list[str]:
    """One line for each of list_series: number, series, date and time, kernel, thickness, count, UID."""
    from .series_words import series_line

    return [f"{number}. {series_line(item)}" for number, item in enumerate(list_series(path), 1)]


def _read(place, series_uid, files):
    if _is_image(place):
        return read_image(place)
    from .dicom import read_dicom

    return read_dicom(place, series_uid, files)


def _is_image(path) -> bool:
    return path.is_file() and is_image_name(path.name)


@contextmanager
def _unpacked(path):
    """The path itself; for a DICOMDIR its folder, for a .zip a temporary folder, or the one image file in it."""
    if path.is_dir() or not is_zip_name(path.name):
        yield path.parent if path.name.upper() == "DICOMDIR" and path.is_file() else path
        return
    with unzipped(path) as (folder, _):
        files = [file for file in folder.rglob("*") if file.is_file()]
        images = [file for file in files if _is_image(file)]
        yield images[0] if len(images) == 1 and len(files) <= 2 else folder  # beside a sidecar


def _existing(path) -> Path:
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise InputError(f"There is no file or folder {path}; check the path.") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path} is neither a file nor a folder but a named pipe or a device; give the scan itself.")
    return path
