"""What is decided again in f32: what is nearly marked, amid enough of the slice, and nothing where much is marked."""

import numpy as np
import pytest

from ICHVolumeLib.engines.settling import CONTEXT_PX, LITTLE_PX, part_to_settle

SHAPE = (352, 384)


def spot(row, column, size=6, shape=SHAPE, p=0.45):
    bleed = np.zeros(shape, np.float32)
    bleed[row:row + size, column:column + size] = p
    return bleed


@pytest.mark.parametrize(("row", "column"), [(170, 190), (0, 0), (345, 378), (3, 200), (250, 377)])
def test_the_part_holds_the_spot_amid_its_context_and_starts_where_poolings_do(row, column):
    part = part_to_settle(spot(row, column), 0.5, 16)
    for seen, believed, first, size in zip(part.seen, part.believed, (row, column), SHAPE, strict=True):
        assert seen.start % 16 == 0 and 0 <= seen.start <= believed.start <= first
        assert first + 6 <= believed.stop <= seen.stop <= size
        assert seen.start <= max(first - CONTEXT_PX, 0) and seen.stop >= min(first + 6 + CONTEXT_PX, size)
    assert max(one.stop - one.start for one in part.seen) < 256


def test_the_part_believed_is_the_same_pixels_in_the_slice_and_in_what_is_seen():
    slice_ = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    part = part_to_settle(spot(60, 300), 0.5, 16)
    assert (slice_[part.seen][part.believed_of_seen] == slice_[part.believed]).all()


@pytest.mark.parametrize(("p", "settled"), [(0.6, True), (0.41, True), (0.39, False)])
def test_what_is_a_little_below_the_threshold_may_be_marked_and_is_settled(p, settled):
    assert bool(part_to_settle(spot(100, 100, p=p), 0.5, 16)) == settled


def test_where_much_is_marked_rounding_does_not_matter():
    side = int(np.sqrt(LITTLE_PX)) + 1
    assert part_to_settle(spot(100, 100, side), 0.5, 16) is None


@pytest.mark.parametrize("shape", [SHAPE, (96, 96), (192, 160)])
def test_spots_far_apart_and_small_slices_are_settled_as_a_whole(shape):
    bleed = spot(2, 2, shape=shape) + spot(shape[0] - 10, shape[1] - 10, shape=shape)
    part = part_to_settle(bleed, 0.5, 16)
    assert part.seen == part.believed == (slice(0, shape[0]), slice(0, shape[1]))
