"""Two measured scans compared: growth against the truth, both rules, the patient, the order, and what is written."""

import csv
import json

import numpy as np
import pytest
from command_line import ichvolume
from follow_up_patients import measured, rigid, scan_of_head
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.imaging.registration import Registration
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.written_files import UNCHANGED, file_states
from ICHVolumeLib.workflow import follow_up
from ICHVolumeLib.workflow.case import run_measure

POOR = Registration(np.eye(4), 0.5, 0.4, 1.0)


@pytest.fixture(autouse=True)
def no_3d_picture(monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))


@pytest.fixture
def without_registration(monkeypatch):
    monkeypatch.setattr(follow_up, "register_heads", lambda fixed, moving: POOR)


@pytest.fixture
def small(tmp_path, without_registration):
    """A function that measures the first `voxels` voxels of a small phantom as ICH and others as IVH."""
    phantom = ellipsoid_ct("regular", pixel_mm=2.0, step_mm=5.0)  # a voxel is 0.02 mL
    write_nrrd(tmp_path / "ct.nrrd", phantom.ct.hu, phantom.ct.ijk_to_ras)

    def make(name, ich_voxels, ivh_voxels=0):
        mask = np.zeros(phantom.ct.hu.shape, np.uint8)
        mask.reshape(-1)[5000:5000 + ich_voxels] = 1
        mask.reshape(-1)[40000:40000 + ivh_voxels] = 2
        write_nrrd(tmp_path / f"{name}.nrrd", mask, phantom.ct.ijk_to_ras)
        return run_measure(tmp_path / "ct.nrrd", tmp_path / f"{name}.nrrd", tmp_path / name).out

    return make


def codes(comparison):
    return {finding.code for finding in comparison.findings}


def test_a_grown_moved_tilted_and_resliced_bleed_has_its_known_growth(tmp_path):
    ct, mask, _ = scan_of_head(20)
    earlier = measured(tmp_path / "1", ct, mask, when="20260101T080000", PatientBirthDate="19500101")
    ct, mask, _ = scan_of_head(32, 5, tilt_deg=15, uneven=True, motion=rigid((6, -4, 8), (10, -20, 30)))
    later = measured(tmp_path / "2", ct, mask, when="20260102T093000", PatientBirthDate="19500101")
    comparison = follow_up.run_compare(earlier, later, tmp_path / "out")
    change = comparison.expansion
    assert change.ich_ml == pytest.approx(12, rel=0.04) and change.ich_percent == pytest.approx(60, rel=0.05)
    assert comparison.total_ml == pytest.approx(17, rel=0.04) and change.new_ivh
    assert change.expanded and change.expanded_revised and comparison.residual_ich_ml is None
    assert comparison.patient == "same" and comparison.hours_between == 25.5
    assert comparison.registration.good and "slices-differ" in codes(comparison)
    assert not {"scans-swapped", "registration-poor", "patient-unknown"} & codes(comparison)
    page = (tmp_path / "out" / "compare.html").read_text("utf-8")
    assert page.count('class="over"') == 5 and "SAMPLE" not in page and "1950" not in page
    printed = page[page.index("@bottom-left"):page.index("</style>")]  # on every page: both series, and its number
    assert all(scan.series_uid in printed for scan in (comparison.earlier, comparison.later))
    assert "counter(pages)" in printed
    values = json.loads((tmp_path / "out" / "compare.json").read_text("utf-8"))
    assert values["schema"] == "ichvolume-compare/1" and values["expansion"]["ich_ml"] == change.ich_ml
    assert "SAMPLE" not in json.dumps(values) and "19500101" not in json.dumps(values)


@pytest.mark.parametrize("first, second, expanded, revised", [
    ((2000, 0), (2300, 0), False, False),  # 40 to 46 mL: exactly 6 mL
    ((2000, 0), (2301, 0), True, True),
    ((500, 0), (665, 0), False, False),  # 10 to 13.3 mL: exactly 33 %
    ((500, 0), (666, 0), True, True),
    ((500, 155), (500, 205), False, True),  # 3.1 to 4.1 mL: exactly 1 mL of IVH
    ((500, 155), (500, 204), False, False),
    ((500, 0), (500, 1), False, True),
])
def test_both_rules_on_and_just_off_their_limits(small, tmp_path, first, second, expanded, revised):
    comparison = follow_up.run_compare(small("a", *first), small("b", *second), tmp_path / "out")
    change = comparison.expansion
    assert (change.expanded, change.expanded_revised) == (expanded, revised)
    assert change.ich_ml == pytest.approx((second[0] - first[0]) * 0.02, abs=1e-6)


def test_what_is_left_after_an_evacuation(small, tmp_path):
    comparison = follow_up.run_compare(small("a", 2000), small("b", 500), tmp_path / "out")
    assert comparison.residual_ich_ml == pytest.approx(10) and comparison.residual_ich_percent == pytest.approx(25)
    assert "Residual ICH" in (tmp_path / "out" / "compare.html").read_text("utf-8")


def test_files_that_say_nothing_of_the_patient_and_one_scan_twice_are_told(small, tmp_path):
    comparison = follow_up.run_compare(small("a", 100), small("b", 120), tmp_path / "out")
    assert comparison.patient == "cannot tell" and {"patient-unknown", "same-scan"} <= codes(comparison)


def test_a_poor_registration_is_said_and_not_shown(small, tmp_path):
    comparison = follow_up.run_compare(small("a", 100), small("b", 120), tmp_path / "out")
    page = (tmp_path / "out" / "compare.html").read_text("utf-8")
    assert "registration-poor" in codes(comparison) and "<svg" not in page and "Not shown" in page


@pytest.fixture
def pair(tmp_path, without_registration):
    def make(**of_the_later):
        ct, mask, _ = scan_of_head(10)
        earlier = measured(tmp_path / "1", ct, mask, when="20260102T080000", PatientID="A1", PatientName="Doe^Jane")
        ct, mask, _ = scan_of_head(12, motion=rigid((0, 0, 3)))
        return earlier, measured(tmp_path / "2", ct, mask, **of_the_later)

    return make


def test_two_patients_are_refused_unless_a_person_has_checked(pair, tmp_path):
    earlier, later = pair(PatientID="B2", PatientName="Roe^Mary")
    with pytest.raises(InputError, match="two patients: patient ID and name differ") as refused:
        follow_up.run_compare(earlier, later, tmp_path / "out")
    assert not any(word in str(refused.value).upper() for word in ("DOE", "ROE", "B2"))
    assert not (tmp_path / "out").exists()
    comparison = follow_up.run_compare(earlier, later, tmp_path / "out", same_patient=True)
    assert "patient-conflict" in codes(comparison)


def test_swapped_scans_are_noticed_by_their_dates(pair, tmp_path):
    earlier, later = pair(when="20260101T080000", PatientID="A1", PatientName="Doe^Jane")
    comparison = follow_up.run_compare(earlier, later, tmp_path / "out")
    assert "scans-swapped" in codes(comparison) and comparison.hours_between == -24


def test_a_moved_scan_is_asked_for_and_another_one_refused(small, tmp_path):
    earlier, later = small("a", 100), small("b", 120)
    (tmp_path / "ct.nrrd").rename(tmp_path / "moved.nrrd")
    with pytest.raises(InputError, match="--earlier-scan"):
        follow_up.run_compare(earlier, later, tmp_path / "out")
    other = ellipsoid_ct("regular", pixel_mm=2.0, step_mm=4.0)
    write_nrrd(tmp_path / "other.nrrd", other.ct.hu, other.ct.ijk_to_ras)
    with pytest.raises(InputError, match="is not the scan that"):
        follow_up.run_compare(earlier, later, tmp_path / "out", earlier_scan=tmp_path / "other.nrrd",
                              later_scan=tmp_path / "moved.nrrd")
    follow_up.run_compare(earlier, later, tmp_path / "out", earlier_scan=tmp_path / "moved.nrrd",
                          later_scan=tmp_path / "moved.nrrd")


def test_a_mask_changed_after_it_was_measured_is_refused(small, tmp_path):
    earlier, later = small("a", 100), small("b", 120)
    (later / "mask.seg.nrrd").write_bytes((earlier / "mask.seg.nrrd").read_bytes())
    with pytest.raises(InputError, match="mask.seg.nrrd was changed after it was measured"):
        follow_up.run_compare(earlier, later, tmp_path / "out")


def test_its_own_files_are_sealed_replaced_and_never_lost(small, tmp_path):
    earlier, later, out = small("a", 100), small("b", 120), tmp_path / "out"
    for _ in range(2):
        follow_up.run_compare(earlier, later, out)
    assert file_states(out, record="compare.json") == dict.fromkeys(("compare.csv", "compare.html", "compare.json"),
                                                                    UNCHANGED)
    (out / "compare.csv").write_text("notes")
    with pytest.raises(InputError, match="compare.csv"):
        follow_up.run_compare(earlier, later, out)
    follow_up.run_compare(earlier, later, out, force=True)
    assert [path.read_text() for path in out.glob("2*-compare.csv")] == ["notes"]


def test_the_table_has_one_row_with_units(small, tmp_path):
    follow_up.run_compare(small("a", 100), small("b", 500), tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "compare.csv").open(encoding="utf-8")))
    assert len(rows) == 1 and float(rows[0]["ich_change_ml"]) == pytest.approx(8) and rows[0]["expanded"] == "yes"
    assert float(rows[0]["ich_change_percent"]) == pytest.approx(400) and rows[0]["residual_ich_ml"] == ""


def test_the_command_tells_growth_and_rules(small, tmp_path):
    done = ichvolume("compare", small("a", 100), small("b", 500), "-o", tmp_path / "out")
    assert done.returncode == 0 and "+8.0 mL (+400 %)" in done.stdout and "yes  Expansion" in done.stdout
    missing = ichvolume("compare", tmp_path / "nothing", tmp_path / "b", "-o", tmp_path / "out2")
    assert missing.returncode == 2 and "has no result.json" in missing.stderr
