"""Why an input was refused: scan and mask given the other way round, or no permission to read."""

import os
from contextlib import contextmanager

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.input_problems import MASK, SCAN, explained
from ICHVolumeLib.io.masks import read_mask
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series
from ICHVolumeLib.workflow.case import run_measure, run_segment

NOBODY = 65534


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A scan and its mask in several forms; yes_no: 0 and 255, shares: fractions, picture: 8 bits."""
    small, folder = ellipsoid_ct("regular", pixel_mm=4.0, step_mm=8.0), tmp_path_factory.mktemp("swapped")
    matrix = small.ct.ijk_to_ras
    write_dicom_series(small.ct, folder / "ct")
    write_nrrd(folder / "ct.nrrd", small.ct.hu, matrix)
    write_mask_seg_nrrd(folder / "mask.seg.nrrd", small.mask, small.ct)
    write_nrrd(folder / "mask.nrrd", small.mask, matrix)
    write_nrrd(folder / "yes_no.nrrd", small.mask * np.uint8(255), matrix)
    write_nrrd(folder / "shares.nrrd", np.linspace(0, 1, small.mask.size, dtype="f4").reshape(small.mask.shape), matrix)
    write_nrrd(folder / "picture.nrrd", ((small.ct.hu + 20) * 255 / 120).clip(0, 255).astype(np.uint8), matrix)
    return folder


def refused(function, *arguments, **more) -> str:
    with pytest.raises(InputError) as error:
        function(*arguments, **more)
    assert str(error.value).endswith(".")
    return str(error.value)


@pytest.mark.parametrize("mask", ["mask.seg.nrrd", "mask.nrrd", "yes_no.nrrd"])
def test_a_mask_given_as_the_scan_is_called_one(files, tmp_path, mask):
    for said in (refused(run_measure, files / mask, files / "ct.nrrd", tmp_path / "out"),
                 refused(run_segment, files / mask, tmp_path / "out", device="cpu")):
        assert "looks like a mask" in said and "the scan first and then the mask" in said


@pytest.mark.parametrize("scan", ["ct.nrrd", "ct", "ct/CT0001.dcm"])
def test_a_scan_given_as_the_mask_is_called_one(files, tmp_path, scan):
    said = refused(run_measure, files / "ct.nrrd", files / scan, tmp_path / "out")
    assert "looks like a scan" in said and "the scan first and then the mask" in said


def test_what_is_neither_keeps_its_own_sentence(files, tmp_path):
    assert "8-bit picture" in refused(run_segment, files / "picture.nrrd", tmp_path / "out", device="cpu")
    assert "fractions" in refused(run_measure, files / "ct.nrrd", files / "shares.nrrd", tmp_path / "out")
    assert "check the path" in refused(run_measure, files / "ct.nrrd", files / "none.nrrd", tmp_path / "out")


@contextmanager
def unreadable(path):
    """Without the right to read it; root, whom nothing stops, becomes nobody meanwhile."""
    if not hasattr(os, "geteuid"):
        pytest.skip("rights are other ones on Windows")
    mode, is_root = path.stat().st_mode, os.geteuid() == 0
    for folder in path.parents:
        if is_root and folder.stat().st_uid == 0 and "pytest" in folder.as_posix():
            folder.chmod(0o755)
    path.chmod(0)
    try:
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)
    finally:
        path.chmod(mode)


@pytest.mark.parametrize("name", ["ct.nrrd", "ct", "ct/CT0003.dcm"])
def test_a_scan_that_may_not_be_read_is_said_to_be_so(files, name):
    read_ct(files / "ct")  # what it imports may not be readable for nobody
    whole = files / name.split("/")[0]
    with unreadable(files / name):
        with pytest.raises(InputError) as error, explained(whole, SCAN):
            read_ct(whole)
    assert f"{files / name} may not be read by you (permission denied)" in str(error.value)
    assert "again" not in str(error.value)


def test_a_mask_that_may_not_be_read_is_said_to_be_so(files):
    ct = read_ct(files / "ct.nrrd")
    with unreadable(files / "mask.nrrd"):
        with pytest.raises(InputError, match="permission denied") as error, explained(files / "mask.nrrd", MASK):
            read_mask(files / "mask.nrrd", ct)
    assert "again" not in str(error.value)


def test_a_folder_that_may_not_be_entered_is_said_to_be_so(files):
    read_ct(files / "ct.nrrd")
    with unreadable(files / "ct"):
        with pytest.raises(InputError, match="permission denied"), explained(files / "ct" / "CT0001.dcm", SCAN):
            read_ct(files / "ct" / "CT0001.dcm")
