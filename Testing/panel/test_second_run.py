"""A later run on the same CT: its answer replaces the earlier one, and no work of a person is lost."""

import numpy as np
import pytest
from segment_editor import Editor


@pytest.fixture
def ready(panel, sample):
    panel.volume = panel.choose_ct(sample.ct)
    panel.take(sample)
    return panel


def answer(panel, mask):
    """The model's answer, through the panel as it comes from the child."""
    from ICHVolumeLib.segmentation.segmenter import Segmentation

    said = Segmentation(mask=mask, slice_uncertainty=np.zeros(len(mask), np.float32), findings=[], engine="openvino",
                        device="CPU", seconds={"network": 1.0}, model="test", model_sha256="0" * 64)
    work = panel.widget.panel
    work._run.started()
    case, kept = panel.case, panel.segmentation
    work._turns.add(case.take_in_steps(said), lambda record: work._taken(case, record, kept, 1.0), work._say_error)
    panel.settle()


def segmentations(panel):
    return panel.slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def erase(panel, sample):
    Editor(panel.slicer, panel.segmentation, panel.volume).erase("ICH", np.indices(sample.mask.shape)[0] > 20)
    panel.settle()


def test_a_run_that_finds_nothing_takes_an_unedited_mask_of_an_earlier_run_away(ready, sample):
    answer(ready, 0 * sample.mask)
    assert ready.ui.volumeLabel.text == "No bleed found by the model"
    assert "kept" not in ready.status
    for kind in ("Segmentation", "MarkupsLine", "Table"):
        assert ready.slicer.util.getNodesByClass(f"vtkMRML{kind}Node") == [], "also its lines and its table"
    ready.choose(None)
    ready.choose(ready.volume)
    assert ready.ui.volumeLabel.text == "No bleed found by the model"


def test_a_run_that_finds_nothing_keeps_a_corrected_mask_and_says_so(ready, sample):
    erase(ready, sample)
    corrected, before = ready.segmentation, ready.case.mask.copy()
    answer(ready, 0 * sample.mask)
    assert segmentations(ready) == [corrected] and ready.segmentation is corrected
    assert np.array_equal(ready.case.mask, before)
    assert "No bleed found by the model in this run" in ready.status
    assert corrected.GetName() in ready.status and "kept" in ready.status


def test_what_was_painted_beside_an_unedited_mask_is_kept(ready, sample):
    other = ready.segmentation.GetSegmentation().AddEmptySegment("Edema", "Edema")
    Editor(ready.slicer, ready.segmentation, ready.volume).paint(other, np.roll(sample.mask, 60, axis=1) == 1)
    ready.settle()
    node = ready.segmentation
    answer(ready, 0 * sample.mask)
    assert segmentations(ready) == [node] and "kept" in ready.status


def test_an_unedited_mask_goes_although_a_corrected_one_is_looked_at(ready, sample):
    erase(ready, sample)
    corrected = ready.segmentation
    answer(ready, sample.mask)
    unedited = ready.segmentation
    assert unedited is not corrected
    ready.widget.parameters.segmentation = corrected
    ready.settle()
    answer(ready, np.roll(sample.mask, 1, axis=2))
    assert len(segmentations(ready)) == 2 and corrected in segmentations(ready)
    assert unedited not in segmentations(ready)
    assert not ready.case.is_edited and corrected.GetName() in ready.status


def test_a_mask_of_another_ct_is_left_alone(ready, sample):
    first = ready.segmentation
    ready.volume = ready.choose_ct(sample.ct, "Second")
    ready.take(sample)
    answer(ready, 0 * sample.mask)
    assert segmentations(ready) == [first]


@pytest.mark.slow
def test_a_panel_closed_at_any_moment_of_a_run_leaves_one_whole_mask(ready, sample):
    """Closed after 0, 1, 2, ... steps: the old mask or the new one, never counted as edited."""
    from ICHVolumePanel.case import Case

    from ICHVolumeLib.segmentation.segmenter import Segmentation

    node, masks, ended, steps = ready.segmentation, [sample.mask, np.roll(sample.mask, 3, axis=2)], False, 0
    while not ended:
        said = Segmentation(mask=masks[1], slice_uncertainty=np.zeros(len(sample.mask), np.float32), findings=[],
                            engine="openvino", device="CPU", seconds={}, model=f"run {steps}", model_sha256="0" * 64)
        taking = ready.case.take_in_steps(said)
        for _step in range(steps):
            if next(taking, "ended") == "ended":
                ended = True
        taking.close()
        again = Case.open(ready.volume)
        again.choose(node)
        assert not again.is_edited and segmentations(ready) == [node]
        is_new = np.array_equal(again.mask, masks[1])
        assert is_new or np.array_equal(again.mask, masks[0])
        assert (again.record.segmentation.model == f"run {steps}") == is_new, "the AI's numbers are those of its mask"
        masks, steps = [again.mask, np.roll(again.mask, 3, axis=2)], steps + 1
    assert is_new and steps > 5
