"""DICOM Segmentation objects lie on their CT's true slices, whatever the kind, the order of frames or the writer."""

import contextlib
import zlib

import numpy as np
import pydicom
import pytest
from dicom_seg_files import BRAIN, HEMORRHAGE, VENTRICLE, seg_bytes
from phantoms import GRIDS, ellipsoid_ct, with_info

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io import dicom_seg_mask
from ICHVolumeLib.io.masks import read_mask, read_mask_and_findings
from ICHVolumeLib.measure import measure_mask
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

SMALL = {"pixel_mm": 3.0, "columns": 61, "rows": 71, "step_mm": 8.0, "head": False}  # 61 x 71 bits end within a byte


def phantom_on(grid):
    phantom = ellipsoid_ct(grid, **SMALL)
    mask = phantom.mask.copy()
    mask[len(mask) // 2, 30:33, 20:40] = 2
    return phantom.ct, mask


@pytest.fixture(scope="module")
def case():
    return phantom_on("tilted-uneven")


def both(mask):
    return {1: ("ICH", mask == 1), 2: ("IVH", mask == 2)}


def saved(tmp_path, data, name="seg.dcm"):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("grid", GRIDS)
def test_every_kind_lies_on_the_slices_of_every_grid(grid, kind, tmp_path):
    ct, mask = phantom_on(grid)
    path = saved(tmp_path, seg_bytes(ct, both(mask), kind=kind), name="1.2.3")
    read, findings = read_mask_and_findings(path, ct)
    assert np.array_equal(read, mask) and findings == []


@pytest.mark.parametrize("options", [{"order": lambda frames: frames[::-1]}, {"keep_empty": True}, {"turn": "flip"},
                                     {"order": lambda frames: sorted(frames, key=lambda frame: frame[1])}])
def test_order_of_frames_empty_frames_and_turned_rows_change_nothing(case, tmp_path, options):
    ct, mask = case
    path = saved(tmp_path, seg_bytes(ct, both(mask), **options))
    assert np.array_equal(read_mask(path, ct), mask)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_what_highdicom_writes_is_read(kind, tmp_path):
    hd = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes

    ct, mask = phantom_on("tilted-uneven")
    source = [pydicom.dcmread(path) for path in write_dicom_series(ct, tmp_path / "ct")]
    regions = (codes.SCT.Brain, codes.SCT.BrainVentricle if hasattr(codes.SCT, "BrainVentricle") else codes.SCT.Brain)
    described = [hd.seg.SegmentDescription(number, name, codes.SCT.MorphologicallyAbnormalStructure,
                                           codes.SCT.Hemorrhage, algorithm_type="MANUAL", anatomic_regions=[region])
                 for number, name, region in zip((1, 2), ("bleed A", "IVH"), regions, strict=True)]
    seg = hd.seg.Segmentation(source, mask, kind, described[:1] + [_without_region(hd, codes)],
                              series_instance_uid=hd.UID(), series_number=9, sop_instance_uid=hd.UID(),
                              instance_number=1, manufacturer="m", manufacturer_model_name="m", software_versions="1",
                              device_serial_number="1")
    seg.save_as(tmp_path / "seg.dcm")
    read, findings = read_mask_and_findings(tmp_path / "seg.dcm", ct)
    assert np.array_equal(read, mask)
    assert [finding.code for finding in findings if finding.severity == "warning"] == ["mask-other-series"]


def _without_region(hd, codes):
    return hd.seg.SegmentDescription(2, "IVH", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Hemorrhage,
                                     algorithm_type="MANUAL")


def test_the_volume_of_a_tilted_uneven_segmentation_is_that_of_the_ellipsoid(tmp_path):
    phantom = ellipsoid_ct("tilted-uneven", **{**SMALL, "pixel_mm": 1.5, "columns": 121, "rows": 141, "step_mm": 3.0})
    path = saved(tmp_path, seg_bytes(phantom.ct, {1: ("ICH", phantom.mask)}))
    total_ml = measure_mask(phantom.ct, read_mask(path, phantom.ct)).volume_ml.total
    assert total_ml == pytest.approx(phantom.volume_ml, rel=0.01)


def test_codes_and_labels_say_what_a_segment_is(case, tmp_path):
    ct, mask = case
    segments = {4: ("Finding x", mask == 1), 9: ("Finding y", mask == 2)}
    path = saved(tmp_path, seg_bytes(ct, segments, codes={4: (HEMORRHAGE, BRAIN), 9: (HEMORRHAGE, VENTRICLE)}))
    assert np.array_equal(read_mask(path, ct), mask)
    path = saved(tmp_path, seg_bytes(ct, segments))
    with pytest.raises(InputError, match='--label "Finding x=ich'):
        read_mask(path, ct)
    assert np.array_equal(read_mask(path, ct, {"Finding x": "ich", 9: "ignore"}), mask == 1)


def test_a_subdural_segment_is_left_out_by_name(case, tmp_path):
    ct, mask = case
    read, findings = read_mask_and_findings(
        saved(tmp_path, seg_bytes(ct, {1: ("ICH", mask == 1), 2: ("Subdural", mask == 2)})), ct)
    assert np.array_equal(read, mask == 1) and "Subdural" in findings[0].message


def test_a_segmentation_of_another_series_on_the_same_slices_is_warned_of(case, tmp_path):
    ct, mask = case
    path = saved(tmp_path, seg_bytes(ct, both(mask), series_uid="2.25.99"))
    read, findings = read_mask_and_findings(path, ct)
    assert np.array_equal(read, mask) and [finding.code for finding in findings] == ["mask-other-series"]
    assert read_mask_and_findings(path, with_info(ct, series_uid=""))[1] == []


@pytest.mark.parametrize(("other", "words"), [("regular", "turned by 20.0 degrees"),
                                              ("oblique", "turned by 8.1 degrees"),
                                              ("tilted", "marked frame 1 lies 1.60 mm from the plane")])
def test_marked_frames_that_are_no_slice_of_the_ct_are_refused_with_the_difference(case, tmp_path, other, words):
    ct, _ = case
    drawn_on, mask = phantom_on(other)
    path = saved(tmp_path, seg_bytes(drawn_on, both(mask)))
    with pytest.raises(InputError, match=f"does not fit this CT.*{words}"):
        read_mask(path, ct)


def test_empty_frames_elsewhere_do_no_harm(case, tmp_path):
    ct, mask = case
    tags = pydicom.dcmread(saved(tmp_path, seg_bytes(ct, both(mask), keep_empty=True)))
    tags.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [999, 999, 999]
    tags.save_as(tmp_path / "seg.dcm")
    assert np.array_equal(read_mask(tmp_path / "seg.dcm", ct), mask)


def test_the_only_file_of_a_folder_is_taken(case, tmp_path):
    ct, mask = case
    (tmp_path / "seg").mkdir()
    saved(tmp_path / "seg", seg_bytes(ct, both(mask)))
    assert np.array_equal(read_mask(tmp_path / "seg", ct), mask)


def test_probabilities_are_refused(case, tmp_path):
    ct, mask = case
    tags = pydicom.dcmread(saved(tmp_path, seg_bytes(ct, both(mask), kind="FRACTIONAL")))
    tags.PixelData = bytes(np.frombuffer(tags.PixelData, np.uint8) // 2)
    tags.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError, match="fractions"):
        read_mask(tmp_path / "seg.dcm", ct)


@pytest.mark.parametrize(("change", "words"), [
    (lambda tags: setattr(tags, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"), "no DICOM segmentation but CT Image"),
    (lambda tags: setattr(tags, "SegmentSequence", []), "declares no segment"),
    (lambda tags: setattr(tags, "NumberOfFrames", 3), "says where"),
    (lambda tags: setattr(tags, "NumberOfFrames", 2**31 - 1), "says where"),
    (lambda tags: setattr(tags, "PixelData", tags.PixelData[:100]), "cannot be read"),
    (lambda tags: (setattr(tags, "Rows", 65535), setattr(tags, "Columns", 65535)), "65535 x 65535"),
    (lambda tags: tags.SharedFunctionalGroupsSequence[0].pop("PixelMeasuresSequence"), "PixelSpacing"),
    (lambda tags: tags.PerFrameFunctionalGroupsSequence[0].pop("PlanePositionSequence"), "ImagePositionPatient"),
    (lambda tags: tags.PerFrameFunctionalGroupsSequence[0].pop("SegmentIdentificationSequence"), "which segment")])
def test_damaged_segmentations_are_refused_in_words(case, tmp_path, change, words):
    ct, mask = case
    tags = pydicom.dcmread(saved(tmp_path, seg_bytes(ct, both(mask))))
    change(tags)
    tags.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError, match=words):
        read_mask(tmp_path / "seg.dcm", ct)


def test_an_element_that_claims_four_gigabytes_is_not_made_room_for(case, tmp_path):
    import tracemalloc

    ct, mask = case
    data = bytearray(seg_bytes(ct, both(mask)))
    for place in (140, 152, 156, 172, 200, data.index(b"\xe0\x7f\x10\x00") + 8):
        path = saved(tmp_path, bytes(data[:place] + b"\xfe\xff\xff\xff" + data[place + 4:]))
        tracemalloc.start()
        with contextlib.suppress(InputError):
            read_mask(path, ct)
        assert tracemalloc.get_traced_memory()[1] < 1 << 27
        tracemalloc.stop()


def test_a_slice_of_the_ct_given_as_its_mask_is_refused(case, tmp_path):
    ct, _ = case
    path = write_dicom_series(ct, tmp_path / "ct")[0]
    with pytest.raises(InputError, match="no DICOM segmentation but CT Image Storage"):
        read_mask(path, ct)


def test_a_deflated_file_is_read_and_a_bomb_is_not(case, tmp_path, monkeypatch):
    ct, mask = case
    path = saved(tmp_path, seg_bytes(ct, both(mask)))
    tags = pydicom.dcmread(path)
    tags.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    tags.save_as(path)
    assert np.array_equal(read_mask(path, ct), mask)
    whole = path.read_bytes()
    start = 144 + int(pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(64)) + squeeze.flush()
    monkeypatch.setattr(dicom_seg_mask, "LARGEST_FILE", 1 << 25)
    path.write_bytes(whole[:start] + bomb)
    with pytest.raises(InputError, match="inflates to more than"):
        read_mask(path, ct)
