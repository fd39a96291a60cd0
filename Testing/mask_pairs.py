"""Pairs of masks for tests of their agreement, and scans without a picture to lie on."""

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume

TOLERANCE_MM = 1.0
GRIDS = [(5.0, 0.45, 0.45), (1.0, 1.0, 1.0), (2.5, 0.8, 0.6)]


def scan(shape, spacing_mm=(1.0, 1.0, 1.0), origins=None):
    """An empty scan with these steps along slices, rows and columns."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(spacing_mm[::-1])
    hu = np.zeros(shape, np.int16)
    return CTVolume.regular(hu, matrix) if origins is None else CTVolume(hu, matrix, np.asarray(origins, float))


def ragged_pair(seed, shape=(9, 24, 26)):
    """Two overlapping balls with gnawed outlines and stray voxels."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(shape)
    masks = []
    for shift in (0.0, 2.5):
        far = ((k - 4) / 3.2) ** 2 + ((j - 11 - shift) / 7) ** 2 + ((i - 12) / 7.5) ** 2
        masks.append(far + rng.normal(0, 0.25, shape) < 1)
    masks[1][:2] = False
    return masks


def ball(shape, center, radii, label=1):
    """uint8 mask of an ellipsoid, in voxels (slices, rows, columns)."""
    away = sum(((axis - middle) / radius) ** 2
               for axis, middle, radius in zip(np.indices(shape), center, radii, strict=True))
    return np.where(away <= 1, label, 0).astype(np.uint8)


def matrix_of(spacing_mm=(5.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0)):
    """4x4 (i, j, k) to RAS of a grid with these steps along slices, rows and columns."""
    matrix = np.diag([*spacing_mm[::-1], 1.0])
    matrix[:3, 3] = origin
    return matrix


def write_masks(folder, masks, matrix=None, ending=".nii.gz"):
    """NAME + ending for every mask of {NAME: mask}; returns the folder."""
    import nibabel

    from ICHVolumeLib.io.nrrd import write_nrrd

    folder.mkdir(parents=True, exist_ok=True)
    matrix = matrix_of() if matrix is None else matrix
    for name, mask in masks.items():
        if "nii" in ending:
            nibabel.save(nibabel.Nifti1Image(mask.T, matrix), folder / f"{name}{ending}")
        else:
            write_nrrd(folder / f"{name}{ending}", mask, matrix)
    return folder


def patients(count=6, shape=(8, 40, 40)):
    """{p0: truth, ...}: balls of growing size, every second one with blood in the ventricles, too."""
    masks = {}
    for number in range(count):
        size = 5 + number
        truth = ball(shape, (3.5, 16, 16), (2.6, size, size - 1))
        if number % 2:
            truth = np.where(ball(shape, (4, 34, 34), (1.5, 3, 3)) > 0, 2, truth).astype(np.uint8)
        masks[f"p{number}"] = truth
    return masks


def shifted(masks, columns):
    """The same masks, moved along the columns."""
    return {name: np.roll(mask, columns, axis=2) for name, mask in masks.items()}
