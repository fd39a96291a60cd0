"""Export: what was wished is written, re-readable, and said; what goes wrong is said and leaves no half file."""

import csv
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def ready(panel, sample):
    panel.volume = panel.choose_ct(sample.ct, "Patient 7")
    panel.take(sample)
    return panel


def export(panel, folder):
    panel.ui.exportFolderEdit.currentPath = str(folder)
    panel.ui.exportButton.click()
    panel.wait_until(lambda: panel.ui.exportButton.enabled)
    return panel.ui.exportLabel.text


def test_everything_wished_is_written_and_named(ready, tmp_path):
    ready.ui.exportObjCheckBox.checked = ready.ui.exportPlyCheckBox.checked = True
    said = export(ready, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    for ending in (".stl", ".obj", ".ply", ".seg.nrrd", ".csv", ".html"):
        assert any(name.endswith(ending) for name in names), (ending, names)
    assert str(tmp_path) in said and "mm, LPS" in said
    assert all(name in said or name.endswith(".mtl") for name in names)
    assert all(name.startswith("Patient_7") for name in names)


def test_only_what_is_wished(ready, tmp_path):
    for box in (ready.ui.exportStlCheckBox, ready.ui.exportMaskCheckBox, ready.ui.exportReportCheckBox):
        box.checked = False
    export(ready, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".csv"]


def test_nothing_wished_is_said(ready, tmp_path):
    for box in (ready.ui.exportStlCheckBox, ready.ui.exportMaskCheckBox, ready.ui.exportReportCheckBox,
                ready.ui.exportTableCheckBox):
        box.checked = False
    assert "at least one" in export(ready, tmp_path)


def test_the_csv_has_the_corrected_numbers(ready, tmp_path):
    ready.type_into("c_mm", "25")
    ready.type_into("gcs", "9")
    export(ready, tmp_path)
    with open(next(tmp_path.glob("*.csv")), encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert float(row["abc2_c_mm"]) == 25
    assert float(row["volume_total_ml"]) == pytest.approx(ready.case.result.volume_ml.total, abs=0.05)
    assert row["measured_at"] and row["mask_origin"] == ready.case.result.mask_origin


def test_lps_and_ras_models_mirror_each_other(ready, tmp_path):
    import vtk

    centres = {}
    for index, name in ((0, "lps"), (1, "ras")):
        ready.ui.spaceCombo.setCurrentIndex(index)
        export(ready, tmp_path / name)
        reader = vtk.vtkSTLReader()
        reader.SetFileName(str(next((tmp_path / name).glob("*.stl"))))
        reader.Update()
        centres[name] = np.array(reader.GetOutput().GetCenter())
        assert f"mm, {name.upper()}" in ready.ui.exportLabel.text
    assert np.allclose(centres["lps"] * [-1, -1, 1], centres["ras"], atol=1e-3)


def test_no_folder_is_said(ready):
    assert "Choose a folder" in export(ready, "")


def test_a_folder_that_is_a_file_is_said(ready, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert "failed" in export(ready, tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def wish_only(panel, *names):
    for name in ("Stl", "Obj", "Ply", "Mask", "Table", "Report", "Dicom"):
        getattr(panel.ui, f"export{name}CheckBox").checked = name in names


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """A folder that nobody can write into, root included: the calls that make a file in it fail as the system would."""
    import builtins
    import tempfile

    folder = tmp_path / "read-only"
    folder.mkdir()
    really_open, really_make = builtins.open, tempfile.mkdtemp

    def refuse(path):
        if folder in [Path(path), *Path(path).parents]:
            raise PermissionError(13, "Permission denied", str(path))

    def open_there(path, mode="r", *arguments, **options):
        if not isinstance(path, int) and set(mode) & set("wax+"):
            refuse(path)
        return really_open(path, mode, *arguments, **options)

    def make_there(*arguments, **options):
        refuse(options.get("dir") or tempfile.gettempdir())
        return really_make(*arguments, **options)

    monkeypatch.setattr(builtins, "open", open_there)
    monkeypatch.setattr(tempfile, "mkdtemp", make_there)
    folder.chmod(0o500)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize("kind", ["Stl", "Mask", "Table", "Report"])
def test_a_read_only_folder_is_said_for_every_kind_of_file(ready, read_only, tmp_path, kind):
    wish_only(ready, kind)
    said = export(ready, read_only)
    assert "Permission denied" in said and str(read_only) in said and "Choose another folder" in said
    assert list(read_only.iterdir()) == []
    assert "Written to" in export(ready, tmp_path / "elsewhere")
    assert ready.case.result.found


def test_a_folder_below_a_file_is_said(ready, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    said = export(ready, tmp_path / "file" / "folder")
    assert "failed" in said and "Choose another folder" in said


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux has a file system that refuses every file")
def test_a_file_system_without_room_for_files_is_said(ready):
    said = export(ready, "/proc/ichvolume")
    assert "Export into /proc/ichvolume failed" in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_disk_that_is_really_full_is_said(ready, tmp_path, monkeypatch):
    """The file opens and the system refuses the bytes, as on a full disk."""
    from ICHVolumeLib.core import atomic_files

    really_open = open
    monkeypatch.setattr(atomic_files, "open", lambda path, mode: really_open("/dev/full", mode, buffering=0),
                        raising=False)
    wish_only(ready, "Table")
    said = export(ready, tmp_path)
    assert "No space left on device" in said and list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert "Written to" in export(ready, tmp_path)


def test_a_disk_that_fills_up_on_the_way_leaves_the_earlier_export(ready, tmp_path, monkeypatch):
    from ICHVolumePanel import exporting

    export(ready, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert any(name.endswith("_mask.seg.nrrd") for name in before)

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "replace_file", full)
    said = export(ready, tmp_path)
    assert "No space left on device" in said and "Nothing in it was changed" in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    monkeypatch.undo()
    assert "Written to" in export(ready, tmp_path)


def test_an_unforeseen_failure_is_said(ready, tmp_path, monkeypatch):
    from ICHVolumePanel import exporting

    monkeypatch.setattr(exporting, "csv_text", lambda result: 1 / 0)
    assert "Export failed (division by zero)" in export(ready, tmp_path)
    assert ready.case.result.found


def test_the_report_is_written_by_the_child_while_the_panel_goes_on(ready, tmp_path):
    wish_only(ready, "Report")
    ready.ui.exportFolderEdit.currentPath = str(tmp_path)
    ready.ui.exportButton.click()
    ready.wait_until(lambda: ready.ui.exportLabel.text.startswith("Writing the report"))
    volume = f"{ready.case.result.volume_ml.total:.1f}"
    ready.type_into("gcs", "5")  # later changes are not in it
    ready.wait_until(lambda: ready.ui.exportButton.enabled)
    page = (tmp_path / "Patient_7_report.html").read_text(encoding="utf-8")
    assert volume in page and "Unknown: GCS" in page


def test_a_child_that_cannot_write_the_report_is_said_and_nothing_is_half_there(ready, tmp_path, monkeypatch):
    from ICHVolumePanel import child_process

    monkeypatch.setattr(child_process, "python_executable", lambda: "/nowhere/PythonSlicer")
    wish_only(ready, "Table", "Report")
    said = export(ready, tmp_path)
    assert "cannot be started" in said and "Nothing in it was changed" in said
    assert list(tmp_path.iterdir()) == []


def test_a_surface_of_an_earlier_export_goes_when_there_is_none_any_more(ready, tmp_path):
    """An IVH.stl that stays beside the new ICH.stl would be taken for this case's."""
    (tmp_path / "Patient_7_IVH.stl").write_text("of before", encoding="utf-8")
    (tmp_path / "Patient_8_IVH.stl").write_text("of another", encoding="utf-8")
    wish_only(ready, "Stl")
    export(ready, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"Patient_7_ICH.stl", "Patient_8_IVH.stl"}


def test_a_panel_closed_while_it_exports_leaves_nothing_behind(ready, tmp_path):
    wish_only(ready, "Table", "Report")
    ready.ui.exportFolderEdit.currentPath = str(tmp_path / "out")
    ready.ui.exportButton.click()
    ready.wait_until(lambda: ready.ui.exportLabel.text.startswith("Writing the report"))
    ready.leave()
    assert list(tmp_path.iterdir()) == []


def test_the_logic_exports_from_a_script(ready, bridge, tmp_path):
    written = bridge.module.ICHVolumeLogic().export(ready.segmentation, tmp_path, formats=("PLY",))
    assert any(path.suffix == ".ply" for path in written)


def test_models_are_only_spoken_of_when_there_are_some(panel, sample, tmp_path):
    from types import SimpleNamespace

    panel.choose_ct(sample.ct)
    panel.take(SimpleNamespace(mask=sample.mask * 0))
    wish_only(panel, "Stl", "Table")
    said = export(panel, tmp_path)
    assert "_result.csv" in said and "Models" not in said


def test_a_mask_deleted_before_it_is_written_is_no_matter_of_the_folder(ready, tmp_path):
    wish_only(ready, "Mask")
    ready.ui.exportFolderEdit.currentPath = str(tmp_path)
    ready.ui.exportButton.click()
    ready.slicer.mrmlScene.RemoveNode(ready.segmentation)
    ready.wait_until(lambda: "Writing" not in ready.ui.exportLabel.text)
    said = ready.ui.exportLabel.text
    assert "no longer in the scene" in said and "free some space" not in said


@pytest.fixture
def from_dicom(panel, sample, tmp_path, monkeypatch):
    """A panel whose CT came from a DICOM folder, as Slicer's database would say; panel.scan is the CT as read there."""
    pytest.importorskip("highdicom")
    from ICHVolumePanel import exporting, scene_volume

    from ICHVolumeLib.io.read_ct import read_ct
    from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

    write_dicom_series(sample.ct, tmp_path / "scan")
    panel.scan = read_ct(tmp_path / "scan")
    monkeypatch.setattr(scene_volume, "_dicom_values",
                        lambda node: {"modality": "CT", "series_uid": panel.scan.info.series_uid})
    monkeypatch.setattr(exporting, "dicom_folder", lambda node: str(tmp_path / "scan"))
    panel.choose_ct(panel.scan, "Patient 7")
    panel.take(sample)
    return panel


def test_dicom_is_written_by_the_child_and_read_back_as_the_same_mask(from_dicom, sample, tmp_path):
    import pydicom

    from ICHVolumeLib.io.masks import read_mask

    before = {path.name for path in (tmp_path / "scan").iterdir()}
    wish_only(from_dicom)
    from_dicom.ui.exportDicomCheckBox.checked = True
    said = export(from_dicom, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"Patient_7_ich.seg.dcm", "Patient_7_ich.sr.dcm"}, said
    mask = read_mask(tmp_path / "out" / "Patient_7_ich.seg.dcm", from_dicom.scan)
    assert np.array_equal(mask, sample.mask)
    report = pydicom.dcmread(tmp_path / "out" / "Patient_7_ich.sr.dcm")
    assert report.Modality == "SR" and f"{from_dicom.case.result.volume_ml.ich:.1f}"[:3] in str(report.ContentSequence)
    assert {path.name for path in (tmp_path / "scan").iterdir()} == before, "nothing is written beside the scan"


def test_dicom_without_highdicom_says_how_to_install_it_and_writes_nothing(from_dicom, tmp_path, monkeypatch):
    from ICHVolumeLib.workflow import dicom_files

    monkeypatch.setattr(from_dicom.widget.panel._client, "dicom",
                        lambda *arguments: arguments[-1].failed(dicom_files.NO_HIGHDICOM, "input"))
    from_dicom.ui.exportDicomCheckBox.checked = True
    assert "slicer.util.pip_install('highdicom')" in export(from_dicom, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_dicom_of_a_ct_that_is_none_is_refused_in_a_sentence(ready, tmp_path):
    ready.ui.exportDicomCheckBox.checked = True
    said = export(ready, tmp_path / "out")
    assert "was not loaded from the DICOM database" in said and not (tmp_path / "out").exists()
