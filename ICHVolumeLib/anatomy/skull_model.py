"""The inner surface of an average adult skull as one smooth star-shaped surface in MNI-like mm.

radius(direction) from CENTER_MM is a sum of real spherical harmonics, symmetric in left and right. The numbers are
ours: `python -m ICHVolumeLib.experiments.fit_skull_model FOLDER` makes them from the CT template of Rorden et al. 2012
(10.1016/j.neuroimage.2012.03.020), which is in MNI space and is not shipped, and says how well they fit it.
"""

import numpy as np

CENTER_MM = np.array([0.0, -18.0, 10.0])  # about the middle of the cavity
DEGREE = 8
VAULT_FLOOR_MM, FOSSA_FRONT_MM, FOSSA_FLOOR_MM = -18.0, -45.0, -62.0  # see is_trusted
HARMONICS = np.array([  # order as in harmonics()
    78.3761, -2.7643, -6.4761, 7.1956, -6.2295, 5.3495, -3.4636, 2.4329, -0.4340,
    -1.8734, 0.9690, -2.3623, 0.6205, -0.0524, 0.0082, 0.0992, -0.0985,
    8.4738, -0.6620, -0.4585, 0.1277, 0.1941, -0.1048, 0.0024,
    2.3958, 0.0507, 0.1108, 0.0482, -0.0134, -0.0097,
    0.1487, -0.0357, -0.1616, 0.0821, -0.0567,
    -0.4759, 0.1347, 0.1269, -0.0519,
    -0.8280, 0.3291, -0.0557,
    0.2456, 0.1684,
    -0.6686,
])


def harmonics(directions: np.ndarray, degree: int = DEGREE) -> np.ndarray:
    """(n, (degree + 1)(degree + 2) / 2) real spherical harmonics that are even in x, not normalised.

    directions: (n, 3) unit vectors. Order: m = 0, 1, ..., for each the degrees m, m + 1, ... The azimuth is counted
    from the front, so that cos(m azimuth) is even in x; Legendre's polynomials by their recursion.
    """
    return np.stack(list(_harmonics(directions, degree)), axis=1)


def _harmonics(directions, degree):
    """The columns of harmonics(), one after the other."""
    x, y, z = np.ascontiguousarray(np.asarray(directions, float).T)
    around = y + 1j * x
    power = np.ones(len(z), complex)
    for m in range(degree + 1):
        before, now = 0.0, power.real
        for order in range(m, degree + 1):
            yield now
            if order < degree:
                before, now = now, ((2 * order + 1) / (order - m + 1)) * (z * now) \
                    - ((order + m) / (order - m + 1)) * before
        power = power * around


def radius_mm(directions: np.ndarray) -> np.ndarray:
    """(n,) mm from CENTER_MM to the inner table along (n, 3) unit vectors."""
    total = np.zeros(len(directions))
    for weight, column in zip(HARMONICS, _harmonics(directions, DEGREE), strict=True):
        total += weight * column
    return total


def surface_mm(directions: np.ndarray) -> np.ndarray:
    """(n, 3) points of the surface, MNI-like mm."""
    return CENTER_MM + radius_mm(directions)[:, None] * directions


def outside_mm(points_mm: np.ndarray) -> np.ndarray:
    """(n,) mm from the surface along the line to CENTER_MM; negative inside. points_mm: (n, 3), MNI-like mm."""
    away = points_mm - CENTER_MM
    distance = np.sqrt(np.einsum("ij,ij->i", away, away))
    return distance - radius_mm(away / np.maximum(distance, 1e-6)[:, None])


def even_directions(count: int) -> np.ndarray:
    """(count, 3) unit vectors spread evenly over the sphere (a Fibonacci spiral), from above downwards."""
    place = np.arange(count)
    z = 1 - (2 * place + 1) / count
    azimuth = place * np.pi * (3 - np.sqrt(5))
    across = np.sqrt(1 - z**2)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), z], axis=1)


def is_trusted(surface_points_mm: np.ndarray) -> np.ndarray:
    """(n,) bool: vault, side walls and the back wall of the posterior fossa, where the model follows the bone. The base
    (orbits, petrous bones, foramen magnum) is closed by something smooth and says nothing."""
    _, y, z = surface_points_mm.T
    return (z >= VAULT_FLOOR_MM) | ((y <= FOSSA_FRONT_MM) & (z >= FOSSA_FLOOR_MM))
