"""Which slices are measured: several series, copies, phases, damage elsewhere."""

import numpy as np
import pydicom
import pytest
from dicom_files import SMALL, change, change_all, message
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.read_ct import list_series, read_ct
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


def join(other, folder):
    """Put the slices of another folder under the study and series UID of the first."""
    first = pydicom.dcmread(folder / "CT0001.dcm", stop_before_pixels=True)
    change_all(other, SeriesInstanceUID=first.SeriesInstanceUID, StudyInstanceUID=first.StudyInstanceUID)


def test_one_file_stands_for_its_series(small, folder):
    other = small.__class__(small.hu[2:], small.ijk_to_ras, small.slice_origins_ras[2:], small.info)
    write_dicom_series(other, folder / "other", series_number=2)
    (folder / "other" / "CT0001.dcm").rename(folder / "zz.dcm")
    assert read_ct(folder / "CT0003.dcm").hu.shape == small.hu.shape


def test_a_damaged_file_of_another_series_does_no_harm(small, folder):
    write_dicom_series(small, folder / "other", series_number=2, series_description="other")
    path = folder / "other" / "CT0002.dcm"
    change(path, PixelData=None)
    ct = read_ct(folder, read_ct(folder / "CT0001.dcm").info.series_uid)
    assert np.array_equal(ct.hu, small.hu)
    assert "CT0002.dcm" in message(ct, "files-damaged")


def test_exact_duplicates_are_counted_once_and_said(small, folder):
    for name in ("CT0003.dcm", "CT0008.dcm"):
        (folder / f"copy_of_{name}").write_bytes((folder / name).read_bytes())
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert message(ct, "duplicate-slices").startswith("2 slices are")


def test_other_pixels_at_one_position_are_refused(folder):
    dataset = pydicom.dcmread(folder / "CT0003.dcm")
    dataset.PixelData = bytes(len(dataset.PixelData))
    dataset.save_as(folder / "rival.dcm")
    with pytest.raises(InputError, match="different images at the same height"):
        read_ct(folder)


def test_two_phases_in_one_series_are_told_apart_by_their_acquisition(small, folder):
    second = small.__class__(small.hu + np.int16(7), small.ijk_to_ras, small.slice_origins_ras, small.info)
    write_dicom_series(second, folder / "second", acquisition_number=2)
    join(folder / "second", folder)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    words = message(ct, "several-scans-in-series")
    assert "with acquisition number 1 (19 slices); not measured: acquisition number 2 (19 slices)" in words


def test_the_choice_among_series_is_named_and_may_be_overruled(small, folder):
    thin = small.__class__.regular(np.repeat(small.hu, 2, axis=0), small.ijk_to_ras @ np.diag([1, 1, 0.5, 1]),
                                   small.info)
    write_dicom_series(thin, folder / "bone", series_number=3, series_description="Bone 1 mm")
    change_all(folder / "bone", ConvolutionKernel="H60s")
    write_dicom_series(thin, folder / "cta", series_number=4, series_description="CTA head")
    scout = small.__class__(small.hu[:2], small.ijk_to_ras, small.slice_origins_ras[:2], small.info)
    write_dicom_series(scout, folder / "scout", series_number=5, series_description="Scout")
    change_all(folder / "scout", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    finding = next(item for item in ct.findings if item.code == "series-chosen")
    assert finding.severity == "warning"
    for words in ("series 1", "soft-tissue", "without contrast", "Bone 1 mm", "CTA head", "a localizer"):
        assert words in finding.message
    series = list_series(folder)
    assert [item.number for item in series][0] == "1" and len(series) == 4
    bone = next(item for item in series if item.number == "3")
    assert read_ct(folder, series_uid=bone.uid).hu.shape == thin.hu.shape
    with pytest.raises(InputError, match="has no series 1.2.3"):
        read_ct(folder, series_uid="1.2.3")


def test_axial_slices_are_preferred_to_more_sagittal_ones(small, folder):
    turned = np.eye(4)
    turned[:3, 0], turned[:3, 1], turned[:3, 2] = (0, 3, 0), (0, 0, -3), (-2, 0, 0)
    sagittal = small.__class__.regular(np.repeat(small.hu, 2, axis=0), turned, small.info)
    write_dicom_series(sagittal, folder / "sagittal", series_number=2, series_description="Sagittal")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "axial" in message(ct, "series-chosen")


def test_parts_of_one_series_in_two_directions_are_never_mixed(small, folder):
    steep = ellipsoid_ct("regular", **SMALL).ct
    top = steep.__class__(steep.hu[-4:], steep.ijk_to_ras, steep.slice_origins_ras[-4:], steep.info)
    write_dicom_series(top, folder / "top")
    join(folder / "top", folder)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "another direction" in message(ct, "series-chosen")


def test_a_longer_series_of_the_chest_is_not_taken_for_the_head(small, folder):
    chest = small.__class__.regular(np.repeat(small.hu, 3, axis=0), small.ijk_to_ras @ np.diag([1, 1, 0.5, 1]),
                                    small.info)
    write_dicom_series(chest, folder / "chest", series_number=2, series_description="Thorax 1.0")
    change_all(folder / "chest", BodyPartExamined="CHEST")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "a head by its name" in message(ct, "series-chosen")
