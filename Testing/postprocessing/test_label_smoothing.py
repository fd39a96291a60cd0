"""Whether blood is ICH or IVH is decided by what the network says of the blood around, across the slices, too."""

import numpy as np
import pytest

from ICHVolumeLib.postprocessing.label_smoothing import smooth_labels

SPACING_MM = (0.5, 0.8)
SHAPE = (7, 90, 70)
CLOT = np.s_[2:5, 30:60, 20:50]


def asked(ivh, bleed, mask=None, slab_mm=5.0, spacing_mm=SPACING_MM):
    """mask: labelled as a voxel alone would be, unless given."""
    if mask is None:
        mask = np.where(bleed > 0.5, np.where(2 * ivh > bleed, 2, 1), 0).astype(np.uint8)
    before = mask.copy()
    slabs = np.broadcast_to(np.asarray(slab_mm, float), len(mask))
    smooth_labels(mask, ivh.astype(np.float16), bleed.astype(np.float16), spacing_mm, slabs)
    assert ((mask > 0) == (before > 0)).all()
    return mask


def clot(share_of_ivh):
    """(p(IVH), p(bleed)) of a block of blood in slices 2 to 4, by slice."""
    bleed = np.zeros(SHAPE)
    bleed[CLOT] = 0.9
    shares = np.zeros(SHAPE[0])
    shares[2:5] = share_of_ivh
    return bleed * shares[:, None, None], bleed


@pytest.mark.parametrize(("shares", "label"), [((0.1, 0.6, 0.1), 1), ((0.9, 0.4, 0.9), 2)])
def test_a_slice_in_doubt_follows_the_slices_that_are_sure(shares, label):
    mask = asked(*clot(shares))
    assert (mask[CLOT] == label).all()


def test_a_patch_within_a_clot_follows_the_clot():
    ivh, bleed = clot((0.1, 0.1, 0.1))
    ivh[3, 40:46, 30:34] = 0.6
    assert (asked(ivh, bleed)[CLOT] == 1).all()


def test_blood_in_a_ventricle_stays_ivh_beside_a_clot():
    ivh, bleed = clot((0.05, 0.05, 0.05))
    bleed[2:5, 30:60, 5:20] = 0.9
    ivh[2:5, 30:60, 5:20] = 0.85
    mask = asked(ivh, bleed)
    assert (mask[2:5, 30:60, 5:18] == 2).all() and (mask[2:5, 30:60, 22:50] == 1).all()


def test_slices_have_a_say_by_their_distance_and_their_height():
    ivh, bleed = clot((0.05, 0.7, 0.05))
    assert (asked(ivh, bleed, slab_mm=5.0)[3, 30:60, 20:50] == 1).all()
    assert (asked(ivh, bleed, slab_mm=20.0)[3, 30:60, 20:50] == 2).all()  # the next slice is three SDs away
    thin = asked(ivh, bleed, slab_mm=[5, 5, 0.5, 5, 0.5, 5, 5])  # next to no blood in the thin slices
    assert (thin[3, 30:60, 20:50] == 2).all()


def test_distances_in_a_slice_are_millimetres_along_each_axis():
    def patch(rows, columns):
        ivh, bleed = clot((0.1, 0.1, 0.1))
        ivh[2:5, 45 - rows:45 + rows, 35 - columns:35 + columns] = 0.9
        return asked(ivh, bleed, spacing_mm=(0.3, 1.2))[3, 45, 35]

    assert patch(12, 3) == 2  # 7.2 x 7.2 mm hold six tenths of what is asked
    assert patch(3, 12) == 1  # 1.8 x 28.8 mm hold a quarter


def test_where_the_network_says_nothing_the_label_stays():
    nothing, mask = np.zeros(SHAPE), np.zeros(SHAPE, np.uint8)
    mask[3, :10], mask[3, 20:30] = 1, 2
    assert (asked(nothing, nothing, mask.copy()) == mask).all()
