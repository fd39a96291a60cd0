"""DICOM folders: geometry against oracles, and every folder that must be refused."""

import numpy as np
import pytest
from dicom_files import SMALL, change, change_all, codes, message
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


@pytest.mark.parametrize("grid", GRIDS)
def test_a_written_series_reads_back_as_the_same_volume(grid, tmp_path):
    ct = ellipsoid_ct(grid, **SMALL).ct
    write_dicom_series(ct, tmp_path)
    read = read_ct(tmp_path)
    assert np.array_equal(read.hu, ct.hu)
    assert read.ijk_to_ras == pytest.approx(ct.ijk_to_ras, abs=1e-9)
    assert read.slice_origins_ras == pytest.approx(ct.slice_origins_ras, abs=1e-9)
    assert read.slab_heights_mm == pytest.approx(ct.slab_heights_mm, abs=1e-9)
    assert read.findings == ()


def test_values_and_grid_are_those_of_simpleitk(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    write_dicom_series(ellipsoid_ct("oblique", **SMALL).ct, tmp_path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image, ct = reader.Execute(), read_ct(tmp_path)
    assert np.array_equal(sitk.GetArrayFromImage(image), ct.hu)
    for kji in [(0, 0, 0), (4, 10, 20), (17, 71, 63)]:
        lps = np.array(image.TransformIndexToPhysicalPoint(kji[::-1]))
        assert ct.voxel_to_ras(kji) == pytest.approx(lps * [-1, -1, 1], abs=1e-3)


def test_header_words_reach_the_scan_info(folder):
    change_all(folder, PatientAge="011M", ConvolutionKernel=["Hr68h", "3"], ContrastBolusAgent="Iomeprol")
    info = read_ct(folder).info
    assert (info.modality, info.kernel, info.contrast_agent) == ("CT", "Hr68h\\3", "Iomeprol")
    assert info.patient_age_years == pytest.approx(11 / 12)
    assert info.slice_thickness_mm == 10.0 and set(info.slice_thicknesses_mm) == {10.0}
    assert info.gantry_tilt_tag_deg == pytest.approx(20)


def test_age_comes_from_birth_date_when_the_age_is_missing(folder):
    change_all(folder, PatientAge=None, PatientBirthDate="20030102", StudyDate="20200101")
    assert read_ct(folder).info.patient_age_years == 16


def test_file_names_and_subfolders_do_not_decide_the_order(small, folder):
    paths = sorted(folder.glob("*.dcm"))
    for n, path in enumerate(paths):
        target = folder / f"part{n % 3}" / f"{(n * 7) % len(paths):03d}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_files_that_are_no_dicom_images_are_left_out_and_named(small, folder):
    (folder / "LICENSE").write_text("words", encoding="utf-8")
    (folder / "empty").write_bytes(b"")
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "3 files" in message(ct, "files-skipped") and "LICENSE" in message(ct, "files-skipped")


@pytest.mark.parametrize("content", [b"", b"these words are no scan " * 40])
def test_a_file_named_as_a_slice_that_holds_no_dicom_is_refused_by_name(folder, content):
    (folder / "CT0099.dcm").write_bytes(content)
    with pytest.raises(InputError, match=r"CT0099\.dcm is named .dcm but holds no DICOM"):
        read_ct(folder)


@pytest.mark.parametrize("keep", [200, 1500, 4000])
def test_a_truncated_slice_is_refused_by_name(folder, keep):
    path = folder / "CT0005.dcm"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"CT0005\.dcm .*(truncated|damaged).*copy the series again"):
        read_ct(folder)


def test_a_slice_without_pixels_is_refused_by_name(folder):
    change(folder / "CT0005.dcm", PixelData=None)
    with pytest.raises(InputError, match=r"CT0005\.dcm is truncated"):
        read_ct(folder)


def test_a_folder_with_an_image_file_only_says_which_file_to_give(tmp_path):
    (tmp_path / "ct.nrrd").write_bytes(b"NRRD0004")
    with pytest.raises(InputError, match=r"but ct\.nrrd; give that file itself"):
        read_ct(tmp_path)


def test_direction_cosines_cut_to_few_digits_do_not_change_the_pixel_area(small, folder):
    change_all(folder, ImageOrientationPatient=["1", "0", "0", "0", "0.94", "-0.342"])
    assert read_ct(folder).pixel_spacing_mm == pytest.approx((3.0, 3.0), abs=1e-12)


def test_an_empty_folder_a_missing_path_and_a_foreign_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="it is empty"):
        read_ct(tmp_path)
    with pytest.raises(InputError, match="no file or folder"):
        read_ct(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("words", encoding="utf-8")
    with pytest.raises(InputError, match="1 file, which is no DICOM image"):
        read_ct(tmp_path)
    with pytest.raises(InputError, match="not a DICOM image, NIfTI or NRRD"):
        read_ct(tmp_path / "notes.txt")


@pytest.mark.parametrize(("tags", "reason"), [
    ({"Modality": "MR"}, "not CT but MR"),
    ({"PhotometricInterpretation": "MONOCHROME1"}, "MONOCHROME1"),
    ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "color picture"),
    ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "8-bit picture"),
    ({"RescaleSlope": None, "RescaleIntercept": None}, "without a rescale slope"),
    ({"RescaleSlope": "0"}, "with a rescale slope of 0"),
    ({"ImagePositionPatient": None}, "without slice positions"),
    ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "without a valid slice direction"),
    ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a localizer"),
    ({"PixelSpacing": None}, "pixel spacing is missing"),
    ({"PixelSpacing": [0, 0.5]}, "voxel spacing is zero"),
    ({"RescaleIntercept": "0"}, "not Hounsfield units"),
])
def test_what_is_not_a_head_ct_in_hounsfield_units_is_refused(folder, tags, reason):
    change_all(folder, **tags)
    with pytest.raises(InputError, match=reason):
        read_ct(folder)


def test_a_spacing_that_is_not_a_number_is_refused(folder):
    for path in folder.glob("*.dcm"):  # by bytes: pydicom would not write it
        data = path.read_bytes()
        start = data.index(b"\x28\x00\x30\x00DS")
        length = data[start + 6]
        path.write_bytes(data[:start + 8] + b"NaN\\NaN".ljust(length) + data[start + 8 + length:])
    with pytest.raises(InputError, match="spacing.*(not a number|nan)"):
        read_ct(folder)


def test_a_single_slice_is_refused(folder):
    for path in sorted(folder.glob("*.dcm"))[1:]:
        path.unlink()
    with pytest.raises(InputError, match="a single slice"):
        read_ct(folder)


def test_inputs_are_left_untouched(folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    read_ct(folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_real_tilted_uneven_scan_keeps_its_positions(tilted_uneven_folder):
    ct = read_ct(tilted_uneven_folder)
    assert ct.hu.shape == (28, 512, 512) and ct.hu.min() == -1024
    assert ct.tilt_deg == pytest.approx(18.5, abs=0.01)
    assert ct.slice_steps_mm == pytest.approx([4.0] * 13 + [1.08] + [7.0] * 13, abs=0.005)
    assert codes(ct) == ["files-skipped", "padding"]
