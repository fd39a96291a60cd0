"""Add bleed here: one click finds the whole clot, and only the clot."""

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.correction import grow
from ICHVolumeLib.imaging.dice import dice
from ICHVolumeLib.imaging.disks import widened_by_disk


def nothing(ct):
    return np.zeros(ct.hu.shape, np.uint8)


def test_a_click_in_a_missed_clot_marks_it_on_every_grid(bled, middle):
    mask = nothing(bled.ct)
    edit = grow(bled.ct, mask, middle(bled.mask))
    assert dice(edit.apply(mask), bled.mask) > 0.95
    assert not mask.any(), "nothing is changed in place"
    assert edit.labels.size < mask.size / 10


def test_the_same_click_gives_the_same_edit(plain, middle):
    first, second = (grow(plain.ct, nothing(plain.ct), middle(plain.mask)) for _ in range(2))
    assert first.box == second.box and np.array_equal(first.labels, second.labels)


def test_a_click_off_the_middle_gives_nearly_the_same(plain, middle):
    k, j, i = middle(plain.mask)
    clicks = ((k, j, i), (k + 1, j + 6, i - 6), (k - 1, j - 5, i + 7))
    masks = [grow(plain.ct, nothing(plain.ct), click).apply(nothing(plain.ct)) for click in clicks]
    assert all(dice(masks[0], other) > 0.95 for other in masks[1:])


def test_what_is_marked_keeps_its_label_and_is_a_wall(plain, middle):
    k, j, i = middle(plain.mask)
    mask = nothing(plain.ct)
    mask[:, :, :i][plain.mask[:, :, :i] > 0] = 2
    after = grow(plain.ct, mask, (k, j, i + 5)).apply(mask)
    assert (after[mask > 0] == 2).all()
    assert dice(after, plain.mask) > 0.94
    assert set(np.unique(after)) == {0, 2}, "the rest of an IVH is IVH"


def test_a_click_on_a_mask_drawn_too_small_finds_the_edge(plain, middle):
    mask = nothing(plain.ct)
    click = middle(plain.mask)
    mask[click[0]][np.hypot(*(np.indices(mask.shape[1:]) - np.array(click[1:])[:, None, None])) < 5] = 1
    assert dice(grow(plain.ct, mask, click).apply(mask), plain.mask) > 0.95


@pytest.mark.parametrize("fluid_hu", [6, 12])
def test_blood_with_fluid_around_it_is_ivh(plain, middle, painted, fluid_hu):
    around = widened_by_disk(plain.mask > 0, 7) & (plain.mask == 0)
    ct = painted(plain.ct, around, fluid_hu)
    after = grow(ct, nothing(ct), middle(plain.mask)).apply(nothing(ct))
    assert set(np.unique(after)) == {0, 2}
    assert dice(after, plain.mask) > 0.94


def test_a_clot_at_the_skull_does_not_take_the_skull(middle, painted):
    from phantoms import ellipsoid_ct

    at_skull = ellipsoid_ct(step_mm=4.0, semi_axes_mm=(20.0, 16.0, 12.0), center_mm=(52.0, 0.0, 0.0))
    values = at_skull.ct.hu.copy()
    inside = ellipsoid_ct(step_mm=4.0, semi_axes_mm=(66.0, 82.0, 74.0), head=False, noise_hu=0).mask > 0
    bone = ~inside & (at_skull.mask > 0)
    values[bone] = 1000
    ct = type(at_skull.ct)(values, at_skull.ct.ijk_to_ras, at_skull.ct.slice_origins_ras)
    truth = (at_skull.mask > 0) & inside
    after = grow(ct, nothing(ct), middle(truth)).apply(nothing(ct)) > 0
    assert not (after & (ct.hu > 200)).any()
    assert np.count_nonzero(after & ~truth) < 0.03 * np.count_nonzero(truth)


def test_a_bright_sheet_like_the_falx_is_not_followed(plain, middle, painted):
    k, j, i = middle(plain.mask)
    sheet = np.zeros(plain.mask.shape, bool)
    sheet[:, 40:-40, i:i + 2] = True
    ct = painted(plain.ct, sheet & (plain.mask == 0) & (np.abs(plain.ct.hu - 32) < 30), 60)
    after = grow(ct, nothing(ct), (k, j, i)).apply(nothing(ct)) > 0
    assert np.count_nonzero(after & (plain.mask == 0)) < 0.1 * np.count_nonzero(plain.mask)


def test_more_reach_never_gives_less(plain, middle):
    sizes = [np.count_nonzero(grow(plain.ct, nothing(plain.ct), middle(plain.mask), reach=reach).labels)
             for reach in (0.7, 1.0, 1.4)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_normal_brain_is_refused(plain, middle):
    k, j, i = middle(plain.mask)
    rng = np.random.default_rng(0)
    for _ in range(12):
        click = (k, j + int(rng.integers(-30, 30)), i + 60 + int(rng.integers(-10, 10)))
        with pytest.raises(InputError, match="brighter than the brain"):
            grow(plain.ct, nothing(plain.ct), click)


@pytest.mark.parametrize(("click", "words"), [
    ((22, 1, 1), "outside the head"), ((-1, 5, 5), "outside the scan"), ((0, 5, 5000), "outside the scan")])
def test_a_click_nowhere_is_said_in_one_sentence(plain, click, words):
    with pytest.raises(InputError, match=words) as error:
        grow(plain.ct, nothing(plain.ct), click)
    assert str(error.value).count(". ") == 0


def test_a_click_on_bone_and_another_mask_are_refused(plain):
    k = len(plain.ct.hu) // 2
    row = plain.ct.hu.shape[1] // 2
    bone = int(np.argmax(plain.ct.hu[k, row] > 700)) + 2
    with pytest.raises(InputError, match="on bone"):
        grow(plain.ct, nothing(plain.ct), (k, row, bone))
    with pytest.raises(InputError, match="use the mask of this CT"):
        grow(plain.ct, np.zeros((2, 3, 4), np.uint8), (0, 0, 0))
    with pytest.raises(InputError, match="reach"):
        grow(plain.ct, nothing(plain.ct), (k, row, row), reach=9)


def test_growing_in_steps_rests_after_every_slice_and_gives_the_same():
    from phantoms import ellipsoid_ct

    from ICHVolumeLib.correction import grow as whole
    from ICHVolumeLib.correction import grow_in_steps

    phantom = ellipsoid_ct(pixel_mm=2.0, columns=96, rows=104, step_mm=4.0)
    nothing = np.zeros_like(phantom.mask)
    click = tuple(int(round(float(np.mean(one)))) for one in np.nonzero(phantom.mask))
    steps, rests, edit = grow_in_steps(phantom.ct, nothing, click), 0, None
    while edit is None:
        try:
            next(steps)
            rests += 1
        except StopIteration as end:
            edit = end.value
    assert np.array_equal(edit.apply(nothing), whole(phantom.ct, nothing, click).apply(nothing))
    assert rests >= np.count_nonzero(edit.labels.any(axis=(1, 2)))


def with_slice_missing(phantom, click):
    mask = phantom.mask.copy()
    mask[click[0]] = 0
    return mask


def test_a_missing_slice_between_marked_ones_is_added_and_no_other(bled, middle):
    click = middle(bled.mask)
    mask = with_slice_missing(bled, click)
    after = grow(bled.ct, mask, click).apply(mask)
    assert dice(after[click[0]], bled.mask[click[0]]) > 0.95
    assert np.array_equal(np.delete(after, click[0], 0), np.delete(mask, click[0], 0))


def test_what_is_less_than_half_as_bright_as_the_marked_blood_it_touches_is_refused(plain, middle, painted):
    k, j, i = middle(plain.mask)
    rim = widened_by_disk(plain.mask > 0, 9) & (plain.mask == 0)
    rim[:, :, :i + 8] = False
    ct = painted(plain.ct, rim, 42)  # brain has 32, the bleed 65
    click = (k, j, int(np.flatnonzero(rim[k, j])[4]))
    with pytest.raises(InputError, match="less than half as bright"):
        grow(ct, plain.mask, click)
    alone = grow(ct, np.zeros_like(plain.mask), click, reach=1.0)
    assert not alone.is_empty(np.zeros_like(plain.mask)), "without marked blood beside it is a bleed as any other"


def test_the_rest_of_a_marked_area_is_added_in_its_own_slice_only(plain, middle):
    k, j, i = middle(plain.mask)
    mask = plain.mask.copy()
    columns = np.flatnonzero(mask[k].any(axis=0))
    mask[k - 1:k + 2, :, columns[-10]:] = 0  # a strip of three slices
    after = grow(plain.ct, mask, (k, j, int(columns[-5]))).apply(mask)
    assert dice(after[k], plain.mask[k]) > 0.95
    assert np.array_equal(np.delete(after, k, 0), np.delete(mask, k, 0))


def test_a_clot_in_strong_noise_is_found_from_every_click_near_its_middle(middle):
    from phantoms import ellipsoid_ct

    noisy = ellipsoid_ct(step_mm=4.0, semi_axes_mm=(18.0, 14.0, 13.0), center_mm=(30.0, 0.0, 0.0), noise_hu=14.0)
    k, j, i = middle(noisy.mask)
    for dj, di in ((0, 0), (4, -3), (-5, 2), (2, 6), (-3, -6)):
        after = grow(noisy.ct, nothing(noisy.ct), (k, j + dj, i + di)).apply(nothing(noisy.ct))
        assert dice(after, noisy.mask) > 0.85


def test_what_goes_on_from_an_end_slice_is_measured_against_the_whole_bleed(plain, middle, painted):
    """In its end slice a bleed is half brain; the grey matter beyond, as bright as half of that, is not the bleed."""
    k, j, i = middle(plain.mask)
    area = plain.mask[k] > 0
    end, beyond = np.zeros_like(plain.mask, bool), np.zeros_like(plain.mask, bool)
    end[k + 2], beyond[k + 3] = area, area
    clean = np.where(plain.mask > 0, 0, 1).astype(bool)
    hu = painted(plain.ct, ~clean & (np.indices(plain.mask.shape)[0] > k + 1), 32)
    ct = painted(painted(hu, end, 53), beyond, 48)  # brain has 32, the bleed 65
    mask = plain.mask.copy()
    mask[k + 2:] = 0
    after = grow(ct, mask, (k + 2, j, i)).apply(mask)
    assert dice(after[k + 2], area) > 0.9
    assert not after[k + 3:].any()
