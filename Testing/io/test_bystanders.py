"""What lies beside a series, or how it is packed, changes no number: archives, pipes, leftovers, old encodings."""

import os
import stat
import threading
import time
import zipfile

import numpy as np
import pydicom
import pytest
from dicom_files import change, codes, message

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io import bounded_files, zipped
from ICHVolumeLib.io.dicom_series import index_folder
from ICHVolumeLib.io.nrrd import read_nrrd, write_nrrd
from ICHVolumeLib.io.read_ct import read_ct

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(100)


def within(seconds, function, *arguments):
    """The function's result or exception, or a failure when it does not come: a pipe that was opened waits for ever."""
    done = []

    def work():
        try:
            done.append(function(*arguments))
        except InputError as error:
            done.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    assert done, f"no answer within {seconds} s"
    return done[0]


def zip_of(folder, path, prefix="", more=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in sorted(folder.rglob("*.dcm")):
            archive.write(item, prefix + item.relative_to(folder).as_posix())
        for name, data in more:
            archive.writestr(name, data)
    return path


def test_what_macos_leaves_in_a_folder_is_left_out(small, folder):
    (folder / "._CT0003.dcm").write_bytes(APPLE_DOUBLE)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._CT0001.dcm").write_bytes(APPLE_DOUBLE)
    (folder / "__MACOSX" / "CT0001.dcm").write_bytes(APPLE_DOUBLE)
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu)
    assert "2 files" in message(ct, "files-skipped")


def test_a_dicomdir_stands_for_its_folder(small, folder):
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    assert np.array_equal(read_ct(folder / "DICOMDIR").hu, small.hu)


def test_named_pipes_and_devices_are_never_opened(small, folder, tmp_path):
    os.mkfifo(folder / "CT0000.dcm")
    os.mkfifo(folder / "pipe")
    (folder / "zero.dcm").symlink_to("/dev/zero")
    (folder / "lost.dcm").symlink_to("nowhere")
    assert np.array_equal(within(30, read_ct, folder).hu, small.hu)
    for name in ("a.nii", "a.nrrd", "a.zip", "a.dcm", "a"):
        os.mkfifo(tmp_path / name)
        assert "named pipe" in str(within(10, read_ct, tmp_path / name))
    assert "device" in str(within(10, read_ct, "/dev/zero"))


def test_a_detached_header_that_points_to_a_device_is_refused(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", np.zeros((2, 2, 2), np.int16), np.eye(4))
    header = (tmp_path / "a.nrrd").read_bytes().partition(b"\n\n")[0].replace(b"gzip", b"raw")
    os.mkfifo(tmp_path / "pipe")
    for name in (b"/dev/zero", b"pipe"):
        (tmp_path / "b.nhdr").write_bytes(header + b"\ndata file: " + name + b"\n")
        assert "named pipe or a device" in str(within(10, read_nrrd, tmp_path / "b.nhdr"))


@pytest.mark.parametrize("start", [b"\x08\x00", b"\x02\x00"])
def test_files_without_preamble_are_read(small, folder, start):
    for path in folder.glob("*.dcm"):
        data = path.read_bytes()[132:]
        if start == b"\x08\x00":
            dataset = pydicom.dcmread(path)
            del dataset.file_meta
            dataset.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
            data = path.read_bytes()
            data = data[132:] if data[128:132] == b"DICM" else data
        path.write_bytes(data)
        assert path.read_bytes()[:2] == start
        path.rename(path.with_suffix(""))
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_a_truncated_slice_without_preamble_is_refused(folder):
    path = folder / "CT0005.dcm"
    data = path.read_bytes()[132:]
    path.unlink()
    (folder / "CT0005").write_bytes(data[:1500])
    with pytest.raises(InputError, match=r"CT0005 is truncated"):
        read_ct(folder)


def test_pixels_of_unknown_representation_are_read_at_their_place(small, folder):
    for path in folder.glob("*.dcm"):
        data = path.read_bytes()
        place = data.index(b"\xe0\x7f\x10\x00OW")
        path.write_bytes(data[:place + 4] + b"UN" + data[place + 6:])
    assert np.array_equal(read_ct(folder).hu, small.hu)


def test_a_zip_of_a_series_reads_as_its_folder(small, folder, tmp_path):
    path = zip_of(folder, tmp_path / "series.zip", "patient/study/",
                  [("__MACOSX/patient/._CT0001.dcm", APPLE_DOUBLE), ("readme.txt", "words"), ("DICOMDIR", b"")])
    ct = read_ct(path)
    assert np.array_equal(ct.hu, small.hu)
    assert ct.info.source == str(path)


def test_a_zip_with_equal_names_in_several_folders_keeps_every_slice(small, folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.ZIP", "w") as archive:
        for n, item in enumerate(sorted(folder.glob("*.dcm"))):
            archive.write(item, f"{n}/IMG.dcm")
    assert np.array_equal(read_ct(tmp_path / "a.ZIP").hu, small.hu)


def test_a_zip_of_one_image_file_reads_as_that_file(small, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", small.hu, small.ijk_to_ras)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.nrrd", "a.nrrd")
    assert np.array_equal(read_ct(tmp_path / "a.zip").hu, small.hu)


@pytest.mark.parametrize("name", ["../../evil.dcm", "/tmp/ichvolume-evil.dcm", "..\\..\\evil.dcm", "C:\\evil.dcm", "..",
                                  "a/../../evil", "nul\0.dcm", "\u00fc" * 300])
def test_a_zip_writes_nothing_outside_its_temporary_folder(small, folder, tmp_path, name, monkeypatch):
    inner = tmp_path / "inner" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.setattr(zipped.tempfile, "tempdir", str(inner))
    path = zip_of(folder, tmp_path / "series.zip", more=[(name, b"evil")])
    before = {item for item in tmp_path.rglob("*")}
    try:
        assert np.array_equal(read_ct(path).hu, small.hu)
    except InputError as error:
        assert "holds no DICOM" in str(error)  # evil.dcm is no slice
    assert {item for item in tmp_path.rglob("*")} == before
    assert not os.path.exists("/tmp/ichvolume-evil.dcm")


def test_a_link_in_a_zip_is_left_out(small, folder, tmp_path):
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zip_of(folder, tmp_path / "series.zip", more=[(link, "/etc/passwd")])
    assert np.array_equal(read_ct(path).hu, small.hu)


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(3 << 20))
    monkeypatch.setattr(zipped, "MAX_UNPACKED_BYTES", 1 << 20)
    with pytest.raises(InputError, match=r"bomb\.zip cannot be unpacked .*more than"):
        read_ct(tmp_path / "bomb.zip")


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(5 << 20))
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace((5 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"a\.zip"):
        read_ct(tmp_path / "a.zip")


@pytest.mark.parametrize("spoil", [lambda data: data[:200], lambda data: b"", lambda data: data[:3000] + data[-4000:],
                                   lambda data: b"words" * 40])
def test_a_damaged_zip_is_refused_by_its_own_name(folder, tmp_path, spoil):
    path = zip_of(folder, tmp_path / "series.zip")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=r"series\.zip"):
        read_ct(path)


def test_a_damaged_slice_in_a_zip_is_named_under_the_zip(folder, tmp_path):
    path = folder / "CT0005.dcm"
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(InputError, match=r"series\.zip.CT0005\.dcm is truncated") as error:
        read_ct(zip_of(folder, tmp_path / "series.zip"))
    assert "ichvolume-zip" not in str(error.value)


def test_two_thousand_files_are_indexed_by_their_headers_only(folder, tmp_path, monkeypatch):
    data = (folder / "CT0001.dcm").read_bytes()
    many = tmp_path / "many"
    many.mkdir()
    for n in range(2000):
        (many / f"{n:04d}.dcm").write_bytes(data[:data.index(b"\xe0\x7f\x10\x00") + 40])  # pixels would be missed
    started = time.perf_counter()
    found = index_folder(many)
    assert len(found.slices) == 2000 and not found.damaged
    assert time.perf_counter() - started < 30


@pytest.mark.parametrize("kind", ["nii", "nrrd"])
@pytest.mark.parametrize("sizes", [(30000, 30000, 60), (1000, 1000, 400)], ids=["100 GB", "800 MB"])
def test_a_header_that_claims_more_than_any_head_ct_is_refused_before_allocation(tmp_path, kind, sizes):
    import gzip

    from nifti_files import nifti_bytes

    path = tmp_path / f"a.{kind}"
    if kind == "nii":
        path.write_bytes(nifti_bytes(np.zeros((2, 2, 2), np.int16), np.eye(4), dims=(3, *sizes, 1, 1, 1, 1)))
    else:
        path.write_bytes(b"NRRD0004\ntype: short\ndimension: 3\nspace: RAS\nsizes: %d %d %d\nspace directions: (1,0,0) "
                         b"(0,1,0) (0,0,1)\nendian: little\nencoding: gzip\n\n" % sizes + gzip.compress(bytes(99)))
    with pytest.raises(InputError, match="more than the 512 MB"):
        read_ct(path)


@pytest.mark.parametrize("kind", ["nii.gz", "nrrd"])
def test_a_gzip_bomb_is_not_unpacked_beyond_what_its_header_claims(tmp_path, kind, monkeypatch):
    import gzip
    import tracemalloc

    from nifti_files import nifti_bytes

    bomb, array = bytes(64 << 20), np.zeros((2, 8, 8), np.int16)
    path = tmp_path / f"a.{kind}"
    if kind == "nii.gz":
        path.write_bytes(gzip.compress(nifti_bytes(array, np.eye(4)) + bomb))
    else:
        path.write_bytes(b"NRRD0004\ntype: short\ndimension: 3\nspace: RAS\nsizes: 8 8 2\nspace directions: (1,0,0) "
                         b"(0,1,0) (0,0,1)\nendian: little\nencoding: gzip\n\n" + gzip.compress(bomb))
    read_nrrd  # noqa: B018  imported before memory is counted
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            read_ct(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_claim_that_no_gzip_stream_of_this_length_can_hold_is_refused_at_once(tmp_path):
    import gzip

    (tmp_path / "a.raw.gz").write_bytes(gzip.compress(bytes(1000)))
    with open(tmp_path / "a.raw.gz", "rb") as file, pytest.raises(ValueError, match="truncated: at most"):
        bounded_files.read_voxels(file, 400 << 20, "gzip")


def test_copies_of_the_whole_series_in_a_subfolder_are_dropped(small, folder):
    (folder / "copy").mkdir()
    for path in sorted(folder.glob("*.dcm")):
        (folder / "copy" / path.name).write_bytes(path.read_bytes())
    ct = read_ct(folder)
    assert np.array_equal(ct.hu, small.hu) and codes(ct) == ["duplicate-slices"]
    change(folder / "CT0001.dcm", PatientComments="one file edited")
    assert np.array_equal(read_ct(folder).hu, small.hu)


@pytest.mark.parametrize("tags", [{"NumberOfFrames": 2**31 - 1}, {"Rows": 65535, "Columns": 65535}])
def test_a_slice_that_claims_more_images_or_pixels_than_any_is_refused_at_once(folder, tags):
    change(folder / "CT0005.dcm", **tags)
    assert "it claims" in str(within(20, read_ct, folder))


def test_a_deflated_bomb_is_never_inflated_whole(folder, monkeypatch):
    path = folder / "CT0005.dcm"
    dataset = pydicom.dcmread(path)
    dataset.PixelData = bytes(40 << 20)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    monkeypatch.setattr(bounded_files, "MAX_VOXEL_BYTES", 16 << 20)
    with pytest.raises(InputError, match="unpacks to more than any CT slice"):
        read_ct(folder)


def test_a_zip_entry_without_a_name_is_left_out(small, folder, tmp_path):
    path = zip_of(folder, tmp_path / "series.zip", more=[("x", b"evil")])
    data = path.read_bytes()
    place = data.rindex(b"PK\1\2")  # the last entry of the list: its name's length becomes 0
    nameless = data[:place + 28] + b"\0\0" + data[place + 30:place + 46] + data[place + 47:]
    end = nameless.rindex(b"PK\5\6") + 12
    size = int.from_bytes(nameless[end:end + 4], "little") - 1
    path.write_bytes(nameless[:end] + size.to_bytes(4, "little") + nameless[end + 4:])
    with zipped.unzipped(path) as (_, left_out):
        assert left_out == ["a file without a name"]
    assert read_ct(path).hu.shape == small.hu.shape


@pytest.mark.parametrize(("field", "words"), [
    ("line skip: 99999999999", "skips 99999999999 lines"), ("line skip: 1000", "ends before"),
    ("data file: /dev/zero", "named pipe or a device"), ("data file: .", "not a file but a folder")])
def test_an_nrrd_that_would_be_read_without_end_is_refused(tmp_path, field, words):
    write_nrrd(tmp_path / "a.nrrd", np.zeros((2, 2, 2), np.int16), np.eye(4))
    header, gap, data = (tmp_path / "a.nrrd").read_bytes().partition(b"\n\n")
    (tmp_path / "b.nrrd").write_bytes(header + b"\n" + field.encode() + gap + data)
    assert words in str(within(10, read_nrrd, tmp_path / "b.nrrd"))
