"""A head that lies otherwise than its header says is told by the skull; one that lies right is left in peace."""

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.anatomy.head_frame import fit_head_frame
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.quality.head_pose import check_head_pose
from ICHVolumeLib.synthetic.sample import make_sample
from ICHVolumeLib.worker import requests
from ICHVolumeLib.worker.npz_files import write_scan
from ICHVolumeLib.workflow.make_result import make_result


@pytest.fixture(scope="module")
def sample():
    return make_sample(1, size=128, bleed=False).ct


def said(ct) -> str:
    return " ".join(f"{finding.code}: {finding.message}" for finding in check_head_pose(ct, fit_head_frame(ct)))


def by_another_header(ct, *axes) -> CTVolume:
    """The same pixels, while the header has these axes (0 left-right, 1 front-back, 2 up-down) the other way round."""
    turn = np.diag([*(-1.0 if axis in axes else 1.0 for axis in range(3)), 1.0])
    return CTVolume(ct.hu, turn @ ct.ijk_to_ras, ct.slice_origins_ras @ turn[:3, :3])


def test_a_head_as_its_header_says_is_left_in_peace(sample):
    assert said(sample) == ""


def test_a_head_upside_down_is_told(sample):
    assert "upside down" in said(by_another_header(sample, 2))


def test_what_is_no_head_is_not_said_to_lie_wrongly():
    assert said(ellipsoid_ct("regular", pixel_mm=2.0, columns=90, rows=106, step_mm=5.0).ct) == ""


def test_result_and_panel_say_it(sample, tmp_path):
    ct = by_another_header(sample, 2)
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[len(mask) // 2, 60:66, 70:76] = 1
    assert "head-pose" in [finding.code for finding in make_result(ct, mask).findings]
    write_scan(tmp_path / "scan.npz", ct)
    assert "head-pose" in [one["code"] for one in requests.check({"input": tmp_path / "scan.npz"})["findings"]]


@pytest.mark.parametrize(("axes", "words"), [
    ((), ""), ((0,), ""), ((1,), "likely back to front)"), ((0, 1), "likely back to front)"),
    ((2,), "likely upside down)"), ((0, 2), "likely upside down)"), ((1, 2), "likely upside down and back to front)")])
def test_a_real_tilted_head(real_data, axes, words):
    folder = real_data / "ge_tilted_uneven"
    if not folder.is_dir():
        pytest.skip(f"no tilted series in {real_data}")
    found = said(by_another_header(read_ct(folder), *axes))
    assert words in found and bool(words) == bool(found)
