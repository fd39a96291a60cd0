"""Two scans of one head are matched to a tenth of a millimetre; two heads are told apart from one."""

import numpy as np
import pytest
from follow_up_patients import rigid, scan_of_head

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.imaging.registration import onto_slices, register_heads
from ICHVolumeLib.io.read_ct import read_ct

CORNERS_MM = np.array([[x, y, z] for x in (-70, 70) for y in (-90, 90) for z in (-50, 70)])


def errors(registration, fixed_at, moving_at):
    """(degrees, largest mm over the head); fixed_at, moving_at: 4x4 from the head to either scan."""
    wrong = np.linalg.inv(moving_at) @ registration.to_moving_ras @ fixed_at  # of the head's own millimetres
    angle = np.degrees(np.arccos(np.clip((np.trace(wrong[:3, :3]) - 1) / 2, -1, 1)))
    return angle, np.linalg.norm(CORNERS_MM @ wrong[:3, :3].T + wrong[:3, 3] - CORNERS_MM, axis=1).max()


@pytest.mark.parametrize("later, motion", [
    ({}, rigid((4, 2, -5), (3, -8, 12))),
    ({"tilt_deg": 18, "uneven": True}, rigid((-12, 6, 10), (-25, 30, -60))),
    ({"uneven": True}, rigid((20, -8, -15), (40, 10, 150))),
])
def test_a_grown_moved_tilted_and_resliced_head_is_matched(later, motion):
    fixed, _, fixed_at = scan_of_head(45, 6, motion=motion, **later)
    moving, _, moving_at = scan_of_head(20)
    registration = register_heads(fixed, moving)
    degrees, largest_mm = errors(registration, fixed_at, moving_at)
    assert registration.is_good
    assert degrees < 0.3 and largest_mm < 0.5


def test_the_same_scans_give_the_same_motion_to_the_last_digit():
    fixed, moving = scan_of_head(20, motion=rigid((5, 0, 0)))[0], scan_of_head(20)[0]
    first, second = (register_heads(fixed, moving).to_moving_ras for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("seed", [11, 12])
def test_another_head_is_a_poor_match(seed):
    assert not register_heads(scan_of_head(20)[0], scan_of_head(20, seed=seed)[0]).is_good


def test_a_scan_without_a_head_is_a_poor_match():
    ct = scan_of_head()[0]
    air = CTVolume(np.full_like(ct.hu, -1000), ct.ijk_to_ras, ct.slice_origins_ras)
    for pair in ((ct, air), (air, ct), (air, air)):
        registration = register_heads(*pair)
        assert not registration.is_good and registration.overlap == 0


def test_the_bleed_lies_where_it_was_after_a_known_motion():
    fixed, mask, fixed_at = scan_of_head(30, tilt_deg=15, uneven=True, motion=rigid((0, 0, 9), (5, 5, 5)))
    moving, before, moving_at = scan_of_head(30)
    every = list(range(len(fixed.hu)))
    seen = onto_slices(fixed, every, moving, (before == 1).astype(np.float32), moving_at @ np.linalg.inv(fixed_at), 0.0)
    dice = 2 * ((seen > 0.5) & (mask == 1)).sum() / ((seen > 0.5).sum() + (mask == 1).sum())
    assert dice > 0.93


def test_a_real_head_is_matched_to_every_second_of_its_slices(tilted_uneven_folder):
    fixed, motion = read_ct(tilted_uneven_folder), rigid((8, -5, 10), (20, -10, 30))
    origins, matrix = fixed.slice_origins_ras[::2], fixed.ijk_to_ras.copy()  # steps of 8 to 14 mm
    matrix[:3, 2], matrix[:3, 3] = (origins[-1] - origins[0]) / (len(origins) - 1), origins[0]
    moving = CTVolume(fixed.hu[::2], motion @ matrix, origins @ motion[:3, :3].T + motion[:3, 3])
    registration = register_heads(fixed, moving)
    center = np.eye(4)
    center[:3, 3] = fixed.voxel_to_ras((np.array(fixed.hu.shape) - 1) / 2)
    degrees, largest_mm = errors(registration, center, motion @ center)
    assert registration.is_good and degrees < 1 and largest_mm < 2
