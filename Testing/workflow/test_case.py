"""One case from files to files, on phantoms whose volume is known by formula."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK
import vtk
from command_line import contents
from network_weights import thresholding_weights

from ICHVolumeLib.core.errors import Cancelled, InputError
from ICHVolumeLib.core.findings import ERROR, OF_THE_MODELS_MASK, Finding
from ICHVolumeLib.core.result import ClinicalInputs, Result, VolumeMl
from ICHVolumeLib.io.masks import read_mask
from ICHVolumeLib.io.nrrd import read_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.measure import abc2_with_axes
from ICHVolumeLib.segmentation.segmenter import Segmentation
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series
from ICHVolumeLib.workflow.case import refuse_unusable, run_measure, run_segment
from ICHVolumeLib.workflow.exporters import EXPORTERS, chosen_exporters
from ICHVolumeLib.workflow.make_result import make_result, with_abc2
from ICHVolumeLib.workflow.verify import verify

KNOWN = ClinicalInputs(age_years=81, gcs=11, infratentorial=False, ivh=False)


@pytest.fixture(scope="module", autouse=True)
def no_3d_picture():
    """The 3D picture takes seconds and is tested on its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory, phantom):
    """The phantom as a user has it: ct/ (DICOM) and mask.nrrd, beside weights that mark by HU."""
    folder = tmp_path_factory.mktemp("case")
    write_dicom_series(phantom.ct, folder / "ct")
    write_mask_seg_nrrd(folder / "mask.seg.nrrd", phantom.mask, phantom.ct)
    thresholding_weights(folder / "weights", {"training_data": "rules, no data"})
    return folder


@pytest.fixture(scope="module")
def measured(files, tmp_path_factory):
    return run_measure(files / "ct", files / "mask.seg.nrrd", tmp_path_factory.mktemp("measured"), clinical=KNOWN)


@pytest.fixture(scope="module")
def segmented(files, tmp_path_factory):
    seen = []
    case = run_segment(files / "ct", tmp_path_factory.mktemp("segmented") / "out", weights_dir=files / "weights",
                       device="cpu", progress=lambda *event: seen.append(event))
    return case, seen


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def segmentation(mask, **fields):
    values = {"mask": mask, "slice_uncertainty": np.zeros(len(mask)), "findings": [], "engine": "torch",
              "device": "cpu", "seconds": {"network": 1.0}, "model": "t", "model_sha256": "0", "interval_ml": None}
    return Segmentation(**{**values, **fields})


def test_a_measured_ellipsoid_has_its_volume_abc2_and_score(measured, phantom):
    result = measured.result
    assert result.volume_ml.total == pytest.approx(phantom.mask.sum() * 1.0 * 1.0 * 5.0 / 1000, rel=1e-9)
    assert result.volume_ml.total == pytest.approx(phantom.volume_ml, rel=0.03)  # 5 mm slices
    assert (result.abc2.a_mm, result.abc2.b_mm) == pytest.approx((60, 40), abs=1.5)
    assert result.abc2.c_mm == 5.0 * np.count_nonzero(phantom.mask.any(axis=(1, 2)))
    assert (result.ich_score.score, result.ich_score.range) == (3, (3, 3))  # GCS 1, volume 1, age 1
    assert result.provenance.engine == "none" and result.provenance.model == ""


def test_every_output_file_is_there_and_nothing_else(measured):
    assert set(contents(measured.out)) == {exporter.file_name for exporter in EXPORTERS}
    assert sorted(exporter.file_name for exporter in EXPORTERS) == measured.written


def test_result_json_has_the_fields_that_other_programs_rely_on(measured):
    values = json.loads((measured.out / "result.json").read_text(encoding="utf-8"))
    wanted = {
        "volume_ml": {"total", "ich", "ivh", "paper_formula"},
        "abc2": {"a_mm", "b_mm", "c_mm", "slice_index", "coniglobus_ml", "kothari_ml", "abc3_ml",
                 "two_thirds_sh_ml", "a_line_ras", "b_line_ras"},
        "ich_score": {"inputs", "score", "range", "mortality_30d_percent"},
        "geometry": {"slices", "pixel_spacing_mm", "slab_heights_mm", "tilt_deg"},
        "provenance": {"software", "model", "model_sha256", "engine", "device", "seconds"},
    }
    assert (values["schema"], values["found"]) == ("ichvolume-result/1", True)
    for name, fields in wanted.items():
        assert fields <= set(values[name]), name
    assert {"volume_ml", "mean_hu", "centroid_ras", "abc2_ml"} <= set(values["components"][0])
    assert {"code", "severity", "message"} <= set(values["findings"][0]) if values["findings"] else True


def test_simpleitk_reads_the_mask_with_its_volume_and_place(measured, phantom):
    image = SimpleITK.ReadImage(str(measured.out / "mask.seg.nrrd"))
    volume_ml = SimpleITK.GetArrayFromImage(image).sum() * np.prod(image.GetSpacing()) / 1000
    assert volume_ml == pytest.approx(measured.result.volume_ml.total, rel=1e-6)
    assert image.GetOrigin() == pytest.approx(tuple(phantom.ct.ijk_to_ras[:3, 3] * (-1, -1, 1)))
    assert np.array_equal(read_mask(measured.out / "mask.seg.nrrd", phantom.ct), phantom.mask)


def test_vtk_reads_the_surface_where_the_bleed_is_and_about_as_large(measured):
    reader = vtk.vtkSTLReader()
    reader.SetFileName(str(measured.out / "ich.stl"))
    reader.Update()
    mass = vtk.vtkMassProperties()
    mass.SetInputData(reader.GetOutput())
    surface = measured.result.surface
    assert mass.GetVolume() / 1000 == pytest.approx(surface["volume_ml"], rel=0.01)
    assert mass.GetVolume() / 1000 == pytest.approx(measured.result.volume_ml.total, rel=0.05)
    assert reader.GetOutput().GetBounds() == pytest.approx((-30, 30, -20, 20, -20, 20), abs=2.5)


def test_segmenting_marks_the_bleed_that_the_rule_describes(segmented, phantom):
    case, _ = segmented
    assert dice(case.mask == 1, phantom.mask == 1) > 0.95
    assert case.result.found
    source = case.result.provenance
    assert (source.model, source.training_data) == ("test", "rules, no data")
    assert len(source.model_sha256) == 64


def test_segmenting_reports_its_steps_in_order_and_their_seconds(segmented):
    case, seen = segmented
    stages = list(dict.fromkeys(stage for stage, _, _ in seen))
    assert stages == ["read", "check", "network", "clean", "measure", "write", "report"]
    network = [(done, total) for stage, done, total in seen if stage == "network"]
    assert network[-1][0] == network[-1][1] > 1
    assert {"read", "network", "clean", "measure", "report"} <= set(case.result.provenance.seconds)


def test_measuring_the_written_mask_gives_the_same_numbers(segmented, files, tmp_path):
    case, _ = segmented
    again = run_measure(files / "ct", case.out / "mask.seg.nrrd", tmp_path / "again").result
    assert again.volume_ml == case.result.volume_ml
    assert again.abc2 == case.result.abc2
    assert again.components == case.result.components


def test_the_automatic_volumes_stand_beside_an_edited_mask(segmented, files, tmp_path):
    case, _ = segmented
    edited = run_measure(files / "ct", files / "mask.seg.nrrd", tmp_path / "edited",
                         automatic_json=case.out / "result.json").result
    assert vars(edited.automatic_volume_ml) == pytest.approx(vars(case.result.volume_ml), abs=5e-5)
    assert edited.provenance.model == case.result.provenance.model == "test"
    report = (tmp_path / "edited" / "report.html").read_text(encoding="utf-8")
    assert "the model had marked" in report and "made by the model, then edited by a person" in report
    assert algorithm_type(tmp_path / "edited") == "SEMIAUTOMATIC"


def algorithm_type(folder):
    tags = read_nrrd(folder / "mask.seg.nrrd").header["Segment0_Tags"]
    return dict(tag.split(":", 1) for tag in tags.split("|") if tag)["DICOM.SegmentAlgorithmType"]


def test_the_mask_file_says_who_made_it(segmented, measured):
    assert algorithm_type(segmented[0].out) == "AUTOMATIC"
    assert algorithm_type(measured.out) == "MANUAL"


def test_a_scan_without_a_bleed_is_a_result_without_a_surface(files, phantom, tmp_path):
    out = tmp_path / "out"
    run_measure(files / "ct", files / "mask.seg.nrrd", out)
    write_mask_seg_nrrd(tmp_path / "empty.seg.nrrd", phantom.mask * 0, phantom.ct)
    result = run_measure(files / "ct", tmp_path / "empty.seg.nrrd", out, clinical=KNOWN).result
    assert (result.found, result.abc2, result.surface) == (False, None, None)
    assert not (out / "ich.stl").exists(), "the surface of the earlier case stayed"
    assert "empty-mask" in [finding.code for finding in result.findings]
    assert result.ich_score.score is None and result.ich_score.mortality_30d_percent is None


def test_no_bleed_is_never_called_normal(phantom):
    nothing = phantom.mask * 0
    result = make_result(phantom.ct, nothing, segmentation=segmentation(nothing), noticed=[])
    message = result.findings[0].message
    assert "No bleed found by the model" in message and "does not mean that the scan is normal" in message


@pytest.mark.parametrize("interval_ml, warned", [((25.0, 35.0), True), ((31.0, 60.0), False), (None, False)])
def test_an_interval_across_30_ml_is_a_warning(phantom, interval_ml, warned):
    made = segmentation(phantom.mask, interval_ml=interval_ml)
    result = make_result(phantom.ct, phantom.mask, segmentation=made, noticed=[])
    assert ("crosses-30-ml" in [finding.code for finding in result.findings]) is warned
    assert result.interval_ml == interval_ml


def test_the_interval_is_held_against_30_ml_without_the_ventricular_blood(phantom):
    mask = phantom.mask.copy()
    mask[:, :, : mask.shape[2] // 2][mask[:, :, : mask.shape[2] // 2] == 1] = 2  # half and half, about 25 mL each
    made = segmentation(mask, interval_ml=(46.0, 54.0))
    result = make_result(phantom.ct, mask, replace(KNOWN, ivh=True), made, noticed=[])
    assert "crosses-30-ml" not in [finding.code for finding in result.findings]
    wide = make_result(phantom.ct, mask, replace(KNOWN, ivh=True), segmentation(mask, interval_ml=(40.0, 60.0)),
                       noticed=[])
    assert "crosses-30-ml" in [finding.code for finding in wide.findings]
    assert wide.ich_score.range[1] - wide.ich_score.range[0] == 1


def test_the_interval_of_the_ich_is_its_own_where_the_model_gives_one(phantom):
    made = segmentation(phantom.mask, interval_ml=(25.0, 35.0), label_intervals_ml={"ICH": (41.0, 60.0)})
    result = make_result(phantom.ct, phantom.mask, replace(KNOWN, ivh=False), made, noticed=[])
    assert (result.interval_ml, result.interval_ich_ml, result.interval_ivh_ml) == ((25.0, 35.0), (41.0, 60.0), None)
    assert "crosses-30-ml" not in [finding.code for finding in result.findings]
    assert result.ich_score.range[0] == result.ich_score.range[1]
    ventricular = make_result(phantom.ct, phantom.mask * 2, KNOWN,
                              segmentation(phantom.mask * 2, interval_ml=(25.0, 35.0),
                                           label_intervals_ml={"IVH": (41.0, 60.0)}), noticed=[])
    assert (ventricular.interval_ich_ml, ventricular.interval_ivh_ml) == (None, (41.0, 60.0))
    assert Result.from_dict(json.loads(json.dumps(ventricular.to_dict()))).interval_ivh_ml == (41.0, 60.0)


def test_blood_outside_the_brain_has_a_file_of_its_own_and_goes_with_the_run_that_saw_it(files, phantom, tmp_path):
    outside = np.roll(phantom.mask, 60, axis=2)

    class Sees:
        def __init__(self, **seen):
            self.seen = seen

        def apply(self, ct, progress=None, is_cancelled=None):
            return segmentation(phantom.mask, **self.seen)

    case = run_segment(files / "ct", tmp_path / "out", segmenter=Sees(outside=outside, outside_ml=48.0))
    assert case.result.outside_brain_ml == 48.0 and case.result.volume_ml.total == pytest.approx(50, rel=0.05)
    image = SimpleITK.ReadImage(str(tmp_path / "out" / "outside_brain.seg.nrrd"))
    assert (SimpleITK.GetArrayFromImage(image) == outside * 3).all()
    assert image.GetMetaData("Segment0_Name") == "Outside the brain (not counted)"
    assert "48.0 mL" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert verify(tmp_path / "out").belongs_together
    run_segment(files / "ct", tmp_path / "out", segmenter=Sees(outside=outside * 0, outside_ml=0.0))
    assert not (tmp_path / "out" / "outside_brain.seg.nrrd").exists()


def test_a_piece_denser_than_blood_is_named_and_still_counted(phantom):
    hu = np.where(phantom.mask == 1, 140, phantom.ct.hu).astype(np.int16)
    result = make_result(replace(phantom.ct, hu=hu), phantom.mask, noticed=[])
    warned = [finding for finding in result.findings if finding.code == "denser-than-blood"]
    assert len(warned) == 1 and "140 HU" in warned[0].message
    assert result.volume_ml == make_result(phantom.ct, phantom.mask, noticed=[]).volume_ml
    assert not make_result(phantom.ct, phantom.mask, noticed=[]).findings


def test_the_models_interval_is_not_shown_for_an_edited_mask(phantom):
    made = segmentation(phantom.mask, interval_ml=(40.0, 60.0))
    result = make_result(phantom.ct, phantom.mask, segmentation=made, noticed=[],
                         automatic_volume_ml=VolumeMl(40, 40, 0, 40))
    assert result.interval_ml is None


def test_what_was_said_of_the_models_mask_says_so_once_that_was_edited(phantom):
    """What a person marked since is not told as unmarked; the engine that ran is the same."""
    said = [Finding(code, "warning", f"About 20 mL, {code}.") for code in (*OF_THE_MODELS_MASK, "engine-fallback")]
    made = segmentation(phantom.mask, findings=said)
    fresh, edited = (make_result(phantom.ct, phantom.mask, segmentation=made, noticed=[], about_mask=[],
                                 automatic_volume_ml=before) for before in (None, VolumeMl(40, 40, 0, 40)))
    assert fresh.findings == said
    assert [one.code for one in edited.findings] == [one.code for one in said]
    assert edited.findings[4].message == "Before the mask was corrected: About 20 mL, unmarked-blood."
    assert edited.findings[-1] == said[-1]


def test_blood_in_the_ventricles_is_outside_abc2_and_suggested_for_the_score(phantom):
    mask = phantom.mask.copy()
    mask[:, :, : mask.shape[2] // 2][mask[:, :, : mask.shape[2] // 2] == 1] = 2
    result = make_result(phantom.ct, mask, replace(KNOWN, ivh=None), noticed=[])
    assert result.volume_ml.ivh == pytest.approx(phantom.volume_ml / 2, rel=0.05)
    assert result.ich_score.inputs["ivh"] == {"value": True, "points": 1, "source": "mask"}
    assert result.ich_score.inputs["volume_ml"]["value"] == result.volume_ml.ich


@pytest.mark.parametrize(("label", "why"), [(2, "Only blood in the ventricles"), (0, "No bleed is marked")])
def test_without_a_bleed_in_the_brain_tissue_no_score_applies(phantom, label, why):
    result = make_result(phantom.ct, phantom.mask * label, KNOWN, noticed=[])
    for score in (result.ich_score, result.max_ich, result.func):
        assert not score.applies and score.score is None and score.note.startswith(why)
        assert score.mortality_30d_percent is None and score.mortality_30d_range is None and score.alternative is None
    codes = [finding.code for finding in result.findings]
    assert ("ivh-only" in codes, "crosses-30-ml" in codes) == (label == 2, False)
    assert (result.is_ivh_only, result.abc2) == (label == 2, None)


def test_a_corrected_length_changes_what_follows_from_it_and_nothing_else(phantom):
    clinical = ClinicalInputs(age_years=60, gcs=14, infratentorial=False, ivh=False, nihss=5, location="deep",
                              oral_anticoagulation=False, cognitive_impairment=False)
    automatic = make_result(phantom.ct, phantom.mask, clinical, noticed=[])
    assert automatic.ich_score.alternative is None
    c_mm = 15.0
    corrected = with_abc2(automatic, abc2_with_axes(automatic.abc2, c_mm=c_mm), clinical)
    assert corrected.abc2.coniglobus_ml == pytest.approx(automatic.abc2.coniglobus_ml * c_mm / automatic.abc2.c_mm)
    assert corrected.ich_score.alternative["score"] == automatic.ich_score.score - 1
    assert corrected.ich_score.alternative["volume_ml"] == corrected.abc2.coniglobus_ml < 30
    assert corrected.components[0].abc2_ml == pytest.approx(corrected.abc2.coniglobus_ml)
    assert (corrected.max_ich, corrected.func) == (automatic.max_ich, automatic.func)  # they count the voxel volume
    assert replace(corrected, abc2=automatic.abc2, ich_score=automatic.ich_score,
                   components=automatic.components) == automatic


@pytest.mark.parametrize("calls_before", range(6))
def test_cancelling_between_any_two_steps_leaves_nothing(files, tmp_path, calls_before):
    calls = []

    def is_cancelled():
        calls.append(None)
        return len(calls) > calls_before

    (tmp_path / "mine.txt").write_text("stays")
    with pytest.raises(Cancelled):
        run_segment(files / "ct", tmp_path / "out", weights_dir=files / "weights", device="cpu",
                    is_cancelled=is_cancelled)
    assert contents(tmp_path) == {"mine.txt": b"stays"}


def test_the_given_mask_is_never_overwritten(files, tmp_path):
    shutil.copy(files / "mask.seg.nrrd", tmp_path / "mask.seg.nrrd")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="would be overwritten"):
        run_measure(files / "ct", tmp_path / "mask.seg.nrrd", tmp_path)
    assert contents(tmp_path) == before


def test_results_are_not_written_among_the_slices(files):
    before = contents(files / "ct")
    with pytest.raises(InputError, match="is the folder of the scan"):
        run_measure(files / "ct", files / "mask.seg.nrrd", files / "ct")
    assert contents(files / "ct") == before


def test_a_finding_that_forbids_the_scan_stops_the_case():
    with pytest.raises(InputError, match="scan.nrrd: Not in Hounsfield units"):
        refuse_unusable("scan.nrrd", [Finding("not-hu", ERROR, "Not in Hounsfield units.")])


def test_without_a_report_an_earlier_one_is_removed_and_the_folder_belongs_together(files, tmp_path):
    out = tmp_path / "out"
    for exporters in (EXPORTERS, chosen_exporters(files / "ct", report=False)):
        written = run_measure(files / "ct", files / "mask.seg.nrrd", out, exporters=exporters).written
        assert ("report.html" in written) == (out / "report.html").exists() == (exporters is EXPORTERS)
    assert verify(out).belongs_together
