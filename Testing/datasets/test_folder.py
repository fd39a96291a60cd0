"""Folders of images and masks: pairs by name, and one sentence where they do not fit."""

import gzip

import numpy as np
import pytest
from nifti_files import nifti_bytes

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.folder import load_folder
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd

MATRIX = np.diag([-16.0, -16, 5, 1])  # 192 x 160 mm: a head fits
HU = np.random.default_rng(1).normal(30, 20, (3, 12, 10)).astype(np.int16)
HU[:, :3] = -1000
MASK = np.zeros(HU.shape, np.uint8)
MASK[1, 3:6, 2:5], MASK[2, 3:6, 2:5] = 1, 2


def write(folder, images=(), masks=(), mask=MASK, mask_matrix=MATRIX):
    for room, names, array, matrix in (("images", images, HU, MATRIX), ("masks", masks, mask, mask_matrix)):
        for name in names:
            (folder / room).mkdir(exist_ok=True)
            file = folder / room / name
            if name.endswith((".nrrd", ".nhdr")):
                write_nrrd(file, array, matrix, {})
            else:
                data = nifti_bytes(array, matrix)
                file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


def test_pairs_are_found_by_name_whatever_the_format(tmp_path):
    write(tmp_path, ["a.nii.gz", "b.NII", "c.nrrd", "d.1.nii.gz"], ["a.nrrd", "b.nii.gz", "d.1.nii"])
    write_mask_seg_nrrd(tmp_path / "masks" / "c.seg.nrrd", MASK, CTVolume.regular(HU, MATRIX))
    (tmp_path / "images" / "readme.txt").write_text("not a scan", encoding="utf-8")
    (tmp_path / "images" / "._a.nii.gz").write_bytes(b"left behind by a Mac")
    cases = list(load_folder(tmp_path, licence="CC0"))
    assert [case.id for case in cases] == ["a", "b", "c", "d.1"]
    for case in cases:
        assert (case.ct.hu == HU).all() and (case.truth == MASK).all()
        assert (case.licence, case.dataset) == ("CC0", "folder")


def test_without_masks_nothing_is_known(tmp_path):
    case, = load_folder(write(tmp_path, ["a.nii"]))
    assert case.truth is None


def test_missing_pairs_are_named_in_one_sentence_before_anything_is_read(tmp_path):
    write(tmp_path, ["a.nii", "b.nii", *(f"x{number}.nii" for number in range(9))], ["a.nii", "c.nii"])
    with pytest.raises(InputError) as raised:
        load_folder(tmp_path)
    assert "b, x0, x1, x2, x3 and 5 more without a mask in masks/" in str(raised.value)
    assert "and c without an image in images/" in str(raised.value)


def test_a_name_that_occurs_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.nii and a\.nrrd have the same name"):
        load_folder(write(tmp_path, ["a.nii", "a.nrrd"]))


def test_a_mask_on_another_grid_is_refused_by_name(tmp_path):
    write(tmp_path, ["a.nii"], ["a.nii"], mask_matrix=np.diag([-16.0, -16, 4, 1]))
    with pytest.raises(InputError, match=r"masks.a\.nii does not fit this CT"):
        list(load_folder(tmp_path))


@pytest.mark.parametrize("values", [(5,), (1, 2, 3)])
def test_labels_of_another_kind_are_refused_not_guessed_at(tmp_path, values):
    mask = np.zeros(HU.shape, np.uint8)
    mask[1, 1, :len(values)] = values
    write(tmp_path, ["a.nii"], ["a.nii"], mask=mask)
    with pytest.raises(InputError, match=r"masks.a\.nii"):
        list(load_folder(tmp_path))


def test_names_beside_the_masks_go_before_the_numbers(tmp_path):
    write(tmp_path, ["a.nii"], ["a.nii"])
    (tmp_path / "masks" / "dataset.json").write_text('{"labels": {"background": 0, "EDH": 1, "IVH": 2}}')
    with pytest.raises(InputError, match=r"masks.a\.nii: its labels are not ICH .1. and IVH .2.: Left out.*EDH"):
        list(load_folder(tmp_path))


@pytest.mark.parametrize("made", [(), ("images",)])
def test_a_folder_without_scans_says_where_they_belong(tmp_path, made):
    for name in made:
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="put the scans"):
        load_folder(tmp_path)
