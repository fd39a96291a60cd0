"""What a file still says of a volume that another program loaded from it."""

import gzip

import numpy as np
import pytest
from nifti_files import nifti_bytes
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume, ScanInfo
from ICHVolumeLib.io.file_behind import with_file
from ICHVolumeLib.io.nrrd import write_nrrd

SMALL = {"pixel_mm": 4.0, "columns": 48, "rows": 52, "step_mm": 12.0}


@pytest.fixture(scope="module")
def loaded():
    """As 3D Slicer gives it: voxels and a matrix, and nothing of the file."""
    ct = ellipsoid_ct("regular", **SMALL).ct
    return CTVolume.regular(ct.hu, ct.ijk_to_ras, ScanInfo(source="Head"))


def said(ct, path):
    return {finding.code: finding.message for finding in with_file(ct, path).findings}


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_even_spacing_is_said_to_be_assumed(loaded, tmp_path, name):
    data = nifti_bytes(loaded.hu, loaded.ijk_to_ras, pixdim=(1, 4, 4, 12))
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert set(said(loaded, tmp_path / name)) == {"even-spacing-assumed"}


@pytest.mark.parametrize("taken", ["sform", "qform"])
def test_a_conflict_names_the_matrix_that_was_loaded(loaded, tmp_path, taken):
    mirrored = np.diag([-1.0, 1, 1, 1]) @ loaded.ijk_to_ras
    sform = loaded.ijk_to_ras if taken == "sform" else mirrored
    quaternion = (0, 1, 0) if taken == "sform" else (0, 0, 1)
    path = tmp_path / "ct.nii"
    path.write_bytes(nifti_bytes(loaded.hu, sform, qform=1, quaternion=quaternion, pixdim=(1, 4, 4, 12)))
    message = said(loaded, path)["affine-conflict"]
    assert f"one ({taken})" in message and "exchanged" in message


def test_a_file_without_a_matrix_leaves_the_voxel_size_unknown(loaded, tmp_path):
    (tmp_path / "ct.nii").write_bytes(nifti_bytes(loaded.hu, loaded.ijk_to_ras, sform=0, pixdim=(1, 4, 4, 12)))
    assert "VOXEL SIZE UNKNOWN" in said(loaded, tmp_path / "ct.nii")["voxel-size-unknown"]


def test_what_the_keys_of_a_nrrd_say_is_known_then(loaded, tmp_path):
    write_nrrd(tmp_path / "ct.nrrd", loaded.hu, loaded.ijk_to_ras,
               {"0018|1120": "15", "0018|1210": "H70h", "0018|0010": "Iomeprol"})
    ct = with_file(loaded, tmp_path / "ct.nrrd")
    assert (ct.info.kernel, ct.info.contrast_agent) == ("H70h", "Iomeprol")
    assert "tilt-tag" in [finding.code for finding in ct.findings]


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b damaged", bytes(400)])
def test_a_file_that_cannot_be_read_changes_nothing(loaded, tmp_path, content):
    (tmp_path / "ct.nii").write_bytes(content)
    assert with_file(loaded, tmp_path / "ct.nii") is loaded
    assert with_file(loaded, tmp_path / "missing.nii") is loaded
    assert with_file(loaded, "") is loaded


def test_a_file_of_another_size_is_another_file(loaded, tmp_path):
    (tmp_path / "ct.nii").write_bytes(nifti_bytes(loaded.hu[:-1], loaded.ijk_to_ras))
    assert with_file(loaded, tmp_path / "ct.nii") is loaded
