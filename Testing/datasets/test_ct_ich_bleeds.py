"""Real slices with masks: what is loaded. On fakes made by code."""

import numpy as np
import pytest
from real_fakes import PIXEL_MM, write_data

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.ct_ich_bleeds import load_bleeds, load_without_bleed
from ICHVolumeLib.datasets.registry import load_cases


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def test_a_split_is_loaded_with_its_masks_and_its_size(data):
    stack, = load_bleeds(data, "train")
    assert (stack.patient, stack.numbers) == ("p053", (3, 4, 5, 6))
    assert stack.kinds == ("no_blood", "bleeds", "bleeds", "context")
    assert set(np.unique(stack.truth)) == {0, 1, 255}
    assert stack.spacing_mm == pytest.approx(PIXEL_MM, rel=0.03)
    assert [one.patient for one in load_bleeds(data)] == ["p053", "p079"]


def test_slices_without_blood_in_the_brain_are_stacked_by_patient(data):
    stack, = load_without_bleed(data, lambda patient: patient == "p066")
    assert (stack.patient, stack.numbers, stack.kinds) == ("p066", (1, 2, 3), ("normal", "extra_axial", "normal"))
    assert not stack.truth.any()


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"labels\.csv: not found"):
        load_bleeds(tmp_path)


def test_as_a_data_set_of_the_registry_it_gives_one_case_a_patient(data):
    first, second = load_cases("ct_ich_bleeds", data / "ct_ich_v1_bleeds")
    assert [(one.id, one.split, one.dataset) for one in (first, second)] == [("p053", "train", "ct_ich_bleeds"),
                                                                             ("p079", "validate", "ct_ich_bleeds")]
    assert first.bleeds and "Hssayeni" in first.licence
    assert set(np.unique(second.truth)) == {0, 2, 3}
    assert first.ct.pixel_spacing_mm == pytest.approx((PIXEL_MM, PIXEL_MM), rel=0.03)
    assert first.ct.slice_origins_ras[:, 2].tolist() == [15, 20, 25, 30]
    with pytest.raises(InputError, match=r"labels\.csv: not found"):
        load_cases("ct_ich_bleeds", data)  # at once, not when the first case is asked for
