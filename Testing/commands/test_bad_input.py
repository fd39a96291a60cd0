"""Every bad input through the real command line: exit code 2, one sentence, nothing written, inputs untouched."""

import re
import shutil

import numpy as np
import pytest
import SimpleITK
from command_line import contents, ichvolume
from dicom_files import change
from network_weights import thresholding_weights

from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


@pytest.fixture(scope="module")
def good(tmp_path_factory, phantom):
    """A usable case to spoil: ct/, ct.nrrd, mask.seg.nrrd and weights/."""
    folder = tmp_path_factory.mktemp("good")
    write_dicom_series(phantom.ct, folder / "ct")
    write_nrrd(folder / "ct.nrrd", phantom.ct.hu, phantom.ct.ijk_to_ras)
    write_mask_seg_nrrd(folder / "mask.seg.nrrd", phantom.mask, phantom.ct)
    thresholding_weights(folder / "weights")
    return folder


@pytest.fixture
def case(good, tmp_path):
    """A private copy of it, to spoil."""
    shutil.copytree(good, tmp_path / "in")
    return tmp_path / "in"


def refused(case, *arguments, **environment) -> str:
    """The one sentence, after everything else that a refusal must keep to was checked."""
    before = contents(case.parent)
    done = ichvolume(*arguments, cwd=case.parent, **environment)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("ichvolume: ") and lines[0].endswith((".", ")")), done.stderr
    assert done.stdout == ""
    assert contents(case.parent) == before, "an input was touched or an output left behind"
    assert sorted(path.name for path in case.parent.iterdir()) == ["in"]
    return lines[0]


def segmenting(case, source="in/ct", out="out", **environment) -> str:
    return refused(case, "segment", source, "-o", out, "--weights", "in/weights", "--device", "cpu", **environment)


def measuring(case, mask, source="in/ct", out="out") -> str:
    return refused(case, "measure", source, mask, "-o", out)


def edit_slice(folder, number, **tags):
    """Change tags of one file of the series (None removes the tag)."""
    path = sorted((folder / "ct").iterdir())[number]
    change(path, **tags)
    return path


def edit_all(folder, **tags):
    for number in range(len(list((folder / "ct").iterdir()))):
        edit_slice(folder, number, **tags)


def test_a_good_case_is_not_refused(case):
    done = ichvolume("measure", "in/ct", "in/mask.seg.nrrd", "-o", "out", cwd=case.parent)
    assert done.returncode == 0, done.stderr
    assert (case.parent / "out" / "result.json").exists()


def test_a_path_that_does_not_exist(case):
    assert "There is no file or folder in/nowhere" in segmenting(case, "in/nowhere")


def test_an_empty_folder(case):
    (case / "empty").mkdir()
    assert "in/empty" in segmenting(case, "in/empty").replace("\\", "/")


def test_a_folder_without_an_image(case):
    (case / "notes").mkdir()
    (case / "notes" / "letter.txt").write_text("Dear colleague", encoding="utf-8")
    assert "notes" in segmenting(case, "in/notes")


def test_a_file_that_is_no_image(case):
    (case / "letter.txt").write_text("Dear colleague", encoding="utf-8")
    assert "letter.txt" in segmenting(case, "in/letter.txt")


def test_an_mr_series(case):
    edit_all(case, Modality="MR")
    assert re.search(r"\bMR\b", segmenting(case))


def test_numbers_that_are_no_hounsfield_units(case, phantom):
    eight_bit = np.clip((phantom.ct.hu + 20) * 255 / 120, 0, 255).astype(np.int16)
    write_nrrd(case / "ct.nrrd", eight_bit, phantom.ct.ijk_to_ras)
    assert "Hounsfield" in segmenting(case, "in/ct.nrrd")


def test_a_dicom_series_without_rescale(case):
    edit_all(case, RescaleIntercept=None, RescaleSlope=None)
    segmenting(case)


def test_a_color_picture_as_a_volume(case, phantom):
    colors = np.stack([phantom.ct.hu.clip(0, 255).astype(np.uint8)] * 3, axis=-1)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colors, isVector=True), str(case / "rgb.nrrd"))
    segmenting(case, "in/rgb.nrrd")


def test_one_slice(case):
    for path in sorted((case / "ct").iterdir())[1:]:
        path.unlink()
    assert "slice" in segmenting(case)


def test_a_flat_image(case, phantom):
    image = SimpleITK.GetImageFromArray(phantom.ct.hu[18])
    SimpleITK.WriteImage(image, str(case / "flat.nrrd"))
    segmenting(case, "in/flat.nrrd")


def test_a_truncated_slice(case):
    path = sorted((case / "ct").iterdir())[7]
    path.write_bytes(path.read_bytes()[:-20000])
    assert path.name in segmenting(case)


def test_a_slice_whose_positions_are_not_numbers(case, phantom):
    matrix = phantom.ct.ijk_to_ras.copy()
    write_nrrd(case / "nan.nrrd", phantom.ct.hu, matrix)
    data = (case / "nan.nrrd").read_bytes()
    header, _, body = data.partition(b"\n\n")
    header = re.sub(rb"space directions: \([^,]+,", b"space directions: (nan,", header)
    (case / "nan.nrrd").write_bytes(header + b"\n\n" + body)
    segmenting(case, "in/nan.nrrd")


def test_a_spacing_of_nan_in_dicom(case):
    edit_all(case, PixelSpacing=["NaN", "NaN"])
    segmenting(case)


def test_a_spacing_of_zero(case):
    edit_all(case, PixelSpacing=[0, 0])
    segmenting(case)


def test_an_image_without_voxels(case):
    (case / "empty.nrrd").write_bytes(
        b"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 0 0 0\n"
        b"space directions: (1,0,0) (0,1,0) (0,0,1)\nencoding: raw\nendian: little\nspace origin: (0,0,0)\n\n")
    segmenting(case, "in/empty.nrrd")


def test_a_truncated_nrrd(case):
    path = case / "ct.nrrd"
    path.write_bytes(path.read_bytes()[:30000])
    assert "ct.nrrd" in segmenting(case, "in/ct.nrrd")


def test_a_series_that_is_not_there(case):
    said = refused(case, "segment", "in/ct", "-o", "out", "--series", "1.2.3", "--weights", "in/weights")
    assert "1.2.3" in said


@pytest.mark.parametrize("out", ["in/mask.seg.nrrd", "in/mask.seg.nrrd/out"])
def test_an_output_folder_that_cannot_be_written(case, out):
    assert "Cannot write into" in segmenting(case, out=out)


def test_an_output_folder_that_is_the_scan(case):
    assert "choose another output folder" in segmenting(case, out="in/ct")


def test_weights_with_a_wrong_checksum(case):
    path = case / "weights" / "attfocusnet.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    assert "checksum" in segmenting(case)


def test_a_weights_folder_that_is_empty(case):
    shutil.rmtree(case / "weights")
    (case / "weights").mkdir()
    assert "weights" in segmenting(case)


def test_a_weights_folder_named_by_the_environment_that_does_not_exist(case):
    said = refused(case, "segment", "in/ct", "-o", "out", "--device", "cpu", ICHVOLUME_WEIGHTS=str(case / "none"))
    assert "no such folder" in said


def test_a_mask_on_another_grid(case, phantom):
    matrix = phantom.ct.ijk_to_ras.copy()
    matrix[:3, 3] += (3.3, 0, 0)
    write_nrrd(case / "other.nrrd", phantom.mask, matrix)
    assert "does not fit this CT" in measuring(case, "in/other.nrrd")


def test_a_mask_with_other_labels(case, phantom):
    write_nrrd(case / "labels.nrrd", phantom.mask * 3 + (phantom.ct.hu > 500), phantom.ct.ijk_to_ras)
    assert "1 = ICH, 2 = IVH" in measuring(case, "in/labels.nrrd")


def test_a_mask_that_does_not_exist(case):
    assert "There is no mask file" in measuring(case, "in/none.nrrd")


def test_a_mask_that_is_no_image(case):
    (case / "mask.nrrd").write_text("not a mask", encoding="utf-8")
    assert "mask.nrrd" in measuring(case, "in/mask.nrrd")


def test_a_mask_that_would_be_overwritten(case):
    assert "would be overwritten" in measuring(case, "in/mask.seg.nrrd", out="in")


def test_an_automatic_result_that_is_none(case):
    (case / "other.json").write_text("{}", encoding="utf-8")
    said = refused(case, "measure", "in/ct", "in/mask.seg.nrrd", "-o", "out", "--automatic", "in/other.json")
    assert "is not a result.json" in said


@pytest.mark.parametrize("options, word", [
    (["--gcs", "2"], "GCS"), (["--gcs", "16"], "GCS"), (["--age", "-1"], "Age"), (["--age", "nan"], "Age"),
    (["--nihss", "43"], "NIHSS"), (["--location", "lobar", "--infratentorial", "yes"], "lobar")])
def test_clinical_items_that_cannot_be(case, options, word):
    assert word in refused(case, "measure", "in/ct", "in/mask.seg.nrrd", "-o", "out", *options)


@pytest.mark.parametrize("command", ["check", "segment"])
def test_a_folder_that_is_refused_by_one_command_is_refused_by_the_other(case, command):
    edit_all(case, Modality="MR")
    options = [] if command == "check" else ["-o", "out"]
    assert re.search(r"\bMR\b", refused(case, command, "in/ct", *options))
