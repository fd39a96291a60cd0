"""Whether a scan's files are those that were measured."""

import os
import shutil

import pytest

from ICHVolumeLib.io.input_fingerprint import fingerprint, is_same_input


@pytest.fixture
def scan(tmp_path):
    for name in ("a/1.dcm", "a/sub/2.dcm"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "a"


def test_untouched_files_are_the_same(scan):
    assert is_same_input(scan, fingerprint(scan))


def test_a_copy_with_other_times_is_the_same(scan, tmp_path):
    before = fingerprint(scan)
    shutil.copytree(scan, tmp_path / "copy")
    os.utime(tmp_path / "copy" / "1.dcm", (1, 1))
    assert fingerprint(tmp_path / "copy").places != before.places
    assert is_same_input(tmp_path / "copy", before)


@pytest.mark.parametrize("change", ["content", "more", "fewer", "renamed"])
def test_any_change_of_the_files_is_seen(scan, change):
    before = fingerprint(scan)
    first = scan / "1.dcm"
    if change == "content":
        first.write_bytes(first.read_bytes()[::-1])
        os.utime(first, (2, 2))
    elif change == "more":
        (scan / "3.dcm").write_bytes(b"")
    elif change == "fewer":
        first.unlink()
    else:
        first.rename(scan / "0.dcm")
    assert not is_same_input(scan, before)


def test_the_sidecar_of_an_image_belongs_to_it_and_its_neighbours_do_not(tmp_path):
    for name in ("p1.nii.gz", "p1.json", "p10.nii.gz"):
        (tmp_path / name).write_bytes(b"x")
    before = fingerprint(tmp_path / "p1.nii.gz")
    (tmp_path / "p10.nii.gz").write_bytes(b"y")
    assert is_same_input(tmp_path / "p1.nii.gz", before)
    (tmp_path / "p1.json").write_bytes(b"other")
    assert not is_same_input(tmp_path / "p1.nii.gz", before)


def test_a_scan_that_is_gone_is_not_the_same(scan):
    before = fingerprint(scan)
    shutil.rmtree(scan)
    assert not is_same_input(scan, before)
