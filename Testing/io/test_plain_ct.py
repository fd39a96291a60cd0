"""Lossy pixels by syntax and by tag, and what headers call an image."""

from pathlib import Path

import pydicom
import pytest
from pydicom import uid

from ICHVolumeLib.io.dicom_series import Slice
from ICHVolumeLib.io.plain_ct import lossy_findings
from ICHVolumeLib.io.protocol import image_kind


def slice_with(syntax, tag=None):
    tags = pydicom.Dataset()
    tags.file_meta = pydicom.dataset.FileMetaDataset()
    tags.file_meta.TransferSyntaxUID = syntax
    if tag is not None:
        tags.LossyImageCompression = tag
    return Slice(Path("a.dcm"), tags, None)


@pytest.mark.parametrize(("syntax", "tag", "words"), [
    (uid.JPEGBaseline8Bit, None, "JPEG Baseline"), (uid.JPEGExtended12Bit, "00", "JPEG Extended"),
    (uid.JPEGLSNearLossless, None, "Near-Lossless"), (uid.JPEG2000, None, "may have been"),
    (uid.HTJ2K, None, "may have been"), (uid.ExplicitVRLittleEndian, "01", "with loss"),
    (uid.MPEG2MPML, None, "MPEG2"),
])
def test_loss_is_known_by_the_transfer_syntax_or_the_tag(syntax, tag, words):
    finding, = lossy_findings([slice_with(syntax, tag)])
    assert finding.severity == "warning" and words in finding.message


@pytest.mark.parametrize(("syntax", "tag"), [
    (uid.ExplicitVRLittleEndian, None), (uid.JPEG2000Lossless, None), (uid.JPEG2000, "00"), (uid.RLELossless, "00"),
    (uid.JPEGLosslessSV1, None), (uid.JPEGLSLossless, None), (uid.HTJ2KLossless, None)])
def test_lossless_pixels_are_not_remarked_upon(syntax, tag):
    assert lossy_findings([slice_with(syntax, tag)]) == []


def test_some_lossy_slices_among_others_are_counted():
    slices = [slice_with(uid.JPEG2000Lossless)] * 3 + [slice_with(uid.JPEGBaseline8Bit)]
    assert lossy_findings(slices)[0].message.startswith("1 of 4 slices were compressed")


@pytest.mark.parametrize("description", [
    "", "Head 5.0 H31s", "Schaedel nativ 4mm", "Brain W/O 5mm", "CT HEAD 120kV", "Stroke ED head", "NCCT Head", "Mono",
    "post contrast", "HEAD ROUTINE", "Kopf Jodallergie"])
def test_a_plain_head_ct_is_plain(description):
    assert image_kind("ORIGINAL\\PRIMARY\\AXIAL", description, "HU") is None


@pytest.mark.parametrize(("image_type", "description", "rescale", "code"), [
    ("DERIVED\\PRIMARY\\AXIAL\\CT_SOM7 SPI DUAL\\STD\\Z_EFF", "", "", "not-plain-ct"),
    ("", "Rho/Z", "", "not-plain-ct"), ("", "zeff", "", "not-plain-ct"), ("", "Jodkarte", "", "not-plain-ct"),
     ("", "Iodine no Water[mg/ml]", "", "not-plain-ct"),
    ("", "Iodine removed", "", "spectral-image"), ("", "VNC 5.0", "", "spectral-image"),
    ("", "GSI MONO 70keV", "", "spectral-image"), ("", "40 keV", "HU", "spectral-image"),
    ("DERIVED\\SECONDARY\\MINIP", "", "HU", "derived-image"), ("", "t1 MPR ax", "HU", "derived-image"),
    ("DERIVED\\SECONDARY\\REFORMATTED", "", "HU", "derived-image"), ("DERIVED\\PRIMARY\\AXIAL", "", "HU", "derived"),
    ("ORIGINAL\\PRIMARY\\AXIAL", "Head", "MGML", "not-plain-ct"),
])
def test_other_images_are_told_by_their_words(image_type, description, rescale, code):
    assert image_kind(image_type, description, rescale).code == code
