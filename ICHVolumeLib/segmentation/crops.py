"""The parts of a slice that the fine network has to see, where a coarse one proposed something: square crops of few
sizes, so that compiled networks are used again, with enough around a proposal that its answer hardly changes."""

from collections.abc import Callable

import numpy as np

from ..imaging.crop import Crop, whole

CONTEXT_MM = 26.0  # around a proposal, seen by the network
EDGE_MM = 8.0  # of a crop, seen but not believed: there the network knows least of what is around
SIDES_PX = (128, 192, 256)
MOST_BOXES = 12  # in a slice; with more, what is proposed is scattered, and the whole is seen


Box = tuple[int, int, int, int]  # first row, end row, first column, end column of the network's box


def crops_around(boxes: list[Box], shape: tuple[int, int], pixel_mm: tuple[float, float], step: int = 16) -> list[Crop]:
    """Crops that hold every box amid CONTEXT_MM, of a network's box of this shape; few and small. One crop of the whole
    where that is less work. step: crops start at multiples of it, so that poolings meet the same pixels."""
    if len(boxes) > MOST_BOXES:
        return [whole(shape)]
    groups = [(box, _crop(box, shape, pixel_mm, step)) for box in boxes]
    while len(groups) > 1:
        saving, one, other, both = max((_joined(groups, i, j, shape, pixel_mm, step)
                                        for i in range(len(groups)) for j in range(i)), key=lambda found: found[0])
        if saving < 0:
            break
        groups = [group for index, group in enumerate(groups) if index not in (one, other)] + [both]
    crops = [crop for _, crop in groups]
    everything = whole(shape)
    return crops if sum(crop.pixels for crop in crops) < everything.pixels else [everything]


def predict_crops(predict: Callable[[np.ndarray], np.ndarray], slices: np.ndarray, crops: list[Crop]) -> np.ndarray:
    """p(ICH), p(IVH) of slices (n, in_slices, rows, columns) that are all looked at through the same crops, as
    (n, 2, rows, columns): 0 where no crop is believed; where two are, those of the crop with the higher p(bleed)."""
    lesions = np.zeros((len(slices), 2, *slices.shape[2:]), np.float32)
    for crop in crops:
        found = predict(np.ascontiguousarray(slices[(..., *crop.seen)]))
        here = lesions[(..., *crop.believed)]
        believed = found[(..., *crop.believed_of_seen)]
        higher = believed.sum(axis=1, keepdims=True) > here.sum(axis=1, keepdims=True)  # of both, so never over 1
        np.copyto(here, believed, where=higher)
    return lesions


def _joined(groups, i: int, j: int, shape, pixel_mm, step):
    """(pixels saved, i, j, (box, crop)) of one crop instead of two."""
    (first, one), (second, other) = groups[i], groups[j]
    box = (min(first[0], second[0]), max(first[1], second[1]), min(first[2], second[2]), max(first[3], second[3]))
    crop = _crop(box, shape, pixel_mm, step)
    return one.pixels + other.pixels - crop.pixels, i, j, (box, crop)


def _crop(box: Box, shape: tuple[int, int], pixel_mm: tuple[float, float], step: int) -> Crop:
    context = [int(np.ceil(CONTEXT_MM / one)) for one in pixel_mm]
    wanted = max(box[1] - box[0] + 2 * context[0], box[3] - box[2] + 2 * context[1]) + step  # room to start at a step
    side = next((side for side in SIDES_PX if side >= wanted), None)
    if side is None or side >= max(shape):
        return whole(shape)
    seen, believed = [], []
    for first, end, size, one_mm in zip(box[::2], box[1::2], shape, pixel_mm, strict=True):
        length = min(side, size)
        start = (first + end - length) // 2 // step * step
        if end + int(np.ceil(CONTEXT_MM / one_mm)) > start + length:
            start += step
        start = int(np.clip(start, 0, size - length))
        edge = int(np.ceil(EDGE_MM / one_mm))
        seen.append(slice(start, start + length))
        believed.append(slice(start + edge if start else 0, start + length - (edge if start + length < size else 0)))
    return Crop((seen[0], seen[1]), (believed[0], believed[1]))
