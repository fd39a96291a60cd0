"""How far a place lies below the floor of the skull, in MNI-like mm: where the face, the neck and the cord are.

The floor is the lowest brain of the average of 30 heads at each distance from front to back (C. Rorden et al. 2012,
10.1016/j.neuroimage.2012.03.020); the middle fossa lies lower than the anterior one, the posterior fossa lowest.
"""

import numpy as np

_Y_MM = (-110.0, -90.0, -70.0, -60.0, -40.0, -20.0, 0.0, 20.0, 30.0, 50.0, 70.0)
_FLOOR_Z_MM = (-10.0, -50.0, -64.0, -71.0, -71.0, -62.0, -57.0, -48.0, -40.0, -36.0, -22.0)


def below_floor_mm(mm: np.ndarray) -> np.ndarray:
    """(n,) depth of (n, 3) MNI-like mm below the floor of the skull; negative above it."""
    return np.interp(mm[:, 1], _Y_MM, _FLOOR_Z_MM) - mm[:, 2]
