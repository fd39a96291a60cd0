"""What a converted file still says of the scan it came from: its text fields, its keys, or a JSON file beside it.

dcm2niix and BIDS write the JSON file (DICOM keywords as names); ITK copies DICOM tags into NRRD keys ("0018|1120").
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ..core.text import shown
from .bounded_files import is_regular_file

_MAX_JSON_BYTES = 4 << 20
_TAG_KEYS = {"0018|1120": "GantryDetectorTilt", "0018|0050": "SliceThickness", "0018|0088": "SpacingBetweenSlices",
             "0018|1210": "ConvolutionKernel", "0018|0010": "ContrastBolusAgent", "0008|103e": "SeriesDescription",
             "0008|0070": "Manufacturer", "0008|0060": "Modality", "modality": "Modality"}
_NUMBER = r"\s*[=:]?\s*([-+]?\d+(?:\.\d+)?)"
_IN_TEXT = {"GantryDetectorTilt": re.compile(r"tilt" + _NUMBER, re.I),
            "SliceThickness": re.compile(r"(?:slice ?)?thick(?:ness)?" + _NUMBER, re.I),
            "SpacingBetweenSlices": re.compile(r"spacing(?: ?between ?slices)?" + _NUMBER, re.I)}
# names that dcm2niix gives to a copy in which it undid a tilt or evened out slice distances, by resampling
_RESAMPLED_NAME = re.compile(r"_(tilt|eq)(_\d+)?$", re.I)


@dataclass(frozen=True)
class ScanWords:
    """Unknown values are None or empty; resampled: "tilt" or "eq" by dcm2niix's name; source: where it was read."""

    tilt_deg: float | None = None
    slice_thickness_mm: float | None = None
    spacing_mm: float | None = None
    kernel: str = ""
    contrast_agent: str = ""
    description: str = ""
    manufacturer: str = ""
    modality: str = ""
    resampled: str = ""
    source: str = ""


def words_of(path: Path, description: str = "", keys: dict | None = None) -> ScanWords:
    """path: the image file; description: free text of its header; keys: NRRD keys. Never raises: words may be wrong."""
    stem = re.sub(r"\.(nii\.gz|nii|nrrd|nhdr)$", "", path.name, flags=re.I)
    beside = path.with_name(stem + ".json")
    keys = keys or {}
    in_keys = {name: keys[key] for key, name in _TAG_KEYS.items() if key in keys}
    in_text = {name: found[1] for name, pattern in _IN_TEXT.items() if (found := pattern.search(description))}
    in_json = _json(beside)
    sources = (("its header", in_keys or in_text), (shown(beside.name), in_json))
    source = ", ".join(name for name, values in sources if values)
    values = {**in_text, **in_keys, **in_json}
    resampled = _RESAMPLED_NAME.search(stem)
    return ScanWords(_number(values, "GantryDetectorTilt", "GantryTilt"), _number(values, "SliceThickness"),
                     _number(values, "SpacingBetweenSlices"), _text(values, "ConvolutionKernel"),
                     _text(values, "ContrastBolusAgent"), _text(values, "SeriesDescription"),
                     _text(values, "Manufacturer"), _text(values, "Modality"),
                     resampled[1].lower() if resampled else "", source)


def _json(path) -> dict:
    try:
        if not is_regular_file(path) or path.stat().st_size > _MAX_JSON_BYTES:
            return {}
        values = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _number(values, *names) -> float | None:
    for name in names:
        try:
            value = float(values[name])
        except (KeyError, TypeError, ValueError):
            continue
        if math.isfinite(value):
            return value
    return None


def _text(values, name) -> str:
    value = values.get(name, "")
    return "\\".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()
