"""Which series of a folder are plain CT, and which pixels were compressed with loss, by what their files say."""

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import pydicom
from pydicom import uid

from ..core.findings import WARNING, Finding
from .dicom_series import Series, Slice
from .protocol import ImageKind, image_kind

_LOSSY = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless}
_PERHAPS_LOSSY = {uid.JPEG2000, uid.JPEG2000MC, uid.HTJ2K}
_VIDEO = ("MPEG", "HEVC")
_TAGS = ["LossyImageCompression", "LossyImageCompressionRatio"]
_FROM_BAD = ("not-plain-ct", "spectral-image", "derived-image", "derived")  # codes of ImageKind


def kind_of(series: Series) -> ImageKind | None:
    """What the headers say the series is; None for a plain CT. The worst of its slices counts."""
    return slice_kind(least_plain(series.slices))


def least_plain(slices) -> Slice:
    """The slice that is farthest from a plain CT by its header; the first one where none is."""
    said: dict[tuple, Slice] = {}
    for item in slices:
        said.setdefault(_said(item), item)
    return min(said.values(), key=lambda item: _FROM_BAD.index(kind.code) if (kind := slice_kind(item))
               else len(_FROM_BAD))


def slice_kind(item: Slice) -> ImageKind | None:
    return image_kind(*_said(item))


def _said(item: Slice) -> tuple[str, str, str]:
    return item.text("ImageType"), item.text("SeriesDescription"), item.text("RescaleType")


def plain_first(series: list[Series]) -> list[Series]:
    """The series in order of choice: plain CT before reformats, projections and spectral images; what holds no HU is
    given its problem and comes last."""
    judged = []
    for place, one in enumerate(series):
        kind = None if one.problem else kind_of(one)
        if kind and not kind.is_hu:
            one = replace(one, problem=kind.words)
        judged.append(((bool(one.problem), kind is not None and kind.code != "derived", place), one))
    return [one for _, one in sorted(judged, key=lambda pair: pair[0])]


def lossy_findings(slices: list[Slice]) -> list[Finding]:
    """A warning where a slice was compressed with loss: by its transfer syntax, or by its tags when it was unpacked."""
    reasons = [reason for item in slices if (reason := _loss(item))]
    if not reasons:
        return []
    often, count = Counter(reasons).most_common(1)[0]
    which = "The pixels" if len(reasons) == len(slices) else f"{len(reasons)} of {len(slices)} slices"
    return [Finding("lossy-compression", WARNING, f"{which} {often}, so gray values are no longer exact; prefer the "
                                                  "original series.")]


def _loss(item: Slice) -> str:
    meta = getattr(item.tags, "file_meta", None) or _header(item.path).file_meta
    syntax = meta.get("TransferSyntaxUID", uid.ImplicitVRLittleEndian)
    said = item.text("LossyImageCompression")
    name = uid.UID(syntax).name
    if syntax in _LOSSY or name.startswith(_VIDEO):
        return f"were compressed with loss ({name})"
    if said == "01":
        return "were compressed with loss"
    if syntax in _PERHAPS_LOSSY and said != "00":
        return f"may have been compressed with loss ({name})"
    return ""


@lru_cache(maxsize=512)
def _header(path):
    return pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=_TAGS)
