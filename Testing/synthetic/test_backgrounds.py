"""Backgrounds: where brain and ventricles are found."""

import numpy as np
import pytest
import SimpleITK as sitk

from ICHVolumeLib.synthetic import background_pool
from ICHVolumeLib.synthetic.background_pool import is_validation, procedural, template
from ICHVolumeLib.synthetic.backgrounds import BRAIN, TISSUE_STRIDE, VENTRICLE, _drop_cisterns
from ICHVolumeLib.synthetic.head import head_hu


def test_brain_is_found_inside_the_skull_and_ventricles_inside_the_brain(head):
    y, x = np.mgrid[:512:2, :512:2] * 0.45 - 115.0
    radius = np.hypot(x, y)
    tissue = head.tissue[4]
    assert (tissue[radius < 60] > 0).all()
    assert (tissue[radius > 66] == 0).all()
    horn = (np.abs(np.abs(x) - 9) < 3) & (np.abs(y) < 18)
    assert (tissue[horn] == VENTRICLE).all()
    assert (tissue[(radius > 30) & (radius < 60)] == BRAIN).all()


def test_depth_is_the_distance_to_the_skull(head):
    center, towards_skull = head.depth_mm[4, 128, 128], head.depth_mm[4, 128, 128 + 44]  # 44 pixels of 0.9 mm
    assert center == pytest.approx(63, abs=3)  # the soft edge of bone costs up to 4 mm
    assert center - towards_skull == pytest.approx(44 * 0.9, abs=2)


def test_the_split_is_by_patient_and_stable():
    held = {name for name in (f"p{number:03d}" for number in range(300)) if is_validation(name)}
    assert held == {name for name in (f"p{number:03d}" for number in range(300)) if is_validation(name)}
    assert 30 < len(held) < 90


def test_a_head_made_by_code_offers_brain_and_ventricles():
    head = procedural(5)
    assert (head.tissue == BRAIN).sum() > 20_000
    assert (head.tissue == VENTRICLE).any()


def test_the_ventricles_of_a_head_made_by_code_are_those_it_was_made_with(monkeypatch):
    known = {}

    def note(*arrays, **options):
        made = head_hu(*arrays, **options)
        known["ventricle"] = made[1]
        return made

    monkeypatch.setattr(background_pool, "head_hu", note)
    head = background_pool.procedural(3)
    ventricle = known["ventricle"][:, ::TISSUE_STRIDE, ::TISSUE_STRIDE] > 0.5
    in_use = (head.tissue > 0).any(axis=(1, 2))
    np.testing.assert_array_equal(head.tissue[in_use] == VENTRICLE, ventricle[in_use])
    assert (ventricle & (head.hu[:, ::TISSUE_STRIDE, ::TISSUE_STRIDE] < 15)).any()


def test_the_templates_ventricles_are_its_csf_and_not_its_white_matter(tmp_path):
    write_template(tmp_path)
    made = template(tmp_path, 0)
    hu = made.hu[:, ::TISSUE_STRIDE, ::TISSUE_STRIDE]
    ventricle = made.tissue == VENTRICLE
    assert ventricle.any()
    assert np.median(hu[ventricle]) < 12
    assert np.median(hu[made.tissue == BRAIN]) == pytest.approx(27, abs=1)  # white matter on clinical CT


def write_template(folder):
    """A ball of white matter (18) with two ventricles of CSF (-6), in the HU and under the names of the template."""
    z, y, x = (np.mgrid[:130, :150, :150] - np.array([65, 75, 75])[:, None, None, None]).astype(np.float32)
    ball = np.sqrt(x**2 + y**2 + (z * 1.2) ** 2) < 68
    horns = (np.abs(np.abs(x) - 9) < 5) & (np.abs(y) < 20) & (np.abs(z) < 12)
    for name, array in (("", np.where(horns, -6, np.where(ball, 18, 0))), ("_Mask", ball)):
        image = sitk.GetImageFromArray(array.astype(np.float32))
        sitk.WriteImage(image, str(folder / f"scct_unsmooth_SS_0.01{name}.nii.gz"))


def test_deep_cisterns_of_low_slices_are_not_ventricles_but_the_fourth_ventricle_is():
    tissue = np.zeros((2, 120, 120), np.uint8)
    tissue[0, 20:100, 20:100] = BRAIN  # a low slice with less brain than the one above
    tissue[1, 5:115, 5:115] = BRAIN
    tissue[0, 45:55, 55:65] = VENTRICLE  # suprasellar cistern: middle, front half
    tissue[0, 70:76, 57:63] = VENTRICLE  # fourth ventricle: middle, back half
    tissue[1, 45:55, 55:65] = VENTRICLE  # the same place higher up: third ventricle
    _drop_cisterns(tissue, (tissue > 0).sum(axis=(1, 2)))
    assert (tissue[0, 45:55, 55:65] == BRAIN).all()
    assert (tissue[0, 70:76, 57:63] == VENTRICLE).all() and (tissue[1, 45:55, 55:65] == VENTRICLE).all()
