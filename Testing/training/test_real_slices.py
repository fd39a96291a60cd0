"""Real slices with masks: what is loaded, what is scored, what training is shown of them. On fakes made by code."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from real_fakes import PIXEL_MM, write_data

from ICHVolumeLib import cli
from ICHVolumeLib.errors import InputError
from ICHVolumeLib.training import losses, real_scores
from ICHVolumeLib.training.real_blocks import RealBlocks
from ICHVolumeLib.training.real_scores import score_stacks, slice_rows, summarise_real
from ICHVolumeLib.training.real_slices import load_bleeds, load_without_bleed


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def test_a_split_is_loaded_with_its_masks_and_its_size(data):
    stack, = load_bleeds(data, "train")
    assert (stack.patient, stack.numbers) == ("p053", (3, 4, 5, 6))
    assert stack.kinds == ("no_blood", "bleeds", "bleeds", "context")
    assert set(np.unique(stack.truth)) == {0, 1, 255}
    assert stack.spacing_mm == pytest.approx(PIXEL_MM, rel=0.03)
    assert [one.patient for one in load_bleeds(data)] == ["p053", "p079"]


def test_slices_without_blood_in_the_brain_are_stacked_by_patient(data):
    stack, = load_without_bleed(data)
    assert (stack.patient, stack.numbers, stack.kinds) == ("p066", (1, 2, 3), ("normal", "extra_axial", "normal"))
    assert not stack.truth.any()


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"labels\.csv: not found"):
        load_bleeds(tmp_path)


def test_unsure_pixels_and_context_are_not_scored(data):
    stack, = load_bleeds(data, "train")
    rows = slice_rows(stack, np.where(stack.truth > 0, 1, 0).astype(np.uint8))
    assert [row["slice"] for row in rows] == [3, 4, 5]
    assert [row["dice"] for row in rows] == [None, 1.0, 1.0]
    assert rows[2]["marked_ich_mm2"] == pytest.approx(np.pi * 30**2 * stack.spacing_mm**2, rel=0.02)


def test_ivh_that_is_called_ich_and_blood_outside_that_is_marked_are_told(data):
    stack, = load_bleeds(data, "validate")
    figures = summarise_real(slice_rows(stack, (stack.truth > 0).astype(np.uint8)))
    assert figures["dice"]["mean"] == 1 and figures["ivh_dice"]["mean"] == 0 and figures["ich_dice"] is None
    assert figures["ivh_called_ich"] == 1 and figures["hit_rate"] == 1
    marked = figures["marked_slices"]
    assert marked["blood outside the brain only"]["marked"] == 1
    assert marked["no blood, of bleeding patients"] == {"slices": 1, "marked": 0, "marked_mm2": 0.0}
    nothing = summarise_real(slice_rows(stack, np.zeros_like(stack.truth)))
    assert nothing["hit_rate"] == 0 and nothing["ivh_called_ich"] is None


class Oracle:
    """Marks everything over 60 HU as ICH; counts the scans it is asked for."""

    weights = SimpleNamespace(version="9.9", sha256="ab" * 32, threshold=0.5,
                              manifest={"pixel_spacing_mm": {"target": 0.7}})

    def __init__(self, **_):
        self.asked = 0

    def apply(self, ct):
        self.asked += 1
        return SimpleNamespace(mask=((ct.hu > 60) & (ct.hu < 90)).astype(np.uint8))


def test_scoring_goes_on_where_it_was_stopped(data, tmp_path):
    oracle, stacks = Oracle(), load_bleeds(data)
    first = score_stacks(oracle, stacks[:1], tmp_path / "rows.jsonl")
    rows = score_stacks(oracle, stacks, tmp_path / "rows.jsonl")
    assert oracle.asked == 2
    assert rows[:len(first)] == first and len(rows) == 6


def test_the_command_writes_the_figures(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ICHVolumeLib.segmentation.Segmenter", Oracle)
    assert cli.main(["real", str(data), "-o", str(tmp_path)]) == 0
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures == json.loads(capsys.readouterr().out)
    assert figures["bleeding_slices"] == 1 and figures["marked_slices"]["normal"]["slices"] == 2
    assert figures["model"].startswith("9.9 ") and real_scores.ALARM_MM2 == 20


def test_training_sees_real_blood_where_its_mask_is(data):
    blocks = RealBlocks(load_bleeds(data, "train"))
    rng, seen = np.random.default_rng(0), set()
    for _ in range(12):
        block = blocks.draw(rng, size=96, pixel_mm=1.5, slices=3)
        assert block.hu.shape == block.labels.shape == (3, 96, 96)
        seen |= set(np.unique(block.labels))
        blood = block.labels == 1
        if blood.sum() > 50:
            assert np.median(block.hu[blood]) > np.median(block.hu[(block.hu > 15) & (block.labels == 0)]) + 15
    assert seen == {0, 1, 255}


@pytest.mark.parametrize("name", ["class_dice", "blood_dice", "ce_dice", "from_scratch", "bce_dice"])
def test_unsure_pixels_cost_nothing(name):
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 12, 12), torch.randint(0, 3, (2, 12, 12)).byte()
    labels[:, :6] = losses.UNSURE
    changed = logits.clone()
    changed[:, :, :6] = torch.randn(2, 3, 6, 12)
    first, second = (getattr(losses, name)(*losses.without_unsure(one, labels)) for one in (logits, changed))
    assert first == pytest.approx(float(second), abs=1e-6)
    changed.requires_grad_()
    getattr(losses, name)(*losses.without_unsure(changed, labels)).backward()
    assert not changed.grad[:, :, :6].any() and changed.grad[:, :, 6:].any()
