"""The coarse look inside the skull, on phantoms whose brain area is known by formula."""

import numpy as np
import pytest
from phantoms import HEAD_MM, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.quality.skull import look_at_skull

COARSE = {"pixel_mm": 1.2, "columns": 148, "rows": 176, "step_mm": 5.0}


@pytest.fixture(scope="module")
def ct():
    return ellipsoid_ct("regular", **COARSE).ct


def test_brain_area_is_that_of_the_ellipse(ct):
    view = look_at_skull(ct)
    a, b, c = np.array(HEAD_MM) - 10
    z = ct.slice_origins_ras[:, 2]
    expected_cm2 = np.pi * a * b * np.maximum(0, 1 - (z / c) ** 2) / 100
    middle = np.abs(z) < 60
    assert view.brain_cm2[middle] == pytest.approx(expected_cm2[middle], rel=0.05)


def test_a_head_holder_is_no_skull(ct):
    hu = ct.hu.copy()
    rows, columns = np.mgrid[:hu.shape[1], :hu.shape[2]]
    ring = np.abs(np.hypot(rows - 88, columns - 74) - 86) < 1.5
    hu[:, ring & (rows > 60)] = 900
    with_holder = look_at_skull(CTVolume(hu, ct.ijk_to_ras, ct.slice_origins_ras, ct.info))
    assert with_holder.brain_cm2 == pytest.approx(look_at_skull(ct).brain_cm2)
    assert with_holder.air_ml == 0


def test_a_frontal_sinus_is_no_air_in_the_brain(ct):
    hu = ct.hu.copy()
    k = int(np.argmin(np.abs(ct.slice_origins_ras[:, 2] - 5)))
    hu[k - 2:k + 3, 12:20, 60:90] = -950
    assert look_at_skull(CTVolume(hu, ct.ijk_to_ras, ct.slice_origins_ras, ct.info)).air_ml == 0


def test_a_trunk_or_a_block_of_water_is_no_head(ct):
    wide = CTVolume.regular(ct.hu, ct.ijk_to_ras @ np.diag([2, 2, 1, 1]))
    assert look_at_skull(wide) is None
    assert look_at_skull(CTVolume.regular(np.full_like(ct.hu, 20), ct.ijk_to_ras)) is None


@pytest.mark.parametrize(("height_mm", "counts"), [(5.0, False), (45.0, True)])
def test_deep_air_counts_in_the_vault_and_not_at_the_height_of_the_sinuses(ct, height_mm, counts):
    hu = ct.hu.copy()
    k = int(np.argmin(np.abs(ct.slice_origins_ras[:, 2] - height_mm)))
    hu[k, 80:96, 66:82] = -950
    found_ml = look_at_skull(CTVolume(hu, ct.ijk_to_ras, ct.slice_origins_ras, ct.info)).air_ml
    assert found_ml == pytest.approx(16 * 16 * 1.2**2 * 5 / 1000 if counts else 0, rel=0.1)
