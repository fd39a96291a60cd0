"""Small tilted phantoms: one with its DICOM folder, one with its mask."""

import mask_case
import pytest
from dicom_files import SMALL
from phantoms import ellipsoid_ct

from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


@pytest.fixture(scope="module")
def small():
    return ellipsoid_ct("tilted", **SMALL).ct


@pytest.fixture
def folder(small, tmp_path):
    write_dicom_series(small, tmp_path / "series")
    return tmp_path / "series"


@pytest.fixture(scope="module")
def case():
    """CT, and a mask with 1 and 2."""
    phantom = ellipsoid_ct("tilted", **mask_case.SMALL)
    mask = phantom.mask.copy()
    mask[9:11, 30:33, 20:40] = 2
    return phantom.ct, mask
