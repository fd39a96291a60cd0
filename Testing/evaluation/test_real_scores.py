"""Real slices with masks: what is scored. On fakes made by code."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from real_fakes import write_data

from ICHVolumeLib import cli
from ICHVolumeLib.datasets.case import VALIDATE
from ICHVolumeLib.datasets.ct_ich_bleeds import RealStack, load_bleeds
from ICHVolumeLib.evaluation import real_scores
from ICHVolumeLib.evaluation.real_scores import brightened, model_mark, score_stacks, slice_rows, summarise_real


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


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

    weights = SimpleNamespace(version="9.9", sha256="ab" * 32, threshold=0.5, brain_hu=(28.0, 39.0),
                              manifest={"pixel_spacing_mm": {"target": 0.7}})

    def __init__(self, **_):
        self.asked = 0

    def apply(self, ct):
        self.asked += 1
        return SimpleNamespace(mask=((ct.hu > 60) & (ct.hu < 90)).astype(np.uint8), interval_ml=None, ambiguous_ml=None,
                               label_intervals_ml={}, findings=[])


def test_rows_of_other_levels_of_brain_are_of_another_model():
    other = SimpleNamespace(weights=SimpleNamespace(**{**vars(Oracle.weights), "brain_hu": None}))
    assert model_mark(other) != model_mark(Oracle()) and model_mark(Oracle()).endswith("brain 28 to 39 HU")


def test_brighter_scans_have_rows_of_their_own(data, tmp_path, monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.segmentation.segmenter.Segmenter", Oracle)
    figures = []
    for more in ([], ["--brighter", "-40"]):
        assert cli.main(["real", str(data), "-o", str(tmp_path), *more]) == 0
        figures.append(json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")))
    assert figures[1]["model"] == figures[0]["model"] + ", -40 HU"
    assert figures[0]["dice"]["mean"] > figures[1]["dice"]["mean"] == 0  # no blood is over 60 HU any more


def test_mirrored_scans_have_rows_of_their_own_and_the_same_truth_on_the_other_side(data, tmp_path, monkeypatch):
    class LeftOnly(Oracle):
        """Sees nothing in the right half of an image."""

        def apply(self, ct, *given):
            found = super().apply(ct, *given)
            found.mask[:, :, found.mask.shape[2] // 2:] = 0
            return found

    monkeypatch.setattr("ICHVolumeLib.segmentation.segmenter.Segmenter", LeftOnly)
    figures = []
    for more in ([], ["--mirrored"]):
        assert cli.main(["real", str(data), "-o", str(tmp_path), *more]) == 0
        figures.append(json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")))
    assert figures[1]["model"] == figures[0]["model"] + ", mirrored"
    assert {one["bleeding_slices"] for one in figures} == {1}
    assert figures[0]["dice"]["mean"] != figures[1]["dice"]["mean"]  # the bleed lies in one half


def test_scoring_goes_on_where_it_was_stopped(data, tmp_path):
    oracle, stacks = Oracle(), load_bleeds(data)
    first = score_stacks(oracle.apply, model_mark(oracle), stacks[:1], tmp_path / "rows.jsonl")
    rows = score_stacks(oracle.apply, model_mark(oracle), stacks, tmp_path / "rows.jsonl")
    assert oracle.asked == 2
    assert rows[:len(first)] == first and len(rows) == 6


def test_the_command_writes_the_figures(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ICHVolumeLib.segmentation.segmenter.Segmenter", Oracle)
    assert cli.main(["real", str(data), "-o", str(tmp_path)]) == 0
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures == json.loads(capsys.readouterr().out)
    assert figures["bleeding_slices"] == 1 and figures["marked_slices"]["normal"]["slices"] == 2
    assert figures["model"].startswith("9.9 ") and real_scores.ALARM_MM2 == 20


def test_a_brightened_stack_is_brighter_in_soft_tissue_alone_and_the_old_one_stays():
    hu = np.array([[[-1000, -20, 0, 35, 94, 100, 1200]]], np.int16)
    stack = RealStack("p1", VALIDATE, hu, np.zeros(hu.shape, np.uint8), ("normal",), (0,), 0.5)
    assert brightened(stack, 10).hu.tolist() == [[[-1000, -20, 10, 45, 104, 100, 1200]]]
    assert brightened(stack, -7.4).hu.tolist() == [[[-1000, -20, -7, 28, 87, 100, 1200]]]
    assert stack.hu is hu and hu[0, 0, 3] == 35
