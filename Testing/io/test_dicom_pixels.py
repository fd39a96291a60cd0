"""Stored pixels of every kind come out as the same Hounsfield units."""

import numpy as np
import pydicom
import pytest
from dicom_files import change, change_all, codes, enhanced_ct, message
from pydicom.uid import RLELossless

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.read_ct import read_ct


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


NO_HU = "which give no Hounsfield units"


@pytest.mark.parametrize(("tags", "said"), [
    ({"RescaleIntercept": "4294967296"}, NO_HU), ({"RescaleIntercept": "-1e308"}, NO_HU),
    ({"RescaleSlope": "1e308"}, NO_HU), ({"RescaleSlope": "0"}, "with a rescale slope of 0.*1 of its 19 images")])
def test_a_rescale_that_gives_no_hounsfield_units_is_refused(folder, tags, said):
    change(sorted(folder.iterdir())[2], **tags)
    with pytest.raises(InputError, match=said):
        read_ct(folder)


def test_lossy_compression_is_said(folder):
    change_all(folder, LossyImageCompression="01")
    assert "lossy-compression" in codes(read_ct(folder))
