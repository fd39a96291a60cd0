"""Bodies in a scan as smooth fields, so that pictures of them know nothing of slices: mm inside (positive) or outside.

Between two slices the distances to the outline are interpolated, not the voxels (shape-based interpolation: Raya and
Udupa, IEEE Trans Med Imaging 1990;9:32), so thick slices leave no steps.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import LABELS
from ..imaging.components import largest_component
from ..imaging.head_mask import sides_with_bone

TISSUE_HU, BONE_HU = -300, 250
HEAD_MM, HEAD_SMOOTH_MM = 2.6, 4.0  # pixel and Gaussian SD of the head's outlines
BLEED_MM, BLEED_SMOOTH_MM = 0.9, 1.1
REACH = 6.0  # slabs; farther from the outline no distance is needed
SMALL_MM = 40.0  # a bleed up to this size is looked at pixel by pixel
MOST_PIXELS = 160  # of a bleed, along one edge; larger ones are looked at more coarsely
LEAST_MM = 0.6  # so thick is drawn what smoothing would make disappear
PAD = 3  # pixels put around, for the smoothing


@dataclass(frozen=True, eq=False)
class Shape:
    """inside_mm: float32 (k, j, i) on a regular, possibly sheared grid; index_to_ras: 4x4, (i, j, k, 1) to RAS mm."""

    inside_mm: np.ndarray
    index_to_ras: np.ndarray


def head_shapes(ct: CTVolume) -> tuple[Shape, Shape]:
    """Skin and skull, both filled."""
    step = max(1, round(HEAD_MM / min(ct.pixel_spacing_mm)))
    hu = ct.hu[:, ::step, ::step]
    head = _without_holder(hu > TISSUE_HU)
    bone = largest_component(head & (hu > BONE_HU))
    return tuple(_shape(ct, sides_with_bone(body) == 4, (0, 0), step, HEAD_MM, HEAD_SMOOTH_MM)
                 for body in (head, bone))


def bleed_shapes(ct: CTVolume, mask: np.ndarray) -> list[Shape]:
    """One of each label, in the order of LABELS and on one grid; only the first where nothing else is marked."""
    labels = [label for label in LABELS if label is LABELS[0] or (mask == label.value).any()]
    return shapes_of(ct, mask, [label.value for label in labels])


def shapes_of(ct: CTVolume, mask: np.ndarray, values: list[int]) -> list[Shape]:
    """One of each of these values of the mask, of which one at least is there; on one grid around all of them."""
    wanted = np.isin(mask, values)
    spans = [np.flatnonzero(wanted.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    size_mm = max(np.ptp(spans[1]) * ct.pixel_spacing_mm[0], np.ptp(spans[2]) * ct.pixel_spacing_mm[1])
    coarse_mm = max(BLEED_MM, size_mm / MOST_PIXELS) if size_mm > SMALL_MM else 0
    step = max(1, round(coarse_mm / min(ct.pixel_spacing_mm)))
    first, last = max(0, spans[0][0] - 1), min(len(mask), spans[0][-1] + 2)
    if last - first < 2:
        first, last = max(0, last - 2), max(2, last)
    rows, columns = (slice(span[0], span[-1] + 1, step) for span in spans[1:])
    part = CTVolume(ct.hu[first:last], ct.ijk_to_ras, ct.slice_origins_ras[first:last])
    marked = mask[first:last, rows, columns]
    first_pixel = rows.start, columns.start
    return [_shape(part, marked == value, first_pixel, step, BLEED_MM, BLEED_SMOOTH_MM) for value in values]


def _without_holder(tissue):
    """Head holder, cushion and table are thinner than three of every second pixel (13 mm), or apart from the head."""
    import SimpleITK as sitk

    radius = [1, 1, 0]
    image = sitk.GetImageFromArray(tissue[:, ::2, ::2].astype(np.uint8))
    opened = sitk.GetArrayViewFromImage(sitk.BinaryMorphologicalOpening(image, radius)) > 0
    grown = sitk.BinaryDilate(sitk.GetImageFromArray(largest_component(opened).astype(np.uint8)), radius)
    near_head = sitk.GetArrayViewFromImage(grown).repeat(2, 1).repeat(2, 2) > 0
    return tissue & near_head[:, :tissue.shape[1], :tissue.shape[2]]


def _shape(ct, body, first_pixel, step, plane_mm, smooth_mm):
    """body: bool (slices, rows, columns), every `step`-th pixel from first_pixel (row, column) on."""
    heights_mm = np.concatenate([[0.0], np.cumsum(np.abs(ct.slice_steps_mm))])
    slab_mm = float(np.median(np.diff(heights_mm)))
    distances = _distances_mm(body, np.array(ct.pixel_spacing_mm) * step, slab_mm)
    heights_mm = np.concatenate([[-slab_mm], heights_mm, heights_mm[-1:] + slab_mm])
    planes_mm = np.linspace(heights_mm[0], heights_mm[-1], max(4, round(np.ptp(heights_mm) / plane_mm)) + 1)
    place = np.interp(planes_mm, heights_mm, np.arange(len(heights_mm)))
    below = np.minimum(place.astype(int), len(heights_mm) - 2)
    share = (place - below).astype(np.float32)[:, None, None]
    values = distances[below] * (1 - share) + distances[below + 1] * share
    to_ras = ct.ijk_to_ras.copy()
    to_ras[:3, :2] *= step
    along = (ct.slice_origins_ras[-1] - ct.slice_origins_ras[0]) / (heights_mm[-2] - heights_mm[1])
    to_ras[:3, 2] = along * (planes_mm[1] - planes_mm[0])
    row, column = np.array(first_pixel) - PAD * step
    to_ras[:3, 3] = (ct.slice_origins_ras[0] - along * slab_mm + row * ct.ijk_to_ras[:3, 1]
                     + column * ct.ijk_to_ras[:3, 0])
    smooth = _smoothed(values, smooth_mm / np.linalg.norm(to_ras[:3, :3], axis=0))
    if body.any():
        smooth += max(0.0, LEAST_MM - float(smooth.max()))
    return Shape(smooth, to_ras)


def _distances_mm(body, pixel_mm, slab_mm):
    """Within each slice, mm inside the outline; one slice and PAD pixels are put around."""
    body = np.pad(body, ((1, 1), (PAD, PAD), (PAD, PAD)))
    has_body = body.any(axis=(1, 2))
    most_mm = REACH * slab_mm
    distances = np.full(body.shape, -most_mm, np.float32)
    for k in np.flatnonzero(has_body):
        distances[k] = np.clip(_distances_in_slice_mm(body[k], pixel_mm), -most_mm, most_mm)
    return _with_ends(distances, has_body, slab_mm)


def _distances_in_slice_mm(body, pixel_mm):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(body.astype(np.uint8))
    image.SetSpacing((float(pixel_mm[1]), float(pixel_mm[0])))
    # to the middle of the pixels at the border, of which half lies inside
    to_border = sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True))
    return to_border + np.float32(min(pixel_mm) / 2)


def _with_ends(distances, has_body, slab_mm):
    """A body ends half-way to the slice without it, and there with a rounded edge."""
    ended = distances.copy()
    for k in np.flatnonzero(~has_body):
        near = [np.abs(distances[n]) for n in (k - 1, k + 1) if 0 <= n < len(has_body) and has_body[n]]
        if near:
            ended[k] = -np.maximum(np.minimum.reduce(near), slab_mm / 2)
    return ended


def _smoothed(values, sd_voxels_ijk):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(values)
    return sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, [float(sd) for sd in sd_voxels_ijk]))
