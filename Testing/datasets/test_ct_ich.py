"""CT-ICH: what its 8-bit slices become, on fakes made by code."""

import numpy as np
import pytest
import SimpleITK as sitk
from ct_ich_files import write_slice

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.ct_ich import load_ct_ich, window_to_hu
from ICHVolumeLib.imaging.windowing import window
from ICHVolumeLib.segmentation.orientation import Orientation


def test_saturated_pixels_leave_the_networks_window_instead_of_becoming_clots():
    pixels = np.array([0, 1, 2, 128, 252, 253, 255], np.uint8)
    seen = window(window_to_hu(pixels).astype(np.float32), -60.0, 140.0)
    assert (seen[[0, 1]] == 0).all() and (seen[[5, 6]] == 1).all()
    assert window_to_hu(pixels)[3] == pytest.approx(128 / 255 * 120 - 20, abs=1)


def test_a_folder_without_slices_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pNNN_sNN.jpg"):
        load_ct_ich(tmp_path)  # at once, not when the first case is asked for


def test_a_case_is_an_axial_scan_without_blood_that_names_its_licence(tmp_path):
    for number in (4, 5, 6):
        write_slice(tmp_path / f"p007_s{number:02d}.jpg")
    case, = load_ct_ich(tmp_path)
    assert (case.id, case.dataset, case.bleeds) == ("p007", "ct_ich", False)
    assert "CC BY 4.0" in case.licence and "Hssayeni" in case.licence
    assert case.ct.hu.shape == case.truth.shape == (3, 650, 650)
    assert Orientation.of(case.ct) == Orientation(False, (False, False, False))
    assert case.ct.slice_steps_mm == pytest.approx([5, 5])
    assert case.ct.slice_origins_ras[0, 2] == 20


def test_missing_slices_leave_a_gap(tmp_path):
    for number in (4, 5, 8):
        write_slice(tmp_path / f"p007_s{number:02d}.jpg")
    case, = load_ct_ich(tmp_path)
    assert case.ct.slice_steps_mm == pytest.approx([5, 15])
    assert case.ct.is_uneven


def test_patients_come_by_name_and_one_after_the_other(tmp_path):
    for name in ("p012_s00", "p012_s01", "p003_s00", "p003_s01"):
        write_slice(tmp_path / f"{name}.jpg")
    cases = load_ct_ich(tmp_path, "extra_axial")
    assert next(cases).id == "p003"
    (tmp_path / "p012_s01.jpg").write_bytes(b"cut short")
    with pytest.raises(InputError, match=r"p012_s01\.jpg cannot be read"):
        next(cases)


def write_black(path, size):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((size, size), np.uint8)), str(path))


def test_slices_of_another_kind_are_refused(tmp_path):
    write_black(tmp_path / "p001_s00.jpg", 512)
    with pytest.raises(InputError, match="p001_s00.jpg is not 650 x 650"):
        next(load_ct_ich(tmp_path))


def test_slices_without_a_number_are_refused(tmp_path):
    for name in ("p001_s00", "p001_sxx"):
        write_slice(tmp_path / f"{name}.jpg")
    with pytest.raises(InputError, match="pNNN_sNN.jpg.*xx"):
        next(load_ct_ich(tmp_path))


def test_a_patient_without_a_skull_is_named(tmp_path):
    write_black(tmp_path / "p009_s00.jpg", 650)
    with pytest.raises(InputError, match="p009: No skull"):
        next(load_ct_ich(tmp_path))
