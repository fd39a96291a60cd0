"""Pieces of a mask against SimpleITK's connected components, and what is listed of each."""

import numpy as np
import pytest
import SimpleITK as sitk
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.measure import measure_mask
from ICHVolumeLib.measure.components import connected, find_components, find_runs


@pytest.mark.parametrize("share", [0.02, 0.08, 0.3, 0.9])
@pytest.mark.parametrize("shape", [(9, 16, 24), (5, 13, 21)])  # rows of whole words of eight, and not
def test_the_pieces_are_those_of_simpleitk(share, shape):
    rng = np.random.default_rng(1)
    mask = (rng.random(shape) < share).astype(np.uint8) * rng.integers(1, 3, shape).astype(np.uint8)
    ours = sorted((piece.value, int(piece.runs.length.sum()), piece.mean_hu, *piece.slice_range)
                  for piece in find_components(find_runs(mask), _hu(shape)))
    theirs = []
    for value in (1, 2):
        labels = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray((mask == value).view(np.uint8)),
                                                                True))
        for number in range(1, labels.max() + 1):
            slices = np.nonzero(labels == number)[0]
            theirs.append((value, len(slices), _hu(shape)[labels == number].mean(), slices.min(), slices.max()))
    np.testing.assert_allclose(ours, sorted(theirs))


def test_voxels_that_share_a_corner_are_one_piece():
    mask = np.zeros((4, 4, 8), np.uint8)
    mask[1, 1, 1] = mask[2, 2, 2] = 1
    assert len(measure_mask(_cube(mask), mask).components) == 1


def test_touching_ich_and_ivh_are_two_pieces():
    mask = np.zeros((4, 4, 8), np.uint8)
    mask[1, 1, 1:3], mask[1, 1, 3:6] = 1, 2
    assert [(c.label, round(c.volume_ml * 1000)) for c in measure_mask(_cube(mask), mask).components] == \
        [("IVH", 3), ("ICH", 2)]


def test_the_end_of_a_row_does_not_touch_the_start_of_the_next():
    mask = np.zeros((3, 4, 8), np.uint8)
    mask[1, 1, 7] = mask[1, 2, 0] = mask[1, 3, 7] = mask[2, 0, 0] = 1
    assert len(measure_mask(_cube(mask), mask).components) == 4


def test_a_long_chain_is_one_part():
    nodes = np.random.default_rng(2).permutation(5000)
    assert (connected(5000, nodes[1:], nodes[:-1]) == 0).all()


def test_a_piece_is_described():
    mask = np.zeros((6, 8, 8), np.uint8)
    mask[2:5, 1:3, 3:7] = 1
    ct = _cube(mask, spacing=(0.5, 2.0, 4.0))
    ct.hu[mask > 0] = np.arange(24)
    (piece,) = measure_mask(ct, mask).components
    assert piece.label == "ICH" and piece.slice_range == (2, 4)
    assert piece.volume_ml == pytest.approx(24 * 4 / 1000)
    assert piece.mean_hu == pytest.approx(11.5)
    assert piece.extent_mm == pytest.approx((2.0, 4.0, 12.0))
    assert piece.centroid_ras == pytest.approx((4.5 * 0.5, 1.5 * 2, 3 * 4))


@pytest.mark.parametrize("grid", GRIDS)
def test_the_centroid_lies_at_true_positions_on_every_grid(grid):
    bleed = ellipsoid_ct(grid, head=False, center_mm=(12.0, -20.0, 15.0))
    (piece,) = measure_mask(bleed.ct, bleed.mask).components
    np.testing.assert_allclose(piece.centroid_ras, (12, -20, 15), atol=1.0)


def test_a_thick_slab_pulls_the_centroid_by_its_height():
    origins = np.zeros((4, 3))
    origins[:, 2] = 0, 2, 4, 12  # slabs of 2, 2, 5 and 8 mm
    mask = np.zeros((4, 4, 8), np.uint8)
    mask[1:3, 1, 1] = 1
    ct = CTVolume(np.zeros(mask.shape, np.int16), np.diag([1, 1, 4, 1.0]), origins)
    assert measure_mask(ct, mask).components[0].centroid_ras == pytest.approx((1, 1, (2 * 2 + 4 * 5) / 7))


def test_pieces_come_largest_first_and_pieces_add_up_to_the_volume():
    rng = np.random.default_rng(3)
    mask = (rng.random((6, 20, 24)) < 0.1).astype(np.uint8)
    measurement = measure_mask(_cube(mask), mask)
    volumes = [piece.volume_ml for piece in measurement.components]
    assert volumes == sorted(volumes, reverse=True)
    assert sum(volumes) == pytest.approx(measurement.volume_ml.total)


def test_measuring_leaves_scan_and_mask_untouched():
    bleed = ellipsoid_ct(head=False)
    hu, mask = bleed.ct.hu.copy(), bleed.mask.copy()
    bleed.ct.hu.flags.writeable = bleed.mask.flags.writeable = False
    measure_mask(bleed.ct, bleed.mask)
    assert np.array_equal(hu, bleed.ct.hu) and np.array_equal(mask, bleed.mask)


def test_a_mask_seen_through_strides_measures_the_same():
    bleed = ellipsoid_ct(head=False)
    strided = np.asfortranarray(bleed.mask)
    assert measure_mask(bleed.ct, strided) == measure_mask(bleed.ct, bleed.mask)


def _hu(shape):
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def _cube(mask, spacing=(1.0, 1.0, 1.0)):
    return CTVolume.regular(np.full(mask.shape, 60, np.int16), np.diag([*spacing, 1.0]))
