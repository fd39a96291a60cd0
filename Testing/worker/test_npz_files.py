import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.core.result import ClinicalInputs, Result
from ICHVolumeLib.segmentation.segmenter import Segmentation
from ICHVolumeLib.worker.npz_files import (
    read_measured,
    read_scan,
    read_segmentation,
    write_measured,
    write_scan,
    write_scan_in_steps,
    write_segmentation,
)
from ICHVolumeLib.workflow.make_result import make_result


@pytest.fixture(scope="module")
def ct():
    scan = ellipsoid_ct("tilted-uneven", pixel_mm=3.0, columns=64, rows=72, step_mm=12.0).ct
    return CTVolume(scan.hu, scan.ijk_to_ras, scan.slice_origins_ras, scan.info, (Finding("tilt", "info", "Grüße"),))


@pytest.fixture
def segmentation(ct):
    mask = (ct.hu > 55).astype(np.uint8)
    return Segmentation(mask, np.linspace(0, 1, len(mask), dtype=np.float32), [Finding("a", "info", "b")], "openvino",
                        "CPU f32", {"network": 1.5}, "1.0", "ab" * 32, training_data="synthetic lesions",
                        clean_up=[{"name": "specks", "threshold_mm3": 30.0, "removed_ml": 0.2}],
                        interval_ml=(1.0, 2.5), ambiguous_ml=0.25, interval_coverage=0.9)


def test_a_tilted_uneven_scan_arrives_exactly_as_it_was(ct, tmp_path):
    write_scan(tmp_path / "in.npz", ct)
    back = read_scan(tmp_path / "in.npz")
    assert back.hu.dtype == np.int16 and (back.hu == ct.hu).all()
    assert (back.ijk_to_ras == ct.ijk_to_ras).all() and (back.slice_origins_ras == ct.slice_origins_ras).all()
    assert back.info == ct.info and back.findings == ct.findings


def test_a_segmentation_arrives_exactly_as_it_was(segmentation, tmp_path):
    write_segmentation(tmp_path / "out.npz", segmentation)
    back = read_segmentation(tmp_path / "out.npz")
    for name, value in vars(segmentation).items():
        if isinstance(value, np.ndarray):
            assert (getattr(back, name) == value).all() and getattr(back, name).dtype == value.dtype
        else:
            assert getattr(back, name) == value, name


def test_blood_outside_the_brain_arrives_on_the_whole_grid(segmentation, ct, tmp_path):
    outside = np.zeros(ct.hu.shape, np.uint8)
    outside[3:5, 10:20, 7:9] = 1
    write_segmentation(tmp_path / "out.npz", replace(segmentation, outside=outside, outside_ml=1.5))
    back = read_segmentation(tmp_path / "out.npz")
    assert (back.outside == outside).all() and back.outside.dtype == np.uint8 and back.outside_ml == 1.5


def test_an_uncalibrated_interval_stays_none(segmentation, tmp_path):
    write_segmentation(tmp_path / "out.npz", Segmentation(**{**vars(segmentation), "interval_ml": None}))
    assert read_segmentation(tmp_path / "out.npz").interval_ml is None


def test_a_scan_written_by_another_program_needs_no_findings_and_no_words(ct, tmp_path):
    np.savez(tmp_path / "in.npz", hu=ct.hu, ijk_to_ras=ct.ijk_to_ras, slice_origins_ras=ct.slice_origins_ras,
             info_json=json.dumps({"source": "node", "unknown_field": 1}))
    assert read_scan(tmp_path / "in.npz").info.source == "node"


def test_nothing_is_left_beside_the_file(ct, tmp_path):
    write_scan(tmp_path / "in.npz", ct)
    write_scan(tmp_path / "in.npz", ct)
    assert [path.name for path in tmp_path.iterdir()] == ["in.npz"]


def test_a_file_that_is_none_of_ours_is_named(tmp_path):
    (tmp_path / "text.npz").write_text("not a zip", encoding="utf-8")
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    for name, words in (("absent.npz", "no such file"), ("text.npz", "not an exchange file"), ("other.npz", "hu")):
        with pytest.raises(InputError, match=words):
            read_scan(tmp_path / name)


def test_a_truncated_file_is_refused(ct, tmp_path):
    path = tmp_path / "in.npz"
    write_scan(path, ct)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match="not an exchange file"):
        read_scan(path)


@pytest.mark.parametrize("words", ["{half", "[]", '{"engine": "torch"}'])
def test_a_segmentation_without_its_words_is_refused(segmentation, tmp_path, words):
    write_segmentation(tmp_path / "out.npz", segmentation)
    with np.load(tmp_path / "out.npz") as file:
        whole = dict(file)
    np.savez(tmp_path / "out.npz", **{**whole, "meta_json": words})
    with pytest.raises(InputError, match="ICHVolume"):
        read_segmentation(tmp_path / "out.npz")


def test_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "in.npz", hu=np.array([{"a": 1}], object), ijk_to_ras=np.eye(4),
             slice_origins_ras=np.zeros((1, 3)), info_json="{}")
    with pytest.raises(InputError):
        read_scan(tmp_path / "in.npz")


def test_hounsfield_units_as_fractions_are_refused(ct, tmp_path):
    np.savez(tmp_path / "in.npz", hu=ct.hu.astype(float), ijk_to_ras=ct.ijk_to_ras,
             slice_origins_ras=ct.slice_origins_ras, info_json="{}")
    with pytest.raises(InputError, match="int16"):
        read_scan(tmp_path / "in.npz")


def test_a_folder_that_is_not_there_is_named_and_nothing_is_written(ct, tmp_path):
    with pytest.raises(InputError, match="Cannot write"):
        write_scan(tmp_path / "nowhere" / "in.npz", ct)
    assert not list(tmp_path.iterdir())


def test_reading_and_writing_loads_neither_torch_nor_simpleitk(ct, tmp_path):
    write_scan(tmp_path / "in.npz", ct)
    code = ("import sys; from ICHVolumeLib.worker.npz_files import read_scan; read_scan(sys.argv[1]); "
            "sys.exit(bool({'torch', 'SimpleITK', 'openvino'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "in.npz")]).returncode == 0


def test_a_scan_is_written_a_few_slices_per_step(ct, tmp_path):
    assert sum(1 for _step in write_scan_in_steps(tmp_path / "in.npz", ct, slices_per_step=4)) == -(-len(ct.hu) // 4)
    assert (read_scan(tmp_path / "in.npz").hu == ct.hu).all()


def test_a_writer_that_is_closed_early_leaves_nothing(ct, tmp_path):
    steps = write_scan_in_steps(tmp_path / "in.npz", ct, slices_per_step=1)
    next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_mask_and_its_result_arrive_exactly_as_they_were(phantom, label, tmp_path):
    mask = phantom.mask * label
    result = make_result(phantom.ct, mask, ClinicalInputs(gcs=9, age_years=81.0, location="lobar"))
    write_measured(tmp_path / "case.npz", mask, result)
    mask_again, again = read_measured(tmp_path / "case.npz")
    assert np.array_equal(mask_again, mask) and mask_again.dtype == np.uint8
    assert again == result
    assert (tmp_path / "case.npz").stat().st_size < 0.2 * mask.size + 20_000


def test_a_result_of_another_version_is_refused(tmp_path, phantom):
    np.savez(tmp_path / "case.npz", mask=np.zeros((0, 0, 0), np.uint8), mask_first=np.zeros(3, int),
             mask_shape=np.array([2, 3, 4]), result_json='{"schema": "of another program"}')
    with pytest.raises(InputError, match="not one of this version"):
        read_measured(tmp_path / "case.npz")


def test_a_result_comes_back_from_json(phantom):
    result = make_result(phantom.ct, phantom.mask, ClinicalInputs(gcs=9))
    assert Result.from_dict(json.loads(json.dumps(result.to_dict()))).abc2 == result.abc2
