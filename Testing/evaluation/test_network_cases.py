"""A network on scans: its masks are made once, scored as those of any program, and named after it."""

import json

import nibabel
import numpy as np
import pytest

pytest.importorskip("torch", reason="the small networks are made with torch")

from network_weights import thresholding_weights  # noqa: E402
from phantoms import ellipsoid_ct  # noqa: E402

from ICHVolumeLib.cli import main  # noqa: E402
from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.evaluation import network_cases  # noqa: E402
from ICHVolumeLib.evaluation.network_cases import cases_of_dataset, cases_of_scans, network_segmenter  # noqa: E402

MODEL = "attfocusnet test"
PIXELS = {"pixel_spacing_mm": {"native_range": [0.5, 2.0], "target": 2.0}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return thresholding_weights(tmp_path_factory.mktemp("weights"), PIXELS)


def save(path, array, matrix):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(array.T), matrix), path)


@pytest.fixture(scope="module")
def phantom2():
    return ellipsoid_ct("regular", pixel_mm=2.0, step_mm=10.0, columns=96, rows=104, noise_hu=2.0)


@pytest.fixture
def study(tmp_path, phantom2):
    """scans/ and truth/ of a patient with a bleed and one without; and the same as the data set BHSD."""
    ct, truth = phantom2.ct, phantom2.mask
    bloodless = np.where(truth > 0, 32, ct.hu).astype(np.int16)
    for name, hu, mask in (("a", ct.hu, truth), ("b", bloodless, 0 * truth)):
        save(tmp_path / "scans" / f"{name}_0000.nii.gz", hu, ct.ijk_to_ras)
        save(tmp_path / "truth" / f"{name}.nii.gz", mask, ct.ijk_to_ras)
        save(tmp_path / "bhsd" / "images" / f"ID_{name}.nii.gz", hu, ct.ijk_to_ras)
        other = np.zeros_like(mask)
        other[5, :6, :6] = 5  # subdural
        save(tmp_path / "bhsd" / "ground truths" / f"ID_{name}.nii.gz", np.where(mask, 2, other).astype(np.uint8),
             ct.ijk_to_ras)
    return tmp_path


def counted_ml(phantom):
    return np.count_nonzero(phantom.mask) * 2 * 2 * 10 / 1000


def rows(folder):
    return [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


def test_scans_are_segmented_and_scored_under_the_networks_name(study, weights, phantom2, capsys):
    command = ["evaluate", study / "scans", study / "truth", "-o", study / "out", "--network", "attfocusnet",
               "--weights", weights, "--repeats", 20]
    assert main(list(map(str, command))) == 0
    assert f"{MODEL}: 2 cases; Dice per case 1.000" in capsys.readouterr().out
    bleeding, bloodless = rows(study / "out")
    assert (bleeding["model"], bleeding["case"], bleeding["made_by"]["model"]) == (MODEL, "a", "test")
    total = bleeding["targets"]["total"]
    assert total["true_ml"] == pytest.approx(counted_ml(phantom2)) and total["dice"] > 0.9
    assert bleeding["contrast_hu"] == pytest.approx(33, abs=3)
    assert bloodless["targets"]["total"]["ml"] == 0
    assert (study / "out" / "masks" / "a" / "mask.seg.nrrd").is_file()


def test_a_data_set_is_read_by_its_name_and_blood_outside_the_brain_is_not_counted(study, weights, phantom2):
    command = ["evaluate", f"bhsd={study / 'bhsd'}", "-o", study / "out", "--weights", weights, "--repeats", 20]
    assert main(list(map(str, command))) == 0
    bleeding, bloodless = rows(study / "out")
    assert bleeding["targets"]["ich"]["true_ml"] == pytest.approx(counted_ml(phantom2))
    assert bloodless["targets"]["total"]["true_ml"] == 0 and bloodless["marked_outside_ml"] == 0
    assert bleeding["known"] == {"dataset": "bhsd"}


def test_masks_that_are_there_are_not_made_again(study, weights, monkeypatch):
    segmenter, made = network_segmenter(weights, None), []
    segment = network_cases.segment_ct
    monkeypatch.setattr(network_cases, "segment_ct", lambda ct, *more: made.append(1) or segment(ct, *more))
    for _ in range(2):
        cases = cases_of_scans(segmenter, study / "scans", study / "truth", study / "out")
        assert [case.name for case in cases.cases] == ["a", "b"] and len(made) == 2
    (study / "scans" / "b_0000.nii.gz").write_bytes((study / "scans" / "a_0000.nii.gz").read_bytes())
    cases_of_scans(segmenter, study / "scans", study / "truth", study / "out")
    assert len(made) == 3


def test_missing_partners_and_broken_scans_are_problems_by_name(study, weights):
    (study / "truth" / "c.nii.gz").write_bytes((study / "truth" / "a.nii.gz").read_bytes())
    (study / "scans" / "d.nii.gz").write_bytes(b"")
    (study / "scans" / "b_0000.nii.gz").write_bytes(b"broken")
    found = cases_of_scans(network_segmenter(weights, None), study / "scans", study / "truth", study / "out")
    assert [case.name for case in found.cases] == ["a"]
    assert {one.case: one.sentence.split(";")[0].split(str(study))[0] for one in found.problems} == {
        "c": "c has a truth but no scan in ", "d": "d has a scan but no truth in ", "b": "b: "}


def test_a_data_set_without_truths_cannot_be_scored(study, weights):
    for file in (study / "bhsd" / "ground truths").iterdir():
        file.unlink()
    (study / "bhsd" / "ground truths").rmdir()
    with pytest.raises(InputError, match="no case of bhsd has a truth"):
        cases_of_dataset(network_segmenter(weights, None), "bhsd", study / "bhsd", study / "out")


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(InputError, match="weights of attfocusnet, not of pranet; give those of pranet"):
        network_segmenter(weights, "pranet")


@pytest.mark.parametrize("network", ["attunet", "pranet", "unet3d"])
def test_any_network_of_the_registry_is_evaluated(study, tmp_path, network):
    import torch
    from tiny_networks import TINY, needs_its_packages

    from ICHVolumeLib.network.registry import network_of
    from ICHVolumeLib.network.weights import save_weights

    config = TINY[network]
    needs_its_packages(network_of(config))
    torch.manual_seed(0)
    folder = save_weights(tmp_path / "weights", network_of(config).new_model(config).eval(), {"version": "7", **PIXELS})
    found = cases_of_scans(network_segmenter(folder, network), study / "scans", study / "truth", study / "out")
    assert found.models == [f"{network} 7"] and not found.problems
