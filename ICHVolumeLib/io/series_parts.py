"""Several scans under one series UID, told apart by their tags before their geometry is looked at.

Two acquisitions, two kernels, two thicknesses, native and contrast: each is a stack of its own, and mixing them gives
overlapping slices of a head that may have moved. But one scan may change a tag on the way (a thin base and a thick
vertex, one acquisition number for every rotation). So parts by a tag are chained together as long as one continues
where the other ended, and are two scans where they cover the same stretch of the head. They are one scan, too, where
one fills a hole that the other leaves (another kernel in the middle of a head), or where all together touch but do not
overlap: half of such a scan would measure a bleed as 0 mL.
"""

import re

import numpy as np

SPLITTING_TAGS = ("ContrastBolusAgent", "ConvolutionKernel", "SliceThickness", "AcquisitionNumber", "SeriesNumber",
                  "SeriesDescription", "ImageType", "KVP", "TemporalPositionIdentifier", "AcquisitionTime",
                  "ContentTime")
_TIMES = ("AcquisitionTime", "ContentTime")
_SAME_NUMBER = 0.02  # 5 and 4.99 mm are one thickness
_SAME_PLACE_MM = 0.01
_SHARED = 0.25  # of the shorter stretch; two halves of one scan may overlap by a slice
_COVERS = 0.5  # times alone tell scans apart only when each scan covers this much of the whole
_APART = 0.75  # of the thickness: closer slices overlap, as those of two scans do
_SPARE_RUNS = 2  # first A, then B, then A again
_TOUCHING = 0.95  # of the steps; scanners may take one odd step
_PARALLEL = 0.9998  # cosine; one degree
_NEXT = 2.0  # slice distances between two series that are one head
_MOST_SCANS = 6  # more chains than that are no scans but a tag that means nothing


def scans_in(slices, tags=SPLITTING_TAGS) -> list[tuple[list, tuple[tuple[str, str], ...]]]:
    """Parallel, equally large slices -> [(slices of one scan, ((tag, value), ...) that set it apart), ...].

    One scan gives one entry without tags. Order: as the slices came.
    """
    places = np.array([item.position @ item.normal for item in slices])
    if len(slices) < 2 or not np.isfinite(places).all():
        return [(list(slices), ())]
    for number, tag in enumerate(tags):
        chains = _chains(slices, places, tag)
        if len(chains) > 1:
            return [(scan, ((tag, _words(chain)), *more)) for chain in chains
                    for scan, more in scans_in([slices[n] for n in _members(chain)], tags[number + 1:])]
    return [(list(slices), ())]


def goes_on(one, other) -> bool:
    """Whether one series begins about a slice distance beyond the end of the other, parallel to it."""
    normal = one.slices[0].normal
    if not abs(normal @ other.slices[0].normal) >= _PARALLEL or min(len(one.slices), len(other.slices)) < 2:
        return False
    here, there = (np.array([item.position for item in series.slices]) for series in (one, other))
    here, there = (places[np.argsort(places @ normal)] for places in (here, there))
    if there[0] @ normal < here[0] @ normal:
        here, there = there, here
    between = there[0] - here[-1]
    step = max(np.diff(places @ normal).max() for places in (here, there))
    aside = np.linalg.norm(between - between @ normal * normal)
    return bool(_SAME_PLACE_MM < between @ normal <= _NEXT * step and aside <= _NEXT * step)


def _chains(slices, places, tag) -> list[list[tuple[str, list[int]]]]:
    """Parts by the tag's value, those that continue each other chained: [[(value, indices of slices), ...], ...]"""
    parts = [[part] for part in _by_value(slices, tag)]
    if len(parts) < 2 or _says_too_little(slices, parts, places, tag):
        return [sum(parts, [])]
    chains = _chained(_chained(parts, places), places)  # again: chains that lie beside each other are one scan
    if len(chains) > _MOST_SCANS or len(chains) > 1 and _is_one_stack(slices, chains, places):
        return [sum(parts, [])]
    if tag in _TIMES and min(np.ptp(_reach(chain, places)) for chain in chains) < _COVERS * np.ptp(places):
        return [sum(parts, [])]
    return sorted(chains, key=lambda chain: _members(chain)[0])


def _says_too_little(slices, parts, places, tag) -> bool:
    """A tag that some slices lack tells no scans apart where all slices together are one stack: each at a place of its
    own, no closer than they are thick. Without contrast agent the tag is lacking by right."""
    if tag == "ContrastBolusAgent" or all(value for part in parts for value, _ in part):
        return False
    thick = [value for item in slices if (value := item.number("SliceThickness"))]
    steps = np.diff(np.sort(places))
    return bool(thick) and steps.min() > _SAME_PLACE_MM and np.median(steps) > _APART * np.median(thick)


def _is_one_stack(slices, chains, places) -> bool:
    """Whether the chains complete each other: every slice at a place of its own, and either one chain lies in a hole of
    another, or all slices together are no closer than they are thick."""
    order = np.argsort(places, kind="stable")
    steps = np.diff(places[order])
    if steps.min() < _SAME_PLACE_MM:
        return False
    owner = np.empty(len(places), int)
    for number, chain in enumerate(chains):
        owner[_members(chain)] = number
    runs = 1 + np.count_nonzero(np.diff(owner[order]))
    if runs <= len(chains) + _SPARE_RUNS:
        return True
    thick = np.array([slices[n].number("SliceThickness") or np.nan for n in order])
    touching = steps > _APART * (thick[:-1] + thick[1:]) / 2  # False where a thickness is unknown
    return bool(touching.mean() > _TOUCHING)


def _chained(parts, places):
    """Every part goes on with the chain that grew last, else with another that it does not overlap, else begins one."""
    chains: list[list[tuple[str, list[int]]]] = []
    reaches: list[tuple[float, float]] = []
    last = 0
    for part in parts:
        reach = _reach(part, places)
        order = sorted(range(len(chains)), key=lambda n: n != last)
        last = next((n for n in order if not _overlap(reaches[n], reach)), len(chains))
        if last == len(chains):
            chains.append([])
            reaches.append(reach)
        chains[last] += part
        reaches[last] = (min(reaches[last][0], reach[0]), max(reaches[last][1], reach[1]))
    return chains


def _reach(chain, places) -> tuple[float, float]:
    members = places[_members(chain)]
    return float(members.min()), float(members.max())


def _members(chain) -> list[int]:
    return sorted(n for _, indices in chain for n in indices)


def _overlap(one, other) -> bool:
    """Whether two stretches cover each other: by a share of the shorter one; a single slice, when it lies inside."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    shorter = min(one[1] - one[0], other[1] - other[0])
    if shorter < _SAME_PLACE_MM:
        return shared > -_SAME_PLACE_MM
    return shared > max(_SHARED * shorter, _SAME_PLACE_MM)


def _by_value(slices, tag) -> list[tuple[str, list[int]]]:
    """(value, indices), numbers and times in rising order, other values as they came."""
    texts = [_value(item, tag) for item in slices]
    numbers = [_number(text) for text in texts]
    if all(number is not None for number in numbers):
        return _by_number(texts, numbers, _SAME_NUMBER if tag in ("SliceThickness", "KVP") else 0)
    parts: dict[str, list[int]] = {}
    for n, text in enumerate(texts):
        parts.setdefault(text, []).append(n)
    return list(parts.items())


def _by_number(texts, numbers, tolerance):
    parts, last = [], None
    for n in sorted(range(len(numbers)), key=numbers.__getitem__):
        if last is not None and abs(numbers[n] - last) <= tolerance * abs(last):
            parts[-1][1].append(n)
        else:
            parts.append((texts[n], [n]))
        last = numbers[n]
    return [(text, sorted(members)) for text, members in parts]


def _value(item, tag) -> str:
    text = " ".join(item.text(tag).upper().split())
    if tag in _TIMES and text:
        date = item.text("AcquisitionDate") or item.text("StudyDate")
        digits = re.sub(r"\D", "", text.split(".")[0])[:6].ljust(6, "0")
        return f"{date}{digits}{text[text.index('.'):] if '.' in text else ''}"
    return text


def _number(text) -> float | None:
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d*)?", text) else None


def _words(chain) -> str:
    """The value of a chain; the first and last of several."""
    values = [value or "none" for value, _ in chain]
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
