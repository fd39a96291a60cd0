"""Distances within one slice, in millimetres whatever the pixels; spacing_mm along rows, then columns."""

import numpy as np

from ..core.labels import ICH, IVH


def distance_mm(area: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Distance of every pixel of one slice to an area that is not empty, 0 and less inside."""
    import SimpleITK as sitk

    inside = sitk.GetImageFromArray(area.astype(np.uint8))
    inside.SetSpacing(tuple(reversed(spacing_mm)))
    away = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(inside, squaredDistance=False, useImageSpacing=True))
    away[area] = np.minimum(away[area], 0)
    return away


def nearest_label(labels: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """uint8, the label (ICH or IVH) that is nearest to every pixel of one slice with at least one label."""
    if not (labels == IVH.value).any():
        return np.full(labels.shape, ICH.value, np.uint8)
    if not (labels == ICH.value).any():
        return np.full(labels.shape, IVH.value, np.uint8)
    ich_mm, ivh_mm = (distance_mm(labels == one.value, spacing_mm) for one in (ICH, IVH))
    return np.where(ivh_mm < ich_mm, IVH.value, ICH.value).astype(np.uint8)
