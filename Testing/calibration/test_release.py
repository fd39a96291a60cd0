"""What the manifest of released weights says of the scans that they know, from the plan of their training."""

import json

import pytest

from ICHVolumeLib.calibration.release import brain_hu
from ICHVolumeLib.training.checkpoint import ABOUT


@pytest.mark.parametrize(("trained_at", "known"), [((35.0, 35.0), [33, 37]), ((28, 39), [26, 41]), (None, None)])
def test_brain_a_little_off_the_level_of_training_stays_as_it_is(tmp_path, trained_at, known):
    (tmp_path / ABOUT).write_text(json.dumps({"plan": {"brain_hu": trained_at}}), encoding="utf-8")
    assert brain_hu(tmp_path) == known
    (tmp_path / ABOUT).write_text(json.dumps({"plan": {}}), encoding="utf-8")
    assert brain_hu(tmp_path) is None  # a run from before there were levels
