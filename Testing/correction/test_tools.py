"""Remove, keep, relabel and repair: what each click changes, and nothing else."""

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.correction import keep_component, relabel, remove_component, repair_slice, voxel_at
from ICHVolumeLib.imaging.dice import dice


def with_ball(mask, at, radius_px, label, slices=2):
    mask = mask.copy()
    away = np.hypot(*(np.indices(mask.shape[1:]) - np.array(at[1:])[:, None, None]))
    for k in range(at[0] - slices, at[0] + slices + 1):
        mask[k][away < radius_px] = label
    return mask


def test_remove_and_keep_part_a_mask_in_two(plain, middle):
    k, j, i = middle(plain.mask)
    both = with_ball(plain.mask, (k, j, i + 70), 6, 2)
    assert np.array_equal(remove_component(plain.ct, both, (k, j, i + 70)).apply(both), plain.mask)
    assert np.array_equal(keep_component(plain.ct, both, (k, j, i)).apply(both), plain.mask)
    beside = (k, j, i + 70 + 7)  # a pixel outside of the ball
    assert np.array_equal(remove_component(plain.ct, both, beside).apply(both), plain.mask)


def test_a_component_of_both_labels_goes_as_one(plain, middle):
    k, j, i = middle(plain.mask)
    both = plain.mask.copy()
    both[:, :, :i][plain.mask[:, :, :i] > 0] = 2
    assert not remove_component(plain.ct, both, (k, j, i)).apply(both).any()


def test_relabel_changes_the_component_and_only_it(plain, middle):
    k, j, i = middle(plain.mask)
    both = with_ball(plain.mask, (k, j, i + 70), 6, 1)
    after = relabel(plain.ct, both, (k, j, i), 2).apply(both)
    assert np.array_equal(after == 2, plain.mask > 0)
    assert np.array_equal(after > 0, both > 0)


def test_relabel_stops_at_a_narrow_neck(plain, middle):
    k, j, i = middle(plain.mask)
    empty = np.zeros_like(plain.mask)
    left, right = with_ball(empty, (k, j, i), 14, 1, 3), with_ball(empty, (k, j, i + 26), 14, 1, 3)
    both = left | right
    after = relabel(plain.ct, both, (k, j, i + 26), 2).apply(both)
    assert dice(after == 2, right & ~left) > 0.95
    assert dice(after == 1, left & ~right) > 0.95
    again = relabel(plain.ct, after, (k, j, i), 2).apply(after)
    assert (again[both > 0] == 2).all()


@pytest.mark.parametrize("tool", [remove_component, keep_component, lambda *a: relabel(*a, 2)])
def test_a_click_beside_every_mark_is_refused(plain, tool):
    with pytest.raises(InputError, match="Nothing is marked"):
        tool(plain.ct, plain.mask, (1, 5, 5))


def test_relabel_refuses_the_label_that_is_there_and_one_that_is_none(plain, middle):
    with pytest.raises(InputError, match="ICH already"):
        relabel(plain.ct, plain.mask, middle(plain.mask), 1)
    with pytest.raises(InputError, match="give 1"):
        relabel(plain.ct, plain.mask, middle(plain.mask), 3)


def test_an_empty_slice_is_filled_from_its_neighbours(bled, middle):
    click = middle(bled.mask)
    gap = bled.mask.copy()
    gap[click[0]] = 0
    after = repair_slice(bled.ct, gap, click).apply(gap)
    assert dice(after[click[0]], bled.mask[click[0]]) > 0.95
    assert np.array_equal(np.delete(after, click[0], 0), np.delete(gap, click[0], 0)), "other slices stay"


def test_a_slice_that_ran_out_is_trimmed(bled, middle):
    k, j, i = middle(bled.mask)
    wide = bled.mask.copy()
    wide[k, j - 4:j + 4, i:i + 55] = 1
    after = repair_slice(bled.ct, wide, (k, j, i)).apply(wide)
    assert dice(after[k], bled.mask[k]) > 0.95


def test_a_slice_with_one_neighbour_is_refused(plain, middle):
    k, j, i = middle(plain.mask)
    with pytest.raises(InputError, match="only one neighbour"):
        repair_slice(plain.ct, plain.mask, (0, j, i))
    lone = np.zeros_like(plain.mask)
    lone[k] = plain.mask[k]
    with pytest.raises(InputError, match="not both marked"):
        repair_slice(plain.ct, lone, (k + 1, j, i))


def test_a_point_in_the_world_finds_its_voxel_on_every_grid(bled):
    for voxel in ((3, 40, 60), (12, 100, 17), (len(bled.ct.hu) - 1, 0, 0)):
        assert voxel_at(bled.ct, bled.ct.voxel_to_ras(voxel)) == voxel
