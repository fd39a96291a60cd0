"""Which part of the brain lies where, in MNI-like mm: ellipsoids and one tent, drawn by hand from published places.

Centres of the deep nuclei and of the brain stem: Tzourio-Mazoyer et al. 2002 (10.1006/nimg.2001.0978) and Mori et al.
2008 (10.1016/j.neuroimage.2007.12.035); the tentorium: from the straight sinus to the transverse sinuses and the
petrous ridges, Rhoton 2000 (10.1097/00006123-200009001-00007). Generous by some millimetres, because single brains
differ from the average by that.
"""

import numpy as np

LOBAR, DEEP, BRAIN_STEM, CEREBELLUM, VENTRICLE = range(1, 6)
NAMES = {LOBAR: "lobar", DEEP: "deep", BRAIN_STEM: "brain stem", CEREBELLUM: "cerebellum", VENTRICLE: "ventricle"}

# (|x|, y, z) of the centre and radii, mm; on both sides unless x is 0
DEEP_MM = {
    "putamen and pallidum": ((24, 1, 1), (11, 21, 14)),
    "head of the caudate": ((13, 13, 4), (9, 13, 14)),
    "body of the caudate": ((17, -4, 19), (7, 16, 7)),
    "thalamus": ((12, -19, 6), (13, 17, 13)),
    "internal capsule": ((22, -12, 8), (9, 16, 13)),
}
PARTS_OF_DEEP_MM = {"putamen": DEEP_MM["putamen and pallidum"], "caudate": DEEP_MM["head of the caudate"],
                    "thalamus": DEEP_MM["thalamus"]}  # what a deep bleed is named after
BRAIN_STEM_MM = {
    "midbrain": ((0, -21, -11), (19, 14, 13)),
    "pons": ((0, -26, -31), (19, 14, 15)),
    "medulla": ((0, -39, -53), (12, 12, 18)),
}
VENTRICLES_MM = {
    "frontal horn": ((7, 22, 10), (5, 12, 9)),
    "body": ((10, -10, 22), (6, 24, 6)),
    "atrium": ((25, -40, 10), (7, 11, 11)),
    "occipital horn": ((26, -62, 6), (5, 16, 6)),
    "third": ((0, -12, 1), (3, 14, 10)),
    "fourth": ((0, -45, -33), (8, 6, 11)),
}


def in_ellipsoids(mm: np.ndarray, shapes: dict) -> np.ndarray:
    """(n,) bool: (n, 3) MNI-like mm inside one of the ellipsoids, on either side."""
    across, y, z = np.abs(mm[:, 0]), mm[:, 1], mm[:, 2]
    inside = np.zeros(len(mm), bool)
    for center, radii in shapes.values():
        inside |= (((across - center[0]) / radii[0]) ** 2 + ((y - center[1]) / radii[1]) ** 2
                   + ((z - center[2]) / radii[2]) ** 2) <= 1
    return inside


def above_tentorium_mm(mm: np.ndarray) -> np.ndarray:
    """(n,) height above the tentorium, negative below. Its ridge runs from the torcular to the great vein; to both
    sides it falls to the transverse sinuses and the petrous ridges."""
    across, y, z = np.abs(mm[:, 0]), mm[:, 1], mm[:, 2]
    ridge = np.interp(y, (-100.0, -50.0, -30.0), (-25.0, 3.0, 0.0))
    edge = np.interp(y, (-100.0, -50.0), (-25.0, -29.0))
    share = np.clip(across / 55.0, 0, 1) ** 0.6
    return z - (ridge + (edge - ridge) * share)


def behind_petrous_mm(mm: np.ndarray) -> np.ndarray:
    """(n,) mm that a place lies behind the petrous ridge, negative before it, where the temporal lobe lies lower."""
    return -8.0 - 0.6 * np.abs(mm[:, 0]) - mm[:, 1]


def regions_at(mm: np.ndarray) -> np.ndarray:
    """(n,) uint8, one of the five above, of (n, 3) MNI-like mm. All that is no other part is lobar."""
    found = np.full(len(mm), LOBAR, np.uint8)
    found[in_ellipsoids(mm, DEEP_MM)] = DEEP
    found[in_ellipsoids(mm, VENTRICLES_MM)] = VENTRICLE
    found[(above_tentorium_mm(mm) < 0) & (behind_petrous_mm(mm) > 0)] = CEREBELLUM  # the fourth ventricle too
    found[in_ellipsoids(mm, BRAIN_STEM_MM)] = BRAIN_STEM
    return found
