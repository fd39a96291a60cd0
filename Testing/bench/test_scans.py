import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.bench.scans import fixed_slices, place_in_brain, thin_scan, whole_slices, with_ball


@pytest.mark.parametrize("volume_ml", [0.1, 1.0, 4.0])
def test_a_ball_of_blood_has_its_volume(phantom, volume_ml):
    ct = phantom.ct
    before = ct.hu.copy()
    bleeding, truth = with_ball(ct, (len(ct.hu) // 2, 100, 90), volume_ml)
    added_hu = (bleeding.hu.astype(float) - ct.hu).sum(axis=(1, 2))
    added_ml = added_hu @ ct.voxel_volumes_mm3 / 1000 / 34
    assert added_ml == pytest.approx(volume_ml, rel=0.35)  # slices 5 mm apart cut it coarsely
    assert truth.any() and (ct.hu == before).all()


def test_a_place_in_the_brain_has_brain_around_it(phantom):
    ct = phantom.ct
    places = {place_in_brain(ct, seed) for seed in range(5)}
    assert len(places) > 1
    for k, j, i in places:
        assert np.median(ct.hu[k, j - 12:j + 13, i - 12:i + 13]) < 80
        assert abs(ct.slice_origins_ras[k, 2]) < 60


def test_a_thin_scan_is_the_same_head_in_more_slices(phantom):
    ct = phantom.ct
    thin = thin_scan(ct, 3 * len(ct.hu))
    assert thin.hu.shape == (3 * len(ct.hu), *ct.hu.shape[1:])
    np.testing.assert_allclose(thin.slice_origins_ras[[0, -1]], ct.slice_origins_ras[[0, -1]])
    assert not thin.is_uneven and (thin.hu[0] == ct.hu[0]).all() and (thin.hu[-1] == ct.hu[-1]).all()


def test_fixed_slices_lie_over_the_bleed():
    phantom = ellipsoid_ct(step_mm=4.0)
    bleeding = np.flatnonzero(phantom.mask.any(axis=(1, 2)))
    chosen = fixed_slices(phantom.ct, phantom.mask)
    assert len(chosen) == 6 and chosen[0] == bleeding[0] - 1 and chosen[-1] == bleeding[-1] + 1
    assert np.isin(chosen[1:-1], bleeding).all()
    assert len(fixed_slices(phantom.ct, np.zeros_like(phantom.mask))) == 6


def test_whole_slices_are_windowed_and_nothing_else(phantom):
    slices = whole_slices(phantom.ct, np.array([4, 9]), (-60, 140), 3)
    assert slices.shape == (2, 1, 3, *phantom.ct.hu.shape[1:]) and slices.dtype == np.float32
    np.testing.assert_allclose(slices[1, 0, 2], np.clip((phantom.ct.hu[9] + 60) / 200, 0, 1), atol=1e-6)
