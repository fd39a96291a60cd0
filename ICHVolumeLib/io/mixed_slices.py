"""Slices of one scan whose headers differ in what they show: some with contrast agent, some with another kernel."""

from collections import Counter

from ..core.findings import INFO, WARNING, Finding
from ..core.text import shown
from .hounsfield import slice_words
from .protocol import is_bone_kernel

_NO_CONTRAST = ("", "NONE", "NO", "N", "0", "NIL", "NATIVE", "WITHOUT", "NO CONTRAST")
_AMOUNTS = ("ContrastBolusVolume", "ContrastBolusTotalDose")  # mL; 0 is none
_NAMES = {"ConvolutionKernel": "kernel", "KVP": "tube voltage", "SeriesDescription": "description"}


def _where(slices, tag, value) -> str:
    return slice_words([k for k, item in enumerate(slices) if (shown(item.text(tag)) or "none") == value])


def contrast_words(item) -> str:
    """What one slice's header says of contrast agent: its name, else that some was given; "" for none."""
    agent = item.text("ContrastBolusAgent")
    if agent.upper().strip(". ") not in _NO_CONTRAST:
        return shown(agent)
    if any((item.number(name) or 0) > 0 for name in _AMOUNTS):
        return "an agent without a name"
    said = (item.text("ContrastBolusRoute").upper(), item.text("ContrastBolusStartTime"))
    return "an agent without a name" if not agent and any(word not in _NO_CONTRAST for word in said) else ""


def first_sharp(slices):
    """The first slice of a sharp kernel, else the first slice."""
    return next((item for item in slices if is_bone_kernel(item.text("ConvolutionKernel"))), slices[0])


def mixed_findings(slices) -> list[Finding]:
    """ "mixed-slices" where kernel, contrast agent, tube voltage or description change within the scan; a warning where
    only some slices have contrast agent or a sharp kernel."""
    agents = Counter(bool(contrast_words(item)) for item in slices)
    sharp = Counter(is_bone_kernel(item.text("ConvolutionKernel")) for item in slices)
    parts = []
    if len(agents) > 1:
        given = [k for k, item in enumerate(slices) if contrast_words(item)]
        parts.append(f"contrast agent (in {slice_words(given)} only)")
    for tag, name in _NAMES.items():
        counts = Counter(shown(item.text(tag)) or "none" for item in slices)
        if len(counts) > 1:
            values = "; ".join(f"{value} in {_where(slices, tag, value)}" for value, _ in counts.most_common(3))
            parts.append(f"{name} ({values}{', ...' if len(counts) > 3 else ''})")
    if not parts:
        return []
    serious = len(agents) > 1 or len(sharp) > 1
    serious = serious or len({item.text("KVP") for item in slices}) > 1
    return [Finding("mixed-slices", WARNING if serious else INFO,
                    f"The slices were not all made alike: they differ in {'; '.join(parts)}. Together they cover the "
                    "head, so all are measured; blood may look different in them. Check the mask where the one kind "
                    "ends and the other begins.")]
