"""Whether two scans are of one patient, and which came first, by what their files say; nothing of it leaves here.

Names, IDs and birth dates are compared in memory only; what is told is which of them agree.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .patient_identity import scanned_at
from .read_ct import list_series

SAME, DIFFERENT, CONFLICT, CANNOT_TELL = "same", "different", "conflict", "cannot tell"
# what removers of names write; equal in two patients
_NOBODY = {"", "0", "NONE", "NULL", "NA", "N/A", "UNKNOWN", "ANON", "ANONYMOUS", "ANONYMIZED", "ANONYMISED",
           "DEIDENTIFIED", "DE-IDENTIFIED", "REMOVED", "REDACTED", "PATIENT", "TEST", "19000101", "00010101"}


@dataclass(frozen=True)
class ScanIdentity:
    """Unknown values are empty. scanned_at: ISO 8601, without the time where only the day is known."""

    patient_id: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    scanned_at: str = ""


@dataclass(frozen=True)
class Verdict:
    """answer: one of the four above; why: in words, without any value."""

    answer: str
    why: str


def identity_of(path: Path, series_uid: str) -> ScanIdentity:
    """Of a DICOM series (series_uid: a UID or a number, as for read_ct); of other files nothing is known."""
    series = list_series(path)
    asked = [one for one in series if one.uid == series_uid]
    if not asked and series_uid.isdecimal() and 1 <= int(series_uid) <= len(series):
        asked = [series[int(series_uid) - 1]]
    if not asked and not series_uid:
        asked = series[:1]
    if not asked:
        return ScanIdentity()
    first = asked[0].slices[0]
    name = " ".join(first.text("PatientName").replace("^", " ").upper().split())
    return ScanIdentity(first.text("PatientID").upper(), name, first.text("PatientBirthDate"),
                        first.text("StudyInstanceUID"), asked[0].uid, scanned_at(first))


def compare_patients(one: ScanIdentity, other: ScanIdentity) -> Verdict:
    """An equal ID, or an equal name with an equal birth date, makes two scans one patient's, unless the rest differs.
    So does one study UID. An equal name alone, or birth date alone, proves nothing."""
    agree: list[str] = []
    differ: list[str] = []
    for words, name in (("patient ID", "patient_id"), ("name", "name"), ("birth date", "birth_date")):
        values = [getattr(identity, name) for identity in (one, other)]
        if not any(value in _NOBODY for value in values):
            (agree if values[0] == values[1] else differ).append(words)
    if one.study_uid and one.study_uid == other.study_uid and not differ:
        return Verdict(SAME, "both scans belong to one study")
    if agree and differ:
        return Verdict(CONFLICT, f"{_and(agree)} agree{'s' * (len(agree) == 1)}, {_and(differ)} "
                                 f"differ{'s' * (len(differ) == 1)}")
    if differ:
        return Verdict(DIFFERENT, f"{_and(differ)} differ{'s' * (len(differ) == 1)}")
    if "patient ID" in agree or {"name", "birth date"} <= set(agree):
        return Verdict(SAME, f"{_and(agree)} agree{'s' * (len(agree) == 1)}")
    return Verdict(CANNOT_TELL, f"only the {agree[0]} can be compared" if agree else "the files say nothing of the "
                                                                                      "patient that could be compared")


def hours_between(earlier_at: str, later_at: str) -> float | None:
    """None where a time of day is not known; negative when the later scan came first."""
    if "T" not in earlier_at or "T" not in later_at:
        return None
    return (datetime.fromisoformat(later_at) - datetime.fromisoformat(earlier_at)).total_seconds() / 3600


def is_before(one_at: str, other_at: str) -> bool | None:
    """Whether one was scanned before the other; None where the files do not say, False at the same time."""
    if not one_at or not other_at:
        return None
    length = min(len(one_at), len(other_at))
    return None if one_at[:length] == other_at[:length] and len(one_at) != len(other_at) else one_at < other_at


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
