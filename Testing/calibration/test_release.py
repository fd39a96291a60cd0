"""What the manifest of released weights says of the scans that they know, and weights with other intervals."""

import json
import shutil
from types import SimpleNamespace

import pytest

from ICHVolumeLib.calibration import release as module
from ICHVolumeLib.calibration.release import brain_hu, release_intervals
from ICHVolumeLib.cli import main
from ICHVolumeLib.network.weights import load_weights, weights_folder
from ICHVolumeLib.segmentation.conformal_interval import amounts_of
from ICHVolumeLib.training.checkpoint import ABOUT


@pytest.mark.parametrize(("trained_at", "known"), [((35.0, 35.0), [33, 37]), ((28, 39), [26, 41]), (None, None)])
def test_brain_a_little_off_the_level_of_training_stays_as_it_is(tmp_path, trained_at, known):
    (tmp_path / ABOUT).write_text(json.dumps({"plan": {"brain_hu": trained_at}}), encoding="utf-8")
    assert brain_hu(tmp_path) == known
    (tmp_path / ABOUT).write_text(json.dumps({"plan": {}}), encoding="utf-8")
    assert brain_hu(tmp_path) is None  # a run from before there were levels


@pytest.fixture
def calibration(monkeypatch):
    """In place of the calibration, which runs the network for minutes: what it was given, and what it was asked. Every
    patient has 10 mL; 9 are found in the calibration half, 6 in the heads of training, with 1 mL in doubt."""
    noted = SimpleNamespace(added={}, asked=[])

    def calibrate(folder, segmenter, jobs):
        added = noted.added.setdefault(folder.name, [])

        def measured(*asked):
            noted.asked.append(asked)
            names = [*rows, *added]
            found = [amounts_of({"ICH": 9.0 if name.startswith("calibration") else 6.0, "IVH": 0.0},
                                {"ICH": 1.0, "IVH": 0.0}, 0.0) for name in names]
            return [{"ICH": 10.0, "IVH": 0.0}] * len(names), found, names

        rows = {"calibration000": {}} if folder.name == "calibration" else {}
        return SimpleNamespace(rows=rows, add=added.append, measured=measured)

    monkeypatch.setattr(module, "Calibration", calibrate)
    monkeypatch.setattr(module, "synthetic_patients", lambda pool, part, count, jobs, known: [
        name for name in (f"{part}{number:03d}" for number in range(count)) if name not in known])
    return noted


def test_new_intervals_leave_network_threshold_and_pieces_as_they_are(calibration, tmp_path):
    shipped = weights_folder()
    before = load_weights()
    fields = release_intervals(None, tmp_path / "new", [], version="9.9", patients=18, trained_heads=2)
    after = load_weights(tmp_path / "new")
    changed = {name for name in before.manifest if before.manifest[name] != after.manifest[name]}
    assert changed == {"version", "calibration"} and fields["version"] == after.version == "9.9"
    kept, known = after.manifest["calibration"], before.manifest["calibration"]
    assert {name for name in known if kept[name] != known[name]} == {"interval", "in_trained_heads"}
    assert (kept["interval"]["patients"], kept["interval"]["heads"], kept["in_trained_heads"]) == (20, 20, 2)
    assert kept["interval"]["quantile"] == pytest.approx(4 / (0.2 + 0.02 * 6 + 1))  # the 19th of 20 is one of training
    assert calibration.asked == 2 * [(before.threshold, known["pieces"])]
    for name in (before.file_name, "coarse/manifest.json", f"coarse/{before.file_name}"):
        assert (tmp_path / "new" / name).read_bytes() == (shipped / name).read_bytes(), name


def test_patients_in_heads_of_training_are_kept_apart_from_those_that_choose_the_threshold(calibration, tmp_path):
    release_intervals(None, tmp_path / "new", [], version="9.9", patients=12, trained_heads=2)
    assert calibration.added == {"calibration": [f"calibration{n:03d}" for n in range(1, 12)],  # 000 was there
                                 "calibration_trained": ["trained000", "trained001"]}


def test_weights_may_get_new_intervals_where_they_lie(calibration, tmp_path):
    shutil.copytree(weights_folder(), tmp_path / "weights", ignore=shutil.ignore_patterns("*.py"))
    release_intervals(tmp_path / "weights", tmp_path / "weights", [], version="9.9", patients=12, trained_heads=0)
    assert load_weights(tmp_path / "weights").version == "9.9"
    assert load_weights(tmp_path / "weights" / "coarse").only_proposes


def test_heads_of_training_are_for_the_intervals_only(tmp_path, capsys):
    assert main(["release", str(tmp_path), str(tmp_path), "-o", str(tmp_path / "out"), "--model-version", "1",
                 "--trained-heads", "5"]) != 0
    assert "--trained-heads goes with --intervals-only" in capsys.readouterr().err
