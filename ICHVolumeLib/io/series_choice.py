"""Which of the series of a folder is measured, and how the choice is told."""

from ..core.errors import InputError
from ..core.findings import INFO, WARNING, Finding
from .dicom_series import Series
from .series_parts import goes_on
from .series_words import listing, series_name, tag_words


def choose(series: list[Series], where, wanted=None, own=None) -> tuple[Series, list[Finding]]:
    """The series to measure, and findings that name the choice and what was left.

    series: as series_of gives them, best first. wanted: a series UID, or a place in that list from 1 on, as text.
    own: a file whose series is meant. Raises InputError when none can be measured, or when scans of several patients
    are there and none was asked for.
    """
    asked = _asked_for(series, where, wanted, own)
    usable = [item for item in asked if not item.problem]
    if not usable:
        reasons = "; ".join(f"{series_name(item)}: {item.problem}" for item in asked[:6])
        raise InputError(f"{where} holds no head CT that can be measured: {reasons}. Give the original axial "
                         "CT series.")
    patients = len({item.patient for item in usable})
    if patients > 1:
        raise InputError(f"{where} holds scans of {patients} patients, and only you can say whose is meant. Run the "
                         "same command again with --series and the number of the right one; whose a scan is shows when "
                         "its first file is opened in a DICOM viewer (the letters are given here): "
                         f"{listing(series, patients=True)}.")
    chosen, others = usable[0], [item for item in series if item is not usable[0]]
    parts = [item for item in others if _one_series(item, chosen) and item.marks != chosen.marks]
    findings = [_parts_finding(chosen, parts, series, WARNING if len(usable) > 1 else INFO)] if parts else []
    if len(parts) < len(others):
        findings.append(_choice_finding(chosen, others, usable, series, wanted or own))
    return chosen, findings + _rest_of_head(chosen, others, series)


def _asked_for(series, where, wanted, own):
    if own is not None:
        return [item for item in series if any(part.path == own for part in item.slices)]
    if wanted is None:
        return series
    wanted = str(wanted).strip()
    asked = [item for item in series if item.uid == wanted]
    if not asked and wanted.isdecimal() and 1 <= int(wanted) <= len(series):
        asked = [series[int(wanted) - 1]]
    if not asked:
        raise InputError(f"{where} has no series {wanted}; it has {listing(series)}.")
    return asked


def _one_series(item, other) -> bool:
    return (item.uid, item.study, item.patient) == (other.uid, other.study, other.patient)


def _parts_finding(chosen, parts, series, severity):
    tags = dict.fromkeys(tag_words(tag) for item in (chosen, *parts) for tag, _ in item.marks)
    others = ", ".join(f"{_value(item)} ({len(item.slices)} slices)" for item in parts)
    return Finding("several-scans-in-series", severity,
                   f"The series holds {len(parts) + 1} scans of the same place, told apart by {' and '.join(tags)}. "
                   f"Measured is the one with {_value(chosen)} ({len(chosen.slices)} slices); not measured: "
                   f"{others}. To measure another one, run the command again with what stands before it: "
                   f"{listing(series, chosen)}.")


def _rest_of_head(chosen, others, series) -> list[Finding]:
    """A warning where another series of the study goes on where the chosen one ends: base and vertex apart."""
    rest = [item for item in others if not item.problem and (item.study, item.patient) == (chosen.study, chosen.patient)
            and goes_on(chosen, item)]
    if not rest:
        return []
    numbers = " and ".join(f"--series {series.index(item) + 1}" for item in rest)
    return [Finding("head-in-two-series", WARNING,
                    f"Another series ({numbers}) goes on where the measured one ends: the head may lie in both, and a "
                    f"bleed in the other one is not measured. Measure that one too, with {numbers}, and add the "
                    "volumes, or export both as one series.")]


def _value(item) -> str:
    return " and ".join(f"{tag_words(tag)} {value}" if value else f"no {tag_words(tag)}" for tag, value in item.marks)


def _choice_finding(chosen, others, usable, series, asked):
    same = [item for item in others if item.uid == chosen.uid and not item.problem and item.marks == chosen.marks]
    rivals = [item for item in usable if item is not chosen]
    why = "it was asked for" if asked and not rivals else "it is " + ", ".join(chosen.strengths)
    text = f"{len(series)} image series were found. Measured is {series_name(chosen)}, because {why}. They are: " \
           f"{listing(series, chosen)}."
    if same:
        left_out = sum(len(item.slices) for item in same)
        numbers = " and ".join(f"--series {series.index(item) + 1}" for item in same)
        text += f" {left_out} images have the same series UID as the chosen scan but {_why_apart(same, chosen)}; " \
                f"they were left out ({numbers}), and a bleed in them is not measured. Open the first files of both: " \
                "if both are parts of one scan, export it again; if the other one is meant, run the command again " \
                f"with {numbers}."
    elif rivals and not asked:
        text += " To measure another one, run the command again with what stands before it."
    warn = same or rivals and not asked
    return Finding("series-chosen", WARNING if warn else INFO, text)


def _why_apart(others, chosen) -> str:
    reasons = ("another patient" if any(item.patient != chosen.patient for item in others) else "",
               "another study" if any(item.study != chosen.study for item in others) else "",
               "another direction or size of the slices" if any(_one_series(item, chosen) for item in others) else "")
    return " or ".join(filter(None, reasons))
