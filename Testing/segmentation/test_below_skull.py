"""Pieces below the floor of the skull, on a scan that lies in the average head's own millimetres."""

import numpy as np
import pytest

from ICHVolumeLib.anatomy.head_frame import HeadFrame
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.segmentation.below_skull import drop_below_skull
from ICHVolumeLib.segmentation.clean_up_findings import clean_up_findings

SLICES, BRAIN, TONGUE, CEREBELLUM = 50, (35, 60, 50), (4, 85, 50), (12, 28, 50)  # k, j, i


@pytest.fixture
def ct():
    """50 slices of 5 mm from z -140 to 105, pixels of 2 mm: y from -100 in row 0 (the back) to 98, x likewise."""
    matrix = np.diag([2.0, 2.0, 5.0, 1.0])
    matrix[:3, 3] = (-100, -100, -140)
    return CTVolume.regular(np.zeros((SLICES, 100, 100), np.int16), matrix)


@pytest.fixture
def frame(monkeypatch):
    fitted = {"fit_mm": 1.2, "good": True, "times": 0}

    def fit(ct):
        fitted["times"] += 1
        return HeadFrame(np.eye(4), fitted["fit_mm"], fitted["good"])

    monkeypatch.setattr("ICHVolumeLib.segmentation.below_skull.fit_head_frame", fit)
    return fitted


def marked(*places):
    mask = np.zeros((SLICES, 100, 100), np.uint8)
    for k, j, i in places:
        mask[k - 1:k + 2, j - 4:j + 4, i - 4:i + 4] = 1
    return mask


def dropped(ct, mask, has_brain=None):
    has_brain = np.arange(SLICES) >= 3 if has_brain is None else has_brain
    return drop_below_skull(ct, mask, has_brain)


def test_a_mark_in_the_tongue_goes_and_bleeds_of_brain_and_cerebellum_stay(ct, frame):
    mask = marked(BRAIN, TONGUE, CEREBELLUM)
    step = dropped(ct, mask)
    assert (mask == marked(BRAIN, CEREBELLUM)).all()
    volume_ml = 3 * 64 * 2 * 2 * 5 / 1000
    assert (step["name"], step["removed_ml"], step["added_ml"]) == ("below the skull", pytest.approx(volume_ml), 0.0)
    assert step["slices"] == [3, 4, 5]
    said, = (one for one in clean_up_findings([step], 5.0) if one.code == "left-out-below-skull")
    assert "3.84 mL in slices 4, 5, 6" in said.message


def test_a_piece_that_lies_mostly_above_the_floor_stays_whole(ct, frame):
    mask = np.zeros((SLICES, 100, 100), np.uint8)
    mask[10:20, 20:30, 45:55] = 1  # z -90 to -45 behind the floor of the posterior fossa at -65
    before = mask.copy()
    assert dropped(ct, mask) is None and (mask == before).all()


def test_marks_high_in_the_head_need_no_fit(ct, frame):
    assert dropped(ct, marked(BRAIN)) is None and frame["times"] == 0


@pytest.mark.parametrize("doubt", [{"fit_mm": 2.4}, {"good": False}])
def test_where_the_average_head_hardly_fits_everything_stays(ct, frame, doubt):
    frame.update(doubt)
    mask = marked(BRAIN, TONGUE)
    assert dropped(ct, mask) is None and (mask == marked(BRAIN, TONGUE)).all() and frame["times"] == 1


def test_an_empty_mask_and_a_scan_without_brain_are_left_alone(ct, frame):
    assert dropped(ct, marked()) is None
    assert dropped(ct, marked(TONGUE), np.zeros(SLICES, bool)) is None and frame["times"] == 0
