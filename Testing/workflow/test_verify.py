"""An output folder says whether its files still belong together, and where its mask came from."""

import json

import pytest
from command_line import ichvolume
from comparisons import comparison
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.compare_files import (
    COMPARE_CSV,
    COMPARE_HTML,
    COMPARE_JSON,
    write_compare_csv,
    write_compare_json,
)
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.workflow.case import run_measure
from ICHVolumeLib.workflow.verify import verify


@pytest.fixture
def case(tmp_path, monkeypatch):
    """A measured case, and a function that measures another mask of the same scan."""
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))
    phantom = ellipsoid_ct("regular", pixel_mm=2.0, step_mm=5.0)
    write_nrrd(tmp_path / "ct.nrrd", phantom.ct.hu, phantom.ct.ijk_to_ras)

    def measure(name, mask, **more):
        write_nrrd(tmp_path / f"{name}.nrrd", mask, phantom.ct.ijk_to_ras)
        return run_measure(tmp_path / "ct.nrrd", tmp_path / f"{name}.nrrd", tmp_path / name, **more).out

    return phantom, measure("first", phantom.mask), measure


def test_a_folder_as_it_was_written_belongs_together(case):
    checked = verify(case[1])
    assert checked.belongs_together
    assert [row.name for row in checked.rows] == ["ich.stl", "mask.seg.nrrd", "report.html", "result.csv",
                                                  "result.json", "volume"]


@pytest.mark.parametrize("name", ["ich.stl", "mask.seg.nrrd", "report.html", "result.csv", "result.json"])
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_file_that_was_changed_or_is_gone_is_named(case, name, harm):
    path = case[1] / name
    if harm == "missing":
        path.unlink()
    elif name == "result.json":
        path.write_text(path.read_text("utf-8").replace('"found": true', '"found": false'), "utf-8")
    else:
        path.write_bytes(path.read_bytes() + b" ")
    if (name, harm) == ("result.json", "missing"):
        with pytest.raises(InputError, match="has no result.json"):
            verify(case[1])
        return
    checked = verify(case[1])
    assert not checked.belongs_together
    assert [row.name for row in checked.rows if row.state == harm] == [name]


def test_another_mask_in_its_place_is_seen_by_its_volume_too(case):
    phantom, first, measure = case
    half = phantom.mask.copy()
    half[:len(half) // 2] = 0
    (first / "mask.seg.nrrd").write_bytes((measure("half", half) / "mask.seg.nrrd").read_bytes())
    volume = verify(first).rows[-1]
    assert volume.state == "changed" and "mL in the mask" in volume.remark


def test_a_corrected_mask_keeps_the_history_and_counts_what_changed(case):
    phantom, first, measure = case
    corrected = phantom.mask.copy()
    k = len(corrected) // 2
    corrected[k, 0, :3] = 1
    corrected[k][phantom.mask[k] > 0] = 0
    out = measure("corrected", corrected, automatic_json=first / "result.json")
    history = json.loads((out / "result.json").read_text("utf-8"))["history"]
    assert [version["origin"] for version in history] == ["foreign", "edited"]
    assert history[1]["voxels_added"] == 3 and history[1]["voxels_removed"] == (phantom.mask[k] > 0).sum()
    assert len({version["mask_sha256"] for version in history}) == 2
    assert verify(out).belongs_together


def test_the_command_ends_with_1_when_something_was_changed(case):
    assert ichvolume("verify", case[1]).returncode == 0
    (case[1] / "report.html").write_text("edited")
    done = ichvolume("verify", case[1])
    assert done.returncode == 1 and "do not belong together" in done.stderr and "report.html" in done.stdout


def test_a_folder_of_an_earlier_version_says_so(tmp_path):
    (tmp_path / "result.json").write_text('{"volume_ml": {"total": 1.0}}')
    with pytest.raises(InputError, match="kept no checksums"):
        verify(tmp_path)


def test_a_folder_of_compare_is_verified_by_its_own_record(tmp_path):
    write_compare_csv(tmp_path, comparison())
    (tmp_path / COMPARE_HTML).write_text("<html></html>", encoding="utf-8")
    write_compare_json(tmp_path, comparison())
    assert verify(tmp_path).belongs_together
    (tmp_path / COMPARE_CSV).write_text("other", encoding="utf-8")
    checked = verify(tmp_path)
    assert not checked.belongs_together
    assert {row.name: row.state for row in checked.rows} == {
        COMPARE_CSV: "changed", COMPARE_HTML: "unchanged", COMPARE_JSON: "unchanged"}


def test_a_changed_number_in_compare_json_is_seen(tmp_path):
    write_compare_json(tmp_path, comparison())
    path = tmp_path / COMPARE_JSON
    path.write_text(path.read_text("utf-8").replace("60.0", "6.0", 1), encoding="utf-8")
    assert not verify(tmp_path).belongs_together
