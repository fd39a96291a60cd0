"""DICOM files about a mask that was measured already: without highdicom a sentence says how to get it."""

import pytest
from follow_up_patients import scan_of_head

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.workflow import dicom_files
from ICHVolumeLib.workflow.dicom_files import write_dicom_files
from ICHVolumeLib.workflow.make_result import make_result


def test_without_highdicom_a_sentence_says_how_to_install_it(tmp_path, monkeypatch):
    ct, mask, _ = scan_of_head(20)
    result = make_result(ct, mask, noticed=[], head_frame=None)
    monkeypatch.setattr(dicom_files, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip_install"):
        write_dicom_files(tmp_path, ct, mask, result, tmp_path / "scan")
    assert list(tmp_path.iterdir()) == []


def test_a_scan_that_is_no_dicom_is_refused(tmp_path):
    pytest.importorskip("highdicom")
    ct, mask, _ = scan_of_head(20)
    result = make_result(ct, mask, noticed=[], head_frame=None)
    with pytest.raises(InputError, match="no DICOM series"):
        write_dicom_files(tmp_path, ct, mask, result, tmp_path / "scan")
