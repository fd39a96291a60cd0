"""A head with one ellipsoid of blood, and one with blood in the middle of a dark ventricle."""

import numpy as np
import pytest
from phantoms import Phantom, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume


@pytest.fixture(scope="module", params=["regular", "tilted-uneven"])
def bled(request) -> Phantom:
    return ellipsoid_ct(request.param, step_mm=4.0, semi_axes_mm=(18.0, 14.0, 13.0), center_mm=(30.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def plain() -> Phantom:
    return ellipsoid_ct(step_mm=4.0, semi_axes_mm=(18.0, 14.0, 13.0), center_mm=(30.0, 0.0, 0.0))


@pytest.fixture
def middle():
    """A function: the voxel in the middle of a mask."""
    def of(mask):
        return tuple(int(round(float(np.mean(one)))) for one in np.nonzero(mask))
    return of


@pytest.fixture
def painted():
    """A function: the CT with other HU where `where` is true (the noise stays)."""
    def paint(ct, where, hu):
        values = ct.hu.copy()
        values[where] = hu + (ct.hu[where] - int(np.median(ct.hu[where])))
        return CTVolume(values, ct.ijk_to_ras, ct.slice_origins_ras, ct.info)
    return paint
