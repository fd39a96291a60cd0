"""An InVesalius project becomes an ordinary axial scan."""

import importlib.util
import io
import plistlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ICHVolumeLib.io.nifti import read_nifti


@pytest.fixture(scope="module")
def inv3():
    path = Path(__file__).with_name("read_inv3.py")
    spec = importlib.util.spec_from_file_location("read_inv3", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_project(path, hu, spacing, **about):
    """As InVesalius writes it: rows from back to front."""
    about = {"modality": "CT", "orientation": 1, "spacing": list(spacing),
             "matrix": {"filename": "matrix.dat", "dtype": "int16", "shape": list(hu.shape)}} | about
    with tarfile.open(path, "w:gz") as project:
        for name, content in (("main.plist", plistlib.dumps(about)), ("matrix.dat", hu[:, ::-1].tobytes())):
            member = tarfile.TarInfo(f"tmp1234/{name}")
            member.size = len(content)
            project.addfile(member, io.BytesIO(content))


def test_front_stays_front_and_up_stays_up(inv3, tmp_path, monkeypatch):
    hu = (20 * np.arange(4 * 6 * 5) - 1000).astype(np.int16).reshape(4, 6, 5)
    write_project(tmp_path / "a.inv3", hu, (0.9, 0.8, 1.5))
    monkeypatch.setattr("sys.argv", ["read_inv3.py", str(tmp_path / "a.inv3"), str(tmp_path / "a.nii.gz")])
    inv3.main()
    image = read_nifti(tmp_path / "a.nii.gz")  # a ramp is no CT, so read_ct would refuse it
    assert sorted(np.linalg.norm(image.matrix[:3, :2], axis=0)) == pytest.approx([0.8, 0.9])

    def place(value):
        k, j, i = np.argwhere(image.array == value)[0]
        return (image.matrix @ [i, j, k, 1])[:3]

    for point, value in (((0, 0, 0), hu[0, 0, 0]), ((3, 5, 4), hu[3, 5, 4]), ((2, 0, 4), hu[2, 0, 4])):
        k, j, i = point  # up, to the back, to the left
        np.testing.assert_allclose(place(value) - place(hu[0, 0, 0]), (-0.9 * i, -0.8 * j, 1.5 * k), atol=1e-4)


def test_what_is_no_axial_ct_is_refused(inv3, tmp_path):
    write_project(tmp_path / "mr.inv3", np.zeros((2, 2, 2), np.int16), (1, 1, 1), modality="MRI")
    with pytest.raises(ValueError, match="axial CT"):
        inv3.read_inv3(tmp_path / "mr.inv3")
