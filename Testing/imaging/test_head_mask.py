"""Where the brain can be: soft tissue with bone around it, also in an open skull."""

import numpy as np
from phantoms import ellipsoid_ct

from ICHVolumeLib.imaging.head_mask import find_head
from ICHVolumeLib.segmentation.grid import make_grid


def test_slices_without_brain_are_left_out_with_a_slice_to_spare():
    ct = ellipsoid_ct("regular", pixel_mm=1.0, step_mm=5.0, half_height_mm=120.0).ct
    head = find_head(ct.hu, ct.pixel_spacing_mm)
    holds_brain = np.array([np.any((one > 20) & (one < 45)) for one in ct.hu]) & (np.abs(np.arange(-120, 121, 5)) < 74)
    assert head.skull_found
    assert not head.has_brain[0] and not head.has_brain[-1]
    assert head.has_brain[holds_brain].all()


def test_a_craniectomy_hides_no_brain(phantom):
    ct, hu = phantom.ct, phantom.ct.hu.copy()
    whole = find_head(hu, ct.pixel_spacing_mm)
    flap = hu[np.abs(ct.slice_origins_ras[:, 2] - 20) < 40, :, 120:]  # 8 cm high, from 24 mm beside the midline
    flap[flap > 300] = 30
    hu[np.abs(ct.slice_origins_ras[:, 2] - 20) < 40, :, 120:] = flap
    opened = find_head(hu, ct.pixel_spacing_mm)
    assert (opened.has_brain == whole.has_brain).all()
    brain = (ct.hu > 20) & (ct.hu < 80) & whole.enclosed.repeat(4, 1).repeat(4, 2)
    assert opened.enclosed.repeat(4, 1).repeat(4, 2)[brain].mean() > 0.98
    assert make_grid(opened, hu.shape[1:], (1.0, 1.0)).box == make_grid(whole, hu.shape[1:], (1.0, 1.0)).box


def test_without_any_skull_nothing_is_left_out_and_it_is_said():
    hu = np.full((5, 64, 64), 30, np.int16)
    head = find_head(hu, (0.5, 0.5))
    assert not head.skull_found and head.has_brain.all()
    assert make_grid(head, (64, 64), (0.5, 0.5)).box == (0, 64, 0, 64)
