"""A slice that does not fit between its neighbors is named, two mixed scans are refused, a head is left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.findings import ERROR, WARNING
from ICHVolumeLib.quality.slice_order import check_slice_order, misplaced_slices

SMALL = {"pixel_mm": 3.0, "columns": 60, "rows": 68, "step_mm": 6.0}


@pytest.fixture(scope="module")
def head():
    return ellipsoid_ct("regular", **SMALL).ct


def other(head, hu):
    return replace(head, hu=hu)


@pytest.mark.parametrize("grid", GRIDS)
def test_every_slice_of_a_head_fits(grid):
    assert check_slice_order(ellipsoid_ct(grid, **SMALL).ct) == []


def test_noise_does_not_make_slices_unlike(head):
    noise = np.random.default_rng(0).normal(0, 40, head.hu.shape)
    assert misplaced_slices(other(head, (head.hu + noise).astype(np.int16))).size == 0


def test_a_foreign_slice_is_named(head):
    hu = head.hu.copy()
    hu[12] = np.roll(hu[12], 12, axis=1)
    [finding] = check_slice_order(other(head, hu))
    assert (finding.code, finding.severity) == ("slice-misplaced", WARNING) and "slice 13" in finding.message


def test_two_scans_that_alternate_are_refused(head):
    mixed = np.empty((2 * len(head.hu), *head.hu.shape[1:]), np.int16)
    mixed[::2], mixed[1::2] = head.hu, np.roll(head.hu, 2, axis=2)
    [finding] = check_slice_order(CTVolume.regular(mixed, head.ijk_to_ras @ np.diag([1, 1, 0.5, 1])))
    assert (finding.code, finding.severity) == ("slices-interleaved", ERROR)
    assert "Two scans were mixed" in finding.message


def test_two_slices_say_nothing(head):
    assert misplaced_slices(CTVolume.regular(head.hu[:2], head.ijk_to_ras)).size == 0
