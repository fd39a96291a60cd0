"""A cohort in one process, with a stand-in for the network that marks by HU."""

import csv
import errno
import json
import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cohort_scans import MarkBlood, hashes, write_scans
from command_line import contents

from ICHVolumeLib.core.errors import Cancelled, ICHVolumeError, InputError
from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.io.folder_lock import FolderLock
from ICHVolumeLib.io.result_columns import COLUMNS
from ICHVolumeLib.workflow import cohort_case
from ICHVolumeLib.workflow.case import run_segment
from ICHVolumeLib.workflow.cohort import Pace, in_this_process, run_cohort
from ICHVolumeLib.workflow.cohort_case import CohortJob
from ICHVolumeLib.workflow.cohort_inputs import CohortCase, cohort_cases
from ICHVolumeLib.workflow.exporters import chosen_exporters


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort") / "scans"
    write_scans(folder, 3)
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder


def job_of(out, **more):
    return CohortJob(out, make_segmenter=MarkBlood, report=False, **more)


def run(scans, out, runner=in_this_process, progress=None, **more):
    return run_cohort(cohort_cases([scans], out)[0], job_of(out, **more), runner, progress=progress)


def table(out, name="results.csv"):
    with open(out / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(scans, tmp_path_factory):
    """(out, cohort, progress events) of a first run; not written into by tests."""
    out, seen = tmp_path_factory.mktemp("done") / "out", []
    return out, run(scans, out, progress=seen.append), seen


@pytest.fixture
def again(done, tmp_path):
    """A copy of the finished folder, to be changed."""
    shutil.copytree(done[0], tmp_path / "out")
    return tmp_path / "out"


def test_a_row_has_the_numbers_that_segment_gives(done, scans, tmp_path):
    out, _, _ = done
    run_segment(scans / "patient-0001.nii.gz", tmp_path / "one", exporters=chosen_exporters(scans, report=False),
                segmenter=MarkBlood("auto", None, "auto"))
    alone = table(tmp_path / "one", "result.csv")[0]
    row = table(out)[1]
    assert list(row) == ["patient", *(column.name for column in COLUMNS)]
    assert row.pop("patient") == "patient-0001"
    assert row | {"measured_at": ""} == alone | {"measured_at": ""}


def test_each_patient_has_the_files_of_segment(done):
    out, cohort, _ = done
    assert sorted(path.name for path in (out / "cases").iterdir()) == [row.patient for row in cohort.rows]
    names = {path.name for path in (out / "cases" / "patient-0001").iterdir()}
    assert names == {"mask.seg.nrrd", "ich.stl", "result.csv", "result.json", "thumbnail.png", "case.json"}


def test_a_bad_scan_is_listed_with_its_reason_and_the_others_go_on(done):
    out, cohort, _ = done
    assert [row["patient"] for row in table(out)] == ["patient-0000", "patient-0001", "patient-0002"]
    problem, = table(out, "problems.csv")
    assert problem["patient"] == "broken" and "broken.nii.gz" in problem["problem"]
    assert cohort.problems == [tuple(problem.values())]
    assert "1 patient" in (out / "index.html").read_text(encoding="utf-8")


def test_progress_counts_every_patient_and_tells_the_time_left(done):
    _, _, seen = done
    assert [event.done for event in seen] == [1, 2, 3, 4] and seen[-1].problems == 1
    assert seen[-1].left_s == 0 and all(event.left_s > 0 for event in seen[1:-1])


def test_finished_cases_are_not_done_again(done, scans, again):
    before = contents(again / "cases")
    cohort = run(scans, again)
    assert (cohort.measured, cohort.finished_before) == (0, 3)
    assert contents(again / "cases") == before
    assert table(again) == table(done[0])


@pytest.mark.parametrize("change", ["scan", "clinical", "weights", "program", "deleted file"])
def test_a_case_is_done_again_when_what_it_was_made_of_changed(scans, again, tmp_path, change, monkeypatch):
    cases = cohort_cases([scans], again)[0][1:3]
    job, redone = job_of(again), {"patient-0000"}
    if change == "scan":
        copy = write_scans(tmp_path / "other", 1, first=7)[0]
        cases[0] = replace(cases[0], source=copy)
    elif change == "clinical":
        cases[0] = replace(cases[0], clinical=ClinicalInputs(gcs=3))
    elif change == "deleted file":
        (again / "cases" / "patient-0000" / "ich.stl").unlink()
    elif change == "weights":
        monkeypatch.setattr(MarkBlood, "weights", SimpleNamespace(sha256="e" * 64))
        redone = {"patient-0000", "patient-0001"}
    else:
        monkeypatch.setattr(cohort_case, "SOFTWARE", "ICHVolume 9")
        job, redone = replace(job, software="ICHVolume 9"), {"patient-0000", "patient-0001"}
    seen = []
    run_cohort(cases, job, progress=seen.append)
    assert {event.last.case.patient for event in seen if not event.last.was_finished} == redone
    assert not any(event.problems for event in seen)


def test_a_corrected_mask_is_never_replaced_but_by_force(scans, again):
    mask = again / "cases" / "patient-0001" / "mask.seg.nrrd"
    mask.write_bytes(mask.read_bytes() + b"\n")
    corrected = mask.read_bytes()
    cohort = run(scans, again)
    assert [patient for patient, _, _ in cohort.problems] == ["broken", "patient-0001"]
    assert "a correction could be lost" in cohort.problems[1][2] and mask.read_bytes() == corrected
    assert len(run(scans, again, force=True).rows) == 3
    assert [path.read_bytes() for path in mask.parent.glob("20*-mask.seg.nrrd")] == [corrected]


def test_an_edited_table_is_refused_before_any_work(scans, again):
    with open(again / "results.csv", "a", encoding="utf-8") as file:
        file.write("remark\n")
    with pytest.raises(InputError, match="results.csv in .* was changed"):
        run(scans, again)


def test_two_runs_into_one_folder_are_refused(scans, again):
    held = FolderLock(again / ".ichvolume-cohort-lock", again)
    before = contents(again)
    with pytest.raises(InputError, match="Another run is writing into"):
        run(scans, again)
    assert contents(again) == before
    held.release()


def stopping_after(count, error):
    def runner(cases, job):
        for number, outcome in enumerate(in_this_process(cases, job)):
            if number == count:
                raise error
            yield outcome
    return runner


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(scans, tmp_path):
    with pytest.raises(Cancelled, match="2 of 4 patients are done and kept; run the same command again"):
        run(scans, tmp_path / "out", stopping_after(2, KeyboardInterrupt()))
    assert len(table(tmp_path / "out")) == 2
    assert "Not finished" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    cohort = run(scans, tmp_path / "out")
    assert (cohort.measured, cohort.finished_before) == (1, 2)


def test_a_run_that_ends_early_does_not_shorten_the_earlier_table(scans, again):
    with pytest.raises(InputError, match="gone. 3 of 4 patients are done and kept"):
        run(scans, again, stopping_after(0, InputError("The scheduler is gone.")))
    assert len(table(again)) == 3


def test_a_full_disk_ends_the_run_in_one_sentence_and_keeps_the_rest(scans, tmp_path, monkeypatch):
    real = cohort_case.write_thumbnail

    def full(path, ct, mask, result):
        if "patient-0001" in ct.info.source:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, ct, mask, result)

    monkeypatch.setattr(cohort_case, "write_thumbnail", full)
    with pytest.raises(ICHVolumeError, match="The disk of .* is full; free some space. 1 of 4 patients are done"):
        run(scans, tmp_path / "out")
    monkeypatch.undo()
    assert run(scans, tmp_path / "out").finished_before == 1


def test_a_case_without_enough_memory_is_a_problem_of_its_own(scans, again, tmp_path):
    shutil.copytree(scans, tmp_path / "scans")
    (tmp_path / "scans" / "patient-0000.nii.gz.hungry").touch()
    cohort = run(tmp_path / "scans", tmp_path / "out")
    assert len(cohort.rows) == 2
    assert "not enough memory" in dict((patient, said) for patient, _, said in cohort.problems)["patient-0000"]


def test_what_killed_processes_left_is_removed(scans, again):
    (again / "cases" / ".ichvolume-abc").mkdir()
    (again / "cases" / ".patient-0009.ichvolume-lock").touch()
    run(scans, again)
    assert [path.name for path in (again / "cases").iterdir() if path.name.startswith(".")] == []


def test_leftovers_stay_while_somebody_writes(scans, again):
    held = FolderLock(again / "cases" / ".patient-0009.ichvolume-lock", again)
    (again / "cases" / ".ichvolume-abc").mkdir()
    run(scans, again)
    assert (again / "cases" / ".ichvolume-abc").is_dir()
    held.release()


def test_one_series_under_two_ids_is_named(done):
    from ICHVolumeLib.io.cohort_files import same_series

    rows = [replace(row, values={**row.values, "series_uid": "1.2"}) for row in done[1].rows[:2]]
    said, = same_series(rows)
    assert said == "patient-0000 and patient-0001 are one and the same series: it is in the table 2 times."


@pytest.mark.parametrize("other, words", [({"software": "ICHVolume 0"}, "install the same version everywhere"),
                                          ({"model_sha256": "e" * 64}, "has other weights than this one")])
def test_another_program_or_other_weights_at_a_worker_end_the_run(scans, tmp_path, other, words):
    def elsewhere(cases, job):
        return in_this_process(cases, replace(job, **other))

    with pytest.raises(ICHVolumeError, match=f"{words}.* 0 of 4 patients"):
        run(scans, tmp_path / "out", elsewhere)


def test_a_worker_that_does_not_see_the_output_folder_ends_the_run(scans, tmp_path):
    def elsewhere(cases, job):
        return in_this_process(cases, replace(job, out=tmp_path / "not-mounted"))

    with pytest.raises(ICHVolumeError, match="does not see .*not-mounted; all workers need the same folders"):
        run(scans, tmp_path / "out", elsewhere)


def test_weights_that_cannot_be_used_are_refused_once(scans, tmp_path):
    case = CohortCase("p", scans / "patient-0000.nii.gz", "p")
    with pytest.raises(InputError, match="no such folder"):
        run_cohort([case], CohortJob(tmp_path / "out", weights_dir=tmp_path / "nowhere"))
    assert not (tmp_path / "out").exists()


def test_the_time_left_follows_the_pace():
    now = [100.0]
    pace = Pace(lambda: now[0])
    assert pace.left_s(5) is None
    for _ in range(4):
        now[0] += 10
        pace.count(10.0)
    assert pace.left_s(6) == pytest.approx(60)


def test_cohort_json_seals_the_tables(done):
    values = json.loads((done[0] / "cohort.json").read_text(encoding="utf-8"))
    assert (values["patients"], values["measured"], values["problems"], values["still_open"]) == (4, 3, 1, 0)
    assert set(values["files"]) == {"results.csv", "problems.csv", "index.html", "cohort.json"}


def test_the_files_of_a_case_do_not_depend_on_what_was_run_before(done, scans, tmp_path):
    run_cohort(cohort_cases([scans / "patient-0002.nii.gz"], tmp_path / "out")[0], job_of(tmp_path / "out"))
    alone = hashes(tmp_path / "out")
    assert alone and alone.items() <= hashes(done[0]).items()
