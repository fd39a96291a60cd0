"""A mask from a file of any kind onto its CT's grid; what its labels mean is known, assumed aloud, or asked for.

Kinds: .seg.nrrd, .nrrd, .nhdr, .nii, .nii.gz, and DICOM SEG (any name). Where segments overlap, IVH wins over ICH.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import INFO, WARNING, Finding
from ..core.labels import ICH, IVH, LABELS
from . import mask_segments
from .dicom_seg_mask import is_dicom, segments_of_dicom
from .images import is_image_name
from .label_names import IGNORE, LABEL_OF, checked_labels, is_unnamed, meaning_of
from .mask_grid import match_grid, onto_grid
from .mask_segments import Segment
from .nifti import read_nifti
from .nrrd import read_nrrd

PLAIN_VALUES = {1: "ich", 2: "ivh"}  # of a labelmap that says nothing of its values
EIGHT_BIT_YES = 255  # a labelmap with this value alone is yes and no, as image programs write it
_SAID, _NAMED, _ASSUMED = "said", "named", "assumed"


@dataclass(frozen=True, eq=False)
class _MaskFile:
    """segments: empty ones too; shape, matrix: of their voxels; is_plain: a labelmap whose values nothing names."""

    segments: list[Segment]
    shape: tuple[int, ...]
    matrix: np.ndarray
    is_plain: bool = False


def read_mask(path, ct: CTVolume, labels=None) -> np.ndarray:
    """uint8 (slices, rows, columns) on the grid of `ct`: 1 ICH, 2 IVH.

    labels: {segment name or value: "ich", "ivh" or "ignore"}, where the file does not say it or is to be overruled.
    Segments count by name and terminology codes (label_names.py); what is known but no blood in brain or ventricles is
    left out. A labelmap without names has 1 for ICH and 2 for IVH. The same grid stored with axes reversed, swapped or
    cropped is put right. Raises InputError for another grid, and for a label whose meaning is not known.
    """
    return read_mask_and_findings(path, ct, labels)[0]


def read_mask_and_findings(path, ct: CTVolume, labels=None, *,
                           plain_values_known=False) -> tuple[np.ndarray, list[Finding]]:
    """read_mask, and what was noticed: how labels were understood (mask-labels), what was left out (mask-left-out),
    overlaps (mask-overlap), rounded values (mask-rounded), a DICOM SEG of another series (mask-other-series).

    plain_values_known: numbers without names are 1 ICH and 2 IVH by a rule of their source, so nothing is assumed.
    """
    path, labels = Path(path), checked_labels(labels)
    findings: list[Finding] = []
    drawn = _load(path, ct, labels, findings)
    marked = [segment for segment in drawn.segments if segment.voxels]
    meanings = _meanings(path, drawn, marked, labels, _SAID if plain_values_known else _ASSUMED, findings)
    painted, overlap = _painted(meanings, drawn.shape)
    mask = onto_grid(path, painted, drawn.matrix, ct)
    findings += _about_left_out(meanings, drawn, ct)
    if overlap.any():
        findings.append(Finding("mask-overlap", WARNING, f"{_size_words(overlap, drawn, ct)} are marked as ICH and as "
                                                         "IVH; they were counted as IVH, once."))
    return mask, findings


def _load(path, ct, labels, findings) -> _MaskFile:
    path = _file_of(path)
    if not is_image_name(path.name):
        if not is_dicom(path):
            raise InputError(f"{path} is not a mask file this program reads; give .seg.nrrd, .nrrd, .nii.gz or "
                             "DICOM SEG.")
        segments, noticed = segments_of_dicom(path, ct)
        findings += noticed
        return _MaskFile(segments, ct.hu.shape, ct.ijk_to_ras)
    array, matrix, header = _read_image(path)
    if array.size == 1 and not array.any():
        return _MaskFile([], ct.hu.shape, ct.ijk_to_ras)  # how 3D Slicer saves a segmentation without voxels
    if matrix is None:
        raise InputError(f"{path} does not say where its voxels lie; save the mask with its geometry.")
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    array, farthest = mask_segments.whole_numbers(path, array)
    if farthest > 1e-3:
        findings.append(Finding("mask-rounded", INFO, f"The mask's values are up to {farthest:.2g} away from whole "
                                                      "numbers and were rounded."))
    if mask_segments.has_segments(header):
        layers = array if array.ndim == 4 else array[..., None]
        return _MaskFile(mask_segments.segments_of_header(path, layers, header), layers.shape[:3], matrix)
    if array.ndim != 3:
        raise InputError(f"{path} has {array.ndim} axes; give a mask with one value per voxel.")
    values = mask_segments.counts_of(array)
    names = None if all(str(value) in labels for value in values) else mask_segments.names_beside(path)
    segments = mask_segments.segments_of_values(array, values, names or {})
    return _MaskFile(segments, array.shape, matrix, is_plain=names is None)


def _file_of(path) -> Path:
    """The file itself, or the only file of a folder (as archives export a DICOM SEG)."""
    inside = [item for item in path.iterdir() if not item.name.startswith(".")] if path.is_dir() else []
    if len(inside) == 1 and inside[0].is_file():
        return inside[0]
    if path.is_dir():
        raise InputError(f"{path} is a folder with {len(inside)} entries; give the mask file itself.")
    if not path.is_file():
        raise InputError(f"There is no mask file {path}; check the path.")
    return path


def _read_image(path):
    if path.name.lower().endswith((".nrrd", ".nhdr")):
        nrrd = read_nrrd(path)
        return nrrd.array, nrrd.matrix, nrrd.header
    nifti = read_nifti(path)
    return nifti.array, nifti.matrix, {}


def _meanings(path, drawn, marked, labels, how_plain, findings) -> list[tuple[Segment, str]]:
    """(segment, meaning) of every marked segment. Raises InputError when one is not known."""
    known = []
    for segment in marked:
        said = next((labels[key.strip().lower()] for key in (segment.name, *segment.keys)
                     if key.strip().lower() in labels), None)
        meaning = said or meaning_of(segment.name, segment.coded)
        known.append((segment, meaning, _SAID if said else _NAMED))
    if drawn.is_plain:
        known = _with_plain_values(path, known, how_plain)
    elif len(known) == 1 and _may_be_the_bleed(*known[0]):
        known = [(known[0][0], "ich", _ASSUMED)]
    unknown = [segment for segment, meaning, _ in known if meaning is None]
    if unknown:
        raise _asked_for(path, unknown, marked, drawn.is_plain)
    findings += _about_labels(known, drawn.is_plain)
    findings += _about_unused(drawn.segments, labels)
    return [(segment, meaning) for segment, meaning, _ in known if meaning is not None]


def _with_plain_values(path, known, how_plain):
    """Values without a name: by the file's own name where it is the only one (TotalSegmentator writes one file for each
    structure), else 1 is ICH and 2 IVH."""
    open_values = [int(segment.keys[0]) for segment, meaning, _ in known if meaning is None]
    if len(known) == 1 and open_values in ([1], [EIGHT_BIT_YES]):
        name = path.name.split(".")[0]
        by_file = meaning_of(name)
        if by_file == IGNORE:
            raise InputError(f"{path} is by its name no blood in the brain or its ventricles; give the mask of the "
                             f"hematoma. If this is it, run the command again with {_option(open_values[0], False)}.")
        named = replace(known[0][0], name=name) if by_file else known[0][0]
        by_rule = how_plain if open_values == [1] else _ASSUMED
        return [(named, by_file or "ich", _NAMED if by_file else by_rule)]
    return [(segment, PLAIN_VALUES.get(int(segment.keys[0])), how_plain) if meaning is None else (segment, meaning, how)
            for segment, meaning, how in known]


def _may_be_the_bleed(segment, meaning, _how) -> bool:
    """The one guess: a file's only segment without a telling name, and with no code but "hemorrhage", is the bleed."""
    return meaning is None and not segment.stray and is_unnamed(segment.name) \
        and segment.coded in ("", "hemorrhage", "hematoma")


def _asked_for(path, unknown, marked, is_plain) -> InputError:
    shown = unknown[:8]
    names = ", ".join(map(_doubt, shown)) + (", ..." if len(unknown) > 8 else "")
    if is_plain:
        values = ", ".join(segment.keys[0] for segment in marked[:8]) + (", ..." if len(marked) > 8 else "")
        numbers = "numbers" if len(marked) > 1 else "the number"
        text = f"{path} marks with {numbers} {values} and does not say what is meant. {_ANSWER}: " \
               f"{_example(marked)}. A number that is left out counts as 1 = ICH, 2 = IVH."
        return InputError(text + (f" {_BHSD}." if len(marked) > 2 else ""))
    if all(segment.stray for segment in unknown):
        return InputError(f"{path} holds marked voxels that belong to none of its segments: {names}. Open it in the "
                          f"program that made it and save it again; or, if you know what they are: {_ANSWER}: "
                          f"{_example(unknown)}.")
    return InputError(f"{path}: it is not known what is meant by {names}. {_ANSWER}: {_example(unknown)}.")


_ANSWER = "Run the command again and say of each one whether it is ich (blood in the brain), ivh (in the ventricles)" \
          " or ignore (not to be counted), for example"
_BHSD = "A mask of the public data set BHSD (1 EDH, 2 IPH, 3 IVH, 4 SAH, 5 SDH) needs " \
        "--label 1=ignore --label 2=ich --label 3=ivh --label 4=ignore --label 5=ignore"


def _doubt(segment) -> str:
    """The segment's name, and its code where the two contradict each other."""
    by_code = meaning_of("", segment.coded) if segment.coded else None
    return f'{segment.title} (the code stored with it says "{segment.coded}")' if by_code else segment.title


def _example(segments) -> str:
    said = [_MEANING_OF_KEY.get(segment.keys[0], "ich" if n == 0 and (segment.name or len(segments) == 1) else IGNORE)
            for n, segment in enumerate(segments[:8])]
    return " ".join(_typed(segment.label_key, meaning) for segment, meaning in zip(segments, said, strict=False))


_MEANING_OF_KEY = {"1": "ich", "2": "ivh"}


def _typed(key, meaning) -> str:
    return f'--label "{key}={meaning}"' if " " in str(key) else f"--label {key}={meaning}"


def _option(key, ignore=True) -> str:
    """The ways to answer, each as it is typed."""
    ich, ivh, neither = (_typed(key, meaning) for meaning in ("ich", "ivh", IGNORE))
    if not ignore:
        return f"{ich} (blood in the brain) or {ivh} (in the ventricles)"
    return f"{ich} (blood in the brain), {ivh} (in the ventricles) or {neither} (not to be counted)"


def _about_labels(known, is_plain) -> list[Finding]:
    counted = [(segment, meaning, how) for segment, meaning, how in known if meaning != IGNORE]
    assumed = [(segment, meaning) for segment, meaning, how in counted if how is _ASSUMED]
    findings = []
    if assumed and is_plain:
        findings.append(_assumed_values(assumed))
    elif assumed:
        segment = assumed[0][0]
        findings.append(Finding("mask-labels", WARNING,
                                f"The mask's only segment ({segment.title}) does not say what it is and was counted as "
                                f"ICH. If it is something else, measure again with {_option(segment.label_key)}."))
    told = [(segment, meaning) for segment, meaning, how in counted
            if how is not _ASSUMED and not _is_our_name(segment, meaning)]
    if told:
        words = "; ".join(f"{segment.title} as {LABEL_OF[meaning].name}" for segment, meaning in told)
        findings.append(Finding("mask-labels", INFO, "Segments of the mask were counted by their names or by the codes "
                                                     f"stored with them: {words}."))
    return findings


def _assumed_values(assumed) -> Finding:
    value = int(assumed[0][0].keys[0])
    if value not in PLAIN_VALUES:
        return Finding("mask-labels", WARNING, f"The mask has one single number, {value}, which was counted as ICH. If "
                                               f"it is something else, measure again with {_option(value)}.")
    else:
        words = " and ".join(f"{segment.keys[0]} was counted as {LABEL_OF[meaning].name}"
                             for segment, meaning in assumed)
        text = f"The mask has numbers without names; {words}, as is usual here."
    return Finding("mask-labels", WARNING, f"{text} Other programs number differently (in the public data set BHSD 1 "
                                           f"is epidural and 2 intraparenchymal): if so, measure again and say it for "
                                           f"every number, {_option(value)}.")


def _is_our_name(segment, meaning) -> bool:
    label = LABEL_OF[meaning]
    return segment.name.strip().lower() in (label.name.lower(), label.long_name.lower())


def _about_unused(segments, labels) -> list[Finding]:
    here = {key.strip().lower() for segment in segments for key in (segment.name, *segment.keys)}
    unused = [key for key in labels if key not in here and not key.lstrip("-").isdigit()]
    if not unused:
        return []
    there = ", ".join(segment.title for segment in segments[:12]) or "no segment"
    return [Finding("mask-labels", WARNING, f"--label names {', '.join(unused)}, which the mask does not have; it has "
                                            f"{there}.")]


def _about_left_out(meanings, drawn, ct) -> list[Finding]:
    left_out = [segment for segment, meaning in meanings if meaning == IGNORE]
    if not left_out:
        return []
    names = ", ".join(f"{segment.title} ({_size_words(segment.marked(), drawn, ct)})" for segment in left_out[:12])
    more = f" and {len(left_out) - 12} more" if len(left_out) > 12 else ""
    return [Finding("mask-left-out", WARNING, "Left out, because only blood in the brain (ICH) and in its ventricles "
                                              f"(IVH) is measured: {names}{more}. If one of them is such blood, "
                                              f"measure again with {_option(left_out[0].label_key, ignore=False)}.")]


def _size_words(marked, drawn, ct) -> str:
    """mL by the CT's true slab heights; voxels where some lie outside the CT."""
    match = match_grid(drawn.shape, drawn.matrix, ct.ijk_to_ras)
    placed = match.place(marked, ct.hu.shape) if match else None
    if placed is None:
        return f"{np.count_nonzero(marked)} voxels, partly outside the CT"
    return f"{placed.sum(axis=(1, 2)) @ ct.voxel_volumes_mm3 / 1000:.1f} mL"


def _painted(meanings, shape) -> tuple[np.ndarray, np.ndarray]:
    """uint8 mask on the file's grid, and where it is marked as both."""
    mask, both = np.zeros(shape, np.uint8), np.zeros(shape, bool)
    for label in LABELS:  # ICH, then IVH
        for segment, meaning in meanings:
            if LABEL_OF.get(meaning) is label:
                marked = segment.marked()
                both |= marked & (mask == ICH.value) if label is IVH else False
                mask[marked] = label.value
    return mask, both
