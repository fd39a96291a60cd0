"""Makes the numbers of anatomy.skull_model from the CT template, and says how well they fit it.

    python -m ICHVolumeLib.experiments.fit_skull_model FOLDER_WITH_scct.nii.gz

The template is the skull of Rorden et al. 2012 (10.1016/j.neuroimage.2012.03.020) in MNI space. Its inner table is felt
along 4000 lines from CENTER_MM; harmonics are fitted to that robustly, smooth where there is no bone. Only the 45
numbers are shipped.
"""

import sys
from pathlib import Path

import numpy as np

from ..anatomy.skull_model import CENTER_MM, DEGREE, HARMONICS, even_directions, harmonics, is_trusted

RAYS, STEP_MM, NEAR_MM, FAR_MM = 4000, 0.5, 20.0, 130.0
BONE_UNITS = 3200.0  # of the template's "Cormack units": 200 HU
SMOOTHNESS = 0.02
TOLERANCE_MM, ROUNDS = 2.0, 60


def inner_table_mm(image, directions: np.ndarray) -> np.ndarray:
    """(n,) mm from CENTER_MM to the first bone along (n, 3) unit vectors (RAS), NaN where the image ends before."""
    import SimpleITK as sitk

    values = sitk.GetArrayFromImage(image)
    reach = np.arange(NEAR_MM, FAR_MM, STEP_MM)
    places = (CENTER_MM + directions[:, None] * reach[:, None]) * (-1, -1, 1)  # ITK's axes run to the left and back
    turned = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    at = np.round((places - image.GetOrigin()) @ np.linalg.inv(turned).T).astype(int)
    sizes = np.array(image.GetSize())
    inside = ((at >= 0) & (at < sizes)).all(axis=-1)
    at = np.clip(at, 0, sizes - 1)
    bone = values[at[..., 2], at[..., 1], at[..., 0]] >= BONE_UNITS
    first, left = bone.argmax(axis=1), (~inside).argmax(axis=1)
    found = bone.any(axis=1) & (inside.all(axis=1) | (first < left))
    return np.where(found, reach[first], np.nan)


def fitted(directions: np.ndarray, reach_mm: np.ndarray) -> np.ndarray:
    """The coefficients: robust least squares; high degrees cost, so that gaps are closed smoothly."""
    values = harmonics(directions)
    degrees = np.concatenate([np.arange(m, DEGREE + 1) for m in range(DEGREE + 1)])
    cost = SMOOTHNESS * np.sqrt((values**2).mean(axis=0)) * degrees**2 * np.sqrt(len(values)) / 20
    known = np.isfinite(reach_mm)
    target, weights = np.where(known, reach_mm, 0.0), known.astype(float)
    for _ in range(ROUNDS):
        rows = np.vstack([values * weights[:, None], np.diag(cost)])
        numbers = np.linalg.lstsq(rows, np.r_[target * weights, np.zeros(len(cost))], rcond=None)[0]
        weights = known / (1 + ((values @ numbers - target) / TOLERANCE_MM) ** 2)
    return numbers


def report(numbers: np.ndarray, directions: np.ndarray, reach_mm: np.ndarray) -> str:
    """How far the surface lies from the template's inner table where the model is trusted."""
    radius = harmonics(directions) @ numbers
    seen = np.isfinite(reach_mm) & is_trusted(CENTER_MM + radius[:, None] * directions)
    off = np.abs(radius - reach_mm)[seen]
    return (f"{seen.sum()} lines: mean {off.mean():.2f} mm, median {np.median(off):.2f} mm, "
            f"95 % within {np.percentile(off, 95):.2f} mm")


def main(folder: Path) -> None:
    import SimpleITK as sitk

    directions = even_directions(RAYS)
    reach = inner_table_mm(sitk.ReadImage(str(folder / "scct.nii.gz"), sitk.sitkFloat32), directions)
    numbers = fitted(directions, reach)
    shown = np.array2string(numbers, separator=", ", precision=4, max_line_width=100, suppress_small=True)
    sys.stdout.write(f"{shown}\nnew:     {report(numbers, directions, reach)}\n"
                     f"shipped: {report(HARMONICS, directions, reach)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
