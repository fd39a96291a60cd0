"""Scans that are in two places, so that a model would be tested on what it was trained on: by study, patient, pixels.

Pixels are compared slice by slice: a slice's mark is a hash of how many of its pixels have each whole HU between 1 and
79 (brain and blood). It is the same for slices that were flipped, turned, cropped, padded, put into another order or
file format, given another value for air, or clipped to a brain window; one HU more or less on a few pixels changes it.
So it finds copies of one reconstruction, not another kernel or thickness of the same scan, nor what was resampled,
smoothed or stored with loss (JPEG): those are found by study and patient, where the files say them.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .case import DatasetCase

LOW_HU, HIGH_HU = 1, 80  # clipping to a usual window leaves what is between them
LEAST_PIXELS = 300  # between them, in a slice: fewer may agree by chance
DICOM = "DICOM"  # people: patients as a header names them


@dataclass(frozen=True)
class ScanMarks:
    """What a scan is recognized by.

    group: the data set, and its split where it has one; people: who numbers the patients ("" where nobody else does).
    slices: of every slice with enough brain; patient and study are compared, never written.
    """

    group: str
    case: str
    slices: tuple[str, ...]
    people: str = ""
    patient: str = field(default="", repr=False)
    study: str = field(default="", repr=False)


@dataclass(frozen=True)
class Duplicate:
    """Two scans that are or may be one. same_slices of slices (those of the shorter one) have the same pixels."""

    first: ScanMarks
    second: ScanMarks
    same_study: bool
    same_patient: bool
    same_slices: int
    slices: int

    @property
    def is_leak(self) -> bool:
        """Whether the two lie in different groups, so that one may be trained on and the other tested on."""
        return self.first.group != self.second.group

    @property
    def why(self) -> str:
        words = [f"{self.same_slices} of {self.slices} slices have the same pixels"] if self.same_slices else []
        words += ["the same study"] if self.same_study else []
        words += ["the same patient"] if self.same_patient else []
        return ", ".join(words)


def marks_of(case: DatasetCase, group: str, people: str = "") -> ScanMarks:
    """The marks of a case; its split becomes a part of the group's name. DICOM counts only with a patient ID."""
    people = "" if people == DICOM and not case.ct.info.patient_id else people
    return ScanMarks(f"{group} {case.split}".strip(), case.id, slice_marks(case.ct.hu), people,
                     case.patient, case.study or case.ct.info.study_uid)


def slice_marks(hu: np.ndarray) -> tuple[str, ...]:
    """A text for every slice of (slices, rows, columns) HU that shows enough brain."""
    marks = []
    for plane in hu:
        brain = plane[(plane >= LOW_HU) & (plane < HIGH_HU)]
        if brain.size >= LEAST_PIXELS:
            counts = np.bincount(brain.astype(np.int64), minlength=HIGH_HU).astype("<i8")
            marks.append(hashlib.blake2b(counts.tobytes(), digest_size=12).hexdigest())
    return tuple(marks)


def duplicates(scans: list[ScanMarks]) -> list[Duplicate]:
    """Every pair of scans with a slice, a study or (in different groups) a patient in common, those across groups
    first, then in the order of `scans`."""
    pairs = _sharing(enumerate(set(one.slices) for one in scans))
    studies = set(_sharing((at, {one.study}) for at, one in enumerate(scans) if one.study))
    patients = {pair for pair in _sharing((at, {one.patient}) for at, one in enumerate(scans) if one.people)
                if scans[pair[0]].group != scans[pair[1]].group and _same_people(*(scans[at] for at in pair))}
    found = []
    for first, second in sorted(set(pairs) | studies | patients):
        one, other = scans[first], scans[second]
        found.append(Duplicate(one, other, (first, second) in studies, (first, second) in patients,
                               pairs.get((first, second), 0), min(len(set(one.slices)), len(set(other.slices)))))
    return sorted(found, key=lambda pair: not pair.is_leak)


def _sharing(named: Iterable[tuple[int, set[str]]]) -> Counter[tuple[int, int]]:
    """(place, place) -> how many words two sets have in common, the smaller place first."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, words in named:
        for word in words:
            places[word].append(at)
    return Counter(pair for at in places.values() for pair in _pairs(at))


def _pairs(places: list[int]) -> Iterator[tuple[int, int]]:
    return ((first, second) for number, first in enumerate(places) for second in places[number + 1:])


def _same_people(one: ScanMarks, other: ScanMarks) -> bool:
    """Whether equal patient numbers mean one person: one numbering, or a header that has it, too."""
    return one.people == other.people or DICOM in (one.people, other.people)
