"""Head-like phantoms made by formula: an ellipsoidal bleed of known volume on every kind of slice grid.

The bleed is cut by the voxel centres of the true slice positions, so its analytic volume is an oracle for
anything that counts voxels. Coordinates are RAS mm; the head is centred on (0, 0, 0).
"""

from dataclasses import dataclass, replace
from math import cos, pi, radians, sin

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume, ScanInfo

GRIDS = ("regular", "tilted", "uneven", "tilted-uneven", "overlapping", "flipped", "oblique")
AIR_HU, SCALP_HU, SKULL_HU, BRAIN_HU, BLEED_HU = -1000, 40, 1000, 32, 65
HEAD_MM = (76.0, 92.0, 84.0)  # semi-axes of the scalp; skull 4 mm inside it, brain 10 mm inside it


@dataclass(frozen=True)
class Phantom:
    """ct; mask uint8 (slices, rows, columns), 1 inside the ellipsoid; volume_ml by formula, not by counting."""

    ct: CTVolume
    mask: np.ndarray
    volume_ml: float


def ellipsoid_ct(grid="regular", *, semi_axes_mm=(30.0, 20.0, 20.0), center_mm=(0.0, 0.0, 0.0), label=1,
                 pixel_mm=1.0, step_mm=2.5, columns=192, rows=208, half_height_mm=90.0, tilt_deg=20.0,
                 noise_hu=4.0, head=True) -> Phantom:
    """One ellipsoid of blood (semi-axes along R, A, S) in a head, sampled on `grid` (one of GRIDS).

    Without `head` the rest is air: faster, for tests that only count. noise_hu is the seeded noise's SD.
    """
    i_axis, j_axis, stack, positions = _axes_and_positions(grid, step_mm, half_height_mm, tilt_deg)
    normal = np.cross(i_axis, j_axis)
    normal = normal if normal @ stack > 0 else -normal
    corner = -(columns - 1) / 2 * pixel_mm * i_axis - (rows - 1) / 2 * pixel_mm * j_axis
    origins = corner + np.outer(positions / (stack @ normal), stack)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = i_axis * pixel_mm, j_axis * pixel_mm
    matrix[:3, 2] = (origins[-1] - origins[0]) / (len(origins) - 1)
    matrix[:3, 3] = origins[0]
    hu, mask = _draw(origins, matrix, (rows, columns), semi_axes_mm, center_mm, label, noise_hu, head)
    info = ScanInfo(source=f"phantom ({grid})", series_uid="2.25.1", series_description="Ellipsoid phantom",
                    slice_thickness_mm=2 * step_mm if grid == "overlapping" else step_mm, patient_age_years=60.0)
    return Phantom(CTVolume(hu, matrix, origins, info), mask, 4 / 3 * pi * float(np.prod(semi_axes_mm)) / 1000)


def with_info(ct: CTVolume, **changes) -> CTVolume:
    """The same volume with other words in its ScanInfo."""
    return replace(ct, info=replace(ct.info, **changes))


def _axes_and_positions(grid, step_mm, half_height_mm, tilt_deg):
    """Unit i axis, j axis and stacking direction (RAS), and slice positions along the slice normal."""
    i_axis, j_axis, stack = np.array([-1.0, 0, 0]), np.array([0, -1.0, 0]), np.array([0, 0, 1.0])
    positions = np.arange(-half_height_mm, half_height_mm + step_mm / 2, step_mm)
    if grid not in GRIDS:
        raise ValueError(f"{grid} is not one of {GRIDS}")
    if "tilted" in grid:  # the gantry leans, the table does not: slices turn, the stack stays along S
        angle = radians(tilt_deg)
        j_axis = np.array([0, -cos(angle), -sin(angle)])
    if "uneven" in grid:  # thin base, one stray step, thick vertex
        thin = np.arange(-half_height_mm, 0, 0.8 * step_mm)
        positions = np.concatenate([thin, np.arange(thin[-1] + 0.1 * step_mm, half_height_mm, 1.6 * step_mm)])
    if grid == "flipped":  # rows run forwards and slices downwards
        j_axis, stack = -j_axis, -stack
    if grid == "oblique":  # a turned head, right-angled grid
        turn = _rotation(radians(12), radians(-9), radians(15))
        i_axis, j_axis, stack = turn @ i_axis, turn @ j_axis, turn @ stack
    return i_axis, j_axis, stack, positions


def _rotation(a, b, c):
    about_r = np.array([[1, 0, 0], [0, cos(a), -sin(a)], [0, sin(a), cos(a)]])
    about_a = np.array([[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]])
    about_s = np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
    return about_s @ about_a @ about_r


def _draw(origins, matrix, shape, semi_axes_mm, center_mm, label, noise_hu, head):
    rows, columns = shape
    in_plane = (np.arange(columns)[None, :, None] * matrix[:3, 0] + np.arange(rows)[:, None, None] * matrix[:3, 1])
    rng = np.random.default_rng(0)
    hu = np.full((len(origins), rows, columns), AIR_HU, np.int16)
    mask = np.zeros(hu.shape, np.uint8)
    for k, origin in enumerate(origins):
        points = in_plane + origin
        layers = [(0, SCALP_HU), (4, SKULL_HU), (10, BRAIN_HU)] if head else []
        for depth_mm, value in layers:
            hu[k][_inside(points, (0, 0, 0), np.array(HEAD_MM) - depth_mm)] = value
        inside = _inside(points, center_mm, semi_axes_mm)
        hu[k][inside] = BLEED_HU
        mask[k][inside] = label
        hu[k] += np.round(rng.normal(0, noise_hu, (rows, columns))).astype(np.int16)
    return hu, mask


def _inside(points, center, semi_axes):
    return (((points - np.asarray(center)) / np.asarray(semi_axes)) ** 2).sum(-1) <= 1
