"""The DICOM series written for a sample: the same bytes every time, and valid in other readers' eyes."""

import numpy as np
import pydicom
import pytest
from phantoms import ellipsoid_ct, with_info

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0}


@pytest.fixture(scope="module")
def ct():
    return ellipsoid_ct("tilted-uneven", **SMALL).ct


def test_the_same_scan_gives_the_same_bytes(ct, tmp_path):
    first, second = write_dicom_series(ct, tmp_path / "a"), write_dicom_series(ct, tmp_path / "b")
    assert [path.name for path in first] == [f"CT{k + 1:04d}.dcm" for k in range(len(ct.hu))]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_another_seed_gives_another_patient_study_and_series(ct, tmp_path):
    first, second = (pydicom.dcmread(write_dicom_series(ct, tmp_path / str(seed), seed=seed)[0]) for seed in (0, 1))
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        assert first[name].value != second[name].value
        assert pydicom.uid.UID(first[name].value).is_valid


def test_two_series_numbers_share_one_study(ct, tmp_path):
    first, second = (pydicom.dcmread(write_dicom_series(ct, tmp_path / str(n), series_number=n)[0]) for n in (1, 2))
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID


def test_the_header_says_what_the_volume_is(ct, tmp_path):
    paths = write_dicom_series(with_info(ct, kernel="H31s", contrast_agent="yes", patient_age_years=71.0), tmp_path)
    slices = [pydicom.dcmread(path) for path in paths]
    first = slices[0]
    assert (first.Modality, first.PatientAge, first.ConvolutionKernel, first.ContrastBolusAgent) \
        == ("CT", "071Y", "H31s", "yes")
    assert (float(first.RescaleSlope), float(first.RescaleIntercept), first.RescaleType) == (1, -1024, "HU")
    assert float(first.GantryDetectorTilt) == pytest.approx(20, abs=1e-5)
    assert [item.InstanceNumber for item in slices] == list(range(1, len(slices) + 1))
    lps = np.array([item.ImagePositionPatient for item in slices], float)
    assert lps * [-1, -1, 1] == pytest.approx(ct.slice_origins_ras, abs=1e-9)
    assert len({item.SOPInstanceUID for item in slices}) == len(slices)
    assert "SpacingBetweenSlices" not in first, "uneven slices have no single distance"


def test_every_value_fits_its_dicom_type(ct, tmp_path):
    path = write_dicom_series(ct, tmp_path)[3]
    with pydicom.config.strict_reading():
        dataset = pydicom.dcmread(path)
        for element in dataset:
            assert element.value is not None
    assert all(len(text) <= 16 for text in map(str, dataset.ImagePositionPatient))


def test_simpleitk_reads_a_regular_series_with_its_values(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    ct = ellipsoid_ct("regular", **SMALL).ct
    write_dicom_series(ct, tmp_path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    assert np.array_equal(sitk.GetArrayFromImage(image), ct.hu)
    assert image.GetSpacing() == pytest.approx((3, 3, 10))


def test_an_unwritable_folder_is_refused(ct, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match="Cannot write into"):
        write_dicom_series(ct, tmp_path / "taken")
