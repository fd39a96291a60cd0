"""Lines from inside stop at the bone, where it truly is."""

import numpy as np

from ICHVolumeLib.anatomy.inner_table import SkullImage
from ICHVolumeLib.anatomy.skull_model import even_directions
from ICHVolumeLib.core.ct_volume import CTVolume

INNER_MM = 60.0
BLUR_MM = 2.2  # averaged to 3 mm, the edge of dense bone shows so much too early, everywhere alike


def ball(heights_mm, shear=0.0, hole=False):
    """A hollow ball of bone, 60 mm inside and 8 mm thick, around the origin; slices at these heights."""
    matrix = np.diag([-2.0, -2.0, 1.0, 1.0])
    origins = np.array([[79.0, 79.0 + shear * height, height] for height in heights_mm])
    matrix[:3, 2], matrix[:3, 3] = (origins[-1] - origins[0]) / (len(origins) - 1), origins[0]
    ct = CTVolume(np.zeros((len(origins), 80, 80), np.int16), matrix, origins)
    places = ct.voxel_to_ras(np.stack(np.indices(ct.hu.shape), -1))
    radius = np.linalg.norm(places, axis=-1)
    hu = np.select([radius < INNER_MM, radius < INNER_MM + 8], [35, 1000], -1000)
    if hole:
        hu[(places[..., 0] < -40) & (radius > INNER_MM)] = 30
    return CTVolume(hu.astype(np.int16), matrix, origins)


def reach(ct):
    skull = SkullImage.of(ct)
    directions = even_directions(200)
    return directions, skull.first_bone_mm(np.zeros(3), directions, 20.0, 90.0)


def test_the_inner_surface_is_found_evenly_in_all_directions():
    _, mm = reach(ball(np.arange(-72.0, 73.0, 3.0)))
    assert np.isfinite(mm).all() and INNER_MM - BLUR_MM < mm.mean() < INNER_MM and mm.std() < 0.7


def test_tilted_and_uneven_slices_change_nothing():
    uneven = np.r_[np.arange(-72.0, 0.0, 2.5), np.arange(1.0, 73.0, 5.0)]
    _, mm = reach(ball(uneven, shear=0.35))
    assert np.isfinite(mm).mean() > 0.97 and INNER_MM - BLUR_MM < np.nanmean(mm) < INNER_MM
    assert np.nanstd(mm) < 1.0


def test_nothing_is_felt_through_a_hole_or_beyond_the_scan():
    directions, mm = reach(ball(np.arange(-72.0, 43.0, 3.0), hole=True))
    assert np.isnan(mm[directions[:, 2] > 0.8]).all() and np.isnan(mm[directions[:, 0] < -0.85]).all()
    assert np.isfinite(mm[np.abs(directions[:, 2]) + np.abs(np.minimum(directions[:, 0], 0)) < 0.4]).all()


def test_calcifications_inside_are_no_skull():
    ct = ball(np.arange(-72.0, 73.0, 3.0))
    hu = ct.hu.copy()
    hu[22:26, 30:50, 30:34] = 600
    _, before = reach(ct)
    _, mm = reach(CTVolume(hu, ct.ijk_to_ras, ct.slice_origins_ras))
    assert np.abs(mm - before).max() < 0.5


def test_a_scan_without_bone_has_no_skull():
    assert SkullImage.of(CTVolume.regular(np.full((5, 20, 20), 40, np.int16), np.eye(4))) is None
