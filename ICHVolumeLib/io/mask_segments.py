"""The segments of a mask file before anyone says what they mean: from a .seg.nrrd header, or from a labelmap's values.

.seg.nrrd (3D Slicer, vtkMRMLSegmentationStorageNode): Segment0_ID, _Name, _Layer, _LabelValue, _Tags and further keys.
Layers are on the last axis. As in 3D Slicer a segment without Layer has the layer of its own number (before 4.11 each
segment had one), and one without LabelValue has the value 1.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .label_names import terminology_words

WHOLE_WITHIN = 0.01  # of a label (at least of 1): a value this near to a whole number is one, saved by a scaled integer
LARGEST_DATASET_JSON = 16_000_000  # bytes
LONGEST_TITLE = 80  # characters of a name in a sentence
_KEY = re.compile(r"Segment(\d{1,6})_(ID|Name|Layer|LabelValue|Tags)$")
_TERMINOLOGY = re.compile(r"TerminologyEntry:([^|]*)")


@dataclass(frozen=True, eq=False)
class Segment:
    """name: as the file gives it, "" when it gives none; keys: what else --label takes for it (ID, value); coded: words
    of its codes (label_names.coded_words); voxels: how many are marked; marked(): where, bool on the file's grid.

    stray: voxels of a segmentation that belong to none of its segments.
    """

    name: str
    keys: tuple[str, ...]
    coded: str
    voxels: int
    marked: Callable[[], np.ndarray]
    stray: bool = False

    @property
    def title(self) -> str:
        return self.name.strip()[:LONGEST_TITLE] or f"value {self.keys[0]}{' (of no segment)' if self.stray else ''}"

    @property
    def label_key(self) -> str:
        """What to write before the = of --label."""
        return self.name.strip() or self.keys[0]


def whole_numbers(path, array: np.ndarray) -> tuple[np.ndarray, float]:
    """The array as integers, and how far the farthest value was from one.

    Raises InputError for fractions (a probability, a resampled mask) and for what is no number.
    """
    if array.dtype.kind in "iub":
        return array, 0.0
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise InputError(f"{path} holds fractions or values that are no numbers, not labels; give a mask of whole "
                         "numbers (1 ICH, 2 IVH).")
    whole, farthest = np.empty(array.shape, np.int32), 0.0
    for k, plane in enumerate(array):  # one at a time: the temporaries of a whole volume are gigabytes
        nearest = np.rint(plane)
        off = np.abs(plane - nearest)
        wrong = (off > np.minimum(WHOLE_WITHIN * np.maximum(np.abs(nearest), 1), 0.1)) | (np.abs(nearest) >= 2**31)
        if wrong.any():
            raise InputError(f"{path} holds fractions ({plane[wrong].flat[0]:.4g}), not labels; give a mask of whole "
                             "numbers (1 ICH, 2 IVH). Threshold a probability, and resample a mask with nearest "
                             "neighbor.")
        whole[k], farthest = nearest, max(farthest, float(off.max(initial=0)))
    return whole, farthest


def counts_of(array: np.ndarray) -> dict[int, int]:
    """Value -> number of voxels, without 0."""
    if array.dtype == np.uint8:
        counts = np.bincount(array.ravel(), minlength=256)
        return {int(value): int(counts[value]) for value in np.flatnonzero(counts) if value}
    values, counts = np.unique(array, return_counts=True)
    return {int(value): int(count) for value, count in zip(values, counts, strict=True) if value}


def has_segments(header: dict) -> bool:
    return any(_KEY.match(key) for key in header)


def segments_of_header(path, layers: np.ndarray, header: dict) -> list[Segment]:
    """Segments that a .seg.nrrd header names, empty ones too, and then the voxels that it does not name (stray).

    layers: whole numbers, (slices, rows, columns, layers). Raises InputError for a damaged or contradictory list.
    """
    named = _named(path, header, layers.shape[-1])
    segments = []
    for layer in range(layers.shape[-1]):
        voxels = layers[..., layer]
        counts = counts_of(voxels)
        here = _with_values([item for item in named if item["layer"] == layer], counts)
        for item in here:
            segments.append(_segment(item["name"], (item["id"],), item["coded"], voxels, item["value"], counts))
        claimed = [item["value"] for item in here]
        segments += [_segment("", (str(value),), "", voxels, value, counts, stray=True)
                     for value in counts if value not in claimed]
    return segments


def segments_of_values(array: np.ndarray, counts: dict[int, int], names: dict[int, str]) -> list[Segment]:
    """One segment for each value of a labelmap (counts_of), with the name that a dataset.json gives it, if any."""
    return [_segment(names.get(value, ""), (str(value),), "", array, value, counts) for value in counts]


def names_beside(path) -> dict[int, str] | None:
    """Value -> name from nnU-Net's dataset.json in the mask's folder, or above it for labelsTr and the like, else None.

    Raises InputError when that file is damaged: the meaning would be guessed.
    """
    folder = Path(path).absolute().parent
    places = [folder / "dataset.json"]
    if folder.name.lower().startswith("labels"):
        places.append(folder.parent / "dataset.json")
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return None
    try:
        if found.stat().st_size > LARGEST_DATASET_JSON:
            raise ValueError("it is too large")
        labels = json.loads(found.read_text(encoding="utf-8"))["labels"]
        return dict(_named_value(key, value) for key, value in labels.items() if not isinstance(value, list))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{found} should say what the labels of {path} mean, but has no readable list of labels; mend "
                         "it, or move it away.") from error


def _named_value(key, value) -> tuple[int, str]:
    """One entry of nnU-Net's labels: {"ICH": 1} since version 2, {"1": "ICH"} before."""
    number, name = (int(key), value) if isinstance(value, str) else (value, str(key))
    if not isinstance(number, int):
        raise ValueError(f"the label {key} has the value {value}")
    return number, name.encode("utf-8", "replace").decode()  # half a surrogate pair could not be written again


def _named(path, header, layer_count) -> list[dict]:
    """What the header says of each segment, in its order."""
    found: dict[int, dict] = {}
    for key, text in header.items():
        if match := _KEY.match(key):
            found.setdefault(int(match[1]), {})[match[2]] = str(text)
    segments = []
    for position, (number, item) in enumerate(sorted(found.items())):
        try:
            layer = int(item["Layer"]) if "Layer" in item else 0 if layer_count == 1 else position
            value = int(item["LabelValue"]) if "LabelValue" in item else None
        except ValueError as error:
            raise InputError(f"{path} has a damaged segment list ({error}); save the segmentation again.") from error
        if not 0 <= layer < layer_count:
            raise InputError(f"{path} names a layer that it does not have (segment {number}, layer {layer}); save the "
                             "segmentation again.")
        identity = item.get("ID", f"Segment{number}")
        coded = _TERMINOLOGY.search(item.get("Tags", ""))
        segments.append({"name": item.get("Name") or identity, "id": identity, "layer": layer, "value": value,
                         "coded": terminology_words(coded[1]) if coded else ""})
    return segments


def _with_values(segments, counts) -> list[dict]:
    """Fill in missing label values, and drop segments that want one value: whose voxels those are cannot be told."""
    claimed = {item["value"] for item in segments}
    free = [value for value in counts if value not in claimed]
    only = free[0] if len(free) == 1 and sum(item["value"] is None for item in segments) == 1 else 1
    filled = [{**item, "value": only if item["value"] is None else item["value"]} for item in segments]
    wanted = [item["value"] for item in filled]
    return [item for item in filled if wanted.count(item["value"]) == 1 or item["value"] not in counts]


def _segment(name, keys, coded, voxels, value, counts, stray=False) -> Segment:
    return Segment(name, keys, coded, counts.get(value, 0), lambda: voxels == value, stray)
