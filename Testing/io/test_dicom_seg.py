"""A mask as a DICOM Segmentation: the same voxels at the same places, on the images that it was drawn on."""

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from command_line import contents
from dicom_files import change, change_all, enhanced_ct
from dicom_out import Scan, image_of, mask_of, scan, scattered, values_of
from phantoms import with_info

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import LABELS
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.measure import measure_mask

pytest.importorskip("highdicom")

from ICHVolumeLib.io.dicom_codes import Algorithm, tracking_uid  # noqa: E402
from ICHVolumeLib.io.dicom_seg import write_dicom_seg  # noqa: E402
from ICHVolumeLib.io.dicom_source import source_series  # noqa: E402

MODEL = Algorithm("AttFocusNet", "0.7.0", "ab" * 32)


def written(case: Scan, path, algorithm_type="AUTOMATIC"):
    write_dicom_seg(path, case.ct, case.mask, source_series(case.ct), algorithm=MODEL, algorithm_type=algorithm_type,
                    software_version="0.1.0")
    return pydicom.dcmread(path)


@pytest.mark.parametrize("grid", ["regular", "tilted", "uneven", "tilted-uneven", "overlapping", "flipped", "oblique"])
def test_mask_and_volumes_come_back_on_every_kind_of_grid(tmp_path, grid):
    case = scan(tmp_path / "ct", grid)
    written(case, tmp_path / "seg.dcm")
    back = mask_of(tmp_path / "seg.dcm", case.folder, case.ct)
    assert np.array_equal(back, case.mask)
    assert measure_mask(case.ct, back).volume_ml == measure_mask(case.ct, case.mask).volume_ml


@pytest.mark.parametrize("grid", ["regular", "overlapping", "uneven", "flipped"])
def test_a_reader_that_lays_frames_on_a_regular_grid_keeps_every_slice(tmp_path, grid):
    """As 3D Slicer's (dcmqi) does: by SpacingBetweenSlices, or else by SliceThickness, and it rounds without a word."""
    case = scan(tmp_path / "ct", grid)
    seg = written(case, tmp_path / "seg.dcm")
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert ("SpacingBetweenSlices" in measures) == (grid != "uneven")
    step_mm = float(measures.get("SpacingBetweenSlices") or measures.SliceThickness)
    heights_mm = case.ct.slice_origins_ras[3:-2, 2]  # the marked ones
    places = np.round((heights_mm - heights_mm.min()) / step_mm)
    assert len(set(places)) == len(heights_mm)
    assert grid == "uneven" or step_mm == pytest.approx(12.0)


def test_a_real_tilted_uneven_series_comes_back(tilted_uneven_folder, tmp_path):
    ct = read_ct(tilted_uneven_folder)
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[8:20, 200:260, 200:300], mask[12:15, 260:280, 250:290] = 1, 2
    before = contents(tilted_uneven_folder)
    written(Scan(tilted_uneven_folder, ct, mask), tmp_path / "seg.dcm")
    assert np.array_equal(mask_of(tmp_path / "seg.dcm", tilted_uneven_folder, ct), mask)
    assert contents(tilted_uneven_folder) == before


def test_highdicom_reads_the_same_voxels(tmp_path):
    import highdicom

    case = scan(tmp_path / "ct")
    written(case, tmp_path / "seg.dcm")
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    uids = [image.sop_instance_uid for image in source_series(case.ct).images]
    back = seg.get_pixels_by_source_instance(uids, combine_segments=True, assert_missing_frames_are_empty=True)
    assert np.array_equal(back, case.mask)


def test_a_multi_frame_ct_is_named_with_its_frames(tmp_path):
    case = scan(tmp_path / "ct")
    slices = [pydicom.dcmread(path) for path in sorted(case.folder.glob("*.dcm"))]
    (tmp_path / "enhanced").mkdir()
    enhanced_ct(slices).save_as(tmp_path / "enhanced" / "one.dcm")
    ct = read_ct(tmp_path / "enhanced")
    many = Scan(tmp_path / "enhanced", ct, scattered(ct))
    seg = written(many, tmp_path / "seg.dcm")
    assert np.array_equal(mask_of(tmp_path / "seg.dcm", many.folder, ct), many.mask)
    assert all(image_of(frame)[1] for frame in seg.PerFrameFunctionalGroupsSequence)
    (series,) = seg.ReferencedSeriesSequence
    assert [str(item.ReferencedSOPClassUID) for item in series.ReferencedInstanceSequence] \
        == ["1.2.840.10008.5.1.4.1.1.2.1"]


def test_of_two_scans_at_one_place_the_measured_one_is_named(tmp_path):
    case = scan(tmp_path / "ct")
    first = uids_in(case.folder)
    for path in sorted(case.folder.glob("*.dcm")):  # the other one: darker, and sorted before it
        other = path.with_name("A" + path.name)
        shutil.copy(path, other)
        tags = change(other, AcquisitionNumber=2, SOPInstanceUID=pydicom.uid.generate_uid(), InstanceNumber=0)
        tags.PixelData = (tags.pixel_array - 7).tobytes()
        tags.save_as(other)
    ct = read_ct(case.folder)
    assert "several-scans-in-series" in [finding.code for finding in ct.findings]
    measured = first if np.array_equal(ct.hu, case.ct.hu) else uids_in(case.folder) - first
    assert {image.sop_instance_uid for image in source_series(ct).images} == measured


def uids_in(folder):
    return {str(pydicom.dcmread(path).SOPInstanceUID) for path in folder.glob("*.dcm")}


def test_every_label_has_its_codes_and_tracking(tmp_path):
    seg = written(scan(tmp_path / "ct"), tmp_path / "seg.dcm")
    assert seg.SegmentationType == "BINARY"
    for item, label in zip(seg.SegmentSequence, LABELS, strict=True):
        for sequence, (scheme, value, meaning) in ((item.SegmentedPropertyCategoryCodeSequence, label.category),
                                                   (item.SegmentedPropertyTypeCodeSequence, label.type),
                                                   (item.AnatomicRegionSequence, label.region)):
            code = sequence[0]
            assert (code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning) == (scheme, value, meaning)
        assert (item.SegmentLabel, item.SegmentDescription) == (label.name, label.long_name)
        assert item.TrackingID == label.name
        assert len(item.RecommendedDisplayCIELabValue) == 3
    assert len({item.TrackingUID for item in seg.SegmentSequence}) == 2


@pytest.mark.parametrize("kind", ["AUTOMATIC", "SEMIAUTOMATIC"])
def test_the_algorithm_is_named_with_version_and_hash(tmp_path, kind):
    seg = written(scan(tmp_path / "ct"), tmp_path / "seg.dcm", kind)
    for item in seg.SegmentSequence:
        (made_by,) = item.SegmentationAlgorithmIdentificationSequence
        assert item.SegmentAlgorithmType == kind
        assert (made_by.AlgorithmName, made_by.AlgorithmVersion) == (MODEL.name, MODEL.version)
        assert MODEL.sha256 in made_by.AlgorithmParameters
        assert made_by.AlgorithmFamilyCodeSequence[0].CodeValue == "123110"


def test_a_mask_by_hand_names_no_algorithm(tmp_path):
    seg = written(scan(tmp_path / "ct"), tmp_path / "seg.dcm", "MANUAL")
    assert {item.SegmentAlgorithmType for item in seg.SegmentSequence} == {"MANUAL"}
    assert not any("SegmentationAlgorithmIdentificationSequence" in item or "SegmentAlgorithmName" in item
                   for item in seg.SegmentSequence)


def test_a_label_without_voxels_is_no_segment(tmp_path):
    case = scan(tmp_path / "ct", labels=(0, 2))
    seg = written(case, tmp_path / "seg.dcm")
    assert [(int(item.SegmentNumber), item.SegmentLabel) for item in seg.SegmentSequence] == [(1, "IVH")]
    assert np.array_equal(mask_of(tmp_path / "seg.dcm", case.folder, case.ct), case.mask)


def test_a_second_time_gives_a_new_instance_of_the_same_finding(tmp_path):
    case = scan(tmp_path / "ct")
    first, second = (written(case, tmp_path / f"{name}.dcm") for name in "ab")
    assert first.SOPInstanceUID != second.SOPInstanceUID and first.SeriesInstanceUID != second.SeriesInstanceUID
    assert [item.TrackingUID for item in first.SegmentSequence] == [item.TrackingUID for item in second.SegmentSequence]
    assert first.SegmentSequence[0].TrackingUID == tracking_uid(case.ct.info.series_uid, LABELS[0])


def test_it_belongs_to_the_patient_study_and_space_of_the_ct(tmp_path):
    case = scan(tmp_path / "ct")
    change_all(case.folder, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg", PatientSex="M",
               PatientBirthDate="19500203")
    seg, source = written(case, tmp_path / "seg.dcm"), pydicom.dcmread(next(case.folder.glob("*.dcm")))
    for name in ("PatientID", "PatientSex", "PatientBirthDate", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
        assert seg[name].value == source[name].value
    assert str(seg.PatientName) == "Müller^Jörg"
    assert seg.SeriesInstanceUID != source.SeriesInstanceUID
    assert int(seg.SeriesNumber) != int(source.SeriesNumber)


@pytest.mark.parametrize("spoiled", [
    {"PatientIdentityRemoved": "YES"}, {"StudyDate": ""}, {"LongitudinalTemporalInformationModified": "MODIFIED"},
    {"StudyDate": "", "ContentDate": None, "SeriesDate": None, "StudyTime": ""}])
def test_a_de_identified_series_gains_no_name_and_no_date(tmp_path, spoiled):
    case = scan(tmp_path / "ct")
    change_all(case.folder, PatientName="", PatientID="P7", **spoiled)
    seg, source = written(case, tmp_path / "seg.dcm"), pydicom.dcmread(next(case.folder.glob("*.dcm")))
    assert values_of(seg, "DA", "DT") <= values_of(source, "DA", "DT") | {"19000101"}
    assert values_of(seg, "TM") <= values_of(source, "TM") | {"000000"}
    assert values_of(seg, "PN") == set() and seg.PatientID == "P7"
    for name in ("PatientIdentityRemoved", "LongitudinalTemporalInformationModified"):
        assert seg.get(name) == source.get(name)


def test_dates_and_codes_that_mean_nothing_are_left_empty(tmp_path):
    case = scan(tmp_path / "ct")
    with pytest.warns(UserWarning):
        change_all(case.folder, PatientBirthDate="unknown", PatientSex="X", StudyTime="noon", AccessionNumber="1" * 40,
                   FrameOfReferenceUID=None, SliceThickness=None)
    seg = written(replace(case, ct=read_ct(case.folder)), tmp_path / "seg.dcm")
    assert (seg.PatientBirthDate, seg.PatientSex, seg.StudyTime) == ("", "", "")
    assert seg.FrameOfReferenceUID
    assert np.array_equal(mask_of(tmp_path / "seg.dcm", case.folder, case.ct), case.mask)


@pytest.mark.parametrize("name", ["SOPInstanceUID", "StudyInstanceUID"])
def test_images_without_a_uid_cannot_be_referred_to(tmp_path, name):
    case = scan(tmp_path / "ct")
    change_all(case.folder, **{name: None})
    with pytest.raises(InputError, match=f"no valid {name}"):
        source_series(case.ct)


def test_images_that_share_a_uid_cannot_be_referred_to(tmp_path):
    case = scan(tmp_path / "ct")
    change_all(case.folder, SOPInstanceUID="1.2.3")
    with pytest.raises(InputError, match="same SOPInstanceUID"):
        source_series(case.ct)


def test_a_scan_that_was_moved_away_is_said(tmp_path):
    case = scan(tmp_path / "ct")
    (case.folder / "CT0004.dcm").unlink()
    with pytest.raises(InputError, match="slice 4 is no longer there"):
        source_series(case.ct)


def test_a_scan_without_its_images_is_said(tmp_path):
    case = scan(tmp_path / "ct")
    shutil.rmtree(case.folder)
    (tmp_path / "ct.zip").write_bytes(b"")
    with pytest.raises(InputError, match="is an archive"):
        source_series(with_info(case.ct, source=str(tmp_path / "ct.zip")))


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(InputError, match="Cannot write"):
        written(scan(tmp_path / "ct"), tmp_path / "no such folder" / "seg.dcm")


def test_a_ct_that_was_no_dicom_is_refused(tmp_path):
    case = scan(tmp_path / "ct")
    with pytest.raises(InputError, match="no DICOM series"):
        source_series(with_info(case.ct, series_uid=""))
