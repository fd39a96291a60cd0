"""The region map against published places: centres of AAL's regions (Tzourio-Mazoyer 2002), MNI mm."""

import numpy as np
import pytest

from ICHVolumeLib.anatomy.regions import BRAIN_STEM, CEREBELLUM, DEEP, LOBAR, NAMES, VENTRICLE, regions_at

PUBLISHED = {
    DEEP: {"putamen": (24, 4, 2), "pallidum": (18, 0, 0), "thalamus": (11, -18, 8), "caudate": (11, 11, 9)},
    LOBAR: {"middle frontal": (33, 33, 35), "precentral": (39, -6, 51), "superior parietal": (23, -60, 59),
            "angular": (44, -60, 36), "middle temporal": (56, -34, -2), "inferior temporal": (50, -28, -23),
            "temporal pole": (40, 15, -20), "middle occipital": (32, -81, 16), "cuneus": (7, -80, 28),
            "lingual": (15, -68, -5), "fusiform": (31, -40, -20), "gyrus rectus": (5, 37, -18)},
    CEREBELLUM: {"crus 1": (36, -67, -29), "crus 2": (29, -73, -38), "lobule 6": (23, -59, -22),
                 "lobule 8": (25, -56, -48), "lobule 9": (9, -50, -46), "vermis 6": (1, -67, -15),
                 "vermis 8": (1, -64, -34), "fourth ventricle": (0, -46, -32)},
    BRAIN_STEM: {"pons": (0, -26, -32), "midbrain": (6, -20, -12), "medulla": (0, -39, -52)},
    VENTRICLE: {"frontal horn": (8, 22, 10), "atrium": (25, -42, 10)},
}


@pytest.mark.parametrize("region", PUBLISHED, ids=NAMES.get)
def test_published_centres_lie_in_their_region_on_both_sides(region):
    centers = np.array(list(PUBLISHED[region].values()), float)
    for side in (1, -1):
        found = regions_at(centers * (side, 1, 1))
        wrong = {name: NAMES[one] for name, one in zip(PUBLISHED[region], found, strict=True) if one != region}
        assert wrong == {}


def test_the_tentorium_parts_occipital_lobe_from_cerebellum_everywhere_behind():
    for y in (-60.0, -70.0, -80.0):
        for x in (0.0, 20.0, 40.0):
            column = regions_at(np.array([(x, y, z) for z in range(30, -50, -1)], float))
            above = np.isin(column, (LOBAR, VENTRICLE))
            assert above[0] and column[-1] == CEREBELLUM and np.abs(np.diff(above.astype(int))).sum() == 1
