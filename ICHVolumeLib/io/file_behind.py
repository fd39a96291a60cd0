"""What the file that a volume was loaded from, by another program, still says of its geometry: by its header alone.

3D Slicer gives voxels and one matrix. Whether the NIfTI file named two that disagree, or none, and what a converter
wrote into its text fields, is in the file; it is looked at without its voxels, so that a window is not kept waiting.
"""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import Finding
from .bounded_files import DAMAGE, is_regular_file, open_regular
from .image_geometry import believed_grid, unknown_size
from .images import is_image_name
from .nifti import HEADER_BYTES, nifti_header
from .nifti_geometry import conflict, stated_matrices
from .nrrd import nrrd_fields
from .scan_words import ScanWords, words_of


def with_file(ct: CTVolume, path) -> CTVolume:
    """`ct` with the findings about the NIfTI or NRRD file that it was loaded from, and with what that file says of
    kernel, contrast agent and thickness where `ct` does not know it. Unchanged when there is no such file any more, it
    has another size, or it cannot be read. Never raises."""
    path = Path(path)
    try:
        if not is_image_name(path.name) or not is_regular_file(path):
            return ct
        findings, words, shape = _nrrd(path) if path.name.lower().endswith((".nrrd", ".nhdr")) else _nifti(path, ct)
    except (*DAMAGE, InputError, ArithmeticError, np.linalg.LinAlgError):
        return ct
    if sorted(shape) != sorted(ct.hu.shape):
        return ct
    grid = [] if ct.is_uneven else believed_grid(ct, words)  # a scene may keep true positions beside the file
    return replace(ct, info=_told(ct.info, words), findings=(*ct.findings, *findings, *grid))


def _nifti(path, ct) -> tuple[list[Finding], ScanWords, list[int]]:
    from nibabel.spatialimages import HeaderDataError

    with open_regular(path) as file:
        start = file.read(HEADER_BYTES)
        if start[:2] == b"\x1f\x8b":
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as stream:
                start = stream.read(HEADER_BYTES)
    try:
        header, description = nifti_header(start)
        sform, qform = stated_matrices(header)
    except HeaderDataError as error:
        raise ValueError(str(error)) from error
    findings = [*unknown_size(ct, sform is not None or qform is not None),
                *conflict(header, sform, qform, taken=ct.ijk_to_ras)]
    shape = [int(size) for size in header.get_data_shape()]
    return findings, words_of(path, description), shape[:3]


def _nrrd(path) -> tuple[list[Finding], ScanWords, list[int]]:
    text = nrrd_fields(path)
    return [], words_of(path, text.get("content", ""), text), [int(size) for size in text.get("sizes", "").split()]


def _told(info, words):
    """What `info` lacks, from the file's words."""
    said = {"kernel": words.kernel, "contrast_agent": words.contrast_agent, "manufacturer": words.manufacturer,
            "series_description": words.description, "slice_thickness_mm": words.slice_thickness_mm}
    return replace(info, **{name: value for name, value in said.items() if value and not getattr(info, name)})
