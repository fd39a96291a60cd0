from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.imaging.head_mask import find_head
from ICHVolumeLib.postprocessing.local_contrast import Evidence
from ICHVolumeLib.postprocessing.steps import LIMITS_MM3, LOOKED_AT, clean_mask

MM3 = np.full(8, 2.0)


def blank():
    return np.zeros((8, 64, 64), np.uint8)


def step(steps, name):
    return next(item for item in steps if item["name"] == name)


def test_an_empty_mask_stays_empty_and_every_step_is_named():
    cleaned, steps = clean_mask(blank(), MM3, head=find_head(np.zeros((8, 64, 64), np.int16), (1.0, 1.0)))
    assert not cleaned.any()
    assert [item["name"] for item in steps] == list(LIMITS_MM3)
    assert all(item["removed_ml"] == 0 for item in steps)


def test_a_speck_goes_and_the_bleed_beside_it_stays():
    mask = blank()
    mask[2:5, 20:30, 20:30] = 1
    mask[6, 50, 50:55] = 1  # 10 mm3
    cleaned, steps = clean_mask(mask, MM3)
    assert cleaned[2:5, 20:30, 20:30].all() and cleaned.sum() == 300
    assert step(steps, "specks") == {"name": "specks", "threshold_mm3": 30.0, "removed_ml": 0.01, "added_ml": 0.0}


def test_a_step_that_is_left_out_changes_nothing_and_is_not_named():
    mask = blank()
    mask[2:5, 20:30, 20:30] = 1
    mask[6, 50, 50:55] = 1  # a speck
    cleaned, steps = clean_mask(mask, MM3, leave_out=("specks",))
    assert (cleaned == mask).all() and [item["name"] for item in steps] == []


def test_a_speck_is_judged_by_the_height_of_its_own_slices():
    mask = blank()
    mask[1, 10, 10:20] = 1  # 10 voxels of 2 mm3
    mask[6, 40, 10:20] = 1  # 10 voxels of 5 mm3
    cleaned, _ = clean_mask(mask, np.where(np.arange(8) > 4, 5.0, 2.0))
    assert not cleaned[1].any() and cleaned[6].sum() == 10


def test_pieces_that_touch_only_at_a_corner_of_two_slices_are_one_piece():
    mask = blank()
    mask[2, 10, 10:18] = 1
    mask[3, 11, 18:26] = 1  # diagonal in all three directions from the piece above: 16 voxels, 32 mm3
    cleaned, _ = clean_mask(mask, MM3)
    assert cleaned.sum() == 16


def test_a_limit_of_the_weights_replaces_the_usual_one():
    mask = blank()
    mask[2, 10, 10:18] = 1
    assert not clean_mask(mask, MM3)[0].any()
    cleaned, steps = clean_mask(mask, MM3, limits_mm3={"specks": 10.0})
    assert cleaned.sum() == 8 and step(steps, "specks")["threshold_mm3"] == 10.0


def test_a_small_bleed_of_its_own_label_that_touches_nothing_keeps_its_label():
    mask = blank()
    mask[3, 15:19, 15:19] = 2  # 32 mm3
    assert (clean_mask(mask, MM3)[0] == mask).all()


def test_what_lies_outside_the_skull_goes_and_what_reaches_inside_stays(phantom):
    head = find_head(phantom.ct.hu, phantom.ct.pixel_spacing_mm)
    mask = phantom.mask.copy()
    middle = len(mask) // 2
    mask[middle, 2:12, 2:12] = 1  # in the air
    cleaned, steps = clean_mask(mask, phantom.ct.voxel_volumes_mm3, head)
    assert (cleaned == phantom.mask).all()
    assert step(steps, "outside the skull")["removed_ml"] == 0.5  # 100 voxels of 5 mm3


def test_the_mask_given_is_left_as_it_was():
    mask = blank()
    mask[6, 50, 50:55] = 1
    before = mask.copy()
    clean_mask(mask, MM3)
    assert (mask == before).all()


def test_what_the_scan_shows_of_a_half_marked_clot_is_added_and_said():
    y, x = np.ogrid[:8 * 20, :8 * 20]
    clot = np.hypot(y - 80, x - 80) <= 24  # 12 mm
    hu = np.full((8, 160, 160), 30, np.int16)
    hu[2:6, clot] = 66
    mask = np.zeros(hu.shape, np.uint8)
    mask[2:6, clot & (x < 90)] = 1
    everything_stays = {"weights": [0.0] * 4, "offset": 9.0, "least": 0.1, "possible": 0.1}
    evidence = Evidence(hu, (mask * 0.9).astype(np.float32), (0.5, 0.5), everything_stays, likely=mask,
                        ivh_probability=np.zeros(hu.shape, np.float16))
    mm3 = np.full(8, 0.25 * 5)
    cleaned, steps = clean_mask(mask, mm3, evidence=evidence)
    assert [item["name"] for item in steps if item["name"] in LOOKED_AT] == list(LOOKED_AT)
    assert step(steps, "half-marked clots")["slices"] == [2, 3, 4, 5]
    assert step(steps, "half-marked clots")["threshold_mm3"] is None
    assert step(steps, "doubtful pieces")["slices"] == []
    added_ml = sum(item["added_ml"] - item["removed_ml"] for item in steps)
    assert all(item["removed_ml"] >= 0 for item in steps)
    assert np.isclose(added_ml, np.count_nonzero(cleaned[2:6] > mask[2:6]) * 1.25 / 1000, atol=1e-3)
    assert np.count_nonzero(cleaned[3] > 0) > 0.95 * clot.sum() > 1.2 * np.count_nonzero(mask[3])


def test_a_slice_whose_blood_is_called_ivh_amid_a_clot_is_labelled_anew_and_named():
    mask = np.zeros((8, 160, 160), np.uint8)
    mask[2:6, 50:90, 50:90] = 1
    mask[3, 50:90, 50:90] = 2
    bleed = (mask > 0) * np.float32(0.9)
    everything_stays = {"weights": [0.0] * 4, "offset": 9.0, "least": 0.1, "possible": 0.1}
    hu = np.where(mask > 0, 66, 30).astype(np.int16)
    ivh = np.select([mask == 2, mask == 1], [0.5, 0.1])
    evidence = Evidence(hu, bleed, (0.5, 0.5), everything_stays, mask, ivh)
    cleaned, steps = clean_mask(mask, np.full(8, 0.25 * 5), evidence=evidence)
    assert not (cleaned == 2).any() and (cleaned > 0)[mask > 0].mean() > 0.98
    labels = step(steps, "labels")
    assert (labels["slices"], labels["removed_ml"], labels["threshold_mm3"]) == ([3], 0.0, None)
    assert labels["relabelled_ml"] == pytest.approx(40 * 40 * 0.25 * 5 / 1000, rel=0.02)
    _, steps = clean_mask(mask, np.full(8, 0.25 * 5), evidence=replace(evidence, ivh_probability=None))
    assert "labels" not in [item["name"] for item in steps]


@pytest.fixture
def possible_case():
    """(evidence, bright, even): two spots of p 0.3 in noisy brain, IVH to the network, one of them 30 HU brighter."""
    y, x = np.ogrid[:160, :160]
    bright, even = np.hypot(y - 50, x - 50) <= 10, np.hypot(y - 110, x - 110) <= 10
    hu = np.random.default_rng(5).normal(30, 4, (8, 160, 160))
    hu[3:5, bright] += 30
    likely = np.zeros(hu.shape, np.uint8)
    likely[3:5, bright | even] = 2
    classifier = {"weights": [0.0, 1.0, 0.0, 0.0], "offset": -3.0, "least": 0.5, "possible": 0.5}  # from 3 SDs
    evidence = Evidence(hu.astype(np.int16), (likely > 0) * np.float32(0.3), (0.5, 0.5), classifier, likely)
    return evidence, bright, even


def test_a_spot_under_the_threshold_is_marked_when_the_scan_speaks_for_it_even_if_nothing_else_is(possible_case):
    evidence, bright, even = possible_case
    cleaned, steps = clean_mask(np.zeros_like(evidence.likely), np.full(8, 1.25), evidence=evidence)
    assert np.count_nonzero(cleaned[3:5, bright] == 2) > 0.95 * 2 * bright.sum()
    assert not cleaned[:, even].any()
    added = step(steps, "possible pieces")
    assert added["slices"] == [3, 4] and added["threshold_mm3"] is None
    assert np.isclose(added["added_ml"], 2 * bright.sum() * 1.25 / 1000)


def test_a_marked_piece_that_was_left_out_as_doubtful_does_not_come_back_as_a_possible_one(possible_case):
    evidence, bright, _ = possible_case
    never = replace(evidence, classifier={**evidence.classifier, "least": 1.0})
    cleaned, _ = clean_mask(evidence.likely, np.full(8, 1.25), evidence=never)
    assert not cleaned.any()


def test_a_possible_speck_is_a_speck(possible_case):
    evidence, bright, _ = possible_case
    y, x = np.ogrid[:160, :160]
    evidence.likely[...] = 0
    evidence.likely[3, np.hypot(y - 50, x - 50) <= 2] = 1  # 13 pixels of 1.25 mm3
    assert not clean_mask(np.zeros_like(evidence.likely), np.full(8, 1.25), evidence=evidence)[0].any()


def test_a_possible_piece_outside_the_skull_is_none(phantom):
    head = find_head(phantom.ct.hu, phantom.ct.pixel_spacing_mm)
    likely = np.zeros(phantom.mask.shape, np.uint8)
    likely[len(likely) // 2, 2:12, 2:12] = 1  # in the air: 500 mm3
    likely[phantom.mask > 0] = 1
    everything = {"weights": [0.0] * 4, "offset": 9.0, "least": 0.1, "possible": 0.1}
    evidence = Evidence(phantom.ct.hu, (likely > 0) * np.float32(0.3), phantom.ct.pixel_spacing_mm, everything, likely)
    _, steps = clean_mask(np.zeros_like(likely), phantom.ct.voxel_volumes_mm3, head, evidence=evidence)
    bleed_ml = np.count_nonzero(phantom.mask, axis=(1, 2)) @ phantom.ct.voxel_volumes_mm3 / 1000
    assert np.isclose(step(steps, "possible pieces")["added_ml"], bleed_ml)


def test_it_is_enough_to_smooth_what_is_near_the_mask(monkeypatch):
    y, x = np.ogrid[:220, :220]
    rng = np.random.default_rng(3)
    hu = rng.normal(32, 5, (14, 220, 220))
    mask = np.zeros(hu.shape, np.uint8)
    for center, slices in (((60, 60), slice(3, 6)), ((120, 150), slice(6, 9))):
        clot = np.hypot(y - center[0], x - center[1]) <= 30
        hu[slices.start - 2:slices.stop + 2, clot] += 34
        mask[slices, clot & (x < center[1] + 6)] = 1
    classifier = {"weights": [0.0] * 4, "offset": 9.0, "least": 0.1}
    evidence = Evidence(hu.astype(np.int16), (mask * 0.9).astype(np.float32), (0.5, 0.5), classifier)
    near, _ = clean_mask(mask, np.full(14, 1.25), evidence=evidence)
    smoothed_in, everywhere = Evidence.smoothed_in, (slice(0, 14), slice(0, 220), slice(0, 220))
    monkeypatch.setattr(Evidence, "smoothed_in", lambda self, box: smoothed_in(self, everywhere))
    assert np.array_equal(near, clean_mask(mask, np.full(14, 1.25), evidence=evidence)[0])
    assert np.count_nonzero(near) > 1.2 * np.count_nonzero(mask)
