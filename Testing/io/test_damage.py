"""Bytes changed or cut at random (seeded): a damaged file is read or refused in words, never a crash."""

import random

import pytest
from nifti_files import nifti_bytes
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.masks import read_mask
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

ROUNDS = 60
TINY = {"pixel_mm": 6.0, "columns": 32, "rows": 36, "step_mm": 20.0}


@pytest.fixture(scope="module")
def case():
    return ellipsoid_ct("tilted", **TINY)


def spoilt(data, header_bytes, probability):
    """Some header bytes changed; one time in five the file is cut off too."""
    data = bytearray(data)
    for _ in range(probability.choice([1, 2, 5])):
        data[probability.randrange(min(len(data), header_bytes))] = probability.randrange(256)
    return bytes(data[:probability.randrange(len(data))] if probability.random() < 0.2 else data)


def outcomes(path, header_bytes, read):
    whole, probability, seen = path.read_bytes(), random.Random(7), set()
    for _ in range(ROUNDS):
        path.write_bytes(spoilt(whole, header_bytes, probability))
        try:
            read()
            seen.add("read")
        except InputError as error:
            assert str(error)
            seen.add("refused")
    return seen


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_slice_never_crashes_the_reader(case, tmp_path):
    paths = write_dicom_series(case.ct, tmp_path)
    assert outcomes(paths[3], 1800, lambda: read_ct(tmp_path)) == {"read", "refused"}


def test_a_damaged_image_file_never_crashes_the_reader(case, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", case.ct.hu, case.ct.ijk_to_ras)
    (tmp_path / "a.nii").write_bytes(nifti_bytes(case.ct.hu, case.ct.ijk_to_ras))
    assert "refused" in outcomes(tmp_path / "a.nrrd", 400, lambda: read_ct(tmp_path / "a.nrrd"))
    assert "refused" in outcomes(tmp_path / "a.nii", 352, lambda: read_ct(tmp_path / "a.nii"))


def test_a_damaged_mask_never_crashes_the_reader(case, tmp_path):
    write_mask_seg_nrrd(tmp_path / "m.seg.nrrd", case.mask, case.ct)
    assert outcomes(tmp_path / "m.seg.nrrd", 2600, lambda: read_mask(tmp_path / "m.seg.nrrd", case.ct)) \
        == {"read", "refused"}
