"""The grid of a scan held against what can be true of a head, and said where it can only be believed.

A NIfTI or NRRD file has one matrix and no position per slice: it cannot say that slices were uneven, and a tilted
gantry only as a shear, which converters drop. What such a file lost cannot be found again, so it is said.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import INFO, WARNING, Finding
from ..core.text import number_words
from .scan_words import ScanWords

FIELD_OF_VIEW_MM = (50.0, 1000.0)  # gantries are 700 to 850 mm wide; a cropped infant's head is above 50
SLICE_STEP_MM = (0.05, 50.0)
TILT_NAMED_FROM_DEG = 0.5  # as in quality.checks
FINE_AS = 0.8  # axial slices are at least about as far apart as their pixels
_AXIS_LETTERS = ("RL", "AP", "SI")


def refuse_impossible(ct: CTVolume) -> None:
    """Raises InputError when no head CT has such a field of view or slice distance."""
    rows, columns = ct.hu.shape[1:]
    row_mm, column_mm = ct.pixel_spacing_mm
    low, high = FIELD_OF_VIEW_MM
    if not (low <= rows * row_mm <= high and low <= columns * column_mm <= high):
        raise InputError(f"{ct.info.source}: its slices measure {number_words(rows * row_mm, 3)} x "
                         f"{number_words(columns * column_mm, 3)} mm (pixels of {number_words(row_mm, 3)} x "
                         f"{number_words(column_mm, 3)} mm), which no head CT does; the voxel size is "
                         "probably in another unit than millimetres. Export the original series.")
    steps = ct.slice_steps_mm
    if steps.min() < SLICE_STEP_MM[0] or np.median(steps) > SLICE_STEP_MM[1]:
        raise InputError(f"{ct.info.source}: its slices lie {steps.min():.4g} to {steps.max():.4g} mm apart, which no "
                         "head CT's do; export the original series.")


def axial_slices(array, matrix) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """Array (k, j, i) and matrix turned so that k runs along the head, when the fine pixels are the axial ones.

    Axes are only exchanged, no value changes. A real sagittal or coronal stack (thick across, fine along the head)
    is left as it is.
    """
    axes = np.asarray(matrix, float)[:3, :3]
    size_mm = np.linalg.norm(axes, axis=0)
    if not np.isfinite(axes).all() or not (size_mm > 0).all():
        return array, matrix, []
    along_head = int(np.argmax(np.abs(axes[2] / size_mm)))
    others = [axis for axis in range(3) if axis != along_head]
    if along_head == 2 or size_mm[along_head] < FINE_AS * size_mm[others].max():
        return array, matrix, []
    first = max(others, key=lambda axis: abs(axes[0, axis]) / size_mm[axis])  # columns run between right and left
    order = [first, next(axis for axis in others if axis != first), along_head]
    turned = np.array(matrix, float)
    turned[:, :3] = turned[:, order]
    stored = ", ".join(_AXIS_LETTERS[int(np.argmax(np.abs(axes[:, axis] / size_mm[axis])))] for axis in range(3))
    finding = Finding("axes-reordered", INFO, f"The file stores its voxels along {stored}; they were read as axial "
                                              "slices, without changing a value.")
    return array.transpose([2 - axis for axis in order[::-1]]), turned, [finding]


def unknown_size(ct: CTVolume, stated: bool) -> list[Finding]:
    """ "voxel-size-unknown" when the file states no matrix, or one that says nothing (every voxel 1 mm, from 0)."""
    sizes = " x ".join(number_words(value, 3) for value in (*ct.pixel_spacing_mm[::-1], np.median(ct.slice_steps_mm)))
    if not stated:
        said = "The file does not say how its voxels lie in the patient (its fields sform and qform are empty)"
        taken = f"Taken are {sizes} mm and slices from feet to head, patient's right on the left side of the picture"
    elif _says_nothing(ct.ijk_to_ras):
        said = "The file says that every voxel measures exactly 1 x 1 x 1 mm from the origin on, which is what " \
               "programs write that do not know the size"
        taken = "Taken is 1 mm"
    else:
        return []
    return [Finding("voxel-size-unknown", WARNING,
                    f"VOXEL SIZE UNKNOWN. {said}. {taken}; every volume and length, and left and right, may be wrong "
                    "by any amount. Do not use the numbers before they are confirmed on the original series.")]


def believed_grid(ct: CTVolume, words: ScanWords) -> list[Finding]:
    """What is assumed of a file without slice positions, and where its own words contradict its grid."""
    step = float(np.median(ct.slice_steps_mm))
    findings = [Finding("even-spacing-assumed", WARNING,
                        f"The file has no position for each slice: even spacing is ASSUMED ({len(ct.hu)} slices, "
                        f"{number_words(step, 3)} mm apart). If the original slices were unevenly spaced or tilted and "
                        "the converter did not keep that, volumes can be wrong by half or more, and nothing in the "
                        "file shows it. Measure the DICOM series where you have it.")]
    return findings + _tilt(ct, words) + _spacing(words, step) + _resampled(words)


def _tilt(ct, words):
    findings = []
    if ct.tilt_deg >= TILT_NAMED_FROM_DEG:
        confirmed = words.tilt_deg is not None and abs(abs(words.tilt_deg) - ct.tilt_deg) <= 1
        why = f"as {words.source} says of the gantry" if confirmed else \
            "as by a tilted gantry, but no slice position or header field confirms it"
        findings.append(Finding("gantry-tilt", INFO if confirmed else WARNING,
                                f"The voxel grid is slanted (sheared) by {ct.tilt_deg:.1f} degrees, {why}. Heights "
                                "were measured across the slices of this grid, and are right only if that slant is "
                                f"true{'.' if confirmed else ': measure the DICOM series where you have it.'}"))
    if words.tilt_deg is not None and abs(abs(words.tilt_deg) - ct.tilt_deg) > 1:
        loss = 100 * (1 - abs(np.cos(np.radians(words.tilt_deg))))
        findings.append(Finding("tilt-tag", WARNING,
                                f"The gantry was tilted by {abs(words.tilt_deg):.1f} degrees ({words.source}), but the "
                                f"voxel grid is slanted by {ct.tilt_deg:.1f}. Either the scan was resampled or the "
                                f"converter lost the slant; then volumes are wrong by about {loss:.1f} % and shapes "
                                "are distorted. Measure the DICOM series."))
    return findings


def _spacing(words, step):
    if not words.spacing_mm or abs(abs(words.spacing_mm) - step) <= 0.01 * step + 0.01:
        return []
    return [Finding("spacing-conflict", WARNING,
                    f"The file places its slices {number_words(step, 3)} mm apart, {words.source} says "
                    f"{number_words(abs(words.spacing_mm), 3)} mm. The former was used; if the latter is right, the "
                    f"true volume is {number_words(abs(words.spacing_mm) / step, 2)} times what is shown. Do not use "
                    "the numbers before this is settled; measure the DICOM series.")]


def _resampled(words):
    if not words.resampled:
        return []
    what = "a tilt was undone" if words.resampled == "tilt" else "uneven slices were made even"
    return [Finding("resampled", INFO, f"By its name (dcm2niix) this is a copy in which {what} by resampling; values "
                                       "between slices are interpolated.")]


def _says_nothing(matrix) -> bool:
    axes = np.abs(matrix[:3, :3])
    unit = np.allclose(np.sort(axes, axis=0), [[0, 0, 0], [0, 0, 0], [1, 1, 1]], atol=1e-6)
    return unit and not np.abs(matrix[:3, 3]).max() > 1e-6
