"""Pseudonyms and times of scans: the same patient, the same key; nobody's name or ID in any file."""

import hashlib
import hmac

import pytest
from command_line import contents
from dicom_files import change
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.patient_identity import patient_key, read_salt
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series
from ICHVolumeLib.workflow.case import run_measure


@pytest.fixture(scope="module")
def small():
    return ellipsoid_ct("regular", pixel_mm=4.0, step_mm=8.0)


@pytest.fixture
def scan(small, tmp_path):
    """scan(**tags): a folder of slices that say this."""
    def write(**tags):
        for path in write_dicom_series(small.ct, tmp_path / "ct", patient_id="MRN-4711", patient_name="Miller^Anna"):
            if tags:
                change(path, **tags)
        return tmp_path / "ct"
    return write


def test_the_key_is_an_hmac_that_anyone_with_the_salt_can_make():
    salt = b"0123456789abcdef"
    assert patient_key(" MRN-4711 ", salt) == "p-" + hmac.new(salt, b"MRN-4711", hashlib.sha256).hexdigest()[:16]
    assert patient_key("MRN-4711", b"another salt 16b") != patient_key("MRN-4711", salt)
    assert patient_key("MRN-4712", salt) != patient_key("MRN-4711", salt)
    assert patient_key("", salt) == ""


def test_the_line_end_of_an_editor_does_not_change_the_salt(tmp_path):
    (tmp_path / "salt").write_bytes(b"0123456789abcdef\r\n")
    assert read_salt(tmp_path / "salt") == b"0123456789abcdef"


@pytest.mark.parametrize("content, word", [(None, "make one"), (b"", "0 bytes"), (b"secret\n", "6 bytes")])
def test_a_salt_that_is_none_is_refused_with_what_to_do(tmp_path, content, word):
    if content is not None:
        (tmp_path / "salt").write_bytes(content)
    with pytest.raises(InputError, match=word):
        read_salt(tmp_path / "salt")


def measured(small, scan, out, **more):
    write_nrrd(out.parent / "mask.nrrd", small.mask, read_ct(scan).ijk_to_ras)
    return run_measure(scan, out.parent / "mask.nrrd", out, **more)


def test_a_case_has_a_key_only_when_asked_and_no_file_names_the_patient(small, scan, tmp_path, monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))
    (tmp_path / "salt").write_bytes(b"0123456789abcdef")
    without = measured(small, scan(), tmp_path / "a")
    assert without.result.provenance.patient_key == ""
    with_key = measured(small, scan(), tmp_path / "b", patient_salt=tmp_path / "salt")
    assert with_key.result.provenance.patient_key == patient_key("MRN-4711", b"0123456789abcdef")
    for folder in ("a", "b"):
        for name, data in contents(tmp_path / folder).items():
            assert b"4711" not in data and b"Miller" not in data and b"0123456789abcdef" not in data, name
    assert b"2020-01-01T12:00:00" in (tmp_path / "a" / "result.csv").read_bytes()


def test_a_scan_without_a_patient_id_says_so(small, scan, tmp_path, monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))
    (tmp_path / "salt").write_bytes(b"0123456789abcdef")
    case = measured(small, scan(PatientID=""), tmp_path / "out", patient_salt=tmp_path / "salt")
    assert case.result.provenance.patient_key == ""
    assert "no-patient-key" in [finding.code for finding in case.result.findings]


@pytest.mark.parametrize("tags, time", [
    ({"AcquisitionDateTime": "20221006093012.123456+0200", "AcquisitionDate": "20200101"}, "2022-10-06T09:30:12"),
    ({"AcquisitionDate": "20221006", "AcquisitionTime": "093012.5"}, "2022-10-06T09:30:12"),
    ({"AcquisitionDate": "20221006", "AcquisitionTime": "0930"}, "2022-10-06T09:30"),
    ({"ContentDate": "20221006", "ContentTime": ""}, "2022-10-06"),
    ({"ContentDate": "", "ContentTime": "", "SeriesDate": "", "SeriesTime": ""}, "2020-01-01T12:00:00"),  # the study's
    ({"ContentDate": "", "SeriesDate": "", "StudyDate": ""}, ""),
    ({"PatientIdentityRemoved": "YES"}, ""), ({"PatientIdentityRemoved": "NO"}, "2020-01-01T12:00:00")])
def test_the_time_of_the_scan_is_the_most_exact_one_and_none_of_a_deidentified_series(scan, tags, time):
    assert read_ct(scan(**tags)).info.scanned_at == time
