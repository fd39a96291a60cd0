"""Side, site and certainty of bleeds at known places; the large proof is Testing/benchmarks/site_accuracy.py."""

import numpy as np
import pytest

from ICHVolumeLib.anatomy.head_frame import HeadFrame, fit_head_frame
from ICHVolumeLib.anatomy.site import suggest_site
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.synthetic.sample import make_sample

# published MNI mm (AAL's and JHU's centres, typical hemorrhages): site, structure, place on the right, radius mm
PLACES = [("deep", "putamen", (25, 2, 3), 12), ("deep", "thalamus", (12, -19, 8), 9),
          ("deep", "caudate", (13, 12, 9), 7), ("deep", "putamen", (26, -2, 4), 24),
          ("lobar", "", (34, 33, 30), 15), ("lobar", "", (44, -55, 36), 20), ("lobar", "", (52, -25, -12), 14),
          ("lobar", "", (28, -82, 14), 12), ("lobar", "", (38, -6, 48), 18),
          ("cerebellum", "", (25, -62, -38), 14), ("cerebellum", "", (33, -68, -34), 10)]
STEM = [("pons", (0, -27, -32), 9), ("midbrain", (1, -22, -12), 6), ("medulla", (0, -39, -53), 6)]


@pytest.fixture(scope="module")
def space():
    """A scan whose RAS mm are MNI mm, 3 mm voxels, and its frame."""
    matrix = np.eye(4)
    matrix[:3, :3] *= np.array([-3.0, -3.0, 3.0])[:, None]
    matrix[:3, 3] = (90, 90, -72)
    return CTVolume.regular(np.zeros((54, 74, 60), np.int16), matrix), HeadFrame(np.eye(4), 1.0, True)


def ball(ct, center, radius, label=1):
    places = ct.voxel_to_ras(np.stack(np.indices(ct.hu.shape), -1))
    return (label * (np.linalg.norm(places - center, axis=-1) < radius)).astype(np.uint8)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("site", "structure", "place", "radius"), PLACES)
def test_bleeds_at_published_places(space, site, structure, place, radius, side):
    ct, frame = space
    found = suggest_site(ball(ct, np.array(place) * (1 if side == "right" else -1, 1, 1), radius), ct, frame)
    assert (found.side, found.site, found.structure) == (side, site, structure)
    assert found.infratentorial is (site == "cerebellum") and found.location == (
        "infratentorial" if site == "cerebellum" else site)
    assert abs(sum(found.shares.values()) - 1) < 1e-9 and 0 < found.certainty <= 1


@pytest.mark.parametrize(("structure", "place", "radius"), STEM)
def test_bleeds_in_the_brain_stem_lie_on_the_midline(space, structure, place, radius):
    found = suggest_site(ball(space[0], place, radius), *space)
    assert (found.side, found.site, found.structure, found.infratentorial) == ("midline", "brain stem", structure, True)


def test_blood_in_the_ventricles_says_nothing_about_where_it_began(space):
    ct, frame = space
    mask = ball(ct, (25, 2, 3), 10)
    ivh = ball(ct, (0, -60, 10), 25, label=2)
    both = np.where(mask > 0, mask, ivh).astype(np.uint8)
    assert suggest_site(both, ct, frame) == suggest_site(mask, ct, frame)
    alone = suggest_site(ivh, ct, frame)
    assert (alone.site, alone.infratentorial, alone.location) == ("ventricle", None, None)


def test_bleeds_on_both_sides_are_called_so(space):
    ct, frame = space
    mask = np.maximum(ball(ct, (35, -50, 40), 12), ball(ct, (-35, 30, 35), 12))
    assert suggest_site(mask, ct, frame).side == "both"


def test_a_bleed_at_a_border_is_less_certain_than_one_in_the_middle(space):
    ct, frame = space
    middle, border = (suggest_site(ball(ct, place, 6), ct, frame) for place in ((30, -65, -42), (30, -65, -20)))
    assert middle.certainty == 1.0 and middle.certainty_word == "high" and border.certainty < 0.9


def test_nothing_is_suggested_from_a_poor_frame_or_for_an_empty_mask(space):
    ct, frame = space
    mask = ball(ct, (25, 2, 3), 10)
    assert suggest_site(mask, ct, HeadFrame(np.eye(4), 9.0, False)) is None
    assert suggest_site(mask, ct, None) is None and suggest_site(mask * 0, ct, frame) is None


def test_made_patients_have_their_side_and_whether_it_is_infratentorial():
    right = 0
    for seed in range(4):
        sample = make_sample(seed, size=72)
        found = suggest_site(sample.mask, sample.ct, fit_head_frame(sample.ct))
        middle = sample.ct.voxel_to_ras(np.argwhere(sample.mask == 1)).mean(axis=0)
        assert found.side == ("right" if middle[0] > 0 else "left") or abs(middle[0]) < 8
        right += found.infratentorial == (sample.location == "infratentorial")
    assert right == 4


@pytest.mark.parametrize(("side", "site", "place", "radius"), [  # slice from 0, row, column, read by eye; mm
    ("left", "deep", (16, 215, 285), 10), ("right", "lobar", (20, 205, 185), 12), ("left", "lobar", (14, 320, 320), 12),
    ("right", "cerebellum", (7, 340, 210), 10), ("left", "cerebellum", (7, 335, 285), 10)])
def test_bleeds_put_into_the_real_tilted_scan(tilted_uneven_folder, side, site, place, radius):
    ct = read_ct(tilted_uneven_folder)
    found = suggest_site(ball(ct, ct.voxel_to_ras(np.array(place, float)), radius), ct, fit_head_frame(ct))
    assert (found.side, found.site) == (side, site)
