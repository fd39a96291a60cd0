"""The model card says what was measured, no more, and its pictures show the case they name."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.evaluation.failures import caption, choose_cases, draw_failures, head_box, picture, slice_to_show
from ICHVolumeLib.evaluation.model_card import MOST_BYTES, write_card
from ICHVolumeLib.evaluation.prediction import Prediction
from ICHVolumeLib.evaluation.summary import summarise
from ICHVolumeLib.network.config import AttFocusNetConfig
from ICHVolumeLib.network.weights import DEFAULT_MANIFEST, Weights
from ICHVolumeLib.synthetic.patients import TEST, make_patient, orders
from ICHVolumeLib.training.plans import PLANS


def row(index, true_ml, ml, **changes):
    made = {"case": f"test{index:03d}-made{index}", "index": index, "made_head": True, "true_ml": true_ml, "ml": ml,
            "true_ich_ml": true_ml, "ich_ml": ml, "true_ivh_ml": 0.0, "ivh_ml": 0.0, "ivh_dice": None,
            "dice": 2 * min(ml, true_ml) / (ml + true_ml), "hd95_mm": 2.0, "abc2_ml": ml, "true_abc2_ml": true_ml,
            "lesions": [[true_ml, ml > 0]], "contrast_hu": 30.0, "interval_ml": [0.0, 200.0], "ambiguous_ml": 0.1}
    return made | changes


ROWS = [row(0, 0.5, 0.0), row(1, 8.0, 2.0, contrast_hu=6.0), row(2, 20.0, 25.0), row(3, 50.0, 49.0), row(4, 40.0, 20.0),
        row(5, 6.0, 5.8, true_ivh_ml=3.0, true_ich_ml=3.0, ivh_dice=0.1),
        row(6, 0.6, 0.0, made_head=False, case="test006-p066")]


@pytest.fixture
def weights():
    manifest = {**DEFAULT_MANIFEST, "sha256": "ab" * 32, "version": "9.9", "threshold": 0.37,
                "calibration": {"interval": {"coverage": 0.9, "patients": 77, "quantile": 1, "floor_ml": 0.1,
                                             "relative": 0.02}}}
    return Weights(AttFocusNetConfig(norm="none"), {}, manifest)


@pytest.fixture
def measured(tmp_path, weights):
    """An evaluation's folder with one picture."""
    folder = tmp_path / "figures"
    (folder / "pictures").mkdir(parents=True)
    figures = {"model": {"version": "9.9", "sha256": weights.sha256, "threshold": 0.37},
               "command": "ichvolume evaluate DATA -o runs/figures --patients 7", **summarise(ROWS),
               "false_alarms_ct_ich": {"slices": 50, "with_more_than_20_mm2": 2, "share": 0.04, "ml": {"p066": 1.25}},
               "bleed_free_scans_ml": {"ge_tilted_uneven": 0.12}}
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    (folder / "pictures" / "small-1.png").write_bytes(b"\x89PNG")
    pictures = [{"file": "small-1.png", "kind": "small", "words": "Small bleed missed", "case": "test000-made0",
                 "caption": "truth 0.5 mL; model nothing"}]
    (folder / "pictures" / "pictures.json").write_text(json.dumps(pictures), encoding="utf-8")
    return folder


def test_the_card_holds_every_figure_with_its_target(tmp_path, measured, weights):
    files = write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)
    text = files[0].read_text(encoding="utf-8")
    assert "| marked in the bleed-free scan `ge_tilted_uneven` | 0.12 mL | at most 0.3 mL | yes |" in text
    assert "share with more than 20 mm2 marked | 4.0 % (2 of 50) | at most 2 % | **no** |" in text
    assert "    ichvolume evaluate DATA -o runs/figures --patients 7\n" in text
    assert "1 in the heads of 1 real patients, 6 in made ones" in " ".join(text.split())
    assert "reaches 0.37" in text and "on 77 other" in " ".join(text.split())
    assert "CC BY 4.0" in text and "**nothing about real patients**" in " ".join(text.split())
    assert "](Pictures/model/small-1.png)" in text
    assert (tmp_path / "Pictures" / "model" / "small-1.png").is_file()
    assert "{" not in text and "None" not in text
    assert all(len(line) <= 120 or line.startswith(("|", "!", "    ")) for line in text.splitlines())


@pytest.mark.parametrize(("manifest", "end"), [({}, " 77"), ({"start_share": 0.4}, " 77 --start-share 0.4")])
def test_the_card_releases_with_the_share_of_the_start_that_is_in_the_weights(tmp_path, measured, weights, manifest,
                                                                              end):
    weights = replace(weights, manifest=weights.manifest | manifest)
    text = write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)[0].read_text(encoding="utf-8")
    assert f"    ichvolume release RUN DATA -o FOLDER --model-version 9.9 --patients{end}\n" in text


def test_the_card_lists_the_training_runs_and_what_is_noted_about_them(tmp_path, measured, weights):
    run = tmp_path / "run"
    run.mkdir()
    curves = {"step": [5, 10], "loss": [1.0, 0.8], "dice": [0.1, 0.2], "ivh_dice": [0.1, 0.2], "false_alarm": [0, 0]}
    about = {"step": 10, "seconds": 120.0, "plan": PLANS["practical"].to_dict(), "curves": curves,
             "config": AttFocusNetConfig(in_slices=3).to_dict()}
    (run / "checkpoint.json").write_text(json.dumps(about), encoding="utf-8")
    (run / "curves.json").write_text(json.dumps(curves), encoding="utf-8")
    files = write_card(tmp_path / "ModelCard.md", measured, weights, 5.5, [run], note="The window was another one.\n")
    text = files[0].read_text(encoding="utf-8")
    assert "- 80 slices in 2 minutes: adamw" in text and "3 neighbouring slices in\n" in text
    assert text.index("80 slices") < text.index("The window was another one.") < text.index("curves.png")


REAL = {"model": "9.9 abab at 0.4, 0.75 mm", "bleeding_slices": 4, "patients": 2, "hit_rate": 0.75,
        "dice": {"slices": 4, "mean": 0.5, "median": 0.61}, "ich_dice": {"slices": 3, "mean": 0.4, "median": 0.5},
        "ivh_dice": None, "ivh_called_ich": 0.4, "false_mm2_on_bleeding_slices": 9.0,
        "marked_slices": {"normal": {"slices": 50, "marked": 1, "marked_mm2": 30.0},
                          "blood outside the brain only": {"slices": 10, "marked": 2, "marked_mm2": 99.0}}}


def test_real_slices_and_the_weights_before_stand_beside_what_is_found(tmp_path, measured, weights):
    folders = [tmp_path / name for name in ("before", "real", "real_before")]
    old = json.loads((measured / "figures.json").read_text("utf-8")) | {"dice_median": 0.123}
    old["model"] = {"version": "9.8", "sha256": "cd" * 32, "threshold": 0.5}
    real_old = REAL | {"model": "9.8 cdcd at 0.5", "hit_rate": 0.5}
    for folder, figures in zip(folders, (old, REAL, real_old), strict=True):
        folder.mkdir()
        (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    given = dict(zip(("before", "real", "real_before"), folders, strict=True))
    text = write_card(tmp_path / "ModelCard.md", measured, weights, 5.5, **given)[0].read_text("utf-8")
    assert "| figure | 9.8 | found | asked for | reached |" in text and "| Dice per case, median | 0.12 | " in text
    assert "| real slices | 9.8 | 9.9 |" in text and "is marked (4) | 50 % | 75 % |" in text
    assert "any blood (4 slices), mean / median | 0.50 / 0.61 | 0.50 / 0.61 |" in text
    assert "Dice per slice, IVH" not in text
    plain = " ".join(text.split())
    assert "not reached: a mean Dice of 0.65 per slice with blood (here 0.50); IVH called ICH under" in plain
    assert "(here 40 %); at most 5 %" in plain
    assert "(here 20 %)" in plain and "promises nothing for real heads" in plain
    assert all(len(line) <= 120 or line.startswith(("|", "!", "    ")) for line in text.splitlines())


@pytest.mark.parametrize(("seen", "expected"), [("No real hemorrhage with a mask was used.", "was used** for training"),
                                                ("Also real ones (p053).", "not by radiologists")])
def test_the_card_says_whether_real_bleeds_were_trained_on(tmp_path, measured, weights, seen, expected):
    weights.manifest["training_data"] = seen
    text = " ".join(write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)[0].read_text("utf-8").split())
    assert expected in text and ("p053" in text) == ("p053" in seen)


def test_without_the_runs_folders_the_note_tells_of_the_training_and_the_curves_stay(tmp_path, measured, weights):
    curves = tmp_path / "Pictures" / "model" / "curves.png"
    curves.parent.mkdir(parents=True)
    curves.write_bytes(b"\x89PNG drawn last time")
    text = write_card(tmp_path / "ModelCard.md", measured, weights, 5.5, note="10 slices.\n")[0].read_text("utf-8")
    places = [text.index(one) for one in ("## Figures", "10 slices.", "](Pictures/model/curves.png)")]
    assert places == sorted(places)
    assert curves.read_bytes().endswith(b"last time")


def test_where_the_dice_is_lost_is_said_by_what_a_slice_shows(tmp_path, measured, weights):
    shown = [(20.0, 5.0, 0.0), (100.0, 5.0, 0.5), (100.0, 30.0, 0.9), (200.0, 40.0, 1.0), (100.0, None, 1.0)]
    figures = json.loads((measured / "figures.json").read_text("utf-8"))
    figures["by_slice"] = summarise([*ROWS, row(7, 0.5, 0.4, slices=shown)])["by_slice"]
    (measured / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    text = write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)[0].read_text("utf-8")
    assert "| less than 50 mm2 | 1 | 0.00 | 62 % |" in text
    assert "| more, under 10 HU | 1 | 0.50 | 31 % |" in text
    assert "| more, 20 HU and more | 2 | 0.95 | 6 % |" in text


def test_the_verdict_on_pieces_is_spelled_out(tmp_path, measured, weights):
    classifier = {"facts": ["contrast", "height"], "weights": [0.5, 0.25], "offset": -3.0, "least": 0.125,
                  "pieces": 400}
    weights.manifest["calibration"]["pieces"] = classifier
    text = " ".join(write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)[0].read_text("utf-8").split())
    assert "under 12.5 %, by a logistic regression on 400 pieces" in text
    assert "0.50 for the contrast, 0.25 for the height, offset -3.00" in text
    assert "nowhere over the threshold" not in text
    classifier["possible"] = 0.15
    text = " ".join(write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)[0].read_text("utf-8").split())
    assert "nowhere over the threshold but with a p(bleed) of 0.2 or more are marked" in text
    assert "when the regression gives them 15 % or more" in text


def test_figures_of_other_weights_make_no_card(tmp_path, measured, weights):
    other = Weights(weights.config, {}, {**weights.manifest, "sha256": "cd" * 32})
    with pytest.raises(InputError, match="other weights"):
        write_card(tmp_path / "ModelCard.md", measured, other, 5.5)


def test_figures_of_heads_that_were_trained_on_make_no_card(tmp_path, measured, weights):
    figures = json.loads((measured / "figures.json").read_text(encoding="utf-8"))
    (measured / "figures.json").write_text(json.dumps(figures | {"trained_heads": True}), encoding="utf-8")
    with pytest.raises(InputError, match="trained on"):
        write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)
    assert not (tmp_path / "ModelCard.md").exists()


def test_large_pictures_are_refused_and_the_last_ones_stay(tmp_path, measured, weights):
    last = tmp_path / "Pictures" / "model" / "last.png"
    last.parent.mkdir(parents=True)
    last.write_bytes(b"\x89PNG")
    (measured / "pictures" / "small-1.png").write_bytes(b"\x89PNG" + bytes(MOST_BYTES))
    with pytest.raises(InputError, match="draw fewer"):
        write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)
    assert [file.name for file in last.parent.iterdir()] == ["last.png"]
    (measured / "pictures" / "small-1.png").write_bytes(b"\x89PNG")
    write_card(tmp_path / "ModelCard.md", measured, weights, 5.5)
    assert [file.name for file in last.parent.iterdir()] == ["small-1.png"]


@pytest.mark.parametrize(("contrast_hu", "kind"), [(0.0, "faint"), (-2.0, "faint"), (None, "typical")])
def test_a_bleed_without_contrast_is_faint_and_one_of_unknown_contrast_is_not(contrast_hu, kind):
    one = row(0, 4.0, 2.0, contrast_hu=contrast_hu)
    assert [chosen.name for chosen, _ in choose_cases([one], 1)] == [kind]


def test_each_kind_of_failure_shows_its_worst_case_and_no_real_head():
    chosen = {kind.name: one["index"] for kind, one in choose_cases(ROWS, 1)}
    assert chosen == {"small": 0, "faint": 1, "ventricle": 5, "over-marked": 2, "cut-short": 4, "typical": 3}
    assert all(one["made_head"] for _, one in choose_cases(ROWS, 9))


def test_the_shown_slice_is_where_most_went_wrong():
    truth, mask = np.zeros((2, 3, 8, 8), np.uint8)
    truth[0, :4, :4], truth[2, :2, :2], mask[0, :4, :4] = 1, 1, 1
    assert slice_to_show(truth, mask, lambda truth, mask: (truth > 0) & (mask == 0)) == 2
    assert slice_to_show(truth, truth, lambda truth, mask: truth != mask) == 0


def test_captions_give_volumes_and_say_nothing_for_nothing():
    assert caption(ROWS[0]) == "truth 0.5 mL; model nothing; Dice 0.00; 30 HU above the brain around it"
    assert caption(ROWS[5]).startswith("truth 6.0 mL (3.0 IVH); model 5.8 mL; ")


@pytest.fixture(scope="module")
def made(make_head):
    """A patient in the round head and what a segmenter that sees only the first label finds."""
    order = orders([], TEST, [2])[0]
    return make_patient(type(order)(order.name, 2, order.seed, make_head("made", slices=4)))


def test_a_picture_is_small_and_shows_the_outlines(made):
    pytest.importorskip("matplotlib")
    k = int(np.argmax(np.count_nonzero(made.truth, axis=(1, 2))))
    plain = picture(made.ct, made.truth * 0, made.truth * 0, k, ROWS[0])
    outlined = picture(made.ct, made.truth, made.truth * 0, k, ROWS[0])
    assert outlined.startswith(b"\x89PNG") and len(outlined) < 60_000
    assert outlined != plain


def test_the_head_box_holds_the_head():
    hu = np.full((2, 100, 120), -1000, np.int16)
    hu[1, 40:60, 32:80] = 30
    rows, columns = head_box(hu)
    assert rows.start <= 40 and rows.stop >= 60 and columns.start <= 32 and columns.stop >= 80
    assert rows.stop - rows.start < 45


def test_a_case_of_an_earlier_generator_is_not_drawn(tmp_path, made, monkeypatch):
    from ICHVolumeLib.evaluation import failures

    monkeypatch.setattr(failures, "make_patients", lambda wanted: [made] * len(wanted))
    with pytest.raises(InputError, match="generator has changed"):
        draw_failures(lambda ct: Prediction(made.truth * 0), [], ROWS[:1], tmp_path, 1)
