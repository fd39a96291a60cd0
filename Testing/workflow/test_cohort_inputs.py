"""From what a user gives to a list of patients."""

import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.workflow.cohort_inputs import cohort_cases


@pytest.fixture
def scans(tmp_path):
    for name in ("p1.nii.gz", "p2.nii.gz", "p3.nrrd", "south/p1.nii.gz"):
        (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / name).write_bytes(b"x")
    return tmp_path / "scans"


def cases_of(*inputs, out):
    return cohort_cases(inputs, out)[0]


def patients(*inputs, out):
    found = cases_of(*inputs, out=out)
    assert not any(case.problem for case in found), found
    return [case.patient for case in found]


def written(folder, text, encoding="utf-8"):
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_tree_a_pattern_and_paths_name_the_same_patients(scans, tmp_path):
    out = tmp_path / "out"
    assert patients(scans, out=out) == ["p1", "p2", "p3", "south/p1"]
    assert patients(f"{scans}/*.nii.gz", out=out) == ["p1", "p2"]
    assert patients(f"{scans}/**/*.nii.gz", out=out) == ["p1", "p2", "south/p1"]
    assert patients(scans / "p1.nii.gz", scans / "p3.nrrd", scans / "south", out=out) == ["p1", "p3", "south"]


def test_a_csv_names_patients_series_and_what_the_clinician_knows(scans, tmp_path):
    table = written(scans, "patient,scan,series,age_years,gcs,ivh,infratentorial,location,remark\n"
                           "A,p1.nii.gz,2,67,11,yes,,lobar,old\nB,p2.nii.gz,,,,unknown,No,,\n,p3.nrrd,,,,,,,\n")
    found, remarks = cohort_cases([table], tmp_path / "out")
    assert [(case.patient, case.source, case.series) for case in found] == \
        [("A", scans / "p1.nii.gz", "2"), ("B", scans / "p2.nii.gz", None), ("p3", scans / "p3.nrrd", None)]
    assert found[0].clinical == ClinicalInputs(age_years=67, gcs=11, ivh=True, location="lobar")
    assert found[1].clinical == ClinicalInputs(infratentorial=False)
    assert len(remarks) == 1 and "not used: the column remark" in remarks[0]


@pytest.mark.parametrize("text, encoding", [("\ufeffScan;Patient\np1.nii.gz;A\n", "utf-8"),
                                            ("scan\tpatient\r\np1.nii.gz\tA\r\n", "utf-8")])
def test_what_spreadsheets_write_is_read(scans, tmp_path, text, encoding):
    assert patients(written(scans, text, encoding), out=tmp_path / "out") == ["A"]


@pytest.mark.parametrize("text, words", [
    ("patient,path\nA,p1.nii.gz\n", "no column scan; its first line names patient, path"),
    ("", "no column scan; its first line names none"),
    ("scan,scan\na,b\n", "the column scan twice"),
])
def test_a_csv_without_its_column_is_refused_in_a_sentence(scans, tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        cohort_cases([written(scans, text)], tmp_path / "out")


def test_a_csv_in_another_encoding_is_refused(scans, tmp_path):
    with pytest.raises(InputError, match="is not UTF-8"):
        cohort_cases([written(scans, "scan\nm\u00fcller.nii\n", "latin-1")], tmp_path / "out")


@pytest.mark.parametrize("row, words", [
    (",A,,", "line 2: the column scan is empty"), ("p1.nii.gz,A,eleven,", "line 2: gcs is 'eleven'"),
    ("p1.nii.gz,A,2,", "line 2: GCS 2"), ("p1.nii.gz,A,,perhaps", "line 2: ivh is 'perhaps'")])
def test_a_bad_line_is_the_problem_of_its_patient_alone(scans, tmp_path, row, words):
    found = cases_of(written(scans, f"scan,patient,gcs,ivh\n{row}\np2.nii.gz,B,14,no\n"), out=tmp_path / "out")
    assert words in found[0].problem and not found[1].problem


def test_two_scans_under_one_id_are_both_named_and_none_is_measured(scans, tmp_path):
    found = cases_of(written(scans, "scan,patient\np1.nii.gz,A\np2.nii.gz,A\np3.nrrd,B\n"), out=tmp_path / "out")
    assert all("2 scans have the ID 'A'" in case.problem and "p2.nii.gz" in case.problem for case in found[:2])
    assert not found[2].problem
    (scans / "p1.nrrd").write_bytes(b"x")
    assert [bool(case.problem) for case in cases_of(scans, out=tmp_path / "out")] == [True, True, False, False, False]


def test_folders_have_names_of_their_own_on_every_file_system(scans, tmp_path):
    ids = ["a/b", "a:b", "A_b", "CON", "..", "x" * 300, "M\u00fcller, J.", "p1"]
    rows = "".join(f'p1.nii.gz,"{one}"\n' for one in ids)
    folders = [case.folder for case in cases_of(written(scans, f"scan,patient\n{rows}"), out=tmp_path / "out")]
    assert len({folder.casefold() for folder in folders}) == len(ids)
    assert folders[-1] == "p1" and all(len(folder) < 100 and folder.strip(". ") == folder for folder in folders)
    assert not any(set(folder) & set('/\\:*?"<>|') for folder in folders) and "CON" not in folders


@pytest.mark.parametrize("given, words", [("nowhere", "There is no file or folder"),
                                          ("*.zip", "No file or folder matches")])
def test_an_input_that_is_not_there_is_named(scans, tmp_path, given, words):
    with pytest.raises(InputError, match=words):
        cohort_cases([str(scans / given)], tmp_path / "out")


def test_a_folder_with_no_scans_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="No scan was found in .*empty"):
        cohort_cases([tmp_path / "empty"], tmp_path / "out")


def test_results_are_not_written_among_the_scans(scans):
    with pytest.raises(InputError, match="is the folder of the scans"):
        cohort_cases([scans], scans)
