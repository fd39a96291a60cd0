"""One DICOM CT series to a CTVolume: true slice positions, Hounsfield units, duplicates, damage.

The matrix is the one of 3D Slicer's own DICOM reader: first slice's origin, and as third column the regular step
from the first to the last slice, so a tilted gantry gives a sheared matrix (DICOM PS3.3, C.7.6.2.1.1).
"""

from collections import Counter
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume, ScanInfo
from ..core.errors import InputError
from ..core.findings import INFO, Finding
from ..core.text import shown
from .dicom_pixels import read_hu
from .dicom_series import Slice, index_folder, series_of
from .hounsfield import to_int16_hu
from .images import is_image_name
from .mixed_slices import contrast_words, first_sharp, mixed_findings
from .patient_identity import scanned_at
from .plain_ct import least_plain, lossy_findings, plain_first
from .series_choice import choose

SAME_POSITION_MM = 0.01  # positions are written to about this; closer slices are at one place
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def read_dicom(path, series_uid=None, files=None) -> CTVolume:
    """Read the series to measure under a folder, or the series of one file. series_uid: a UID, or a number in the list
    of series (see series_choice). files: of a folder of many scans, those of this one.

    Raises InputError when nothing can be measured, a slice is damaged, or slices contradict each other.
    """
    path = Path(path)
    found = index_folder(path, files)
    own = path if path.is_file() and not series_uid else None
    if own:
        _refuse_no_image(path, found)
    if not found.slices:
        raise _nothing_found(path, found)
    chosen, findings = choose(plain_first(series_of(found.slices)), path, series_uid, own)
    _refuse_damaged(found.damaged, chosen.uid)
    if found.skipped and path.is_dir():
        findings.append(_left_out("files-skipped", "no DICOM image", found.skipped))
    if found.damaged:
        findings.append(_left_out("files-damaged", "damaged, of another series", list(found.damaged)))
    slices, dropped = _one_per_position(_sorted(chosen.slices))
    hu, changed = _stack(path, slices)
    findings += dropped + changed
    findings += lossy_findings(slices) + mixed_findings(slices)
    matrix, origins = _geometry(slices)
    return CTVolume(hu, matrix, origins, _info(path, slices), tuple(findings))


def _refuse_no_image(path, found):
    if path in found.damaged:
        raise InputError(f"{path} {found.damaged[path][0]}; copy the series again.")
    if not any(item.path == path for item in found.slices):
        raise InputError(f"{path} is not a DICOM image, NIfTI or NRRD file; give the folder of CT slices.")


def _nothing_found(path, found):
    if found.damaged:
        damaged, (why, _) = next(iter(found.damaged.items()))
        return InputError(f"{path} has no readable DICOM image: {damaged.name} {why}; copy the series again.")
    images = [item.name for item in found.skipped if is_image_name(item.name)]
    if path.is_dir() and images:
        return InputError(f"{path} holds no DICOM image but {', '.join(images[:3])}; give that file itself.")
    count = "1 file, which is no DICOM image" if len(found.skipped) == 1 else \
        f"{len(found.skipped)} files, none of them a DICOM image" if found.skipped else "it is empty"
    return InputError(f"{path} holds no scan ({count}); "
                      "give the folder of CT slices, or a .nii, .nii.gz or .nrrd file.")


def _refuse_damaged(damaged, uid):
    """A missing slice changes the volume, so a damaged file that may belong to the series stops the reading."""
    hits = [(path, why) for path, (why, owner) in damaged.items() if owner in ("", uid)]
    if hits:
        more = f" ({len(hits)} such files)" if len(hits) > 1 else ""
        raise InputError(f"{hits[0][0]} {hits[0][1]}{more}; copy the series again, or move the file away "
                         "if it is not part of it.")


def _left_out(code, what, paths):
    names = ", ".join(shown(path.name) for path in paths[:3]) + (", ..." if len(paths) > 3 else "")
    count = "1 file is" if len(paths) == 1 else f"{len(paths)} files are"
    return Finding(code, INFO, f"{count} {what} and left out: {names}. All others were read. Nothing needs to be done "
                               "unless one of them should be a slice; then copy or export it again.")


def _sorted(slices) -> list[Slice]:
    normal = slices[0].normal
    return sorted(slices, key=lambda item: (float(item.position @ normal), item.number("InstanceNumber") or 0))


def _one_per_position(slices):
    """Drop exact duplicates; other pixels at one position are refused. -> slices, findings"""
    kept, dropped = [], 0
    for place in _places(slices):
        distinct = _distinct(place)
        if len(distinct) > 1:
            raise _clash(*distinct[:2])
        dropped += len(place) - 1
        kept += distinct
    if not dropped:
        return kept, []
    count = "1 slice is" if dropped == 1 else f"{dropped} slices are"
    return kept, [Finding("duplicate-slices", INFO, f"{count} a copy of another one (same position, same pixels) and "
                                                    "left out. Nothing needs to be done.")]


def _distinct(place):
    if len(place) == 1:
        return place
    distinct: list[Slice] = []
    seen: list[np.ndarray] = []
    for item in place:
        hu = read_hu(item)
        sideways = [np.abs(item.position - other.position).max() for other in distinct]
        if not any(np.array_equal(hu, other) and shift < SAME_POSITION_MM
                   for other, shift in zip(seen, sideways, strict=True)):
            distinct.append(item)
            seen.append(hu)
    return distinct


def _places(slices) -> list[list[Slice]]:
    places: list[list[Slice]] = []
    for item in slices:
        if places and abs((item.position - places[-1][0].position) @ item.normal) < SAME_POSITION_MM:
            places[-1].append(item)
        else:
            places.append([item])
    return places


def _clash(first, second) -> InputError:
    return InputError(f"{first.path.name} and {second.path.name} show different images at the same height "
                      f"({first.position[2]:.1f} mm), and nothing in the files says which belongs to which scan; "
                      "export one scan into a folder of its own.")


def _stack(path, slices):
    stack = None
    for k, item in enumerate(slices):
        hu = read_hu(item)
        if stack is None:
            stack = np.empty((len(slices), *hu.shape), hu.dtype)
        elif hu.dtype != stack.dtype:
            stack = stack.astype(np.result_type(hu, stack), copy=False)
        stack[k] = hu
    try:
        return to_int16_hu(stack)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _geometry(slices):
    first = slices[0]
    spacing = first.text("PixelSpacing").split("\\")
    try:
        between_rows, between_columns = (float(value) for value in spacing)
    except ValueError as error:
        raise InputError(f"{first.path}: the pixel spacing is {first.text('PixelSpacing') or 'missing'}; "
                         "export the original CT series.") from error
    if min(between_rows, between_columns) < 0:
        raise InputError(f"{first.path}: the pixel spacing is {first.text('PixelSpacing')}, which mirrors the image; "
                         "export the original CT series.")
    origins = np.array([item.position for item in slices]) @ _LPS_TO_RAS
    along_row, along_column = (axis / np.linalg.norm(axis) for axis in (first.orientation[:3], first.orientation[3:]))
    matrix = np.eye(4)
    matrix[:3, 0] = _LPS_TO_RAS @ along_row * between_columns
    matrix[:3, 1] = _LPS_TO_RAS @ along_column * between_rows
    matrix[:3, 2] = (origins[-1] - origins[0]) / max(len(origins) - 1, 1)
    matrix[:3, 3] = origins[0]
    return matrix, origins


def _info(path, slices) -> ScanInfo:
    first = slices[0]
    thicknesses = [item.number("SliceThickness") for item in slices]
    known = [value for value in thicknesses if value]
    odd = least_plain(slices)
    return ScanInfo(
        source=shown(path), modality=first.text("Modality"), series_uid=first.text("SeriesInstanceUID"),
        series_description=shown(odd.text("SeriesDescription")), manufacturer=shown(first.text("Manufacturer")),
        kernel=shown(first_sharp(slices).text("ConvolutionKernel")), protocol_name=shown(first.text("ProtocolName")),
        contrast_agent=next(filter(None, map(contrast_words, slices)), ""),
        body_part=shown(first.text("BodyPartExamined")),
        slice_thickness_mm=Counter(known).most_common(1)[0][0] if known else None,
        slice_thicknesses_mm=tuple(known) if len(known) == len(slices) else (),
        gantry_tilt_tag_deg=first.number("GantryDetectorTilt"), patient_age_years=_age_years(first),
        image_type=odd.text("ImageType"), rescale_type=odd.text("RescaleType"), patient_id=first.text("PatientID"),
        scanned_at=scanned_at(first), study_uid=first.text("StudyInstanceUID"))


def _age_years(item) -> float | None:
    """From PatientAge ("063Y", "011M"), else from birth date and study date."""
    age = item.text("PatientAge")
    per_year = {"Y": 1, "M": 12, "W": 52.18, "D": 365.25}
    if age[:-1].isdigit() and age[-1:].upper() in per_year:
        return int(age[:-1]) / per_year[age[-1].upper()]
    born, studied = item.text("PatientBirthDate"), item.text("StudyDate")
    if len(born) == 8 and len(studied) == 8 and born.isdigit() and studied.isdigit():
        years = int(studied[:4]) - int(born[:4]) - (studied[4:] < born[4:])
        return float(years) if 0 <= years < 130 else None
    return None
