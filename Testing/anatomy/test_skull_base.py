"""Below the floor of the skull lie the face, the neck and the cord."""

import numpy as np
import pytest

from ICHVolumeLib.anatomy.skull_base import below_floor_mm

# MNI152, mm (Tzourio-Mazoyer et al. 2002; the dens and the tongue by eye on the CT average of Rorden et al. 2012)
BRAIN = {"gyrus rectus": (5, 35, -22), "temporal pole": (36, 12, -38), "inferior temporal gyrus": (50, -25, -25),
         "tonsil of the cerebellum": (15, -50, -55), "medulla": (0, -40, -60)}
ELSEWHERE = {"nasal cavity": (0, 55, -60), "orbit": (30, 60, -45), "tongue": (0, 20, -90), "dens": (0, -35, -95)}


@pytest.mark.parametrize("place", BRAIN)
def test_brain_lies_above_the_floor(place):
    assert below_floor_mm(np.array([BRAIN[place]], float))[0] < 0


@pytest.mark.parametrize("place", ELSEWHERE)
def test_face_and_neck_lie_below_it(place):
    assert below_floor_mm(np.array([ELSEWHERE[place]], float))[0] > 8
