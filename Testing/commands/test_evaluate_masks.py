"""`evaluate PREDICTIONS TRUTH`: what it prints, exit codes, one sentence for what was given wrongly."""

import json

import numpy as np
import pytest
from mask_pairs import patients, shifted, write_masks

from ICHVolumeLib import cli


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    masks = patients(4)
    write_masks(folder / "truth", masks)
    write_masks(folder / "unet", shifted(masks, 1))
    write_masks(folder / "other", shifted(masks, 3))
    return folder


def run(*arguments):
    return cli.main(["evaluate", *map(str, arguments)])


def test_two_models_are_scored_and_said_in_a_line_each(folders, tmp_path, capsys):
    assert run(folders / "unet", f"ours={folders / 'other'}", folders / "truth", "-o", tmp_path, "--repeats", 20) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("unet: 4 cases; Dice per case 0.8") and lines[1].startswith("ours: 4 cases")
    assert "limits" in lines[0] and "ICC(A,1)" in lines[0]
    assert set(json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["models"]) == {"unet", "ours"}


def test_bad_cases_are_refused_in_one_line_and_left_out_when_asked(folders, tmp_path, capsys):
    write_masks(tmp_path / "unet", {**shifted(patients(3), 1), "p3": np.full((8, 40, 40), 9, np.uint8)})
    assert run(tmp_path / "unet", folders / "truth", "-o", tmp_path / "out") == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1 and "p3" in captured.err and "--skip-bad" in captured.err
    assert run(tmp_path / "unet", folders / "truth", "-o", tmp_path / "out", "--skip-bad", "--repeats", 20) == 0
    assert "left out: p3" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, sentence", [
    (("unet", "nowhere"), "There is no folder"),
    (("unet", "unet", "truth"), "Two models are called unet"),
    (("unet", "unet", "truth", "--weights", "w"), "A network is evaluated on SCANS TRUTH"),
    (("unet", "truth", "--network", "unet9"), "the network 'unet9' is unknown"),
    (("unet", "truth", "--network", "unetr"), "weights of attfocusnet, not of unetr"),
    (("bhsd=unet", "--label", "1=ich"), "--label is not for a network on scans"),
    (("bhsd=unet",), "holds no folder images or imagesTr"),
    (("nothing=unet",), "There is no data set nothing"),
    (("pairs.csv",), "cannot be read"),
    (("pairs.csv", "--ct", "ct"), "--ct goes with folders"),
])
def test_what_was_given_wrongly_is_one_sentence(folders, tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(folders)
    assert run(*arguments, "-o", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert sentence in error and len(error.splitlines()) == 1


@pytest.mark.parametrize("option", [("--label", "1=tumor"), ("--tolerance", "-1"), ("--tolerance", "far")])
def test_an_option_that_means_nothing_is_bad_usage(folders, option):
    with pytest.raises(SystemExit) as ended:
        run(folders / "unet", folders / "truth", "-o", "out", *option)
    assert ended.value.code == 2
