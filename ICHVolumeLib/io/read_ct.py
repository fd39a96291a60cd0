"""Files to plain values: a head CT from DICOM, NIfTI or NRRD, and a mask on its grid.

Findings that reading gives (checks.py lists the others): series-chosen, several-scans-in-series, files-skipped,
files-damaged, duplicate-slices, lossy-compression, padding, missing-values, no-dicom-tags.
"""

from pathlib import Path

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from .masks import read_mask

__all__ = ["list_series", "read_ct", "read_mask"]


def read_ct(path, series_uid=None) -> CTVolume:
    """Read one head CT: a DICOM folder (searched with its subfolders), one DICOM file (its series in its folder),
    or a .nii, .nii.gz, .nrrd or .nhdr file.

    series_uid picks a series of a DICOM folder; without it the choice among several is named in the findings.
    Raises InputError when there is no image, it is not CT in Hounsfield units, or slices are damaged.
    """
    from .hounsfield import hu_problem
    from .images import is_image_name, read_image

    path = _existing(path)
    if path.is_file() and is_image_name(path.name):
        ct = read_image(path)
    else:
        from .dicom import read_dicom

        ct = read_dicom(path, series_uid)
    problem = hu_problem(ct.hu)
    if problem:
        raise InputError(f"{ct.info.source}: {problem}")
    return ct


def list_series(path) -> list:
    """The DICOM series under a folder as reading.dicom_series.Series, the one read_ct would take first."""
    from .dicom_series import index_folder, series_of

    return series_of(index_folder(_existing(path)).slices)


def _existing(path) -> Path:
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}; check the path.")
    return path
