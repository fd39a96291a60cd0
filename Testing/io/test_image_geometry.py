"""What a NIfTI or NRRD file cannot say of its grid, and where it contradicts itself: never silent."""

import json

import numpy as np
import pytest
from dicom_files import codes, message
from nifti_files import nifti_bytes
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.quality.checks import check_ct

GRID = {"pixel_mm": 1.5, "columns": 128, "rows": 140, "step_mm": 5.0}


@pytest.fixture(scope="module")
def upright():
    return ellipsoid_ct("regular", **GRID)


@pytest.fixture(scope="module")
def tilted():
    return ellipsoid_ct("tilted", **GRID)


def ml(phantom, ct, mask=None):
    mask = phantom.mask if mask is None else mask
    return mask.sum(axis=(1, 2)) @ ct.voxel_volumes_mm3 / 1000


def two_affines(path, ct, *, pixdim, quaternion=(0, 0, 1), offset=None, sform=None, units=2):
    """Both codes set. quaternion (0, 0, 1): turned by 180 degrees about the head's axis, as the phantom's matrix is."""
    matrix = ct.ijk_to_ras if sform is None else sform
    data = bytearray(nifti_bytes(ct.hu, matrix, sform=1, qform=1, quaternion=quaternion, pixdim=pixdim, units=units))
    if offset is not None:
        data[268:280] = np.array(offset, "<f4").tobytes()
    path.write_bytes(data)
    return read_ct(path)


def test_equal_sform_and_qform_are_no_conflict(upright, tmp_path):
    ct = two_affines(tmp_path / "a.nii", upright.ct, pixdim=(1, 1.5, 1.5, 5))
    assert "affine-conflict" not in codes(ct)


@pytest.mark.parametrize(("changes", "words"), [
    ({"pixdim": (1, 1.5, 1.5, 5), "offset": (95.25, 104.25, -80)}, "10.0 mm apart"),
    ({"pixdim": (1, 3, 3, 5)}, "factor of 4"),
    ({"pixdim": (1, 0.001, 0.001, 0.001)}, "factor of more than 1,000"),
    ({"pixdim": (1, 1.5, 1.5, 5), "quaternion": (0, np.sin(np.pi / 18), np.cos(np.pi / 18)),
      "offset": (95.25, 104.25, -90)}, "20.0 degrees"),
    ({"pixdim": (1, 1.5, 1.5, 5), "quaternion": (0, 1, 0)}, "front and back and head and feet are exchanged"),
    ({"pixdim": (-1, 1.5, 1.5, 5)}, "head and feet are exchanged"),
], ids=["shifted", "scaled", "scaled beyond sense", "tilted", "turned", "mirrored"])
def test_disagreeing_affines_are_named_and_the_sform_taken(upright, tmp_path, changes, words):
    changes.setdefault("offset", upright.ct.ijk_to_ras[:3, 3])
    ct = two_affines(tmp_path / "a.nii", upright.ct, **changes)
    said = message(ct, "affine-conflict")
    assert words in said and "The first one (sform) was used" in said
    assert next(finding for finding in ct.findings if finding.code == "affine-conflict").severity == "warning"
    assert ct.ijk_to_ras == pytest.approx(upright.ct.ijk_to_ras, abs=1e-4)


def test_a_head_mirrored_between_the_affines_is_named_left_and_right(upright, tmp_path):
    mirrored = upright.ct.ijk_to_ras.copy()
    mirrored[0] *= -1
    ct = two_affines(tmp_path / "a.nii", upright.ct, pixdim=(1, 1.5, 1.5, 5), sform=mirrored,
                     offset=upright.ct.ijk_to_ras[:3, 3])
    assert "left and right are exchanged" in message(ct, "affine-conflict")


def test_voxel_sizes_that_contradict_a_lone_sform_are_named(upright, tmp_path):
    (tmp_path / "a.nii").write_bytes(nifti_bytes(upright.ct.hu, upright.ct.ijk_to_ras, pixdim=(1, 0.9, 0.9, 5)))
    assert "0.9 x 0.9 x 5 mm by the second (voxel sizes)" in message(read_ct(tmp_path / "a.nii"), "affine-conflict")


@pytest.mark.parametrize("case", ["no codes", "identity sform", "identity nrrd"])
def test_an_unknown_voxel_size_is_a_loud_warning(upright, tmp_path, case):
    path = tmp_path / ("a.nrrd" if case.endswith("nrrd") else "a.nii")
    if case == "identity nrrd":
        write_nrrd(path, upright.ct.hu, np.diag([-1.0, -1, 1, 1]))
    else:
        path.write_bytes(nifti_bytes(upright.ct.hu, np.eye(4), sform=int(case != "no codes"),
                                     pixdim=(1, 1.5, 1.5, 5) if case == "no codes" else (1, 1, 1, 1)))
    ct = read_ct(path)
    assert "VOXEL SIZE UNKNOWN" in message(ct, "voxel-size-unknown")
    if case == "no codes":
        assert ct.pixel_spacing_mm == (1.5, 1.5) and ct.ijk_to_ras[0, 0] == -1.5


def test_a_known_grid_is_no_unknown_one(upright, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", upright.ct.hu, upright.ct.ijk_to_ras)
    assert "voxel-size-unknown" not in codes(read_ct(tmp_path / "a.nrrd"))


@pytest.mark.parametrize("factor", [1000, 0.001, 10, 0.1])
@pytest.mark.parametrize("name", ["a.nii", "a.nrrd"])
def test_a_head_of_another_unit_is_refused(upright, tmp_path, factor, name):
    matrix = upright.ct.ijk_to_ras.copy()
    matrix[:3] *= factor
    if name == "a.nii":
        (tmp_path / name).write_bytes(nifti_bytes(upright.ct.hu, matrix))
    else:
        write_nrrd(tmp_path / name, upright.ct.hu, matrix)
    with pytest.raises(InputError, match="which no head CT does"):
        read_ct(tmp_path / name)


def test_millimetres_that_claim_to_be_metres_are_refused(upright, tmp_path):
    (tmp_path / "a.nii").write_bytes(nifti_bytes(upright.ct.hu, upright.ct.ijk_to_ras, units=1))
    with pytest.raises(InputError, match=r"pixels of 1500 x 1500 mm"):
        read_ct(tmp_path / "a.nii")


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd"])
def test_even_spacing_is_said_to_be_assumed(upright, tmp_path, name):
    if name == "a.nii":
        (tmp_path / name).write_bytes(nifti_bytes(upright.ct.hu, upright.ct.ijk_to_ras))
    else:
        write_nrrd(tmp_path / name, upright.ct.hu, upright.ct.ijk_to_ras)
    said = message(read_ct(tmp_path / name), "even-spacing-assumed")
    assert "ASSUMED" in said and "5 mm apart" in said


def test_a_shear_that_nothing_confirms_is_not_said_to_be_taken_into_account(tilted, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", tilted.ct.hu, tilted.ct.ijk_to_ras)
    found = [finding for finding in check_ct(read_ct(tmp_path / "a.nrrd")) if finding.code == "gantry-tilt"]
    assert [finding.severity for finding in found] == ["warning"]
    assert "no slice position or header field confirms it" in found[0].message
    assert "into account" not in found[0].message


def test_a_shear_is_confirmed_by_the_file_beside_it(tilted, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", tilted.ct.hu, tilted.ct.ijk_to_ras)
    (tmp_path / "a.json").write_text(json.dumps({"GantryDetectorTilt": -20, "ConvolutionKernel": "H60s",
                                                 "SliceThickness": 5}), encoding="utf-8")
    ct = read_ct(tmp_path / "a.nrrd")
    assert "as a.json says of the gantry" in message(ct, "gantry-tilt")
    assert (ct.info.kernel, ct.info.slice_thickness_mm) == ("H60s", 5.0)
    assert ml(tilted, ct) == pytest.approx(ml(tilted, tilted.ct))


@pytest.mark.parametrize("where", ["json", "descrip", "nrrd key"])
def test_a_dropped_shear_is_found_where_the_header_still_tells_the_tilt(upright, tmp_path, where):
    if where == "nrrd key":
        path = tmp_path / "a.nrrd"
        write_nrrd(path, upright.ct.hu, upright.ct.ijk_to_ras, {"0018|1120": "20"})
    else:
        path = tmp_path / "a.nii"
        data = bytearray(nifti_bytes(upright.ct.hu, upright.ct.ijk_to_ras))
        if where == "descrip":
            text = b"gantry tilt=20.0;thick=5"
            data[148:148 + len(text)] = text
        else:
            (tmp_path / "a.json").write_text('{"GantryDetectorTilt": 20.0}', encoding="utf-8")
        path.write_bytes(data)
    said = message(read_ct(path), "tilt-tag")
    assert "tilted by 20.0 degrees" in said and "6.0 %" in said


def test_a_slice_distance_that_the_sidecar_contradicts_is_named(upright, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", upright.ct.hu, upright.ct.ijk_to_ras)
    (tmp_path / "a.json").write_text('{"SpacingBetweenSlices": 2.5}', encoding="utf-8")
    assert "a.json says 2.5 mm" in message(read_ct(tmp_path / "a.nrrd"), "spacing-conflict")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"GantryDetectorTilt": "x", "ConvolutionKernel": {"a": 1}}',
                                     '{"SliceThickness": null}', "[" * 100000])
def test_a_broken_sidecar_does_no_harm(upright, tmp_path, content):
    write_nrrd(tmp_path / "a.nrrd", upright.ct.hu, upright.ct.ijk_to_ras)
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    assert read_ct(tmp_path / "a.nrrd").info.slice_thickness_mm is None


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1)])
def test_every_axis_order_is_read_as_axial_slices_with_the_same_volume(upright, tmp_path, order, flips):
    ct = upright.ct
    hu, mask = (values.transpose(order)[tuple(slice(None, None, flip) for flip in flips)] for values in
                (ct.hu, upright.mask))
    matrix = np.eye(4)
    columns = [ct.ijk_to_ras[:3, 2 - axis] for axis in order][::-1]  # of i, j, k
    sizes = [ct.hu.shape[axis] for axis in order][::-1]
    matrix[:3, 3] = ct.ijk_to_ras[:3, 3]
    for n, (column, size, flip) in enumerate(zip(columns, sizes, flips[::-1], strict=True)):
        matrix[:3, n] = column * flip
        matrix[:3, 3] += column * (size - 1) * (flip < 0)
    write_nrrd(tmp_path / "a.nrrd", hu, matrix)
    read = read_ct(tmp_path / "a.nrrd")
    assert abs(read.slice_normal_ras[2]) == pytest.approx(1)
    assert "not-axial" not in [finding.code for finding in check_ct(read)]
    assert ("axes-reordered" in codes(read)) == (order[0] != 0)
    bright = (read.hu > 50) & (read.hu < 90)
    assert bright.sum(axis=(1, 2)) @ read.voxel_volumes_mm3 == pytest.approx(
        ((ct.hu > 50) & (ct.hu < 90)).sum(axis=(1, 2)) @ ct.voxel_volumes_mm3)
    from ICHVolumeLib.io.masks import read_mask

    write_nrrd(tmp_path / "mask.nrrd", mask, matrix)
    assert ml(upright, read, read_mask(tmp_path / "mask.nrrd", read)) == pytest.approx(ml(upright, ct))


def test_a_real_sagittal_stack_stays_sagittal(upright, tmp_path):
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = (0, 1.5, 0), (0, 0, -1.5), (-5, 0, 0)
    write_nrrd(tmp_path / "a.nrrd", upright.ct.hu, matrix)
    found = check_ct(read_ct(tmp_path / "a.nrrd"))
    assert "not-axial" in [finding.code for finding in found]
