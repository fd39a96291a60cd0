"""Masks of any program against the truth: figures of shapes, bad input in sentences, finished work kept."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from mask_pairs import ball, matrix_of, patients, shifted, write_masks
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.evaluation import mask_evaluation, mask_scoring
from ICHVolumeLib.evaluation.mask_evaluation import evaluate_masks
from ICHVolumeLib.evaluation.mask_labels import LabelMap
from ICHVolumeLib.evaluation.mask_pairs import cases_of_folders, cases_of_table
from ICHVolumeLib.evaluation.mask_rows import mask_row
from ICHVolumeLib.evaluation.mask_scoring import EvaluationSettings
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.io.written_files import sha256_of

FAST = EvaluationSettings(repeats=50)


@pytest.fixture
def folders(tmp_path):
    """truth/, exact/ (the truth) and moved/ (two columns aside) of six patients."""
    masks = patients()
    return {"truth": write_masks(tmp_path / "truth", masks),
            "exact": write_masks(tmp_path / "exact", masks, ending=".nrrd"),
            "moved": write_masks(tmp_path / "moved", shifted(masks, 2)), "out": tmp_path / "out"}


def evaluated(folders, *models, settings=FAST, **options):
    cases = cases_of_folders({model: folders[model] for model in models}, folders["truth"], **options)
    return evaluate_masks(cases, folders["out"], settings)


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_truth_against_itself_is_perfect_in_every_average(folders):
    total = evaluated(folders, "exact").figures["models"]["exact"]["total"]
    assert total["cases"] == 6 and total["per_case"]["dice"]["mean"] == total["pooled_over_voxels"]["iou"] == 1
    assert total["per_bleeding_slice"]["dice"]["mean"] == total["per_slice_with_empties"]["ppv"]["mean"] == 1
    assert total["per_case"]["hd95_mm"]["median"] == 0 and total["per_case"]["surface_dice"]["mean"] == 1
    assert total["volume"]["icc_a1"]["value"] == pytest.approx(1)
    assert total["volume"]["bland_altman_ml"]["bias"] == 0


def test_a_mask_moved_by_two_pixels_lies_2_mm_away_and_has_the_same_volume(folders):
    one = evaluated(folders, "moved").figures["models"]["moved"]
    assert one["total"]["per_case"]["hd95_mm"]["median"] == pytest.approx(2)
    assert 0.5 < one["total"]["per_case"]["dice"]["mean"] < 0.9
    assert one["total"]["volume"]["mean_absolute_error_ml"] == pytest.approx(0)
    assert one["ivh"]["per_case"]["dice"]["n"] == 3


def test_volumes_and_abc2_are_those_of_measure(folders):
    row = evaluated(folders, "exact").rows[0]
    voxels = np.count_nonzero(patients()["p0"])
    assert row["targets"]["total"]["ml"] == pytest.approx(voxels * 5 / 1000)
    assert row["true_paper_formula_ml"] == pytest.approx(voxels * 5 / 1000)
    assert row["abc2"]["coniglobus_ml"] == row["true_abc2"]["coniglobus_ml"] > row["abc2"]["kothari_ml"] > 0


def test_all_files_are_there_and_a_table_has_a_line_a_model_case_and_target(folders):
    evaluated(folders, "exact", "moved")
    out = folders["out"]
    rows = table(out / "cases.csv")
    assert len(rows) == 2 * 6 * 3 and {row["target"] for row in rows} == {"total", "ich", "ivh"}
    assert json.loads((out / "record.json").read_text(encoding="utf-8"))["settings"]["seed"] == 0
    assert "per slice, both empty counted as 1" in (out / "summary.md").read_text(encoding="utf-8")
    tests = table(out / "comparison.csv")
    assert {row["score"] for row in tests} == {"dice", "hd95_mm", "absolute_error_ml", "icc_a1"}
    dice = next(row for row in tests if row["score"] == "dice")
    assert float(dice["mean_difference"]) > 0 and float(dice["p"]) == pytest.approx(2 / 2**6)
    assert float(dice["p_holm"]) >= float(dice["p"])


def test_one_sided_empties_are_counted_apart(folders):
    masks = patients()
    empty = np.zeros_like(masks["p0"])
    write_masks(folders["moved"], {"p0": empty})
    write_masks(folders["moved"], {"p6": ball(empty.shape, (3, 20, 20), (2, 3, 3))})
    write_masks(folders["truth"], {"p6": empty})
    total = evaluated(folders, "moved").figures["models"]["moved"]["total"]
    assert total["empties"] == {"both_empty": 0, "missed": 1, "false_alarms": 1}
    assert total["per_case"]["dice"]["n"] == 6 and total["per_case"]["hd95_mm"]["n"] == 5
    assert total["volume"]["n"] == 7 and total["volume"]["bland_altman_percent"]["left_out"] == 2


def test_without_any_true_ivh_ich_is_not_told_apart(folders):
    write_masks(folders["truth"], {name: (mask > 0).astype(np.uint8) for name, mask in patients().items()})
    found = evaluated(folders, "exact").figures
    assert found["targets"]["names"] == ["total"] and "no truth has a voxel of IVH" in found["targets"]["why"]
    assert found["models"]["exact"]["total"]["per_case"]["dice"]["mean"] == 1


def test_a_missing_mask_is_named_and_the_good_cases_go_on_when_asked(folders):
    (folders["moved"] / "p2.nii.gz").unlink()
    (folders["truth"] / "p4.nii.gz").unlink()
    with pytest.raises(InputError) as refused:
        evaluated(folders, "moved", "exact")
    assert "p2 has a truth but no mask of moved" in str(refused.value)
    assert "p4 has a mask of moved, exact but no truth" in str(refused.value) and "--skip-bad" in str(refused.value)
    assert {row["case"] for row in table(folders["out"] / "problems.csv")} == {"p2", "p4"}
    assert not (folders["out"] / "summary.md").exists()
    found = evaluated(folders, "moved", "exact", settings=replace(FAST, skip_bad=True))
    for model in ("moved", "exact"):
        assert [row["case"] for row in found.rows if row["model"] == model] == ["p0", "p1", "p3", "p5"]


def test_another_grid_is_refused_with_both_grids(folders):
    write_masks(folders["moved"], {"p1": patients()["p1"]}, matrix_of((5.0, 1.2, 1.2)))
    with pytest.raises(InputError, match=r"p1: .*lies on another grid than .*1.2 x 1.2 x 5 mm"):
        evaluated(folders, "moved")


def test_a_cropped_and_flipped_mask_is_put_where_it_lies(folders):
    mask = patients()["p5"]
    matrix = matrix_of(origin=(39.0, 0.0, 5.0))
    matrix[0, 0] = -1.0
    write_masks(folders["moved"], {"p5": np.ascontiguousarray(mask[1:7, :, ::-1])}, matrix)
    row = next(row for row in evaluated(folders, "moved").rows if row["case"] == "p5")
    assert row["targets"]["total"]["dice"] == 1 and row["slice_count"] == 8


def test_a_mask_larger_than_the_truths_crop_makes_the_grid_larger(folders):
    mask = patients()["p5"]
    cropped = np.ascontiguousarray(mask[1:7, 2:39, 1:39])
    write_masks(folders["truth"], {"p5": cropped}, matrix_of(origin=(1.0, 2.0, 5.0)))
    row = next(row for row in evaluated(folders, "exact").rows if row["case"] == "p5")
    assert row["targets"]["total"]["dice"] == 1 and row["slice_count"] == 8


def test_unknown_labels_are_asked_for(folders):
    write_masks(folders["truth"], {"p1": np.where(patients()["p1"] > 0, 7, 0).astype(np.uint8)})
    with pytest.raises(InputError, match="p1: .*the number 7 .*--label 7=ich"):
        evaluated(folders, "exact")


def test_the_truth_and_the_model_may_number_differently_and_blood_outside_is_listed(folders):
    """As in BHSD: 1 epidural (outside), 2 intraparenchymal, 3 intraventricular."""
    for name, mask in patients().items():
        theirs = np.where(mask > 0, mask + 1, 0).astype(np.uint8)
        theirs[2, :3, :3] = 1
        write_masks(folders["truth"], {name: theirs})
        ours = mask.copy()
        ours[2, 0, 0] = 1
        write_masks(folders["moved"], {name: ours})
    labels = LabelMap(truth={"1": "outside", "2": "ich", "3": "ivh"})
    row = evaluated(folders, "moved", settings=replace(FAST, labels=labels)).rows[0]
    assert row["targets"]["total"]["extra_voxels"] == 1 and row["targets"]["total"]["missed_voxels"] == 0
    assert row["marked_outside_ml"] == pytest.approx(5 / 1000)
    with pytest.raises(InputError, match="leave something open"):
        evaluated(folders, "moved", settings=replace(FAST, labels=LabelMap(truth={"2": "ich", "3": "ivh"})))


def test_unsure_voxels_of_the_truth_are_scored_for_nobody(folders):
    masks = patients()
    for name, mask in masks.items():
        theirs = mask.copy()
        theirs[:, 30:, :] = 3
        write_masks(folders["truth"], {name: theirs})
    labels = LabelMap(truth={"1": "ich", "2": "ivh", "3": "unsure"})
    total = evaluated(folders, "exact", settings=replace(FAST, labels=labels)).figures["models"]["exact"]["total"]
    assert total["per_case"]["dice"]["mean"] == 1


def test_the_same_scan_under_two_names_is_noticed(folders):
    write_masks(folders["truth"], {"p1": patients()["p0"]})
    with pytest.raises(InputError, match="p1 has the same true mask as p0"):
        evaluated(folders, "exact")


def test_two_files_of_one_name_are_refused(folders):
    write_masks(folders["truth"], {"p1": patients()["p1"]}, ending=".nrrd")
    with pytest.raises(InputError, match="p1 is there twice in .*p1.nii.gz and p1.nrrd"):
        evaluated(folders, "exact")


def test_a_patient_with_two_cases_is_refused_unless_said(folders, tmp_path):
    known = tmp_path / "known.csv"
    known.write_text("case;patient;site\np0;anna;lobar\np1;anna;deep\np2;otto;deep\n", encoding="utf-8")
    with pytest.raises(InputError, match="p1 and p0 are both of patient anna"):
        evaluated(folders, "exact", table=known)
    found = evaluated(folders, "exact", table=known, several_scans=True)
    groups = {(one["by"], one["group"]): one["cases"] for one in found.figures["models"]["exact"]["strata"]["total"]}
    assert groups["site", "deep"] == 2 and groups["site", "lobar"] == 1 and groups["IVH", "yes"] == 3


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_results_do_not_depend_on_the_number_of_processes(folders, jobs):
    (folders["moved"] / "p4.nii.gz").write_bytes(b"no image")
    files = {}
    for number in (1, jobs):
        folders["out"] = folders["out"].with_name(f"out{number}")
        cases = cases_of_folders({model: folders[model] for model in ("exact", "moved")}, folders["truth"])
        found = evaluate_masks(cases, folders["out"], replace(FAST, skip_bad=True), jobs=number)
        assert [one.case for one in found.problems] == ["p4"]
        again = evaluate_masks(cases, folders["out"], replace(FAST, skip_bad=True), jobs=number)  # known rows are taken
        assert again.rows == found.rows
        files[number] = {path.name: path.read_bytes() for path in sorted(folders["out"].iterdir())
                         if path.name not in ("record.json", ".ichvolume-lock")}
    assert files[1] == files[jobs] and "cases.jsonl" in files[1]


def test_finished_rows_are_not_measured_again_and_changed_files_are(folders, monkeypatch):
    evaluated(folders, "moved")
    measured = []
    monkeypatch.setattr(mask_scoring, "mask_row",
                        lambda *given, **more: measured.append(1) or mask_row(*given, **more))
    evaluated(folders, "moved")
    assert measured == []
    write_masks(folders["moved"], {"p3": patients()["p3"]})
    found = evaluated(folders, "moved")
    assert len(measured) == 1
    assert next(row for row in found.rows if row["case"] == "p3")["targets"]["total"]["dice"] == 1
    evaluated(folders, "moved", settings=replace(FAST, tolerance_mm=1.0))
    assert len(measured) == 7


def test_a_damaged_file_costs_one_case_and_the_rows_of_the_others_stay(folders):
    (folders["moved"] / "p4.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match="1 case cannot be evaluated: p4"):
        evaluated(folders, "moved")
    kept = (folders["out"] / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["case"] for line in kept} == {"p0", "p1", "p2", "p3", "p5"}


def test_a_folder_with_another_evaluation_is_not_written_over(folders):
    folders["out"].mkdir()
    before = json.dumps({"case": "s1", "model": "ours", "dice": 0.9, "true_ml": 1.0}) + "\n"
    for text, sentence in ((before, "another kind of evaluation"), ("{no json\n", "is damaged")):
        (folders["out"] / "cases.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=sentence):
            evaluated(folders, "exact")
        assert (folders["out"] / "cases.jsonl").read_text(encoding="utf-8") == text


def test_a_case_without_its_scan_is_named_and_nnunets_scan_names_are_known(folders):
    ct, matrix = folders["out"].parent / "ct", matrix_of((5.0, 5.0, 5.0))
    for name, mask in patients().items():
        hu = np.where(mask > 0, 65, 30) + np.random.default_rng(0).normal(0, 6, mask.shape)
        hu[:, :4], hu[:, :, -4:], hu[:, 5], hu[:, :, 2] = -1000, -1000, 900, 1200
        write_masks(ct, {f"{name}_0000": hu.astype(np.int16)}, matrix)
        write_masks(folders["truth"], {name: mask}, matrix)
        write_masks(folders["exact"], {name: mask}, matrix, ".nrrd")
    row = evaluated(folders, "exact", cts=ct).rows[0]
    assert row["contrast_hu"] == pytest.approx(35, abs=8) and "ct" in row["sha256"]
    (ct / "p3_0000.nii.gz").unlink()
    with pytest.raises(InputError, match="p3 has no scan in "):
        evaluated(folders, "exact", cts=ct)


def test_our_own_output_brings_its_true_slab_heights_its_model_and_its_interval(tmp_path):
    """A mask file has even slices; the volumes of uneven ones are those that `measure` gives."""
    phantom = ellipsoid_ct("uneven", step_mm=6, columns=80, rows=80, half_height_mm=40, head=False,
                           semi_axes_mm=(20, 15, 18))
    case = tmp_path / "model" / "p1"
    case.mkdir(parents=True)
    write_mask_seg_nrrd(case / "mask.seg.nrrd", phantom.mask, phantom.ct)
    (case / "result.json").write_text(json.dumps({
        "geometry": {"slab_heights_mm": [round(one, 6) for one in phantom.ct.slab_heights_mm.tolist()]},
        "provenance": {"software": "ICHVolume", "model": "0.7.0", "model_sha256": "ab", "training_data": "made",
                       "engine": "openvino"},
        "mask_origin": "model", "files": {"mask.seg.nrrd": sha256_of(case / "mask.seg.nrrd")},
        "interval_ml": [1.0, 99.0], "interval_coverage": 0.9, "interval_calibrated_on": "phantoms"}), encoding="utf-8")
    write_masks(tmp_path / "truth", {"p1": phantom.mask}, phantom.ct.ijk_to_ras)
    found = evaluate_masks(cases_of_folders({"model": tmp_path / "model"}, tmp_path / "truth"), tmp_path / "out", FAST)
    row = found.rows[0]
    true_ml = phantom.mask.sum(axis=(1, 2)) @ phantom.ct.voxel_volumes_mm3 / 1000
    assert row["targets"]["total"]["ml"] == row["targets"]["total"]["true_ml"] == pytest.approx(true_ml, rel=1e-5)
    assert row["is_uneven"] and row["made_by"]["model"] == "0.7.0"
    assert found.figures["models"]["model"]["intervals"]["covered"] == 1
    even_ml = phantom.mask.sum() * abs(np.linalg.det(phantom.ct.ijk_to_ras[:3, :3])) / 1000
    assert abs(even_ml - true_ml) > 0.01 * true_ml


def test_a_full_disk_ends_in_a_sentence(folders, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mask_evaluation, "append_row", full)
    with pytest.raises(InputError, match="No space left on device.*run it again"):
        evaluated(folders, "moved")


def test_a_table_of_pairs_says_the_same_as_folders(folders):
    file = folders["out"].parent / "pairs.csv"
    lines = [f"p{n},{model},{model}/p{n}{end},truth/p{n}.nii.gz,{'lobar' if n % 2 else 'deep'}"
             for n in range(6) for model, end in (("exact", ".nrrd"), ("moved", ".nii.gz"))]
    file.write_text("\n".join(["case,model,prediction,truth,site", *lines]), encoding="utf-8")
    by_table = evaluate_masks(cases_of_table(file), folders["out"], FAST).figures["models"]
    by_folder = evaluate_masks(cases_of_folders({"exact": folders["exact"], "moved": folders["moved"]},
                                                folders["truth"]), folders["out"], FAST).figures["models"]
    assert by_table["moved"]["total"] == by_folder["moved"]["total"]


@pytest.mark.parametrize("rows, sentence", [
    ("case,prediction,truth\np0,exact/p0.nrrd,truth/p9.nii.gz", r"p0: there is no file .*p9.nii.gz \(truth\)"),
    ("case,prediction,truth\np0,exact/p0.nrrd,truth/p0.nii.gz\np0,exact/p1.nrrd,truth/p0.nii.gz", "p0 has two rows"),
    ("case,model,prediction,truth\np0,a,exact/p0.nrrd,truth/p0.nii.gz\np0,b,exact/p0.nrrd,truth/p1.nii.gz",
     "p0 has two truths"),
    ("case,model,prediction,truth\np0,a,exact/p0.nrrd,truth/p0.nii.gz\np1,b,exact/p1.nrrd,truth/p1.nii.gz",
     "p0 has no mask of b"),
    ("case,prediction\np0,x", "has no column truth"),
    ("case,prediction,truth\np0,,truth/p0.nii.gz", "row 2 lacks a value"),
    ("case,prediction,truth\n", "there is no row"),
])
def test_a_bad_table_is_explained(folders, rows, sentence):
    file = folders["out"].parent / "pairs.csv"
    file.write_text(rows, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        evaluate_masks(cases_of_table(file), folders["out"], FAST)
