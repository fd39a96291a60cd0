"""A head CT from one NIfTI or NRRD file. Their grids are regular, sheared ones kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume, ScanInfo
from ..core.errors import InputError
from ..core.findings import INFO, Finding
from ..core.text import shown
from .hounsfield import to_int16_hu
from .image_geometry import axial_slices, believed_grid, unknown_size
from .nifti import read_nifti
from .nrrd import read_nrrd
from .scan_words import words_of

IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr")


def is_image_name(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def read_image(path) -> CTVolume:
    """Read .nii, .nii.gz, .nrrd or .nhdr. Raises InputError when it is not one scalar volume with a geometry.

    A NIfTI file that states no matrix is read with its voxel sizes and a loud finding; axes in another order are
    exchanged so that slices are axial.
    """
    path = Path(path)
    array, matrix, stated, words, findings = _load(path)
    if array.ndim != 3:
        raise InputError(f"{path} has several values per voxel (color?); give the CT in Hounsfield units.")
    if matrix is None or not stated and not (np.abs(np.diag(matrix)) > 0).all():
        raise InputError(f"{path} does not say how its voxels lie in the patient; export it with its orientation.")
    if (words.modality or "CT").upper() != "CT":
        raise InputError(f"{path} is not CT but {words.modality}; give a head CT.")
    array, matrix, reordered = axial_slices(array, matrix)
    try:
        hu, changed = to_int16_hu(array)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    info = ScanInfo(source=shown(path), series_description=words.description, manufacturer=words.manufacturer,
                    kernel=words.kernel, contrast_agent=words.contrast_agent,
                    slice_thickness_mm=words.slice_thickness_mm)
    ct = CTVolume.regular(np.ascontiguousarray(hu), matrix, info)
    return replace(ct, findings=(*unknown_size(ct, stated), *findings, *believed_grid(ct, words), *reordered, *changed,
                                 _few_words(words)))


def _load(path):
    """-> array, matrix or None, whether the file states it, what it says of the scan, findings"""
    if path.name.lower().endswith((".nrrd", ".nhdr")):
        nrrd = read_nrrd(path)
        words = words_of(path, nrrd.header.get("content", ""), nrrd.header)
        return nrrd.array, nrrd.matrix, True, words, []
    nifti = read_nifti(path)
    stated = nifti.matrix is not None
    return (nifti.array, nifti.matrix if stated else nifti.assumed_matrix, stated, words_of(path, nifti.description),
            list(nifti.findings))


def _few_words(words) -> Finding:
    known = f"; only what {words.source} says is known" if words.source else ""
    return Finding("no-dicom-tags", INFO, "An image file says nothing of patient age, contrast agent, kernel or slice "
                                          f"thickness{known}; what depends on them was not checked.")
