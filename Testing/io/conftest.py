"""A small tilted phantom and its DICOM folder."""

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
