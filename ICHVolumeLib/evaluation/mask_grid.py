"""The grid that a truth and its predictions share: that of the CT where it is given, else one that holds all masks.

Nothing is resampled: masks may be flipped, turned or cropped against each other, another spacing or place is refused.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..core.ct_volume import UNEVEN_TOLERANCE_MM, CTVolume, ScanInfo
from ..core.errors import InputError
from ..core.text import shown
from ..io.dicom_seg_mask import is_dicom
from ..io.image_geometry import axial_slices
from ..io.images import is_image_name
from ..io.mask_grid import grid_words, match_grid
from ..io.nifti import read_nifti
from ..io.nrrd import read_nrrd
from ..io.read_ct import read_ct
from ..io.result_files import MASK_NRRD, RESULT_JSON

Extent = tuple[tuple[int, int, int], np.ndarray]  # shape (slices, rows, columns), 4x4 (i, j, k) to RAS mm


def shared_grid(truth: Path, predictions: Sequence[Path], ct: Path | None = None) -> CTVolume:
    """The scan, or an empty one (0 HU) around all the masks, with the true slab heights where a result.json of
    `segment` has them.

    Raises InputError when no mask says where it lies, they lie on different grids, or a file cannot be read.
    """
    if ct is not None:
        return read_ct(ct)
    files = sorted([truth, *predictions], key=lambda path: _slab_heights_mm(path) is None)  # heights go with its grid
    extents = [(path, extent) for path in files if (extent := extent_of(path)) is not None]
    if not extents:
        raise InputError(f"{truth} and its predictions do not say where their voxels lie (empty, or DICOM SEG); give "
                         "the CT, too.")
    (first, base), *others = extents
    whole = base
    for path, extent in others:
        match = match_grid(extent[0], extent[1], base[1])
        if match is None:
            raise InputError(f"{path} lies on another grid than {first}: {grid_words(*extent)}, against "
                             f"{grid_words(*base)}; resample one to the other (nearest neighbor).")
        turned = tuple(extent[0][axis] for axis in match.order)
        whole = _around(whole, base[1], match.first, turned)
    shape, matrix = whole
    hu, matrix, _ = axial_slices(np.zeros(shape, np.int16), matrix)
    scan = CTVolume.regular(np.ascontiguousarray(hu), matrix, ScanInfo(source=shown(truth)))
    return _with_heights(scan, files)


def extent_of(path: Path) -> Extent | None:
    """Where the voxels of a mask file lie; None for one that does not say (DICOM SEG; an empty one of 3D Slicer)."""
    if not is_image_name(path.name):
        if path.is_file() and is_dicom(path):
            return None
        raise InputError(f"{path} is no mask that can be read; give NIfTI, NRRD or DICOM SEG.")
    is_nrrd = path.name.lower().endswith((".nrrd", ".nhdr"))
    found = read_nrrd(path) if is_nrrd else read_nifti(path)
    if found.array.size == 1 and not found.array.any():
        return None
    if found.matrix is None:
        raise InputError(f"{path} does not say where its voxels lie; save the mask with its geometry.")
    return found.array.shape[:3], found.matrix


def _around(whole: Extent, base_matrix, first, shape) -> Extent:
    """`whole` (on the grid of base_matrix) widened to hold a box that begins at voxel `first` (k, j, i) of it."""
    start = np.rint(np.linalg.solve(base_matrix, whole[1][:, 3])[:3]).astype(int)[::-1]
    low = np.minimum(start, first)
    high = np.maximum(start + whole[0], np.add(first, shape))
    matrix = np.array(base_matrix, float)
    matrix[:3, 3] = (base_matrix @ [*low[::-1], 1.0])[:3]
    size = tuple(int(value) for value in high - low)
    return (size[0], size[1], size[2]), matrix


def _with_heights(scan: CTVolume, files) -> CTVolume:
    """The slices at their true places, which a mask file cannot hold but the result.json beside it tells."""
    heights = next((found for path in files if (found := _slab_heights_mm(path))), None)
    if heights is None or np.ptp(heights) <= UNEVEN_TOLERANCE_MM:
        return scan
    if len(heights) != len(scan.hu):
        raise InputError(f"{scan.info.source}: its slices are uneven and the masks have different numbers of them; "
                         "give the CT, too.")
    steps = [heights[0]]
    for height in heights[1:-1]:  # a slab reaches half-way to both neighbours
        steps.append(2 * height - steps[-1])
    if min(steps) <= 0:
        raise InputError(f"{scan.info.source}: the slab heights in {RESULT_JSON} belong to no stack of slices; give "
                         "the CT, too.")
    stack = scan.ijk_to_ras[:3, 2]
    places = np.concatenate([[0.0], np.cumsum(steps)]) / abs(stack @ scan.slice_normal_ras)
    origins = scan.ijk_to_ras[:3, 3] + places[:, None] * stack
    return CTVolume(scan.hu, scan.ijk_to_ras, origins, scan.info)


def _slab_heights_mm(path: Path) -> list[float] | None:
    beside = path.parent / RESULT_JSON
    if path.name != MASK_NRRD or not beside.is_file():
        return None
    try:
        geometry = json.loads(beside.read_text(encoding="utf-8"))["geometry"]
        heights = [float(value) for value in geometry["slab_heights_mm"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{beside} cannot be read ({error}); measure the case again.") from error
    return heights if len(heights) > 1 else None
