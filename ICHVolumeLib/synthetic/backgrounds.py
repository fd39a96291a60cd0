"""Bleed-free heads that hemorrhages are put into: real slices, a CT template, and heads made by code.

Every source becomes a `Background`: HU plus where brain and ventricles lie. Cases of a data set: case_backgrounds.py.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..imaging.head_mask import find_head
from ..imaging.morphology import dilated_by_disk

PIXEL_MM = 0.45  # backgrounds are kept at this in-plane spacing
TISSUE_STRIDE = 2  # the tissue map is kept at half that resolution
OUTSIDE, BRAIN, VENTRICLE = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Background:
    """hu: int16 (slices, rows, columns), slice 0 lowest, row 0 front, column 0 patient's right, PIXEL_MM pixels.

    tissue: uint8 (slices, rows / 2, columns / 2) of OUTSIDE, BRAIN, VENTRICLE; depth_mm: uint8, same grid,
    distance to the inside of the skull in the slice. kind: "template", "procedural" or the name of a data set, as
    "ct_ich" and "extra_axial" are: how often training sees it is in the plan.
    """

    patient: str
    kind: str
    hu: np.ndarray
    tissue: np.ndarray
    depth_mm: np.ndarray
    step_mm: float

    @cached_property
    def ventricle_center_mm(self) -> np.ndarray | None:
        """(y, x) mm from the array's first pixel: the middle of all ventricle voxels; None where none were found."""
        rows, columns = np.nonzero((self.tissue == VENTRICLE).any(axis=0))
        if not len(rows):
            return None
        return np.array([rows.mean(), columns.mean()]) * (TISSUE_STRIDE * PIXEL_MM)

    @cached_property
    def brain_hu(self) -> float | None:
        """How bright the brain is, as a scan is asked for it; None where too little is seen."""
        return find_head(self.hu, (PIXEL_MM, PIXEL_MM)).brain_hu

    @property
    def may_bleed(self) -> bool:
        """False where the slices already hold blood (outside the brain), so nothing is added to them."""
        return self.kind != "extra_axial"


def make_background(patient: str, kind: str, hu: np.ndarray, step_mm: float,
                    inside: np.ndarray | None = None, ventricle: np.ndarray | None = None) -> Background:
    """A Background from HU at PIXEL_MM spacing; finds brain and ventricles itself.

    inside, ventricle: bool, same shape as hu, where the inside of the skull and the ventricles are known (heads made
    by code).
    """
    tissue, depth = zip(*(_tissue_of_slice(one[::TISSUE_STRIDE, ::TISSUE_STRIDE]) for one in hu), strict=True)
    tissue, depth = np.stack(tissue), np.stack(depth)
    if inside is not None:
        tissue[~inside[:, ::TISSUE_STRIDE, ::TISSUE_STRIDE]] = OUTSIDE
    areas = (tissue > 0).sum(axis=(1, 2))
    slivers = areas < 0.08 * areas.max()  # neck and vertex: no place for a bleed
    tissue[slivers] = OUTSIDE
    if ventricle is None:
        _drop_cisterns(tissue, areas)
        _keep_large_ventricles(tissue)
    else:
        tissue[tissue == VENTRICLE] = BRAIN
        tissue[ventricle[:, ::TISSUE_STRIDE, ::TISSUE_STRIDE] & ~slivers[:, None, None]] = VENTRICLE
    return Background(patient, kind, hu, tissue, depth, step_mm)


def _tissue_of_slice(hu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(tissue, depth_mm) of one slice at 0.9 mm pixels: inside of the skull, and its deep dark pixels."""
    import SimpleITK as sitk

    pixel_mm = PIXEL_MM * TISSUE_STRIDE
    bone = sitk.GetImageFromArray((hu > 95).astype(np.uint8))
    closed = sitk.BinaryMorphologicalClosing(bone, [round(6 / pixel_mm)] * 2)
    filled = sitk.GetArrayFromImage(sitk.BinaryFillhole(closed)).astype(bool)
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(hu.astype(np.float32)), 1.3))
    inside = filled & (hu <= 95) & (smooth > -5) & (smooth < 75)
    opened = sitk.BinaryMorphologicalOpening(sitk.GetImageFromArray(inside.astype(np.uint8)), [round(4 / pixel_mm)] * 2)
    components = sitk.GetArrayFromImage(sitk.RelabelComponent(sitk.ConnectedComponent(opened)))
    brain = np.zeros_like(inside)
    for label in range(1, min(int(components.max()), 4) + 1):
        component = components == label
        if component.sum() * pixel_mm**2 > 300 and _is_ringed_by_bone(component, hu):
            brain |= component
    distance = sitk.SignedMaurerDistanceMap(
        sitk.GetImageFromArray(brain.astype(np.uint8)), insideIsPositive=True, squaredDistance=False)
    depth = np.clip(sitk.GetArrayFromImage(distance) * pixel_mm, 0, 255) * brain
    ventricle = sitk.GetImageFromArray((brain & (smooth < 19) & (smooth > -4) & (depth > 20)).astype(np.uint8))
    ventricle = sitk.GetArrayFromImage(sitk.BinaryMorphologicalOpening(ventricle, [1, 1])).astype(bool)
    tissue = np.where(ventricle, VENTRICLE, np.where(brain, BRAIN, OUTSIDE)).astype(np.uint8)
    return tissue, depth.astype(np.uint8)


def _drop_cisterns(tissue: np.ndarray, areas: np.ndarray):
    """Low slices, by their small brain area, show deep cisterns; only the fourth ventricle is kept there; in place.

    It lies in the middle of the back half. Blood in a cistern is subarachnoid and must not be labelled.
    """
    reach_px = 15 / (PIXEL_MM * TISSUE_STRIDE)
    for k in np.arange(int(np.argmax(areas)))[areas[:int(np.argmax(areas))] < 0.8 * areas.max()]:
        rows, columns = np.nonzero(tissue[k] > 0)
        cistern = tissue[k] == VENTRICLE
        if len(rows):
            middle = round(float(columns.mean()))
            fourth = slice(int(rows.min() + 0.5 * np.ptp(rows)), int(rows.min() + 0.85 * np.ptp(rows)))
            cistern[fourth, max(round(middle - reach_px), 0):round(middle + reach_px)] = False
        tissue[k][cistern] = BRAIN


def _keep_large_ventricles(tissue: np.ndarray, smallest_share: float = 0.1):
    """Turn small deep dark pieces (cisterns, deep sulci) back into brain; in place."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray((tissue == VENTRICLE).astype(np.uint8))
    components = sitk.GetArrayFromImage(sitk.RelabelComponent(sitk.ConnectedComponent(image, True)))
    sizes = np.bincount(components.ravel())[1:]
    if len(sizes):
        small = np.flatnonzero(sizes < max(smallest_share * sizes[0], 60)) + 1
        tissue[np.isin(components, small)] = BRAIN


def _is_ringed_by_bone(component: np.ndarray, hu: np.ndarray, reach_px: int = 5) -> bool:
    """Whether most of the rim of a piece touches bone: true of the brain, not of tongue, orbit or neck."""
    rim = dilated_by_disk(component, reach_px) & ~dilated_by_disk(component, reach_px - 2)
    near_bone = dilated_by_disk(hu > 95, 2)
    return rim.any() and near_bone[rim].mean() > 0.62
