"""Export: what was wished is written, re-readable, and said; what goes wrong is said and leaves no half file."""

import csv
import os

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
    assert float(row["volume_total_ml"]) == ready.case.result.volume_ml.total


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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said(ready, tmp_path):
    tmp_path.chmod(0o500)
    assert "failed" in export(ready, tmp_path)


def test_a_full_disk_is_said_and_leaves_no_half_file(ready, tmp_path, monkeypatch):
    from ICHVolumePanel import exporting

    def full(path, result):
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "write_csv", full)
    said = export(ready, tmp_path)
    assert "No space left on device" in said and "Written before that" in said
    assert not list(tmp_path.glob("*.csv*"))
    monkeypatch.undo()
    assert "Written to" in export(ready, tmp_path)


def test_an_unforeseen_failure_is_said(ready, tmp_path, monkeypatch):
    from ICHVolumePanel import exporting

    monkeypatch.setattr(exporting, "write_csv", lambda path, result: 1 / 0)
    assert "Export failed (division by zero)" in export(ready, tmp_path)
    assert ready.case.result.found


def test_the_logic_exports_from_a_script(ready, bridge, tmp_path):
    written = bridge.module.ICHVolumeLogic().export(ready.segmentation, tmp_path, formats=("PLY",))
    assert any(path.suffix == ".ply" for path in written)
