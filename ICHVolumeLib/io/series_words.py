"""A series of a DICOM folder in words: which scan it is, what tells it from others. Names of patients never show."""

import re

from ..core.text import shown
from .dicom_series import Series
from .mixed_slices import contrast_words

_SHOWN = 12
_IN_LINE = ("ConvolutionKernel", "SliceThickness", "ContrastBolusAgent", "SeriesNumber", "SeriesDescription")


def series_name(series: Series) -> str:
    """ "Head 4 mm" (scanner's series 2, 40 images)"""
    title = f'"{series.description}"' if series.description else "a series without a name"
    number = f"scanner's series {series.number}, " if series.number else ""
    return f"{title} ({number}{len(series.slices)} image{'s' if len(series.slices) != 1 else ''})"


def series_line(series: Series) -> str:
    """What tells a person which scan this is, and which UID to ask for."""
    first = series.slices[0]
    when = f"{_date(first)} {_time(first)}".strip()
    kernel = shown(first.text("ConvolutionKernel"))
    agent = next(filter(None, map(contrast_words, series.slices)), "")
    thick = sorted({value for item in series.slices if (value := item.number("SliceThickness"))})
    apart = [f"{tag_words(tag)} {value or 'not stated'}" for tag, value in series.marks if tag not in _IN_LINE]
    file = min(item.path for item in series.slices)
    words = [series_name(series), when or "date unknown", f"kernel {kernel}" if kernel else "kernel unknown",
             (f"{thick[0]:g} mm thick" if len(thick) == 1 else f"{thick[0]:g} to {thick[-1]:g} mm thick")
             if thick else "thickness unknown",
             f"contrast {agent}" if agent else "", *apart, series.problem,
             f"first file {shown(file.parent.name)}/{shown(file.name)}", f"UID {series.uid or '(empty)'}"]
    return ", ".join(filter(None, words))


def listing(series: list[Series], chosen: Series | None = None, patients: bool = False) -> str:
    """'--series 1 is "Head" (...), ... (measured now); --series 2 is ...': what to type for each, first.

    patients: with a letter for each patient.
    """
    letters: dict[tuple[str, ...], str] = {}
    lines = []
    for number, item in enumerate(series, 1):
        letter = letters.setdefault(item.patient, chr(ord("A") + len(letters) % 26))
        lines.append(f"--series {number} is {f'of patient {letter}, ' if patients else ''}{series_line(item)}"
                     f"{' (measured now)' if item is chosen else ''}")
    return "; ".join(lines[:_SHOWN]) + (f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else "")


def tag_words(keyword: str) -> str:
    """A DICOM keyword for people: "AcquisitionTime" -> "acquisition time"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword).lower()
    return words.replace("kvp", "tube voltage (kV)").replace("bolus ", "").replace("convolution ", "")


def _date(item) -> str:
    text = next(filter(None, map(item.text, ("AcquisitionDate", "SeriesDate", "StudyDate"))), "").replace(".", "")
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else shown(text)


def _time(item) -> str:
    text = next(filter(None, map(item.text, ("AcquisitionTime", "SeriesTime", "StudyTime"))), "").split(".")[0]
    return f"{text[:2]}:{text[2:4]}:{text[4:6]}" if len(text) == 6 and text.isdigit() else shown(text)
