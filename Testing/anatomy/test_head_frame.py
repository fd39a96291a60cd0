"""The frame of heads whose frame is known: made ones moved about, the CT template, and a real tilted, uneven scan."""

import numpy as np
import pytest
from atlas_heads import random_pose, scan_of

from ICHVolumeLib.anatomy.head_frame import HeadFrame, fit_head_frame
from ICHVolumeLib.anatomy.skull_model import outside_mm
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.synthetic.sample import make_sample

FALX = ((15, 105, 225), (15, 230, 242), (19, 140, 230), (19, 350, 265), (23, 190, 238), (23, 360, 267))
PLACES_MM = np.stack(np.meshgrid([-45, 0, 45], [-80, -20, 40], [-15, 15, 50]), -1).reshape(-1, 3).astype(float)


@pytest.fixture(scope="module")
def sample():
    return make_sample(1, size=128, bleed=False).ct


@pytest.fixture(scope="module")
def templates(real_data):
    folder = real_data / "anatomy"
    if not folder.is_dir():
        pytest.skip(f"no templates in {real_data}")
    return folder


def moved(ct, turn_deg, shift_mm):
    """The same scan elsewhere in the world: turned about the patient's axis, and shifted."""
    angle = np.radians(turn_deg)
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    motion[:3, 3] = shift_mm
    origins = ct.slice_origins_ras @ motion[:3, :3].T + motion[:3, 3]
    return CTVolume(ct.hu, motion @ ct.ijk_to_ras, origins), motion


def test_the_frame_moves_with_the_head(sample):
    """The made head is nearly an ellipsoid: how far it nods is open by some degrees, left and right are not."""
    other, motion = moved(sample, 25.0, (40.0, -90.0, 300.0))
    here, there = fit_head_frame(sample), fit_head_frame(other)
    ras = here.to_ras(PLACES_MM)
    off = np.abs(there.to_atlas(ras @ motion[:3, :3].T + motion[:3, 3]) - PLACES_MM)
    assert here.good and there.good and off[:, 0].max() < 3.0 and off.mean(axis=0).max() < 6.0


def test_flipped_slices_give_the_same_frame(sample):
    """Columns and slices stored the other way round, the world unchanged."""
    matrix = sample.ijk_to_ras.copy()
    origins = sample.slice_origins_ras[::-1] + matrix[:3, 0] * (sample.hu.shape[2] - 1)
    matrix[:3, 0], matrix[:3, 2], matrix[:3, 3] = -matrix[:3, 0], -matrix[:3, 2], origins[0]
    flipped = CTVolume(np.ascontiguousarray(sample.hu[::-1, :, ::-1]), matrix, origins)
    ras = fit_head_frame(sample).to_ras(PLACES_MM)
    assert np.linalg.norm(fit_head_frame(flipped).to_atlas(ras) - PLACES_MM, axis=1).mean() < 2.0


def test_there_and_back():
    frame = HeadFrame(np.array([[1.1, 0.1, 0, 5], [-0.1, 1.0, 0.2, -7], [0, -0.2, 0.9, 30], [0, 0, 0, 1.0]]), 1.0, True)
    assert np.allclose(frame.to_ras(frame.to_atlas(PLACES_MM)), PLACES_MM)
    again = HeadFrame.from_plain(frame.to_plain())
    assert np.array_equal(again.ras_to_atlas, frame.ras_to_atlas) and again.to_plain() == frame.to_plain()


def test_a_scan_is_fitted_once(sample):
    assert fit_head_frame(sample) is fit_head_frame(sample)


def test_no_skull_no_frame():
    assert fit_head_frame(CTVolume.regular(np.full((6, 32, 32), 30, np.int16), np.diag([5.0, 5.0, 5.0, 1.0]))) is None


@pytest.mark.parametrize("shape", ["box", "small ball", "long tube"])
def test_what_is_no_head_is_no_good_frame(shape):
    matrix = np.diag([-4.0, -4.0, 4.0, 1.0])
    k, j, i = np.indices((50, 60, 60))
    x, y, z = (i - 30) * 4.0, (j - 30) * 4.0, (k - 25) * 4.0
    size = {"box": np.max([np.abs(x) / 70, np.abs(y) / 70, np.abs(z) / 70], axis=0),
            "small ball": np.sqrt(x**2 + y**2 + z**2) / 40,
            "long tube": np.hypot(x, y) / 60}[shape]
    hu = np.select([size < 1, size < 1.15], [35, 900], -1000).astype(np.int16)
    frame = fit_head_frame(CTVolume.regular(hu, matrix))
    assert frame is None or not frame.good


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_turned_template_is_found_to_two_millimetres(templates, seed):
    """Up to 40 degrees about each axis, other sizes."""
    pose = random_pose(np.random.default_rng(seed), 40.0, bend_mm=0.0)
    frame = fit_head_frame(scan_of(templates, pose, pixels=96, heights_mm=np.arange(-88.0, 90.0, 6.0)))
    ras = np.array([pose.ras(one) for one in PLACES_MM])
    assert frame.good and np.linalg.norm(frame.to_atlas(ras) - PLACES_MM, axis=1).mean() < 2.0


@pytest.mark.parametrize("case", ["vertex cut", "no base", "opened", "tilted"])
def test_what_is_missing_of_the_skull_misleads_nobody(templates, case):
    pose = random_pose(np.random.default_rng(3), 10.0, bend_mm=0.0)
    heights = {"vertex cut": np.arange(-88.0, 45.0, 6.0), "no base": np.arange(-40.0, 90.0, 6.0)}
    ct = scan_of(templates, pose, pixels=96, heights_mm=heights.get(case, np.arange(-88.0, 90.0, 6.0)),
                 opened=case == "opened", tilt_deg=20.0 if case == "tilted" else 0.0)
    frame = fit_head_frame(ct)
    ras = np.array([pose.ras(one) for one in PLACES_MM])
    assert frame.good and np.linalg.norm(frame.to_atlas(ras) - PLACES_MM, axis=1).mean() < 3.0


def test_the_real_tilted_uneven_scan_fits_and_its_falx_lies_on_the_midline(tilted_uneven_folder):
    """Falx and septum as read by eye off slices 15, 19 and 23 (from 0), to 4 mm; the skull to 2 mm."""
    ct = read_ct(tilted_uneven_folder)
    frame = fit_head_frame(ct)
    seen = np.array(FALX, float)  # slice, row, column
    assert frame.good and frame.fit_mm < 2.0
    assert np.abs(frame.to_atlas(ct.voxel_to_ras(seen))[:, 0]).max() < 4.0
    bone = np.argwhere(ct.hu[18] > 900)[::50]
    places = ct.voxel_to_ras(np.c_[np.full(len(bone), 18), bone])
    outside = outside_mm(frame.to_atlas(places))
    assert 0 < np.median(outside[np.abs(outside) < 20]) < 8
