"""Volumes must not depend on how the slices lie: the analytic ellipsoid is the oracle."""

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError


def counted_ml(phantom):
    voxels = (phantom.mask > 0).sum(axis=(1, 2))
    return float(voxels @ phantom.ct.voxel_volumes_mm3) / 1000


@pytest.mark.parametrize("grid", GRIDS)
def test_the_same_ellipsoid_has_the_same_volume_on_every_grid(grid):
    phantom = ellipsoid_ct(grid, head=False)
    assert counted_ml(phantom) == pytest.approx(phantom.volume_ml, rel=0.01)


@pytest.mark.parametrize("tilt_deg", [12, 18.5, 30, -25])
def test_tilt_is_measured_from_positions_and_does_not_change_the_volume(tilt_deg):
    phantom = ellipsoid_ct("tilted", tilt_deg=tilt_deg, head=False)
    assert phantom.ct.tilt_deg == pytest.approx(abs(tilt_deg), abs=1e-6)
    assert counted_ml(phantom) == pytest.approx(phantom.volume_ml, rel=0.01)
    product_of_spacings = counted_ml(phantom) / np.cos(np.radians(tilt_deg))
    assert product_of_spacings != pytest.approx(phantom.volume_ml, rel=0.01), "the oracle must tell them apart"


def test_voxel_volume_of_a_regular_grid_is_the_determinant():
    for grid in ("regular", "tilted", "overlapping", "flipped", "oblique"):
        ct = ellipsoid_ct(grid, head=False).ct
        assert ct.voxel_volumes_mm3 == pytest.approx(abs(np.linalg.det(ct.ijk_to_ras[:3, :3])), rel=1e-9)
        assert not ct.is_uneven


def test_uneven_slabs_count_by_their_own_height():
    ct = ellipsoid_ct("uneven", step_mm=5.0, head=False).ct
    assert ct.is_uneven
    assert ct.slab_heights_mm[0] == pytest.approx(4.0)
    assert ct.slab_heights_mm[-1] == pytest.approx(8.0)
    stray = int(np.argmin(ct.slice_steps_mm))
    assert ct.slice_steps_mm[stray] == pytest.approx(0.5)
    assert ct.slab_heights_mm[stray] == pytest.approx((4.0 + 0.5) / 2)
    assert ct.slab_heights_mm[stray + 1] == pytest.approx((0.5 + 8.0) / 2)


def test_slice_steps_are_positive_whichever_way_the_slices_run():
    for grid in GRIDS:
        assert (ellipsoid_ct(grid, head=False).ct.slice_steps_mm > 0).all()


@pytest.mark.parametrize("grid", GRIDS)
def test_voxel_to_ras_finds_the_centre_of_the_ellipsoid(grid):
    center = (10.0, -15.0, 5.0)
    phantom = ellipsoid_ct(grid, center_mm=center, head=False)
    points = phantom.ct.voxel_to_ras(np.argwhere(phantom.mask))
    weights = phantom.ct.voxel_volumes_mm3[np.nonzero(phantom.mask)[0]]
    assert np.average(points, axis=0, weights=weights) == pytest.approx(center, abs=0.3)


def test_degenerate_geometry_is_refused_in_words():
    hu, matrix = np.zeros((3, 4, 5), np.int16), np.diag([1.0, 1, 5, 1])
    with pytest.raises(InputError, match="at least two slices"):
        CTVolume.regular(hu[:1], matrix)
    with pytest.raises(InputError, match="not a number"):
        CTVolume.regular(hu, np.diag([1.0, np.nan, 5, 1]))
    with pytest.raises(InputError, match="spacing is zero"):
        CTVolume.regular(hu, np.diag([1.0, 0, 5, 1]))
    with pytest.raises(InputError, match="3 slices but 2 positions"):
        CTVolume(hu, matrix, np.zeros((2, 3)))
    origins = np.outer([0.0, 10.0, 5.0], [0, 0, 1])
    with pytest.raises(InputError, match="slice 3 does not lie beyond slice 2"):
        CTVolume(hu, matrix, origins)
