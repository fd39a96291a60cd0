"""What series descriptions and kernel names mean, by the makers' habits."""

import re
from dataclasses import dataclass

_BONE_KERNEL = re.compile(r"bone|edge|lung|sharp|^[bhjuq][a-z]?[5-9]\d|^fc ?[358]\d|^(yb|yc|yd|ye|d|e)$", re.I)
_CONTRAST = re.compile(r"\bcta\b|angio|contrast|\bc\+|\+c\b|post[ -]?con|perfusion|venogra|\bctv\b|\bkm\b", re.I)
_NO_CONTRAST = re.compile(r"non?[ -]?contrast|without|w/o|\bncct\b|unenhanced|plain|\bohne\b", re.I)
_HEAD = re.compile(r"head|brain|skull|crani|cerebr|neuro|encephal|stroke|kopf|sch(ae|\u00e4)del|hirn|cr[a\u00e2]ne|"
                   r"t[e\u00ea]te|cabeza|testa", re.I)
_ELSEWHERE = re.compile(r"chest|thora|\blungs?\b|abd|pelvi|\bneck|\bhals\b|spine|cervi|lumb|\b[hbl]ws\b|cardi|heart|"
                        r"coronar|liver|kidney|sinus|\bfac(e|ial)|orbit|temporal|petrous|knee|\bhip|shoulder|extrem|"
                        r"whole ?body", re.I)


def is_bone_kernel(kernel: str) -> bool:
    """Sharp reconstruction kernels: Siemens H60s, Hr68, B70f; GE BONE, EDGE; Canon FC30, FC81; Philips YC, D; ..."""
    return any(_BONE_KERNEL.search(part.strip()) for part in kernel.split("\\"))


def mentions_contrast(text: str) -> bool:
    """"CTA head", "brain C+", "post contrast"; not "non-contrast" or "without contrast"."""
    return bool(_CONTRAST.search(text)) and not _NO_CONTRAST.search(text)


def mentions_no_contrast(text: str) -> bool:
    """"non-contrast", "native", "w/o"."""
    return bool(_NO_CONTRAST.search(text)) or bool(re.search(r"\bnati(ve?|f)\b", text, re.I))


def region_points(text: str) -> int:
    """1 when the words name the head, -1 when they name another region, 0 when neither or both."""
    return bool(_HEAD.search(text)) - bool(_ELSEWHERE.search(text))


@dataclass(frozen=True)
class ImageKind:
    """What an image is that is no plain CT slice. code: "not-plain-ct" (its values are no HU: refuse),
    "spectral-image" or "derived-image" (HU-like: warn), "derived" (of original slices, only to be told)."""

    code: str
    words: str

    @property
    def is_hu(self) -> bool:
        return self.code != "not-plain-ct"


_VIRTUAL_NATIVE = re.compile(r"\bvnc|virtual(ly)?[ _-]?(non|un|native)|\bvue\b|iodine[ _-]?(remov|suppress)", re.I)
_MONOENERGETIC = re.compile(r"\bmono(e|[ _+-]*\d)|monochrom|\d{2,3} ?kev\b", re.I)
_PROJECTION = re.compile(r"(\b|_)(mip|minip|aip|vrt|volume[ _-]?render\w*|max[ _]?ip|min[ _]?ip)(\b|_)", re.I)
_REFORMATTED = re.compile(r"(\b|_)(mpr|cpr|reformat\w*|reformation)(\b|_)", re.I)
_NOT_HU = {  # words for the reader: what names it
    "a map of effective atomic numbers": re.compile(r"z[ _-]?eff|eff(ective)?[ _-]?(atomic|z\b)|\brho ?/ ?z\b", re.I),
    "a map of electron density": re.compile(r"electron[ _-]?dens|\brho[ _-]?e\b|%edw", re.I),
    "a material map (iodine, water, calcium ...)": re.compile(
        r"iodine(?! ?allerg)|\bjod(karte|dichte|bild)?\b|\biode\b|uric[ _-]?acid|"
        r"\bwater ?\(|\bmd[ _-](water|calcium|hap)|mg/ml|fat[ _-]?fraction", re.I),
    "a perfusion map": re.compile(r"\br?(cbf|cbv|mtt|ttp|tmax|tmip)\b|perfusion[ _-]?(map|param)|penumbra", re.I),
    "a difference of two scans": re.compile(r"subtract", re.I),
    "a localizer": re.compile(r"\bscout\b|topogram|localizer|localiser|scanogram|surview|\bscano\b", re.I),
}
_NOT_HU_TYPES = {  # values of ImageType (DICOM PS3.3, C.8.15.2)
    "EFF_ATOMIC_NUM": "a map of effective atomic numbers", "Z_EFF": "a map of effective atomic numbers",
    "ELECTRON_DENSITY": "a map of electron density", "LOCALIZER": "a localizer", "SUBTRACTION": "a difference of two "
    "scans", **dict.fromkeys(("MAT_SPECIFIC", "MAT_FRACTIONAL", "MAT_VALUE_BASED"),
                             "a material map (iodine, water, calcium ...)"),
    **dict.fromkeys(("CBF", "CBV", "MTT", "TTP", "TMAX", "PERFUSION", "RCBF", "RCBV"), "a perfusion map"),
}
_HU_TYPES = ("", "HU", "HU_MOD", "US")  # RescaleType; US is "unspecified", and values are looked at anyway


def image_kind(image_type: str, description: str, rescale_type: str = "") -> ImageKind | None:
    """What ImageType (values joined by backslashes), SeriesDescription and RescaleType say, or None for a plain CT."""
    types = set(re.split(r"[\\ ]+", image_type.upper().strip())) if image_type else set()
    rescale_type = rescale_type.strip().upper()
    native = "MAT_REMOVED" in types or _VIRTUAL_NATIVE.search(description)
    named = _NOT_HU_TYPES.get(next((name for name in sorted(types) if name in _NOT_HU_TYPES), ""))
    if not named and not native:
        named = next((words for words, pattern in _NOT_HU.items() if pattern.search(description)), None)
    if named or rescale_type not in _HU_TYPES:
        unit = f"its values are {rescale_type}" if rescale_type not in _HU_TYPES else ""
        return ImageKind("not-plain-ct", ", ".join(filter(None, (named, unit))) + ", not Hounsfield units")
    if native:
        return ImageKind("spectral-image", "a virtual non-contrast image")
    if "VMI" in types or any("MONO" in name or "KEV" in name for name in types) or _MONOENERGETIC.search(description):
        return ImageKind("spectral-image", "a monoenergetic image")
    if rescale_type == "HU_MOD" or "MAT_MODIFIED" in types:
        return ImageKind("spectral-image", "an image with modified Hounsfield units")
    if "PROJECTION" in types or any(_PROJECTION.search(name) for name in (*types, description)):
        return ImageKind("derived-image", "a projection of several slices (MIP or the like)")
    if any(_REFORMATTED.search(name) for name in (*types, description)):
        return ImageKind("derived-image", "a reformat of another series (MPR)")
    return ImageKind("derived", "derived from other images") if types & {"DERIVED", "SECONDARY"} else None
