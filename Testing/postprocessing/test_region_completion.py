"""A bright clot that is marked by half is marked whole; what only touches it is not."""

import numpy as np
import pytest

from ICHVolumeLib.postprocessing.local_contrast import smoothed
from ICHVolumeLib.postprocessing.region_completion import COVER, NECK_MM, REACH_MM, complete_regions

SPACING_MM, BRAIN_HU, CLOT_HU = (0.5, 0.5), 30, 66
SHAPE = (7, 160, 160)
CLOT = slice(2, 5)  # its slices
Y, X = (axis * 0.5 for axis in np.ogrid[:SHAPE[1], :SHAPE[2]])


def disk(radius_mm, center_mm=(40.0, 40.0)):
    return np.hypot(Y - center_mm[0], X - center_mm[1]) <= radius_mm


def head(area, hu=CLOT_HU):
    """Even brain with a cylinder of blood in the slices CLOT."""
    volume = np.full(SHAPE, BRAIN_HU, np.int16)
    volume[CLOT, area] = hu
    return volume


def marked(area, label=1):
    mask = np.zeros(SHAPE, np.uint8)
    mask[CLOT, area] = label
    return mask


def test_the_rest_of_a_clot_of_which_most_is_marked_is_added():
    clot = disk(10)
    mask = marked(clot & (X < 46))
    complete_regions(mask, smoothed(head(clot), SPACING_MM), SPACING_MM)
    missing = np.count_nonzero(clot & (mask[3] == 0))
    assert missing < 0.03 * clot.sum()
    assert not (mask[3].astype(bool) & ~disk(10.5)).any()


def test_less_than_half_marked_stays_as_it_is():
    clot = disk(10)
    part = clot & (X < 37)
    assert part.sum() < COVER * clot.sum()
    mask = marked(part)
    complete_regions(mask, smoothed(head(clot), SPACING_MM), SPACING_MM)
    assert (mask == marked(part)).all()


def test_it_reaches_only_so_far_from_what_was_marked():
    bar = (np.abs(Y - 40) <= 6) & (np.abs(X - 40) <= 20)
    part = bar & (X < 44)
    mask = marked(part)
    complete_regions(mask, smoothed(head(bar), SPACING_MM), SPACING_MM)
    columns_mm = np.flatnonzero(mask[3].any(axis=0)) * 0.5
    assert columns_mm.max() == pytest.approx(44 + REACH_MM, abs=0.6)


def test_what_hangs_on_by_a_thin_neck_is_another_thing():
    clot, rim = disk(10), (np.abs(Y - 40) <= 0.8 * NECK_MM) & (X > 40) & (X < 62)
    mask = marked(clot)
    complete_regions(mask, smoothed(head(clot | rim), SPACING_MM), SPACING_MM)
    assert not (mask[3].astype(bool) & ~disk(13)).any()  # the fillet between them belongs to both


def test_bone_is_not_blood():
    clot = disk(10)
    hu = head(clot)
    hu[CLOT, clot & (X >= 43)] = 300
    mask = marked(clot & (X < 43))
    complete_regions(mask, smoothed(hu, SPACING_MM), SPACING_MM)
    assert not (mask[3].astype(bool) & (X >= 44)).any()


def test_a_clot_hardly_brighter_than_brain_does_not_grow():
    clot = disk(10)
    part = marked(clot & (X < 43))
    mask = part.copy()
    complete_regions(mask, smoothed(head(clot, BRAIN_HU + 7), SPACING_MM), SPACING_MM)
    assert (mask == part).all()


def test_slices_without_a_mark_stay_without():
    clot = disk(10)
    mask = marked(clot)
    mask[4] = 0
    complete_regions(mask, smoothed(head(clot), SPACING_MM), SPACING_MM)
    assert not mask[4].any()


def test_a_new_voxel_gets_the_nearest_label():
    clot = disk(12)
    mask = marked(clot & (X < 44) & (Y < 40), 1) + marked(clot & (X < 44) & (Y >= 40), 2)
    complete_regions(mask, smoothed(head(clot), SPACING_MM), SPACING_MM)
    new = (mask[3] > 0) & (X >= 45)
    assert new.any()
    assert (mask[3][new & (Y < 38)] == 1).all()
    assert (mask[3][new & (Y > 42)] == 2).all()


def test_an_empty_mask_stays_empty():
    mask = np.zeros(SHAPE, np.uint8)
    complete_regions(mask, smoothed(head(disk(10)), SPACING_MM), SPACING_MM)
    assert not mask.any()


def test_a_clot_that_goes_on_unmarked_above_and_below_is_not_half_marked():
    """Of the slices around a marked one the region counts too: most of one slice may be little of the clot."""
    clot = disk(10)
    mask = np.zeros(SHAPE, np.uint8)
    mask[3, clot & (X < 44)] = 1
    before = mask.copy()
    complete_regions(mask, smoothed(head(clot), SPACING_MM), SPACING_MM)
    assert np.count_nonzero(before) > COVER * clot.sum() and (mask == before).all()
