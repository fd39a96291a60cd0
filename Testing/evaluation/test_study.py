"""A study: tables that follow from the rows, and a folder that can be made again. Its figures: test_study_figures."""

import csv
import json

import numpy as np
import pytest
from mask_pairs import ball, patients, shifted, write_masks

from ICHVolumeLib import cli
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.evaluation.mask_evaluation import evaluate_masks
from ICHVolumeLib.evaluation.mask_pairs import cases_of_folders
from ICHVolumeLib.evaluation.mask_scoring import EvaluationSettings
from ICHVolumeLib.evaluation.paper_tables import study_tables
from ICHVolumeLib.evaluation.study import make_study
from ICHVolumeLib.evaluation.study_inputs import SYNTHETIC, read_test_sets
from ICHVolumeLib.evaluation.study_plots import (
    bias_by_size,
    dice_violins,
    interval_calibration,
    volume_panels,
    wilson,
)
from ICHVolumeLib.evaluation.study_verify import verify_study
from ICHVolumeLib.evaluation.table_files import csv_text, latex_table, markdown_table


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """hospital/: two models on five patients, one missed by "poor"; the masks lie beside."""
    folder = tmp_path_factory.mktemp("results")
    masks = patients(5)
    write_masks(folder / "truth", masks)
    write_masks(folder / "good", shifted(masks, 1))
    write_masks(folder / "poor", {**shifted(masks, 3), "p0": np.zeros_like(masks["p0"])})
    known = folder / "known.csv"
    known.write_text("case,age,site\n" + "\n".join(f"p{n},{50 + n},{'deep' if n else 'lobar'}" for n in range(5)),
                     encoding="utf-8")
    cases = cases_of_folders({"good": folder / "good", "poor": folder / "poor"}, folder / "truth", table=known)
    evaluate_masks(cases, folder / "hospital", EvaluationSettings(repeats=20))
    return folder


@pytest.fixture(scope="module")
def study(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "out"
    return out, make_study([("hospital", results / "hospital")], out, repeats=20, command="ichvolume study ...",
                           weights={"good": results / "good"}, figures=False)


def rows_of(out, name):
    with open(out / "tables" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def synthetic_rows(folder, models, patients_count=4):
    """What `evaluate DATA` leaves behind, a folder a network."""
    for number, model in enumerate(models):
        (folder / model).mkdir(parents=True)
        rows = [{"case": f"s{n}", "model": model, "true_ml": 10.0 + 9 * n, "ml": 10.0 + (9 - number) * n,
                 "true_ich_ml": 10.0 + 9 * n, "ich_ml": 10.0 + (9 - number) * n, "true_ivh_ml": 0.0, "ivh_ml": 0.0,
                 "dice": 0.9 - 0.1 * number - 0.01 * n, "ivh_dice": None, "hd95_mm": 2.0, "abc2_ml": 12.0,
                 "true_abc2_ml": 11.0, "contrast_hu": 25.0, "interval_ml": [9.0, 40.0]} for n in range(patients_count)]
        (folder / model / "cases.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return [(model, folder / model) for model in models]


def test_every_table_is_there_as_csv_markdown_and_latex(study):
    out, made = study
    names = {table.name for table in made.tables}
    assert names == {"table1", "table2", "volumes", "groups", "failures", "comparison"}
    assert {path.name for path in (out / "tables").iterdir()} == {
        f"{name}.{ending}" for name in names for ending in ("csv", "md", "tex")}


def test_table_1_tells_the_cases_and_what_the_table_says_of_them(study):
    rows = {row["item"]: row["hospital"] for row in rows_of(study[0], "table1")}
    assert rows["cases"] == "5" and rows["site: deep"] == "4" and rows["age, mean ± SD"] == "52.0 ± 1.6"
    assert rows["with blood in the ventricles (IVH)"] == "2"


def test_table_2_names_how_every_line_was_averaged(study, results):
    rows = rows_of(study[0], "table2")
    figures = json.loads((results / "hospital" / "figures.json").read_text(encoding="utf-8"))["models"]["good"]["total"]
    pooled = next(row for row in rows if row["average"].startswith("pooled") and row["model"] == "good")
    assert pooled["Dice"] == f"{figures['pooled_over_voxels']['dice']:.3f}"
    with_empties = next(row for row in rows if "both empty counted as 1" in row["average"] and row["model"] == "good")
    assert with_empties["IoU"].startswith(f"{figures['per_slice_with_empties']['iou']['mean']:.3f} ±")
    assert len({row["average"] for row in rows}) == 5 and {row["model"] for row in rows} == {"good", "poor"}


def test_the_missed_bleed_leads_the_failures_of_its_model(study):
    first = next(row for row in rows_of(study[0], "failures") if row["model"] == "poor")
    assert (first["case"], first["what"], first["Dice"], first["measured, mL"]) == ("p0", "missed", "0.000", "0.00")


def test_the_record_holds_versions_seed_command_and_hashes(study):
    record = json.loads((study[0] / "study.json").read_text(encoding="utf-8"))
    assert record["seed"] == 0 and record["command"] == "ichvolume study ..." and "numpy" in record["versions"]
    assert len(record["weights"]["good"]) == 5
    inputs = record["sets"][0]["records"][0]["inputs"]
    assert len(inputs) == 10 and all(len(one["sha256"]["truth"]) == 64 for one in inputs)


def test_a_study_is_made_again_from_its_folder(study):
    found = verify_study(study[0], masks=True)
    assert found.different == [] and found.unknown == []
    assert "hospital: 10 of 10 rows scored again from the masks" in found.same


def test_a_changed_table_and_a_changed_row_are_found_out(results, tmp_path):
    out = tmp_path / "out"
    make_study([("hospital", results / "hospital")], out, repeats=20, figures=False)
    table = out / "tables" / "table2.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    data = out / "data" / "set1_hospital.jsonl"
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    rows[0]["targets"]["total"]["dice"] = 0.5
    data.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    found = verify_study(out, masks=True)
    said = "\n".join(found.different)
    assert "tables/table2.csv was changed" in said and "table2.csv, line" in said and "made again" in said
    assert "data/set1_hospital.jsonl was changed" in said and "good, p0: total dice was 0.5" in said


def test_networks_on_the_same_synthetic_patients_make_one_test_set(tmp_path):
    one, = read_test_sets(synthetic_rows(tmp_path, ["attunet", "unetr"]))
    assert one.name == SYNTHETIC and one.models == ["attunet", "unetr"] and not one.has_masks
    tables = {table.name: table for table in study_tables([one], repeats=20, seed=0)}
    assert "say nothing about real ones" in tables["table2"].note
    assert [row[1] for row in tables["table2"].rows] == ["attunet", "unetr", "attunet", "unetr"]
    assert tables["comparison"].rows[0][:3] == [SYNTHETIC, "Dice", "attunet - unetr"]
    make_study([(model, tmp_path / model) for model in ("attunet", "unetr")], tmp_path / "out", repeats=20,
               figures=False)
    assert verify_study(tmp_path / "out").different == []


def test_networks_on_other_patients_are_refused(tmp_path):
    folders = synthetic_rows(tmp_path / "a", ["attunet"]) + synthetic_rows(tmp_path / "b", ["unetr"], 5)
    with pytest.raises(InputError, match="attunet has no mask of s4, which another model has"):
        read_test_sets(folders)


def test_what_is_no_evaluation_is_refused(results, tmp_path):
    with pytest.raises(InputError, match="holds no cases.jsonl"):
        read_test_sets([("x", tmp_path)])
    with pytest.raises(InputError, match="good, poor is there twice"):
        read_test_sets([("a", results / "hospital"), ("a", results / "hospital")])


@pytest.mark.parametrize("arguments, sentence", [
    ((), "Give output folders"), (("--verify", "nowhere"), "holds no study.json"),
    (("nowhere", "-o", "out"), "holds no cases.jsonl"), (("nowhere", "--verify", "x"), "--verify takes the one folder"),
    (("hospital", "-o", "out", "--weights", "w"), "write NAME=FOLDER"),
    (("hospital", "-o", "out", "--weights", "good=w"), "There is no folder w")])
def test_what_was_given_wrongly_is_one_sentence(results, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(results)
    assert cli.main(["study", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error and len(error.splitlines()) == 1


def test_verify_tells_by_its_exit_code(study, results, tmp_path, capsys):
    assert cli.main(["study", "--verify", str(study[0])]) == 0
    assert "follow from its data" in capsys.readouterr().out
    make_study([("hospital", results / "hospital")], tmp_path / "out", repeats=20, figures=False)
    (tmp_path / "out" / "tables" / "volumes.csv").unlink()
    assert cli.main(["study", "--verify", str(tmp_path / "out")]) == 1
    assert "differs: tables/volumes.csv is gone" in capsys.readouterr().out


def test_the_violins_show_every_case_with_blood_and_the_missed_one_at_0(results):
    pytest.importorskip("matplotlib")
    axes = dice_violins(read_test_sets([("hospital", results / "hospital")])).axes[0]
    dots = [points.get_offsets() for points in axes.collections if len(points.get_offsets()) > 1]
    assert [len(points) for points in dots] == [5, 5] and min(dots[1][:, 1]) == 0
    assert [text.get_text().split("\n")[0] for text in axes.get_xticklabels()] == ["good", "poor"]


def test_the_interval_of_a_share_is_wilsons():
    """Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == 1


def test_tables_survive_signs_of_their_languages():
    assert markdown_table(["a|b"], [["x|y"]]).splitlines() == ["| a\\|b |", "|---|", "| x\\|y |"]
    assert r"5 \% \& \_x $\pm$ 1" in latex_table(["a"], [["5 % & _x ± 1"]], "caption", "label")
    assert csv_text([{"a": "=1+1", "b": "-0.5", "c": None, "d": True}]).splitlines() == ["a,b,c,d", "'=1+1,-0.5,,yes"]


BALL, NONE = ball((6, 30, 30), (3, 15, 15), (2, 5, 5)), np.zeros((6, 30, 30), np.uint8)


@pytest.mark.parametrize("truths, masks", [([BALL], [BALL]), ([NONE, NONE], [NONE, BALL]), ([BALL], [NONE])])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_one_case_no_blood_and_nothing_found_have_tables_and_plots_all_the_same(tmp_path, truths, masks):
    pytest.importorskip("matplotlib")
    write_masks(tmp_path / "truth", {f"p{n}": mask for n, mask in enumerate(truths)})
    write_masks(tmp_path / "m", {f"p{n}": mask for n, mask in enumerate(masks)})
    evaluate_masks(cases_of_folders({"m": tmp_path / "m"}, tmp_path / "truth"), tmp_path / "set",
                   EvaluationSettings(repeats=10))
    sets = read_test_sets([("set", tmp_path / "set")])
    assert all(table.rows for table in study_tables(sets, repeats=10, seed=0))
    assert dice_violins(sets) is not None and bias_by_size(sets) is not None
    assert interval_calibration(sets) is None
    assert (volume_panels(sets[0], "m") is None) == (len(truths) == 1)
