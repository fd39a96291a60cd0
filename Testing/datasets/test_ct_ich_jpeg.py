"""CT-ICH 1.0 as released: masks beside the slices, kinds of blood from the table, pixels measured by the skull."""

import numpy as np
import pytest
from ct_ich_files import TRUE_MM
from dataset_fakes import truth_ml, write_ct_ich_jpeg

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN, UNSURE
from ICHVolumeLib.datasets.registry import load_cases

BALL = np.hypot(*(np.mgrid[:650, :650] - 300)) < 40  # pixels of a marked disc
DISC_ML = np.pi * (40 * TRUE_MM) ** 2 * 5 / 1000


def load_one(folder):
    case, = load_cases("ct_ich_jpeg", folder)
    return case


def test_a_marked_disc_has_its_volume_and_the_kind_that_the_table_notes_for_its_slice(tmp_path):
    kinds = [(), ("Intraparenchymal",), ("Intraventricular",), ("Subdural", "Epidural"), ()]
    case = load_one(write_ct_ich_jpeg(tmp_path, kinds, {2: BALL, 3: BALL, 4: BALL}))
    assert truth_ml(case) == pytest.approx({1: DISC_ML, 2: DISC_ML, OUTSIDE_BRAIN: DISC_ML}, rel=0.03)
    assert (case.patient, case.dataset) == ("p049", "ct_ich_jpeg") and "CC BY 4.0" in case.licence


def test_slices_are_stacked_by_number_and_not_by_name_and_the_first_is_lowest(tmp_path):
    kinds = [()] * 10 + [("Intraparenchymal",), ()]
    case = load_one(write_ct_ich_jpeg(tmp_path, kinds, {11: BALL}))
    assert np.flatnonzero(case.truth.any(axis=(1, 2))) == [10]
    assert case.ct.slice_steps_mm == pytest.approx([5] * 11) and case.ct.ijk_to_ras[2, 2] > 0


@pytest.mark.parametrize("here", [("Intraparenchymal", "Subarachnoid"), ()])
def test_marked_pixels_of_several_kinds_or_none_are_unsure(tmp_path, here):
    case = load_one(write_ct_ich_jpeg(tmp_path, [(), here], {2: BALL}))
    assert set(truth_ml(case)) == {UNSURE} and not case.truth[0].any()


def test_a_slice_that_bleeds_by_the_table_and_has_no_mask_is_unsure_as_a_whole(tmp_path):
    case = load_one(write_ct_ich_jpeg(tmp_path, [(), ("Subarachnoid",)], {}))
    assert (case.truth[1] == UNSURE).all() and not case.truth[0].any()


def test_slices_that_are_not_those_of_the_table_and_masks_without_a_slice_are_named(tmp_path):
    write_ct_ich_jpeg(tmp_path, [(), (), ()], {3: BALL})
    brain = tmp_path / "Patients_CT" / "049" / "brain"
    (brain / "1.jpg").rename(brain / "7.jpg")
    with pytest.raises(InputError, match=r"brain: 1\.jpg, 7\.jpg only here or only in hemorrhage_diagnosis\.csv; use"):
        load_one(tmp_path)
    (brain / "3.jpg").unlink()
    with pytest.raises(InputError, match=r"3_HGE_Seg\.jpg without the slice; copy"):
        load_one(tmp_path)


def test_a_damaged_patient_does_not_end_the_others(tmp_path):
    write_ct_ich_jpeg(tmp_path, [(), ()], {}, "050")
    write_ct_ich_jpeg(tmp_path / "more", [(), ()], {}, "049")
    (tmp_path / "more" / "Patients_CT" / "049").rename(tmp_path / "Patients_CT" / "049")
    cases = load_cases("ct_ich_jpeg", tmp_path)
    with pytest.raises(InputError, match="049.*only here"):
        next(cases)
    assert next(cases).id == "p050"


def test_an_empty_patient_is_named_and_a_folder_without_a_number_is_no_patient(tmp_path):
    write_ct_ich_jpeg(tmp_path, [(), ()], {}, "050")
    for name in ("049", "050 copy"):
        (tmp_path / "Patients_CT" / name / "brain").mkdir(parents=True)
    cases = load_cases("ct_ich_jpeg", tmp_path)
    with pytest.raises(InputError, match=r"049.*holds no slices K\.jpg"):
        next(cases)
    assert [case.id for case in cases] == ["p050"]


def test_the_table_must_be_there(tmp_path):
    write_ct_ich_jpeg(tmp_path, [()], {})
    (tmp_path / "hemorrhage_diagnosis.csv").unlink()
    with pytest.raises(InputError, match=r"hemorrhage_diagnosis\.csv cannot be read as the table of slices"):
        load_cases("ct_ich_jpeg", tmp_path)
