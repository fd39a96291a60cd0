"""A mask is turned and padded onto its CT's grid, or refused with both grids in words."""

import re

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.mask_grid import match_grid, tilt_deg
from ICHVolumeLib.io.masks import read_mask
from ICHVolumeLib.io.nrrd import write_nrrd

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0, "head": False}


@pytest.fixture(scope="module")
def case():
    phantom = ellipsoid_ct("tilted", **SMALL)
    mask = phantom.mask.copy()
    mask[9:11, 30:33, 20:40] = 2
    return phantom.ct, mask


@pytest.mark.parametrize(("order", "flips"), [((0, 1, 2), (2,)), ((0, 1, 2), (0, 1)), ((2, 1, 0), ()),
                                              ((1, 2, 0), (1,)), ((2, 0, 1), (0, 1, 2))])
def test_the_same_grid_stored_in_another_axis_order_is_put_right(case, tmp_path, order, flips):
    ct, mask = case
    turned, matrix = np.flip(mask.transpose(order), flips), np.eye(4)
    kji_step = {axis: ct.ijk_to_ras[:3, 2 - axis] for axis in range(3)}
    matrix[:3, 3] = ct.ijk_to_ras[:3, 3]
    for new_axis, old_axis in enumerate(order):
        sign = -1 if new_axis in flips else 1
        matrix[:3, 2 - new_axis] = sign * kji_step[old_axis]
        if sign < 0:
            matrix[:3, 3] += (mask.shape[old_axis] - 1) * kji_step[old_axis]
    write_nrrd(tmp_path / "m.nrrd", np.ascontiguousarray(turned), matrix)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), mask)


def test_a_cropped_mask_is_put_back_into_its_place(case, tmp_path):
    ct, mask = case
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] = (ct.ijk_to_ras @ [5, 7, 3, 1])[:3]
    write_nrrd(tmp_path / "m.nrrd", mask[3:16, 7:, 5:60], matrix)
    assert np.array_equal(read_mask(tmp_path / "m.nrrd", ct), mask)


def test_a_mask_on_another_grid_is_refused_with_both_grids(case, tmp_path):
    ct, mask = case
    wider = ct.ijk_to_ras @ np.diag([1, 1, 1.05, 1])
    moved = ct.ijk_to_ras.copy()
    moved[0, 3] += 1.0
    straight = ct.ijk_to_ras.copy()
    straight[:3, 2] = ct.slice_normal_ras * ct.slab_heights_mm[0]
    far_away = ct.ijk_to_ras.copy()
    far_away[:3, 3] += 100 * ct.ijk_to_ras[:3, 0]
    for matrix in (wider, moved, straight, far_away):
        write_nrrd(tmp_path / "m.nrrd", mask, matrix)
        with pytest.raises(InputError, match=r"does not fit this CT.*: 64 x 72 x 19 voxels.*: 64 x 72 x 19 voxels"):
            read_mask(tmp_path / "m.nrrd", ct)
    write_nrrd(tmp_path / "m.nrrd", np.repeat(mask, 2, 2), ct.ijk_to_ras @ np.diag([0.5, 1, 1, 1]))
    with pytest.raises(InputError, match="its voxels measure"):
        read_mask(tmp_path / "m.nrrd", ct)


def test_labelled_voxels_outside_the_ct_are_not_dropped_silently(case, tmp_path):
    ct, mask = case
    shifted = ct.ijk_to_ras.copy()
    shifted[:3, 3] += 30 * ct.ijk_to_ras[:3, 0]
    write_nrrd(tmp_path / "m.nrrd", mask, shifted)
    with pytest.raises(InputError, match="marked voxels lie outside it"):
        read_mask(tmp_path / "m.nrrd", ct)


def test_a_straight_mask_for_a_tilted_ct_is_refused_with_both_directions(case, tmp_path):
    ct, mask = case
    straight = ct.ijk_to_ras.copy()
    normal = np.cross(straight[:3, 0], straight[:3, 1])
    straight[:3, 2] = normal / np.linalg.norm(normal) * np.linalg.norm(straight[:3, 2])  # even the spacing agrees
    write_nrrd(tmp_path / "m.nrrd", mask, straight)
    with pytest.raises(InputError) as refused:
        read_mask(tmp_path / "m.nrrd", ct)
    said = str(refused.value)
    ours, theirs = re.findall(r"slices running along ((?:\([-\d. ]+\)(?:, )?){3})", said)
    assert ours != theirs
    assert "tilted by 20.0 degrees" in said and "the mask's by 0.0" in said and "lost on the way" in said


def test_two_grids_that_look_alike_in_words_are_told_apart_by_how_far_they_lie(case, tmp_path):
    ct, mask = case
    turned = ct.ijk_to_ras.copy()
    turned[:3, 3] += (0, 0.4, 0.04)
    write_nrrd(tmp_path / "m.nrrd", mask, turned)
    with pytest.raises(InputError, match=r"up to 0\.40 mm apart"):
        read_mask(tmp_path / "m.nrrd", ct)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, -1e18, 1e-300])
@pytest.mark.parametrize("place", [(0, 0), (2, 2), (1, 3)])
def test_a_damaged_matrix_is_another_grid_whatever_it_holds(case, value, place):
    ct, mask = case
    matrix = ct.ijk_to_ras.copy()
    matrix[place] = value
    assert match_grid(mask.shape, matrix, ct.ijk_to_ras) is None or value == 1e-300 and place == (1, 3)


@pytest.mark.parametrize("degrees", [0.0, 12.5, 20.0])
def test_the_tilt_of_a_matrix_is_the_angle_it_was_made_with(degrees):
    ct = ellipsoid_ct("tilted", **SMALL, tilt_deg=degrees).ct
    assert tilt_deg(ct.ijk_to_ras) == pytest.approx(degrees, abs=1e-5)
