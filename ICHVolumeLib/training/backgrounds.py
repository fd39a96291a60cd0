"""Bleed-free heads that hemorrhages are put into: real slices, a CT template, and heads made by code.

Every source becomes a `Background`: HU plus where brain and ventricles lie. Real slices of the CT-ICH data set
(Hssayeni et al., Data 2020;5:14, CC BY 4.0) come as 8-bit brain windows: what is saturated there is given values
outside the network's window [-60, 140] HU, never values inside it, so that no clipped pixel turns into a clot.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import InputError
from .head_scale import patient_spacing_mm, read_slices

PIXEL_MM = 0.45  # backgrounds are kept at this in-plane spacing
TISSUE_STRIDE = 2  # the tissue map is kept at half that resolution
OUTSIDE, BRAIN, VENTRICLE = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Background:
    """hu: int16 (slices, rows, columns), slice 0 lowest, row 0 front, column 0 patient's right, PIXEL_MM pixels.

    tissue: uint8 (slices, rows / 2, columns / 2) of OUTSIDE, BRAIN, VENTRICLE; depth_mm: uint8, same grid,
    distance to the inside of the skull in the slice. kind: "ct_ich", "extra_axial", "template" or "procedural".
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
    pieces = sitk.GetArrayFromImage(sitk.RelabelComponent(sitk.ConnectedComponent(opened)))
    brain = np.zeros_like(inside)
    for label in range(1, min(int(pieces.max()), 4) + 1):
        piece = pieces == label
        if piece.sum() * pixel_mm**2 > 300 and _is_ringed_by_bone(piece, hu):
            brain |= piece
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
    pieces = sitk.GetArrayFromImage(sitk.RelabelComponent(sitk.ConnectedComponent(image, True)))
    sizes = np.bincount(pieces.ravel())[1:]
    if len(sizes):
        small = np.flatnonzero(sizes < max(smallest_share * sizes[0], 60)) + 1
        tissue[np.isin(pieces, small)] = BRAIN


def _is_ringed_by_bone(piece: np.ndarray, hu: np.ndarray, reach_px: int = 5) -> bool:
    """Whether most of the rim of a piece touches bone: true of the brain, not of tongue, orbit or neck."""
    rim, near_bone = _dilate(piece, reach_px) & ~_dilate(piece, reach_px - 2), _dilate(hu > 95, 2)
    return rim.any() and near_bone[rim].mean() > 0.62


def _dilate(mask: np.ndarray, radius_px: int) -> np.ndarray:
    import SimpleITK as sitk

    image = sitk.BinaryDilate(sitk.GetImageFromArray(mask.astype(np.uint8)), [radius_px] * 2)
    return sitk.GetArrayFromImage(image).astype(bool)


def load_ct_ich(folder: Path, kind: str = "ct_ich") -> list[Background]:
    """All patients of a folder of pNNN_sNN.jpg brain-window slices (650 x 650, 8 bit, about 5 mm apart)."""
    names = sorted(Path(folder).glob("p*_s*.jpg"))
    if not names:
        raise InputError(f"{folder}: no pNNN_sNN.jpg slices here; give the folder of the CT-ICH normal slices.")
    patients: dict[str, list[Path]] = {}
    for name in names:
        patients.setdefault(name.stem.split("_")[0], []).append(name)
    return [_ct_ich_patient(patient, kind, files) for patient, files in patients.items()]


def _ct_ich_patient(patient: str, kind: str, files: list[Path]) -> Background:
    spacing_mm = patient_spacing_mm(files[0].parent, patient)
    scaled = np.stack([rescale(one, spacing_mm) for one in window_to_hu(read_slices(files))])
    return make_background(patient, kind, scaled, 5.0)


def window_to_hu(pixels: np.ndarray) -> np.ndarray:
    """8-bit brain window to HU, (…) int16: linear -20..100 inside, 300 where white, -200 where black."""
    hu = pixels.astype(np.float32) * (120 / 255) - 20
    hu[pixels >= 253] = 300
    hu[pixels <= 1] = -200
    return hu.astype(np.int16)


def rescale(hu: np.ndarray, spacing_mm: float, nearest: bool = False) -> np.ndarray:
    """One slice to PIXEL_MM and a 512 x 512 frame around its centre, int16; nearest: labels (uint8), 0 outside."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(hu.astype(np.float32))
    image.SetSpacing((spacing_mm, spacing_mm))
    center_mm = (np.array(hu.shape[::-1]) - 1) / 2 * spacing_mm
    origin = center_mm - 255.5 * PIXEL_MM
    how, beyond = (sitk.sitkNearestNeighbor, 0.0) if nearest else (sitk.sitkLinear, -200.0)
    frame = sitk.Resample(image, (512, 512), sitk.Transform(), how, tuple(origin), (PIXEL_MM, PIXEL_MM), (1, 0, 0, 1),
                          beyond)
    return sitk.GetArrayFromImage(frame).astype(np.uint8 if nearest else np.int16)
