"""NIfTI and NRRD: SimpleITK writes what it can hold; sheared grids are written byte by byte here."""

import gzip
import struct

import numpy as np
import pytest
from bare_slicer import require_slicer
from nifti_files import nifti_bytes
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.nifti import read_nifti
from ICHVolumeLib.io.nrrd import read_nrrd, write_nrrd
from ICHVolumeLib.io.read_ct import read_ct

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0}
LPS_RAS = np.diag([-1.0, -1, 1, 1])


def sitk_image(ct):
    sitk = pytest.importorskip("SimpleITK")
    lps = LPS_RAS @ ct.ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = sitk.GetImageFromArray(ct.hu)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return sitk, image


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".nhdr"])
@pytest.mark.parametrize("grid", ["regular", "oblique", "flipped"])
def test_files_written_by_simpleitk_read_with_their_values_and_grid(tmp_path, grid, suffix):
    ct = ellipsoid_ct(grid, **SMALL).ct
    sitk, image = sitk_image(ct)
    path = tmp_path / f"head{suffix}"
    sitk.WriteImage(image, str(path), useCompression=True)
    read = read_ct(path)
    assert np.array_equal(read.hu, ct.hu)
    assert read.ijk_to_ras == pytest.approx(ct.ijk_to_ras, abs=1e-4)


@pytest.mark.parametrize("grid", ["regular", "oblique", "flipped"])
def test_simpleitk_reads_our_nrrd_the_same(tmp_path, grid):
    ct = ellipsoid_ct(grid, **SMALL).ct
    sitk, image = sitk_image(ct)
    write_nrrd(tmp_path / "head.nrrd", ct.hu, ct.ijk_to_ras)
    read = sitk.ReadImage(str(tmp_path / "head.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(read), ct.hu)
    assert read.GetOrigin() == pytest.approx(image.GetOrigin())
    assert read.GetSpacing() == pytest.approx(image.GetSpacing())
    assert read.GetDirection() == pytest.approx(image.GetDirection())


def test_slicer_loads_our_sheared_nrrd_with_its_matrix(tmp_path):
    slicer = require_slicer()
    import vtk
    from slicer.util import arrayFromVolume, arrayFromVTKMatrix

    ct = ellipsoid_ct("tilted", **SMALL).ct
    write_nrrd(tmp_path / "head.nrrd", ct.hu, ct.ijk_to_ras)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLNRRDStorageNode")
    storage.SetFileName(str(tmp_path / "head.nrrd"))
    assert storage.ReadData(node)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    assert arrayFromVTKMatrix(matrix) == pytest.approx(ct.ijk_to_ras, abs=1e-9)
    assert np.array_equal(arrayFromVolume(node), ct.hu)
    slicer.mrmlScene.RemoveNode(storage)
    slicer.mrmlScene.RemoveNode(node)


@pytest.mark.parametrize("name", ["head.nrrd", "head.nii", "head.nii.gz"])
def test_a_sheared_grid_keeps_its_matrix_and_its_volume(tmp_path, name):
    phantom = ellipsoid_ct("tilted", pixel_mm=1.5, columns=128, rows=140, step_mm=2.5)
    ct, path = phantom.ct, tmp_path / name
    if name.endswith(".nrrd"):
        write_nrrd(path, ct.hu, ct.ijk_to_ras)
    else:
        data = nifti_bytes(ct.hu, ct.ijk_to_ras)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    read = read_ct(path)
    assert np.array_equal(read.hu, ct.hu)
    assert read.ijk_to_ras == pytest.approx(ct.ijk_to_ras, abs=1e-4)
    assert read.tilt_deg == pytest.approx(20, abs=1e-3)
    counted_ml = phantom.mask.sum(axis=(1, 2)) @ read.voxel_volumes_mm3 / 1000
    assert counted_ml == pytest.approx(phantom.volume_ml, rel=0.01)


def test_a_nifti_with_only_a_quaternion_reads_as_simpleitk_reads_it(tmp_path):
    ct = ellipsoid_ct("regular", **SMALL).ct
    matrix = np.eye(4)
    matrix[:3, 3] = (10, -20, 30)
    data = nifti_bytes(ct.hu, matrix, sform=0, qform=1, quaternion=(0.1, -0.2, 0.3), pixdim=(-1, 3, 3, 10))
    (tmp_path / "q.nii").write_bytes(data)
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.ReadImage(str(tmp_path / "q.nii"))
    read = read_ct(tmp_path / "q.nii")
    for ijk in [(0, 0, 0), (5, 9, 3)]:
        lps = np.array([*image.TransformIndexToPhysicalPoint(ijk), 1])
        assert read.ijk_to_ras @ [*ijk, 1] == pytest.approx(LPS_RAS @ lps, abs=1e-3)


def test_nifti_scaling_byte_order_and_units_are_followed(tmp_path):
    ct = ellipsoid_ct("regular", **SMALL).ct
    metres = ct.ijk_to_ras.copy()
    metres[:3] /= 1000
    stored = (ct.hu.astype(int) + 1024).astype(np.int16)
    (tmp_path / "a.nii").write_bytes(nifti_bytes(stored, metres, slope=1.0, inter=-1024.0, order=">", units=1))
    read = read_ct(tmp_path / "a.nii")
    assert np.array_equal(read.hu, ct.hu)
    assert read.ijk_to_ras == pytest.approx(ct.ijk_to_ras, abs=1e-3)


def test_fractions_are_rounded_and_missing_values_become_air(tmp_path):
    ct = ellipsoid_ct("regular", **SMALL).ct
    values = ct.hu + np.float32(0.4)
    values[0, :10] = np.nan
    (tmp_path / "a.nii").write_bytes(nifti_bytes(values, ct.ijk_to_ras))
    read = read_ct(tmp_path / "a.nii")
    assert np.array_equal(read.hu[1:], ct.hu[1:]) and (read.hu[0, :10] == -1024).all()
    assert "missing-values" in [finding.code for finding in read.findings]


def test_an_image_file_says_that_its_tags_are_unknown(tmp_path):
    ct = ellipsoid_ct("regular", **SMALL).ct
    write_nrrd(tmp_path / "a.nrrd", ct.hu, ct.ijk_to_ras)
    assert "no-dicom-tags" in [finding.code for finding in read_ct(tmp_path / "a.nrrd").findings]


@pytest.mark.parametrize(("change", "reason"), [
    (lambda hu: (np.clip(hu, 0, 80) * 3).astype(np.uint8), "8-bit picture"),
    (lambda hu: (hu + 1024).astype(np.int16), "no air near -1000"),
    (lambda hu: np.clip(hu, -100, 300).astype(np.int16), "no air near -1000"),
    (lambda hu: np.where(hu > -500, hu + 500, hu).astype(np.int16), "no soft tissue"),
    (lambda hu: np.full(hu.shape, np.nan, np.float32), "no voxel holds a number"),
])
def test_values_that_are_not_hounsfield_units_are_refused(tmp_path, change, reason):
    ct = ellipsoid_ct("regular", **SMALL).ct
    write_nrrd(tmp_path / "a.nrrd", change(ct.hu), ct.ijk_to_ras)
    with pytest.raises(InputError, match=reason):
        read_ct(tmp_path / "a.nrrd")


def test_damaged_or_unfit_nifti_files_are_refused(tmp_path):
    hu, eye = np.zeros((3, 4, 5), np.int16), np.eye(4)
    whole = nifti_bytes(hu, eye)
    nan = eye.copy()
    nan[0, 0] = np.nan
    cases = {
        "truncated": whole[:-7], "does not begin with a NIfTI header": b"hello", "header": b"",
        "2 volumes": nifti_bytes(hu, eye, dims=(4, 5, 4, 3, 2, 1, 1, 1)),
        r"5 x 0 x 3": nifti_bytes(hu, eye, dims=(3, 5, 0, 3, 1, 1, 1, 1)),
        "voxel type 128": nifti_bytes(hu, eye, code=128),
        "not a number": nifti_bytes(hu, nan),
        "at least two slices": nifti_bytes(hu[:1], eye),
    }
    for reason, data in cases.items():
        (tmp_path / "a.nii").write_bytes(data)
        with pytest.raises(InputError, match=reason):
            read_ct(tmp_path / "a.nii")
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(whole)[:60])
    with pytest.raises(InputError, match="cannot be read as NIfTI"):
        read_ct(tmp_path / "b.nii.gz")


def test_damaged_or_unfit_nrrd_files_are_refused(tmp_path):
    header = ("NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 4 3\n"
              "space directions: (1,0,0) (0,1,0) (0,0,5)\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n")
    voxels = bytes(2 * 60)
    cases = {
        "truncated: 119 of 120": (header, voxels[:-1]),
        "does not begin": (header.replace("NRRD0004", "hello"), voxels),
        "field 'sizes' is missing": (header.replace("sizes: 5 4 3\n", ""), voxels),
        "no voxels": (header.replace("5 4 3", "5 0 3"), voxels),
        "voxel type 'block'": (header.replace("short", "block"), voxels),
        "encoding 'zip'": (header.replace("raw", "zip"), voxels),
        "orientation": (header.replace("space directions: (1,0,0) (0,1,0) (0,0,5)\n", ""), voxels),
        "space is 'scanner-xyz'": (header.replace("left-posterior-superior", "scanner-xyz"), voxels),
        "not a number": (header.replace("(1,0,0)", "(nan,0,0)"), voxels),
        "spacing is zero": (header.replace("(1,0,0)", "(0,0,0)"), voxels),
        "several files": (header + "data file: LIST\n", voxels),
        "not Hounsfield": (header, voxels),
        "is not CT but MR": (header + "modality:=MR\n", voxels),
        "several values per voxel": (header.replace("dimension: 3", "dimension: 4").replace("5 4 3", "3 5 4 1")
                                     .replace("directions: ", "directions: none "), voxels),
    }
    for reason, (text, data) in cases.items():
        (tmp_path / "a.nrrd").write_bytes(text.encode() + b"\n" + data)
        with pytest.raises(InputError, match=reason):
            read_ct(tmp_path / "a.nrrd")


@pytest.mark.parametrize(("encoding", "pack"), [
    ("raw", lambda data: data), ("gzip", gzip.compress), ("bzip2", __import__("bz2").compress),
    ("ascii", lambda data: " ".join(map(str, np.frombuffer(data, ">i2"))).encode())])
def test_every_nrrd_encoding_and_a_detached_header_read_the_same(tmp_path, encoding, pack):
    array = np.arange(-30, 30, dtype=">i2").reshape(3, 4, 5)
    header = ("NRRD0005\r\n# a comment\r\ntype: int16\r\ndimension: 3\r\nspace: RAS\r\nsizes: 5 4 3\r\n"
              f"space directions: (1,0,0) (0,1,0) (0,0.5,5)\r\nendian: big\r\nencoding: {encoding}\r\n"
              "space origin: (1,2,3)\r\n")
    (tmp_path / "a.nhdr").write_bytes((header + "data file: a.raw\r\n").encode())
    (tmp_path / "a.raw").write_bytes(pack(array.tobytes()))
    (tmp_path / "b.nrrd").write_bytes(header.encode() + b"\r\n" + pack(array.tobytes()))
    for name in ("a.nhdr", "b.nrrd"):
        nrrd = read_nrrd(tmp_path / name)
        assert np.array_equal(nrrd.array, array)
        assert nrrd.matrix == pytest.approx(np.array([[1, 0, 0, 1], [0, 1, 0.5, 2], [0, 0, 5, 3], [0, 0, 0, 1]]))


def test_keys_survive_an_nrrd_round_trip(tmp_path):
    keys = {"Name": "a:b|c", "Text": "two\nlines and a \\ backslash"}
    write_nrrd(tmp_path / "a.nrrd", np.zeros((2, 2, 2), np.uint8), np.eye(4), keys)
    header = read_nrrd(tmp_path / "a.nrrd").header
    assert {key: header[key] for key in keys} == keys


def test_nifti_2_reads_like_nifti_1(tmp_path):
    array, matrix = np.arange(60, dtype="<i2").reshape(3, 4, 5), np.diag([-1.0, 2, 5, 1])
    header = bytearray(544)
    struct.pack_into("<i8s2h8q", header, 0, 540, b"n+2\0\r\n\x1a\n", 4, 16, 3, 5, 4, 3, 1, 1, 1, 1)
    struct.pack_into("<q2d", header, 168, 544, 0.0, 0.0)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, *matrix[:3].ravel())
    struct.pack_into("<i", header, 500, 2)
    (tmp_path / "a.nii").write_bytes(bytes(header) + array.tobytes())
    nifti = read_nifti(tmp_path / "a.nii")
    assert np.array_equal(nifti.array, array) and np.array_equal(nifti.matrix, matrix)
