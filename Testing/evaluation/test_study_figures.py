"""The figures of a study: all of them are drawn, and what cannot be drawn is said and costs nothing else."""

import json

import numpy as np
import pytest
from mask_pairs import matrix_of, patients, shifted, write_masks

from ICHVolumeLib.evaluation.mask_evaluation import evaluate_masks
from ICHVolumeLib.evaluation.mask_pairs import cases_of_folders
from ICHVolumeLib.evaluation.mask_scoring import EvaluationSettings
from ICHVolumeLib.evaluation.study import make_study

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.slow


@pytest.fixture
def evaluated(tmp_path):
    """set/ and its masks of four patients by two models, the second of which misses one."""
    masks = patients(4)
    write_masks(tmp_path / "truth", masks)
    write_masks(tmp_path / "good", shifted(masks, 1))
    write_masks(tmp_path / "poor", {**shifted(masks, 3), "p0": np.zeros_like(masks["p0"])})
    evaluate_masks(cases_of_folders({"good": tmp_path / "good", "poor": tmp_path / "poor"}, tmp_path / "truth"),
                   tmp_path / "set", EvaluationSettings(repeats=20))
    return tmp_path


def test_all_figures_are_drawn_for_print_and_for_the_screen(evaluated):
    out = evaluated / "out"
    made = make_study([("set", evaluated / "set")], out, repeats=20)
    assert all(one.files for one in made.figures)
    for name in ("figure4_dice", "figure5_slices", "figure6_abc2", "figure7_3d", "figure8_volume_set1_model1",
                 "bias_by_size", "failures_set1"):
        assert (out / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (out / "figures" / f"{name}.png").stat().st_size > 5000
    assert not (out / "figures" / "intervals.png").exists()


def test_intervals_are_drawn_where_a_model_gives_them(evaluated):
    file = evaluated / "set" / "cases.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row |= {"interval_ml": [0.0, 5.0], "interval_coverage": 0.9, "interval_calibrated_on": "phantoms"}
    file.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    made = make_study([("set", evaluated / "set")], evaluated / "out", repeats=20)
    assert next(one for one in made.figures if one.name == "intervals").files
    assert "intervals" in {table.name for table in made.tables}


def test_masks_that_were_changed_cost_pictures_not_tables(evaluated):
    write_masks(evaluated / "good", patients(4), matrix_of((5.0, 1.0, 1.0), (1.0, 0.0, 0.0)))
    made = make_study([("set", evaluated / "set")], evaluated / "out", repeats=20)
    left_out = {one.name: one.words for one in made.figures if not one.files}
    assert set(left_out) == {"figure5_slices", "figure6_abc2", "figure7_3d", "failures_set1"}
    assert "was changed after it was scored" in left_out["figure7_3d"]
    assert "left out: " in (evaluated / "out" / "study.md").read_text(encoding="utf-8")
