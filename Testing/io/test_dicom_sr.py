"""The structured report: the numbers of the result, about the segments and images that they were measured on."""

import shutil
import subprocess
import warnings
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from dicom_files import change_all, enhanced_ct
from dicom_out import Scan, image_of, scan, scattered, segment_of, values_of

from ICHVolumeLib.core.result import Result
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.workflow.make_result import make_result

hd = pytest.importorskip("highdicom")

from ICHVolumeLib.io.dicom_codes import Algorithm  # noqa: E402
from ICHVolumeLib.io.dicom_seg import write_dicom_seg  # noqa: E402
from ICHVolumeLib.io.dicom_source import source_series  # noqa: E402
from ICHVolumeLib.io.dicom_sr import write_dicom_sr  # noqa: E402

MODEL = Algorithm("AttFocusNet", "0.7.0", "ab" * 32)
# What Resources/Dicom.md explains.
EXPLAINED = ("Missing attribute or value that would be needed to build DICOMDIR", "Retired Person Name form")
needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None,
                                    reason="dciodvfy (Debian's dicom3tools) is not installed")


def written(case: Scan, folder, algorithm=MODEL) -> tuple[Result, pydicom.Dataset, pydicom.Dataset | None]:
    """(result, structured report, Segmentation) of a mask."""
    result, source, seg = make_result(case.ct, case.mask, noticed=[]), source_series(case.ct), folder / "seg.dcm"
    if result.found:
        write_dicom_seg(seg, case.ct, case.mask, source, algorithm=MODEL, software_version="0.1.0",
                        algorithm_type="AUTOMATIC" if algorithm else "MANUAL")
    write_dicom_sr(folder / "sr.dcm", result, source, seg, algorithm=algorithm, software_version="0.1.0")
    return result, pydicom.dcmread(folder / "sr.dcm"), pydicom.dcmread(seg) if result.found else None


def items(item, concept):
    """The content items below `item` whose name has this code value."""
    found = [item] if "ConceptNameCodeSequence" in item and item.ConceptNameCodeSequence[0].CodeValue == concept else []
    return found + [hit for inner in item.get("ContentSequence") or [] for hit in items(inner, concept)]


def groups(report):
    """Tracking identifier -> measurement group."""
    return {items(group, "112039")[0].TextValue: group for group in items(report, "125007")}


def numbers(group):
    """(code, unit, method or None) -> value, of the measurements in a group."""
    found = {}
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            name, measured = item.ConceptNameCodeSequence[0], item.MeasuredValueSequence[0]
            method = [one.ConceptCodeSequence[0].CodeValue for one in items(item, "370129005")]
            key = f"{name.CodingSchemeDesignator} {name.CodeValue}", measured.MeasurementUnitsCodeSequence[0].CodeValue
            found[(*key, *method)] = float(measured.NumericValue)
    return found


@pytest.mark.parametrize("grid", ["regular", "tilted", "uneven", "tilted-uneven"])
def test_the_numbers_are_those_of_the_result(tmp_path, grid):
    result, report, _ = written(scan(tmp_path / "ct", grid), tmp_path)
    assert numbers(groups(report)["ICH"]) == pytest.approx({
        ("SCT 118565006", "mL", "126030"): result.volume_ml.ich,
        ("DCM 121221", "mL", "126029"): result.abc2.coniglobus_ml,
        ("SCT 103339001", "mm"): result.abc2.a_mm, ("SCT 131189007", "mm"): result.abc2.b_mm}, rel=1e-12)
    assert numbers(groups(report)["IVH"]) == pytest.approx(
        {("SCT 118565006", "mL", "126030"): result.volume_ml.ivh}, rel=1e-12)


def test_it_is_a_tid_1500_report_that_highdicom_reads(tmp_path):
    result, _, seg = written(scan(tmp_path / "ct"), tmp_path)
    report = hd.sr.srread(tmp_path / "sr.dcm").content
    assert isinstance(report, hd.sr.MeasurementReport)
    for number, label in enumerate(("ICH", "IVH"), 1):
        uid = seg.SegmentSequence[number - 1].TrackingUID
        (group,) = report.get_volumetric_roi_measurement_groups(tracking_uid=uid)
        segment = group.referenced_segment[0]
        assert segment.referenced_segment_numbers == [number]
        assert segment.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert group.get_measurements()[0].value == pytest.approx(getattr(result.volume_ml, label.lower()))


def test_each_group_names_finding_site_and_algorithm(tmp_path):
    _, report, _ = written(scan(tmp_path / "ct"), tmp_path)
    for name, site in (("ICH", "12738006"), ("IVH", "35764002")):
        group = groups(report)[name]
        assert items(group, "121071")[0].ConceptCodeSequence[0].CodeValue == "50960005"
        assert items(group, "363698007")[0].ConceptCodeSequence[0].CodeValue == site
        assert items(group, "111001")[0].TextValue == MODEL.name
        assert items(group, "111003")[0].TextValue == MODEL.version
        assert MODEL.sha256 in items(group, "111002")[0].TextValue
    assert "Research use only" in items(report, "121013")[0].TextValue


def test_a_mask_by_hand_names_no_algorithm(tmp_path):
    _, report, _ = written(scan(tmp_path / "ct"), tmp_path, algorithm=None)
    assert items(report, "111001") == []


def test_a_segment_names_the_images_of_its_frames_and_the_evidence_all(tmp_path):
    case = scan(tmp_path / "ct")
    case.mask[5][case.mask[5] == 2] = 0
    _, report, seg = written(case, tmp_path)
    for number, name in enumerate(("ICH", "IVH"), 1):
        named = {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
                 for item in items(groups(report)[name], "121233")}
        assert named == {image_of(frame)[0] for frame in seg.PerFrameFunctionalGroupsSequence
                         if segment_of(seg, frame) == number}
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    evidence = {item.ReferencedSOPInstanceUID for series in study.ReferencedSeriesSequence
                for item in series.ReferencedSOPSequence}
    assert evidence == {image.sop_instance_uid for image in source_series(case.ct).images} | {seg.SOPInstanceUID}


def test_a_multi_frame_ct_is_named_once_with_its_frames(tmp_path):
    plain = scan(tmp_path / "ct")
    (tmp_path / "enhanced").mkdir()
    enhanced_ct([pydicom.dcmread(path) for path in sorted(plain.folder.glob("*.dcm"))]).save_as(
        tmp_path / "enhanced" / "one.dcm")
    ct = read_ct(tmp_path / "enhanced")
    _, report, seg = written(Scan(tmp_path / "enhanced", ct, scattered(ct)), tmp_path)
    (image,) = items(groups(report)["ICH"], "121233")
    assert sorted(image.ReferencedSOPSequence[0].ReferencedFrameNumber) == sorted(
        image_of(frame)[1] for frame in seg.PerFrameFunctionalGroupsSequence if segment_of(seg, frame) == 1)


def test_nothing_marked_is_zero_and_refers_to_the_images(tmp_path):
    case = scan(tmp_path / "ct", labels=(0,))
    _, report, _ = written(case, tmp_path)
    for group in groups(report).values():
        assert numbers(group) == {("SCT 118565006", "mL", "126030"): 0.0}
        assert items(group, "121191") == [] and len(items(group, "121112")) == len(case.ct.hu)


def test_ivh_alone_refers_to_the_first_segment(tmp_path):
    result, report, _ = written(scan(tmp_path / "ct", labels=(0, 2)), tmp_path)
    assert items(groups(report)["IVH"], "121191")[0].ReferencedSOPSequence[0].ReferencedSegmentNumber == 1
    assert numbers(groups(report)["ICH"]) == {("SCT 118565006", "mL", "126030"): 0.0}
    assert numbers(groups(report)["IVH"])["SCT 118565006", "mL", "126030"] == pytest.approx(result.volume_ml.ivh)


def test_a_de_identified_series_gains_no_name_and_no_date(tmp_path):
    case = scan(tmp_path / "ct")
    change_all(case.folder, PatientName="", PatientIdentityRemoved="YES", StudyDate="20010203")
    _, report, _ = written(case, tmp_path)
    source = pydicom.dcmread(next(case.folder.glob("*.dcm")))
    assert values_of(report, "DA", "DT") <= values_of(source, "DA", "DT")
    assert values_of(report, "PN") == set()


def test_it_says_nothing_about_the_source_on_the_terminal(tmp_path):
    case = scan(tmp_path / "ct")
    change_all(case.folder, PatientName="REMOVED")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written(case, tmp_path)


@needs_dciodvfy
@pytest.mark.parametrize("labels", [(0, 1, 2), (0, 1), (0, 2), (0,)])
@pytest.mark.parametrize("removed", ["", "YES"])
def test_dciodvfy_finds_no_error(tmp_path, labels, removed):
    case = scan(tmp_path / "ct", labels=labels)
    if removed:
        change_all(case.folder, PatientIdentityRemoved=removed, DeidentificationMethod="by hand", StudyDate="",
                   PatientName="", PatientID="")
    written(replace(case, ct=read_ct(case.folder)), tmp_path)
    no_errors_in(tmp_path)


@needs_dciodvfy
def test_dciodvfy_finds_no_error_about_a_real_de_identified_series(tilted_uneven_folder, tmp_path):
    """Its headers say that names were removed, but not how, which the standard asks for."""
    ct = read_ct(tilted_uneven_folder)
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[8:12, 200:260, 200:300] = 1
    written(Scan(tilted_uneven_folder, ct, mask), tmp_path)
    no_errors_in(tmp_path)


def no_errors_in(folder):
    for path in folder.glob("*.dcm"):
        told = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False).stderr
        said = [line for line in told.splitlines() if line.startswith(("Error", "Warning", "Abort"))]
        assert [line for line in said if not any(words in line for words in EXPLAINED)] == []
