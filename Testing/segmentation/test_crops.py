import numpy as np
import pytest

from ICHVolumeLib.imaging.crop import Crop, whole
from ICHVolumeLib.segmentation.crops import CONTEXT_MM, EDGE_MM, SIDES_PX, crops_around, predict_crops

SHAPE, PIXEL_MM = (352, 384), (0.63, 0.63)
CONTEXT_PX, EDGE_PX = CONTEXT_MM / 0.63, EDGE_MM / 0.63


def believed(crops, shape=SHAPE):
    seen = np.zeros(shape, bool)
    for crop in crops:
        seen[crop.believed] = True
    return seen


def test_a_small_proposal_gets_the_smallest_crop_with_all_its_context():
    box = (170, 180, 200, 215)
    (crop,) = crops_around([box], SHAPE, PIXEL_MM)
    assert crop.shape == (128, 128)
    for part, first, end in zip(crop.seen, box[::2], box[1::2], strict=True):
        assert part.start <= first - CONTEXT_PX and part.stop >= end + CONTEXT_PX


@pytest.mark.parametrize("box", [(0, 6, 0, 6), (340, 352, 370, 384), (0, 9, 180, 190), (170, 175, 379, 384)])
def test_at_the_border_a_crop_stays_inside_and_believes_all_up_to_the_border(box):
    (crop,) = crops_around([box], SHAPE, PIXEL_MM)
    assert all(0 <= part.start and part.stop <= size for part, size in zip(crop.seen, SHAPE, strict=True))
    assert believed([crop])[box[0]:box[1], box[2]:box[3]].all()


def test_away_from_the_border_the_edge_of_a_crop_is_not_believed():
    (crop,) = crops_around([(170, 180, 200, 215)], SHAPE, PIXEL_MM)
    for good, part in zip(crop.believed, crop.seen, strict=True):
        assert good.start - part.start >= EDGE_PX - 1 and part.stop - good.stop >= EDGE_PX - 1
    rows, columns = crop.believed_of_seen
    assert rows.start == crop.believed[0].start - crop.seen[0].start
    assert columns.stop - columns.start == crop.believed[1].stop - crop.believed[1].start


def test_every_proposal_of_many_is_believed_and_the_work_is_never_more_than_the_whole():
    rng = np.random.default_rng(5)
    for count in (1, 2, 3, 5, 9, 40, 200):
        first = rng.integers(0, 330, (count, 2))
        boxes = [(int(r), int(r + h), int(c), int(c + w)) for (r, c), h, w in
                 zip(first, rng.integers(1, 22, count), rng.integers(1, 50, count), strict=True)]
        crops = crops_around(boxes, SHAPE, PIXEL_MM)
        seen = believed(crops)
        assert all(seen[r:s, c:d].all() for r, s, c, d in boxes)
        assert sum(crop.pixels for crop in crops) <= SHAPE[0] * SHAPE[1]


def test_proposals_next_to_each_other_share_a_crop_and_distant_ones_do_not():
    assert len(crops_around([(100, 110, 100, 110), (112, 120, 108, 116)], SHAPE, PIXEL_MM)) == 1
    assert len(crops_around([(60, 70, 60, 70), (280, 290, 320, 330)], SHAPE, PIXEL_MM)) == 2


def test_a_bleed_of_half_the_head_is_seen_whole():
    assert crops_around([(20, 330, 30, 360)], SHAPE, PIXEL_MM) == [whole(SHAPE)]


def test_crops_start_where_the_poolings_of_the_whole_do_and_have_few_sizes():
    rng = np.random.default_rng(6)
    for _ in range(200):
        r, c, h, w = rng.integers(0, 330), rng.integers(0, 360), rng.integers(1, 22), rng.integers(1, 24)
        (crop,) = crops_around([(r, r + h, c, c + w)], SHAPE, PIXEL_MM)
        assert all(part.start % 16 == 0 for part in crop.seen)
        assert crop.shape in {(side, side) for side in SIDES_PX} | {SHAPE}


def test_nothing_proposed_is_nothing_to_see():
    assert crops_around([], SHAPE, PIXEL_MM) == []


def test_where_crops_overlap_both_classes_come_from_one_of_them():
    """ICH of one and IVH of the other would be more than certain."""
    one, other = (Crop((part, slice(0, 8)), (part, slice(0, 8))) for part in (slice(0, 8), slice(4, 12)))
    answers = iter([np.array([0.9, 0.05]), np.array([0.2, 0.75])])

    def predict(slices):
        return np.broadcast_to(next(answers)[None, :, None, None], (1, 2, *slices.shape[2:])).astype(np.float32)

    found = predict_crops(predict, np.zeros((1, 3, 12, 8), np.float32), [one, other])
    assert found.sum(axis=1).max() <= 1
    assert np.allclose(found[0, :, 5, 0], (0.2, 0.75)) or np.allclose(found[0, :, 5, 0], (0.9, 0.05))
    assert np.allclose(found[0, :, 11, 0], (0.2, 0.75)) and np.allclose(found[0, :, 0, 0], (0.9, 0.05))
