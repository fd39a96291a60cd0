"""DICOM folders of every awkward kind. Files come from the sample writer and are then spoilt on purpose."""

import numpy as np
import pydicom
import pytest
from phantoms import GRIDS, ellipsoid_ct
from pydicom.uid import RLELossless

from ICHVolumeLib.errors import InputError
from ICHVolumeLib.reading import list_series, read_ct
from ICHVolumeLib.sample.dicom_series import write_dicom_series

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0}


@pytest.fixture(scope="module")
def small():
    return ellipsoid_ct("tilted", **SMALL).ct


@pytest.fixture
def folder(small, tmp_path):
    write_dicom_series(small, tmp_path / "series")
    return tmp_path / "series"


def change(path, **tags):
    """Overwrite header fields of one file; None removes the field."""
    dataset = pydicom.dcmread(path)
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path)
    return dataset


def change_all(folder, **tags):
    for path in sorted(folder.glob("*.dcm")):
        change(path, **tags)


def codes(ct):
    return [finding.code for finding in ct.findings]


def message(ct, code):
    return next(finding.message for finding in ct.findings if finding.code == code)


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


def test_one_file_stands_for_its_series(small, folder):
    other = small.__class__(small.hu[2:], small.ijk_to_ras, small.slice_origins_ras[2:], small.info)
    write_dicom_series(other, folder / "other", series_number=2)
    (folder / "other" / "CT0001.dcm").rename(folder / "zz.dcm")
    assert read_ct(folder / "CT0003.dcm").hu.shape == small.hu.shape


def test_files_that_are_no_dicom_images_are_left_out_and_named(small, folder):
    (folder / "LICENSE").write_text("words", encoding="utf-8")
    (folder / "empty").write_bytes(b"")
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "3 files" in message(ct, "files-skipped") and "LICENSE" in message(ct, "files-skipped")


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


def test_a_damaged_file_of_another_series_does_no_harm(small, folder):
    write_dicom_series(small, folder / "other", series_number=2, series_description="other")
    path = folder / "other" / "CT0002.dcm"
    change(path, PixelData=None)
    ct = read_ct(folder, read_ct(folder / "CT0001.dcm").info.series_uid)
    assert np.array_equal(ct.hu, small.hu)
    assert "CT0002.dcm" in message(ct, "files-damaged")


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
    ({"RescaleSlope": "0"}, "without a rescale slope"),
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
    with pytest.raises(InputError, match="different images at the same position"):
        read_ct(folder)


def test_two_phases_in_one_series_are_told_apart_by_their_acquisition(small, folder):
    second = small.__class__(small.hu + np.int16(7), small.ijk_to_ras, small.slice_origins_ras, small.info)
    write_dicom_series(second, folder / "second", acquisition_number=2)
    change_all(folder / "second", SeriesInstanceUID=read_ct(folder / "CT0001.dcm").info.series_uid)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    words = message(ct, "several-scans-in-series")
    assert "AcquisitionNumber" in words and "not measured: 2 (19 slices)" in words


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
    change_all(folder / "top", SeriesInstanceUID=read_ct(folder / "CT0001.dcm").info.series_uid)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "another direction" in message(ct, "series-chosen")


@pytest.mark.parametrize("value", [-1500, -2000, -3024])
def test_padding_becomes_air_and_is_said(small, folder, value):
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.copy()
        pixels[:5] = value + 1024
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
    ct = read_ct(folder)
    assert (ct.hu[:, :5] == -1024).all()
    assert np.array_equal(ct.hu[:, 5:], small.hu[:, 5:])
    assert f"{value} HU" in message(ct, "padding")


def test_a_bright_padding_value_becomes_air_too(small, folder):
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.copy()
        pixels[:5] = 32000
        dataset.PixelData = pixels.tobytes()
        dataset.add_new("PixelPaddingValue", "SS", 32000)
        dataset.save_as(path)
    ct = read_ct(folder)
    assert (ct.hu[:, :5] == -1024).all() and np.array_equal(ct.hu[:, 5:], small.hu[:, 5:])


def test_a_padding_value_that_tissue_has_is_not_followed(small, folder):
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.add_new("PixelPaddingValue", "SS", 1024 + 32)
        dataset.save_as(path)
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_every_slice_has_its_own_rescale(small, folder):
    dataset = pydicom.dcmread(folder / "CT0004.dcm")
    half = np.round((dataset.pixel_array.astype(int) - 1024) / 0.5).astype("<i2")
    dataset.PixelData, dataset.RescaleSlope, dataset.RescaleIntercept = half.tobytes(), "0.5", "0"
    dataset.save_as(folder / "CT0004.dcm")
    assert np.array_equal(read_ct(folder).hu, small.hu)


@pytest.mark.parametrize(("stored", "signed"), [(12, False), (13, True)])
def test_spare_bits_hold_no_hounsfield_units(small, folder, stored, signed):
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        pixels = np.maximum(dataset.pixel_array, 0).astype("<u2") & (2 ** stored - 1)
        dataset.PixelData = (pixels | np.uint16(1 << 15)).tobytes()  # an old overlay bit
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = stored, stored - 1, int(signed)
        dataset.save_as(path)
    assert np.array_equal(read_ct(folder).hu, np.maximum(small.hu, -1024))


def test_run_length_encoded_slices_read_the_same(small, folder):
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_jpeg_2000_slices_read_the_same(small, folder):
    sitk = pytest.importorskip("SimpleITK")
    for path in folder.glob("*.dcm"):
        original = pydicom.dcmread(path)
        image = sitk.ReadImage(str(path), sitk.sitkInt16)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.UseCompressionOn()
        writer.SetFileName(str(path))
        writer.Execute(image)
        packed = pydicom.dcmread(path)
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "SeriesInstanceUID", "Modality"):
            setattr(packed, name, original[name].value)
        packed.ImageType = original.ImageType
        packed.save_as(path)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_damaged_compressed_pixels_are_refused(folder):
    path = folder / "CT0004.dcm"
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.PixelData = pydicom.encaps.encapsulate([b"\x01\x02" * 20])
    dataset.save_as(path)
    with pytest.raises(InputError, match=r"CT0004\.dcm.*cannot be decoded"):
        read_ct(folder)


@pytest.mark.parametrize("syntax", [pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRBigEndian,
                                    pydicom.uid.DeflatedExplicitVRLittleEndian])
def test_other_uncompressed_transfer_syntaxes_read_the_same(small, folder, syntax):
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if syntax == pydicom.uid.ExplicitVRBigEndian:
            dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
        dataset.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian,
                         enforce_file_format=True)
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_a_multi_frame_enhanced_ct_is_read_frame_by_frame(small, folder, tmp_path):
    path = tmp_path / "enhanced" / "one.dcm"
    path.parent.mkdir()
    enhanced_ct([pydicom.dcmread(item) for item in sorted(folder.glob("*.dcm"))]).save_as(path)
    for place in (path, path.parent):
        ct = read_ct(place)
        assert np.array_equal(ct.hu, small.hu)
        assert ct.slice_origins_ras == pytest.approx(small.slice_origins_ras, abs=1e-9)


def test_a_run_length_encoded_multi_frame_ct_reads_the_same(small, folder, tmp_path):
    dataset = enhanced_ct([pydicom.dcmread(item) for item in sorted(folder.glob("*.dcm"))])
    dataset.compress(RLELossless)
    (tmp_path / "enhanced").mkdir()
    dataset.save_as(tmp_path / "enhanced" / "one.dcm")
    assert np.array_equal(read_ct(tmp_path / "enhanced").hu, small.hu)


def test_lossy_compression_is_said(folder):
    change_all(folder, LossyImageCompression="01")
    assert "lossy-compression" in codes(read_ct(folder))


def test_a_longer_series_of_the_chest_is_not_taken_for_the_head(small, folder):
    chest = small.__class__.regular(np.repeat(small.hu, 3, axis=0), small.ijk_to_ras @ np.diag([1, 1, 0.5, 1]),
                                    small.info)
    write_dicom_series(chest, folder / "chest", series_number=2, series_description="Thorax 1.0")
    change_all(folder / "chest", BodyPartExamined="CHEST")
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "a head by its name" in message(ct, "series-chosen")


def enhanced_ct(slices):
    """The same slices as one Enhanced CT object, frames in reverse order to prove that positions decide."""
    slices = slices[::-1]
    out = slices[0].copy()
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    out.NumberOfFrames = len(slices)
    out.PixelData = b"".join(item.PixelData for item in slices)

    def group(**sequences):
        values = pydicom.Dataset()
        for sequence, (names, source) in sequences.items():
            inner = pydicom.Dataset()
            for name in names:
                setattr(inner, name, source[name].value)
            setattr(values, sequence, [inner])
        return values

    first = slices[0]
    out.SharedFunctionalGroupsSequence = [group(
        PixelMeasuresSequence=(("PixelSpacing", "SliceThickness"), first),
        PlaneOrientationSequence=(("ImageOrientationPatient",), first),
        PixelValueTransformationSequence=(("RescaleSlope", "RescaleIntercept", "RescaleType"), first))]
    out.PerFrameFunctionalGroupsSequence = [
        group(PlanePositionSequence=(("ImagePositionPatient",), item)) for item in slices]
    for name in ("PixelSpacing", "SliceThickness", "ImageOrientationPatient", "ImagePositionPatient", "RescaleSlope",
                 "RescaleIntercept", "RescaleType"):
        delattr(out, name)
    return out


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
