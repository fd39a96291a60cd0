"""Blood outside the brain in the scene: seen beside the mask, in no number, and no work on it is lost."""

import numpy as np
import pytest
from mrml_phantoms import add_ct
from phantoms import ellipsoid_ct
from segment_editor import Editor

from ICHVolumeLib.core.labels import LABELS, OUTSIDE_BRAIN


@pytest.fixture
def scene(slicer):
    from ICHVolumePanel import scene

    return scene


@pytest.fixture
def small():
    return ellipsoid_ct("tilted", pixel_mm=3.0, columns=64, rows=70, step_mm=7.5, head=False)


def outside_of(phantom, columns=22):
    mask = np.roll(phantom.mask, columns, axis=2) * (phantom.mask == 0)
    return mask.astype(np.uint8), OUTSIDE_BRAIN


def segment_of(segmentation):
    segments = segmentation.GetSegmentation()
    found = [segments.GetSegment(one) for one in segments.GetSegmentIDs()]
    return next((one for one in found if one.GetName() == OUTSIDE_BRAIN.name), None)


def test_it_is_a_segment_of_its_own_that_is_not_counted(slicer, scene, small):
    volume = add_ct(slicer, small.ct)
    segmentation = scene.new_segmentation(volume, small.mask, LABELS, "bleed", outside_of(small))
    assert segment_of(segmentation).GetColor() == pytest.approx(OUTSIDE_BRAIN.color)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), small.mask)
    shown = scene.mask_from_segmentation(segmentation, volume, names=(OUTSIDE_BRAIN.name,))
    np.testing.assert_array_equal(shown, outside_of(small)[0])
    assert scene.uncounted_segments(segmentation) == []
    assert not scene.is_edited(segmentation, small.mask) and not scene.is_outside_edited(segmentation)


def test_without_any_there_is_no_such_segment_and_a_later_run_takes_it_away(slicer, scene, small):
    volume = add_ct(slicer, small.ct)
    none = small.mask * 0, OUTSIDE_BRAIN
    segmentation = scene.new_segmentation(volume, small.mask, LABELS, "bleed", none)
    assert segment_of(segmentation) is None
    scene.replace_mask(segmentation, small.mask, LABELS, volume, outside_of(small))
    assert segment_of(segmentation) is not None
    scene.replace_mask(segmentation, small.mask, LABELS, volume, outside_of(small, columns=30))
    shown = scene.mask_from_segmentation(segmentation, volume, names=(OUTSIDE_BRAIN.name,))
    np.testing.assert_array_equal(shown, outside_of(small, columns=30)[0])
    scene.replace_mask(segmentation, small.mask, LABELS, volume)
    assert segment_of(segmentation) is None and not scene.is_outside_edited(segmentation)
    np.testing.assert_array_equal(scene.mask_from_segmentation(segmentation, volume), small.mask)


def test_what_a_person_changed_of_it_is_noticed_also_by_painting_a_bleed_over_it(slicer, scene, small):
    volume = add_ct(slicer, small.ct)
    segmentation = scene.new_segmentation(volume, small.mask, LABELS, "bleed", outside_of(small))
    editor = Editor(slicer, segmentation, volume)
    elsewhere = np.zeros_like(small.mask)
    elsewhere[2, 30:40, 5:9] = 1
    editor.paint("ICH", elsewhere)
    assert not scene.is_outside_edited(segmentation)
    editor.paint("ICH", outside_of(small)[0])
    assert scene.is_outside_edited(segmentation)
    mask = scene.mask_from_segmentation(segmentation, volume)
    assert mask.sum() > small.mask.sum() + elsewhere.sum() and scene.uncounted_segments(segmentation) == []
