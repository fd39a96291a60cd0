"""Several scans under one series UID: split before geometry, never mixed, each named so that a person can choose."""

import numpy as np
import pydicom
import pytest
from dicom_files import SMALL, change, change_all, codes, message
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.read_ct import list_series, read_ct, series_lines
from ICHVolumeLib.io.series_words import tag_words
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

SAME = ("SeriesInstanceUID", "StudyInstanceUID")


def add_scan(folder, ct, name="second", **tags):
    """Another scan in the same folder, under the study and series UID of the first unless tags say otherwise."""
    first = pydicom.dcmread(folder / "CT0001.dcm", stop_before_pixels=True)
    write_dicom_series(ct, folder / name)
    change_all(folder / name, **{tag: getattr(first, tag) for tag in SAME}, **tags)


def moved(ct, hu_shift=5, **shifts_mm):
    matrix, origins = ct.ijk_to_ras.copy(), ct.slice_origins_ras.copy()
    shift = np.array([shifts_mm.get(axis, 0.0) for axis in "ras"])
    matrix[:3, 3] += shift
    return ct.__class__(ct.hu + np.int16(hu_shift), matrix, origins + shift, ct.info)


def test_pixel_spacing_is_compared_as_a_number(small, folder):
    for path in sorted(folder.glob("*.dcm"))[::2]:
        change(path, PixelSpacing=["3.000000", "3.0000"])
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu) and codes(ct) == []


@pytest.mark.parametrize("tags", [
    {"AcquisitionNumber": 2}, {"ConvolutionKernel": "H70h"}, {"ContrastBolusAgent": "Iomeprol"},
    {"SliceThickness": 2.5}, {"KVP": 80}, {"SeriesNumber": 9}, {"SeriesDescription": "other"},
    {"ImageType": ["DERIVED", "SECONDARY", "MPR"]}], ids=lambda tags: next(iter(tags)))
@pytest.mark.parametrize("up_mm", [0.0, 2.0], ids=["same places", "2 mm apart"])
def test_two_scans_under_one_uid_are_split_by_what_differs(small, folder, tags, up_mm):
    add_scan(folder, moved(small, s=up_mm, r=4.0), **tags)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert ct.slab_heights_mm == pytest.approx(small.slab_heights_mm)
    said = message(ct, "several-scans-in-series")
    assert tag_words(next(iter(tags))) in said and "not measured:" in said
    assert "overlapping-slices" not in codes(ct)


def test_the_second_scan_is_measured_when_its_number_is_given(small, folder):
    second = moved(small, s=2.0)
    add_scan(folder, second, AcquisitionNumber=2)
    lines = series_lines(folder)
    assert [line[:2] for line in lines] == ["1.", "2."]
    assert np.array_equal(read_ct(folder, "1").hu, small.hu)
    assert np.array_equal(read_ct(folder, "2").hu, second.hu)
    with pytest.raises(InputError, match="has no series 3; it has --series 1 is "):
        read_ct(folder, "3")


def test_two_passes_with_a_time_for_every_slice_are_split_by_their_times(small, folder):
    add_scan(folder, moved(small, s=2.0))
    for n, path in enumerate([*sorted(folder.glob("*.dcm")), *sorted((folder / "second").glob("*.dcm"))]):
        change(path, AcquisitionTime=f"1200{n:02d}.5" if n < 60 else "120100")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "acquisition time" in message(ct, "several-scans-in-series")


def test_a_scan_that_changes_its_tags_on_the_way_stays_one(small, folder):
    """As old scanners do: a number and a time for every rotation, another kernel and thickness above the base."""
    paths = sorted(folder.glob("*.dcm"))
    for n, path in enumerate(paths):
        base = n < len(paths) // 2
        change(path, AcquisitionNumber=n // 2, AcquisitionTime=f"12{n:02d}00", SliceThickness=8 if base else 10,
               ConvolutionKernel="H31s" if base else "H41s")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu) and codes(ct) == ["mixed-slices"]


def test_times_in_no_order_do_not_split_a_scan(small, folder):
    times = np.random.default_rng(0).permutation(len(small.hu))
    for path, minute in zip(sorted(folder.glob("*.dcm")), times, strict=True):
        change(path, AcquisitionTime=f"12{minute:02d}00", ContentTime=f"13{minute:02d}00")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu) and codes(ct) == []


@pytest.mark.parametrize("uid", ["same", ""])
@pytest.mark.parametrize("who", [{"PatientID": "B"}, {"PatientName": "Other^One"}, {"PatientBirthDate": "19500101"}],
                         ids=lambda tags: next(iter(tags)))
def test_two_patients_are_never_mixed_and_one_must_be_named(small, folder, uid, who):
    second = moved(small, s=2.0)
    change_all(folder, PatientBirthDate="19400101")
    add_scan(folder, second, **who)
    if uid == "":
        change_all(folder, SeriesInstanceUID="")
        change_all(folder / "second", SeriesInstanceUID="")
    with pytest.raises(InputError, match="holds scans of 2 patients.*--series 1 is of patient A, .* first file "
                                         ".*/CT0001.*--series 2 is of patient B, .* first "
                                         "file second/CT0001.dcm") as error:
        read_ct(folder)
    assert "Other" not in str(error.value)
    assert np.array_equal(read_ct(folder, "2").hu, second.hu)


def test_a_name_spelt_in_two_ways_is_one_patient(small, folder):
    for path in sorted(folder.glob("*.dcm"))[::2]:
        change(path, PatientName="SAMPLE^Synthetic^^")
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_two_studies_under_one_uid_are_never_mixed(small, folder):
    add_scan(folder, moved(small, s=2.0), StudyDate="20210101")
    change_all(folder / "second", StudyInstanceUID="1.2.3.4")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "another study" in message(ct, "series-chosen")


def test_one_file_stands_for_its_own_scan(small, folder):
    second = moved(small, s=2.0)
    add_scan(folder, second, AcquisitionNumber=2)
    for path in (folder / "second").glob("*.dcm"):
        path.rename(folder / f"second_{path.name}")
    assert np.array_equal(read_ct(folder / "second_CT0004.dcm").hu, second.hu)
    assert np.array_equal(read_ct(folder / "CT0004.dcm").hu, small.hu)


def test_soft_kernel_and_native_scan_are_taken_whatever_comes_first(small, folder):
    change_all(folder, ConvolutionKernel="H70h")
    soft = moved(small, hu_shift=1)
    add_scan(folder, soft, ConvolutionKernel="H31s")
    assert np.array_equal(read_ct(folder).hu, soft.hu)


def test_every_choice_shows_what_tells_it_from_the_others(small, folder):
    change_all(folder, StudyDate="20240131", AcquisitionDate="20240201", AcquisitionTime="081500.25",
               ConvolutionKernel="H31s", SliceThickness=4.8, SeriesDescription="Head\x1b[31m 5mm")
    add_scan(folder, small, "bone", ConvolutionKernel="H70h")
    change_all(folder / "bone", SeriesInstanceUID="1.2.3")
    line = series_lines(folder)[0]
    for words in ('1. "Head', "19 images)", "2024-02-01 08:15:00", "kernel H31s", "4.8 mm thick", "UID "):
        assert words in line
    assert "\x1b" not in line
    assert f"--series 1 is {line[3:]} (measured now); --series 2" in message(read_ct(folder), "series-chosen")
    assert [item.patient == list_series(folder)[0].patient for item in list_series(folder)] == [True, True]


def test_an_uneven_scan_is_not_split(tmp_path):
    ct = ellipsoid_ct("tilted-uneven", **SMALL).ct
    write_dicom_series(ct, tmp_path)
    for n, path in enumerate(sorted(tmp_path.glob("*.dcm"))):
        change(path, AcquisitionNumber=n + 1)
    read = read_ct(tmp_path)
    assert np.array_equal(read.hu, ct.hu) and codes(read) == []


@pytest.mark.parametrize("tag", ["ConvolutionKernel", "AcquisitionNumber", "SliceThickness", "SeriesDescription",
                                 "PatientName", "AcquisitionTime", "KVP"])
def test_a_tag_that_some_slices_lack_splits_nothing(small, folder, tag):
    change_all(folder, AcquisitionTime="120000")
    for path in sorted(folder.glob("*.dcm"))[::3]:
        change(path, **{tag: ""})
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "series-chosen" not in codes(ct) and "several-scans-in-series" not in codes(ct)


@pytest.mark.parametrize("tags", [{"ConvolutionKernel": "H70h"}, {"SliceThickness": 30}, {"KVP": 80},
                                  {"SeriesDescription": "other"}], ids=lambda tags: next(iter(tags)))
def test_slices_in_the_middle_with_another_tag_belong_to_their_scan(small, folder, tags):
    """Taken for a scan of their own they left a hole in which a bleed was measured as 0 mL."""
    for path in sorted(folder.glob("*.dcm"))[6:11]:
        change(path, **tags)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "several-scans-in-series" not in codes(ct)


def test_slices_that_alternate_between_kernels_are_one_scan(small, folder):
    for path in sorted(folder.glob("*.dcm"))[::2]:
        change(path, ConvolutionKernel="H70h")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "H70h in" in message(ct, "mixed-slices") and ct.info.kernel == "H70h"


def test_contrast_agent_in_some_slices_is_contrast_agent(small, folder):
    for path in sorted(folder.glob("*.dcm"))[:6]:
        change(path, ContrastBolusVolume=60)
    ct = read_ct(folder)
    assert ct.info.contrast_agent and "contrast agent (in slices 1 to 6 only)" in message(ct, "mixed-slices")
