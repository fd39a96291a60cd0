"""Files appear whole or not at all."""

import os

import pytest

from ICHVolumeLib.core.atomic_files import replace_file, replacing
from ICHVolumeLib.core.errors import InputError


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "mask.nrrd"
    path.write_bytes(b"earlier and longer")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), ValueError("no such value")])
def test_an_interrupted_write_keeps_the_earlier_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "scan.npz"
    path.write_bytes(b"earlier")
    with pytest.raises(type(failure)), replacing(path) as file:
        file.write(b"half of")
        raise failure
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_another_program_holds_open_is_named(tmp_path, monkeypatch):
    def held(*_):
        raise PermissionError(13, "Access is denied")  # what Windows says

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(InputError, match="mask.nrrd.*Access is denied.*choose"):
        replace_file(tmp_path / "mask.nrrd", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(InputError, match="Cannot write .*nowhere"):
        replace_file(tmp_path / "nowhere" / "mask.nrrd", b"new")
