"""Every axial scan is turned the way the network was trained; others are refused."""

import numpy as np
import pytest

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.segmentation.orientation import Orientation

LPS_AXES = np.array([[-0.5, 0, 0], [0, -0.5, 0], [0, 0, 5.0]])  # columns: RAS steps of i, j, k as rows here


def ct_with_axes(i, j, k, hu=None):
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = i, j, k
    return CTVolume.regular(np.zeros((4, 6, 5), np.int16) if hu is None else hu, matrix)


def test_a_standard_axial_scan_is_not_turned():
    assert Orientation.of(ct_with_axes(*LPS_AXES)) == Orientation(False, (False, False, False))


@pytest.mark.parametrize("axes", [
    ([0.5, 0, 0], [0, -0.5, 0], [0, 0, 5]), ([-0.5, 0, 0], [0, 0.5, 0], [0, 0, 5]),
    ([-0.5, 0, 0], [0, -0.5, 0], [0, 0, -5]),
    ([0, -0.5, 0], [-0.5, 0, 0], [0, 0, 5]), ([0, 0.5, 0], [0.5, 0, 0], [0, 0, -5]),
    ([0.5, 0.05, 0], [-0.05, 0.48, 0.1], [0, 0, -5]),
])
def test_every_axial_scan_is_turned_to_patient_right_front_feet(axes):
    ct = ct_with_axes(*axes)
    positions = np.stack(np.meshgrid(*map(np.arange, ct.hu.shape), indexing="ij"), -1)
    ras = ct.voxel_to_ras(positions)
    turned = [Orientation.of(ct).view(ras[..., axis]) for axis in range(3)]
    assert (np.diff(turned[0], axis=2) < 0).all()  # columns run to the patient's left
    assert (np.diff(turned[1], axis=1) < 0).all()  # rows run to the back
    assert (np.diff(turned[2], axis=0) > 0).all()  # slices run to the head


def test_writing_into_the_turned_view_writes_into_the_scan():
    mask = np.zeros((4, 6, 5), np.uint8)
    view = Orientation(True, (True, False, True)).view(mask)
    assert view.shape == (4, 5, 6)
    view[0, 0, 0] = 1
    assert mask[3, 5, 0] == 1 and mask.sum() == 1


@pytest.mark.parametrize("axes", [([0, -0.5, 0], [0, 0, -0.5], [5, 0, 0]), ([-0.5, 0, 0], [0, 0, -0.5], [0, 5, 0])])
def test_sagittal_and_coronal_stacks_are_refused_in_words(axes):
    with pytest.raises(InputError, match="not axial"):
        Orientation.of(ct_with_axes(*axes))
