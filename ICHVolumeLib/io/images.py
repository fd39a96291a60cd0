"""A head CT from one NIfTI or NRRD file. Their grids are regular, sheared ones kept."""

from pathlib import Path

from ..core.ct_volume import CTVolume, ScanInfo
from ..core.errors import InputError
from ..core.findings import INFO, Finding
from .hounsfield import to_int16_hu

IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr")


def is_image_name(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def read_image(path) -> CTVolume:
    """Read .nii, .nii.gz, .nrrd or .nhdr. Raises InputError when it is not one scalar volume with a geometry."""
    path = Path(path)
    if path.name.lower().endswith((".nrrd", ".nhdr")):
        from .nrrd import read_nrrd

        nrrd = read_nrrd(path)
        array, matrix = nrrd.array, nrrd.matrix
        modality = nrrd.header.get("modality", "CT")
    else:
        from .nifti import read_nifti

        nifti = read_nifti(path)
        array, matrix, modality = nifti.array, nifti.matrix, "CT"
    if array.ndim != 3:
        raise InputError(f"{path} has several values per voxel (color?); give the CT in Hounsfield units.")
    if matrix is None:
        raise InputError(f"{path} does not say how its voxels lie in the patient; export it with its orientation.")
    if modality.upper() != "CT":
        raise InputError(f"{path} is not CT but {modality}; give a head CT.")
    try:
        hu, findings = to_int16_hu(array)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    findings.append(Finding("no-dicom-tags", INFO, "An image file says nothing of patient age, contrast agent, kernel "
                                                   "or slice thickness; what depends on them was not checked."))
    return CTVolume.regular(hu, matrix, ScanInfo(source=str(path)), findings)
