"""Distances within one slice, in millimetres whatever the pixels; spacing_mm along rows, then columns."""

import numpy as np

from ..core.labels import ICH, IVH
from .components import FEW


def distance_mm(area: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Distance of every pixel of one slice to an area that is not empty, 0 and less inside."""
    import SimpleITK as sitk

    inside = sitk.GetImageFromArray(area.astype(np.uint8))
    inside.SetSpacing(tuple(reversed(spacing_mm)))
    distance = sitk.SignedMaurerDistanceMapImageFilter()
    distance.SquaredDistanceOff()
    distance.UseImageSpacingOn()
    if area.size < FEW:
        distance.SetNumberOfWorkUnits(1)  # waking other threads takes as long as the work
    away = sitk.GetArrayFromImage(distance.Execute(inside))
    away[area] = np.minimum(away[area], 0)
    return away


def nearest_labels(labels: np.ndarray, wanted: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """uint8 (n,), the label (ICH or IVH) that is nearest to each of the n pixels of one slice that are wanted (bool);
    ICH where the slice has no label at all."""
    if not (labels[wanted] == 0).any():
        return labels[wanted]
    if not (labels == IVH.value).any():
        return np.full(np.count_nonzero(wanted), ICH.value, np.uint8)
    if not (labels == ICH.value).any():
        return np.full(np.count_nonzero(wanted), IVH.value, np.uint8)
    rows, columns = (slice(one.min(), one.max() + 1) for one in np.nonzero((labels > 0) | wanted))
    near, asked = labels[rows, columns], wanted[rows, columns]
    ich_mm, ivh_mm = (distance_mm(near == one.value, spacing_mm)[asked] for one in (ICH, IVH))
    return np.where(ivh_mm < ich_mm, IVH.value, ICH.value).astype(np.uint8)
