"""The record of a case refuses a mask that is not its own."""

import numpy as np
import pytest

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN, UNSURE, DatasetCase

CT = CTVolume.regular(np.zeros((3, 8, 8), np.int16), np.diag([-1.0, -1, 5, 1]))


@pytest.mark.parametrize(("value", "bleeds"), [(0, False), (1, True), (2, True), (OUTSIDE_BRAIN, True), (UNSURE, True)])
def test_any_mark_means_that_it_may_bleed(value, bleeds):
    truth = np.zeros(CT.hu.shape, np.uint8)
    truth[1, 2, 3] = value
    assert DatasetCase("a", CT, truth, "CC0").bleeds is bleeds


def test_without_a_mask_nobody_knows():
    assert DatasetCase("a", CT, None, "CC0").bleeds is None


def test_a_mask_of_another_scan_is_refused():
    with pytest.raises(InputError, match="a: the mask has"):
        DatasetCase("a", CT, np.zeros((4, 8, 8), np.uint8), "CC0")


@pytest.mark.parametrize(("truth", "said"), [(np.full((3, 8, 8), 4, np.uint8), "4"),
                                             (np.zeros((3, 8, 8), bool), "of type bool, not uint8")])
def test_values_that_mean_nothing_here_are_refused(truth, said):
    with pytest.raises(InputError, match=f"a: the mask has values {said}"):
        DatasetCase("a", CT, truth, "CC0")
